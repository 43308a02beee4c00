"""Stripe events: payments, refunds, disputes and payouts. Amounts are minor units already."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant

_SOURCE = "stripe"
# Where Stripe's smallest unit is not ISO 4217's: two kept two digits when their currency lost them, one never had any.
_HUNDREDFOLD = {"ISK", "UGX"}
_HUNDREDTH = {"MGA"}


def _amount(part: Part, currency: str) -> int:
    amount = part.whole()
    if currency in _HUNDREDTH:
        return amount * 100
    if currency not in _HUNDREDFOLD:
        return amount
    if amount % 100:
        raise Missing(part.path, f"is no amount of {currency}: Stripe writes it times a hundred")
    return amount // 100


def _order(thing: Part, otherwise: str) -> str:
    """The shop's own order number, which it puts into the metadata; else the payment's id stands for it."""
    metadata = thing.maybe("metadata")
    own = metadata.maybe("order_id") if metadata else None
    return own.name() if own else otherwise


def _intent(event: Part, thing: Part, event_type: str, amount: str) -> Envelope:
    intent = thing.at("id").name()
    order, currency = _order(thing, intent), thing.at("currency").currency()
    data: JsonObject = {
        "payment_id": intent,
        "order_id": order,
        "currency": currency,
        "amount_minor": _amount(thing.at(amount), currency),
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


def _refund(thing: Part) -> tuple[Envelope, ...] | Ignored:
    """Several kinds of event tell of one refund, and tell again when a bank's reference arrives. So only what the
    refund itself holds is read, its time among it: every telling is the same event.
    """
    if thing.at("status").text() != "succeeded":
        return Ignored(f"the refund is {thing.at('status').text(40)}")
    number = thing.at("id").name()
    intent = thing.maybe("payment_intent") or thing.maybe("charge")
    payment = intent.name() if intent else None
    reason, order, currency = thing.maybe("reason"), _order(thing, ""), thing.at("currency").currency()
    data: JsonObject = {
        "refund_id": number,
        "currency": currency,
        "amount_minor": _amount(thing.at("amount"), currency),
        "method": "original",
        "order_id": order or None,
        "payment_id": payment,
        "processor": "stripe",
        "reason": reason.text(200) if reason else None,
    }
    at, story = thing.at("created").time(), f"order/{order}" if order else None
    return (envelope("RefundProcessed", f"refund:{number}", _SOURCE, f"refund/{number}", at, data, 2, story),)


def _refunds(charge: Part) -> tuple[Envelope, ...] | Ignored:
    """`charge.refunded` lists the refunds in older versions of the API; in newer ones `refund.created` names them."""
    listed = charge.maybe("refunds")
    made = [_refund(refund) for refund in listed.at("data").items()] if listed else []
    return tuple(each for one in made if not isinstance(one, Ignored) for each in one) or Ignored(
        "the charge lists no refund that succeeded; refund.created names each"
    )


def _fee(thing: Part, currency: str) -> int:
    """What Stripe keeps for the dispute, whoever wins: the fee of the transaction that took the money back. A fee in
    another currency than the dispute's is left to the statement.
    """
    moves = [move for move in thing.at("balance_transactions").items() if move.at("currency").currency() == currency]
    return sum(_amount(move.at("fee"), currency) for move in moves if move.at("amount").whole() < 0)


def _fee_back(thing: Part, currency: str) -> int:
    """What Stripe gives back of its fees with a dispute that was won: the negative fee of the move that returns it."""
    moves = [move for move in thing.at("balance_transactions").items() if move.at("currency").currency() == currency]
    return -sum(_amount(move.at("fee"), currency) for move in moves if move.at("amount").whole() > 0)


def _dispute(event: Part, thing: Part) -> tuple[Envelope, ...] | Ignored:
    if thing.at("status").text(40).startswith("warning_"):
        return Ignored("the bank asks and has taken nothing back")
    number = thing.at("id").name()
    payment = thing.maybe("payment_intent") or thing.maybe("charge")
    currency = thing.at("currency").currency()
    data: JsonObject = {
        "dispute_id": number,
        "currency": currency,
        "amount_minor": _amount(thing.at("amount"), currency),
        "payment_id": payment.name() if payment else None,
        "processor": "stripe",
    }
    if event.at("type").text() != "charge.dispute.closed":
        details = thing.maybe("evidence_details")
        due = details.maybe("due_by") if details else None
        data["reason"] = thing.at("reason").text(200)
        data["evidence_due_at"] = format_instant(due.time()) if due else None
        data["fee_minor"] = _fee(thing, currency)
        key, at = f"dispute_opened:{number}", thing.at("created").time()
        return (envelope("DisputeOpened", key, _SOURCE, f"dispute/{number}", at, data),)
    status = thing.at("status").text()
    if status not in {"won", "lost"}:
        return Ignored(f"the dispute is {status[:40]}")
    data["outcome"] = status
    back = _fee_back(thing, currency)
    if back:
        data["fee_returned_minor"] = back
    at = event.at("created").time()
    return (envelope("DisputeResolved", f"dispute_resolved:{number}", _SOURCE, f"dispute/{number}", at, data),)


def _payout(event: Part, thing: Part, event_type: str) -> Envelope:
    number, currency = thing.at("id").name(), thing.at("currency").currency()
    data: JsonObject = {
        "payout_id": number,
        "currency": currency,
        "amount_minor": _amount(thing.at("amount"), currency),
        "processor": "stripe",
    }
    if event_type == "PayoutSent":
        data["arrival_date"] = format_instant(thing.at("arrival_date").time())
    key = f"{'payout_sent' if event_type == 'PayoutSent' else 'payout_landed'}:{number}"
    return envelope(event_type, key, _SOURCE, f"payout/{number}", event.at("created").time(), data)


@guarded
def map_delivery(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """One Stripe event. A dispute that began as an inquiry opens when its money is taken (`funds_withdrawn`)."""
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
            return _refund(thing)
        case "charge.refunded":
            return _refunds(thing)
        case "charge.dispute.created" | "charge.dispute.funds_withdrawn" | "charge.dispute.closed":
            return _dispute(event, thing)
        case "payout.created":
            return (_payout(event, thing, "PayoutSent"),)
        case "payout.paid":
            return (_payout(event, thing, "PayoutLanded"),)
        case "":
            raise Missing("$.type", "is empty")
        case _:
            return Ignored(f"{kind[:80]} is no event of ours")
