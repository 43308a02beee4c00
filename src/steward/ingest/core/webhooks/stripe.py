"""Stripe events: payments, refunds, disputes and payouts. Amounts are minor units already."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded
from steward.kernel.canonical import JsonObject

_SOURCE = "stripe"


def _order(thing: Part, otherwise: str) -> str:
    """The shop's own order number, which it puts into the metadata; else the payment's id stands for it."""
    metadata = thing.maybe("metadata")
    own = metadata.maybe("order_id") if metadata else None
    return own.name() if own else otherwise


def _intent(event: Part, thing: Part, event_type: str, amount: str) -> Envelope:
    intent = thing.at("id").name()
    order = _order(thing, intent)
    data: JsonObject = {
        "payment_id": intent,
        "order_id": order,
        "currency": thing.at("currency").currency(),
        "amount_minor": thing.at(amount).whole(),
        "processor": "stripe",
    }
    if event_type == "PaymentFailed":
        error = thing.maybe("last_payment_error")
        code = error.maybe("code") if error else None
        data["code"] = code.name() if code else "unknown"
        # One intent may fail several times: each attempt is a fact of its own.
        key = f"payment_failed:{event.at('id').name()}"
    else:
        key = f"{'payment_captured' if event_type == 'PaymentCaptured' else 'payment_authorized'}:{intent}"
    return envelope(
        event_type, key, _SOURCE, f"order/{order}", event.at("created").time(), data, story=f"order/{order}"
    )


def _refund(event: Part, thing: Part) -> tuple[Envelope, ...] | Ignored:
    if thing.at("status").text() != "succeeded":
        return Ignored(f"the refund is {thing.at('status').text(40)}")
    number = thing.at("id").name()
    intent = thing.maybe("payment_intent") or thing.maybe("charge")
    payment = intent.name() if intent else None
    reason = thing.maybe("reason")
    data: JsonObject = {
        "refund_id": number,
        "currency": thing.at("currency").currency(),
        "amount_minor": thing.at("amount").whole(),
        "method": "original",
        "order_id": _order(thing, "") or None,
        "payment_id": payment,
        "processor": "stripe",
        "reason": reason.text(200) if reason else None,
    }
    at = event.at("created").time()
    return (envelope("RefundProcessed", f"refund:{number}", _SOURCE, f"refund/{number}", at, data, version=2),)


def _dispute(event: Part, thing: Part) -> tuple[Envelope, ...] | Ignored:
    number = thing.at("id").name()
    payment = thing.maybe("payment_intent") or thing.maybe("charge")
    data: JsonObject = {
        "dispute_id": number,
        "currency": thing.at("currency").currency(),
        "amount_minor": thing.at("amount").whole(),
        "payment_id": payment.name() if payment else None,
        "processor": "stripe",
    }
    if event.at("type").text() == "charge.dispute.created":
        details = thing.maybe("evidence_details")
        due = details.maybe("due_by") if details else None
        data["reason"] = thing.at("reason").text(200)
        data["evidence_due_at"] = due.time().isoformat() if due else None
        key, at = f"dispute_opened:{number}", thing.at("created").time()
        return (envelope("DisputeOpened", key, _SOURCE, f"dispute/{number}", at, data),)
    status = thing.at("status").text()
    if status not in {"won", "lost"}:
        return Ignored(f"the dispute is {status[:40]}")
    data["outcome"] = status
    at = event.at("created").time()
    return (envelope("DisputeResolved", f"dispute_resolved:{number}", _SOURCE, f"dispute/{number}", at, data),)


def _payout(event: Part, thing: Part, event_type: str) -> Envelope:
    number = thing.at("id").name()
    data: JsonObject = {
        "payout_id": number,
        "currency": thing.at("currency").currency(),
        "amount_minor": thing.at("amount").whole(),
        "processor": "stripe",
    }
    key = f"{'payout_sent' if event_type == 'PayoutSent' else 'payout_landed'}:{number}"
    return envelope(event_type, key, _SOURCE, f"payout/{number}", event.at("created").time(), data)


@guarded
def map_delivery(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """One Stripe event. `charge.refunded` is left to `refund.created`, which names each refund."""
    event = Part(document)
    kind = event.at("type").text()
    thing = event.at("data").at("object")
    match kind:
        case "payment_intent.succeeded":
            return (_intent(event, thing, "PaymentCaptured", "amount_received"),)
        case "payment_intent.amount_capturable_updated":
            return (_intent(event, thing, "PaymentAuthorized", "amount_capturable"),)
        case "payment_intent.payment_failed":
            return (_intent(event, thing, "PaymentFailed", "amount"),)
        case "refund.created" | "refund.updated" | "charge.refund.updated":
            return _refund(event, thing)
        case "charge.dispute.created" | "charge.dispute.closed":
            return _dispute(event, thing)
        case "payout.created":
            return (_payout(event, thing, "PayoutSent"),)
        case "payout.paid":
            return (_payout(event, thing, "PayoutLanded"),)
        case "":
            raise Missing("$.type", "is empty")
        case _:
            return Ignored(f"{kind[:80]} is no event of ours")
