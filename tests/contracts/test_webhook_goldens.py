"""What each provider sends, and which facts it states: written down once, so that a mapping cannot drift in silence."""

import json
from pathlib import Path

import pytest

from steward.contracts.payloads import VERSIONS
from steward.events.core.structs import payload_decoder
from steward.ingest.core.webhooks import MAPPINGS, Ignored, Unreadable, parse_document

FOLDER = Path(__file__).parent / "webhooks"
FILES = sorted(FOLDER.glob("*/*.json"))
NEEDED = {
    "stripe": {"PaymentCaptured", "PaymentAuthorized", "PaymentFailed", "RefundProcessed", "DisputeOpened"}
    | {"DisputeResolved", "PayoutSent", "PayoutLanded"},
    "shopify": {"OrderPlaced", "PaymentCaptured", "OrderCancelled", "OrderFulfilled", "OrderDelivered"}
    | {"RefundProcessed", "DisputeOpened", "DisputeResolved", "StockOut"},
    "paypal": {"PaymentCaptured", "PaymentFailed", "RefundProcessed", "DisputeOpened", "DisputeResolved", "FeeCharged"},
    "tiktok_shop": {"OrderCancelled", "OrderDelivered"},
    "easypost": {"ShipmentScanned", "OrderDelivered"},
    "shipbob": {"OrderFulfilled", "OrderDelivered"},
    "zendesk": {"TicketOpened", "TicketResolved"},
    "gorgias": {"TicketOpened", "TicketResolved"},
    "standard": {"ReturnRequested", "StockAdjusted"},
}
PERSONAL = {"customer", "messages", "message"}


def golden(path):
    return json.loads(path.read_text(encoding="utf-8"))


def mapped(path):
    case = golden(path)
    body = json.dumps(case["body"], ensure_ascii=False).encode()
    return MAPPINGS[path.parent.name](parse_document(body), case["headers"])


def identity(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=identity)
def test_a_golden_delivery_maps_as_it_did(path):
    expected, found = golden(path)["expected"], mapped(path)
    if isinstance(found, Ignored):
        assert expected["ignored"] == found.reason
        assert expected.get("refetch", []) == list(found.refetch or ())
    elif isinstance(found, Unreadable):
        assert expected == {"unreadable": found.path, "reason": found.reason}
    else:
        assert [envelope.model_dump(mode="json", exclude_none=True) for envelope in found] == expected
    assert mapped(path) == found


@pytest.mark.parametrize("path", FILES, ids=identity)
def test_a_mapped_event_fits_its_contract(path):
    found = mapped(path)
    for envelope in found if isinstance(found, tuple) else ():
        model = VERSIONS[envelope.type, envelope.schemaversion]
        text = json.dumps(envelope.data)
        model.model_validate_json(text)
        payload_decoder(model).decode(text.encode())
        assert set(envelope.data) - PERSONAL <= set(model.model_fields), "a field that no contract names"


@pytest.mark.parametrize("path", FILES, ids=identity)
def test_who_somebody_is_stays_in_the_fields_that_are_taken_out(path):
    found = mapped(path)
    said = json.dumps(golden(path)["body"])
    for envelope in found if isinstance(found, tuple) else ():
        kept = json.dumps({key: value for key, value in envelope.data.items() if key not in PERSONAL})
        for name in ("Norman", "hostmail", "Chestnut", "Mara", "@example", "J. RECEIVER", "cracked", "Broken on"):
            assert name not in kept, (name, name in said)


@pytest.mark.parametrize("provider", sorted(MAPPINGS))
def test_every_provider_has_its_goldens(provider):
    cases = [mapped(path) for path in FILES if path.parent.name == provider]
    types = {envelope.type for case in cases if isinstance(case, tuple) for envelope in case}
    assert NEEDED[provider] <= types
    assert all(
        golden(path)["from"] in {"samples", "the provider's documentation"}
        for path in FILES
        if path.parent.name == provider
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stripe/refund.created", "stripe/refund.updated"),
        ("stripe/refund.created", "stripe/charge.refunded"),
        ("stripe/charge.dispute.created", "stripe/charge.dispute.funds_withdrawn"),
        ("shopify/fulfillments.create", "shopify/orders.fulfilled"),
    ],
)
def test_one_fact_told_twice_is_one_event(one, other):
    assert mapped(FOLDER / f"{one}.json") == mapped(FOLDER / f"{other}.json")
