"""A key the other side has seen: an answer that holds the first effect is that effect, whatever its status."""

import pytest

from steward.catalog import ToolBook
from steward.gateway.core.reading import Reply, read_reply
from steward.gateway.core.templates import fill
from steward.kernel.errors import BadInput

BOOK = ToolBook()
SENT = b'{"id": "0b7f4f0e-1f0d-4a57-9c1e-6d7e8f9a0b1c", "status": "pending"}'


@pytest.mark.parametrize(
    ("status", "body", "kind", "ref"),
    [
        (200, SENT, "ok", "0b7f4f0e-1f0d-4a57-9c1e-6d7e8f9a0b1c"),
        (409, SENT, "ok", "0b7f4f0e-1f0d-4a57-9c1e-6d7e8f9a0b1c"),
        (409, b"{}", "unknown", None),  # seen before, and nobody says what it did
        (400, b'{"errors": {"message": "the same amount"}}', "refused", None),
        (503, b"", "unknown", None),
    ],
)
def test_mercury_answers_a_known_key_with_409_and_the_first_transaction(status, body, kind, ref):
    read = read_reply(BOOK.tool("mercury"), BOOK.verb("mercury", "send_money"), Reply("answer", status, {}, body))
    assert (read.kind, read.remote_ref) == (kind, ref)


def test_elsewhere_409_is_no_good_answer():
    read = read_reply(BOOK.tool("paypal"), BOOK.verb("paypal", "create_payout"), Reply("answer", 409, {}, SENT))
    assert read.kind == "refused"


def test_an_address_is_taken_apart_and_an_amount_turned_round():
    given = {"payee": "mercury:ab:c", "amount_minor": 1205, "currency": "USD"}
    made = fill({"to": "{payee|after::}", "out": "{amount_minor|minus|major:currency|number}"}, given)
    assert (made["to"], str(made["out"])) == ("ab:c", "-12.05")
    for wrong in ("mercury", ":x"):
        with pytest.raises(BadInput, match="holds no"):
            fill({"to": "{payee|after::}"}, {"payee": wrong})
