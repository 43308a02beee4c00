"""What Stripe keeps and gives back of a dispute's fees, by the transactions that the dispute lists."""

import pytest

from steward.ingest.core.webhooks import MAPPINGS


def told(kind, status, *moves):
    dispute = {
        "id": "dp_1", "status": status, "amount": 4200, "currency": "usd", "created": 1_767_600_000,
        "payment_intent": "pi_1", "reason": "fraudulent",
        "balance_transactions": [{"amount": a, "fee": f, "currency": "usd"} for a, f in moves],
    }  # fmt: skip
    event = {"id": "evt_1", "type": kind, "created": 1_767_700_000, "data": {"object": dispute}}
    (made,) = MAPPINGS["stripe"](event, {})
    return made.data


TAKEN, BACK_WITH_FEE, BACK = (-4200, 1500), (4200, -1500), (4200, 0)


@pytest.mark.parametrize(
    ("status", "moves", "fee_back"),
    [
        ("won", [TAKEN, BACK_WITH_FEE], 1500),
        ("won", [TAKEN, BACK], 0),
        ("lost", [TAKEN], 0),
    ],
)
def test_a_fee_that_comes_back_is_told(status, moves, fee_back):
    assert told("charge.dispute.closed", status, *moves).get("fee_returned_minor", 0) == fee_back


def test_what_opens_it_is_charged():
    assert told("charge.dispute.created", "needs_response", TAKEN)["fee_minor"] == 1500
