"""PayPal webhooks: captures, refunds, disputes and payouts. Amounts are decimal text with a currency."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded, optional_text
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant

_SOURCE = "paypal"
_OUTCOMES = {
    "RESOLVED_BUYER_FAVOUR": "lost",
    "RESOLVED_SELLER_FAVOUR": "won",
    "RESOLVED_WITH_PAYOUT": "won",
    "CANCELED_BY_BUYER": "won",
    "DENIED": "won",
    "ACCEPTED": "accepted",
}


def _money(amount: Part) -> tuple[str, int]:
    currency = (amount.maybe("currency_code") or amount.at("currency")).currency()
    return currency, amount.at("value").minor(currency)


def _order(resource: Part, otherwise: str) -> str:
    """The shop's own number if it gave one, then PayPal's order."""
    own = resource.maybe("custom_id") or resource.maybe("invoice_id")
    related = resource.maybe("supplementary_data")
    ids = related.maybe("related_ids") if related else None
    theirs = ids.maybe("order_id") if ids else None
    found = own or theirs
    return found.name() if found else otherwise


def _capture(resource: Part, event_type: str, at: Part) -> Envelope:
    number = resource.at("id").name()
    currency, amount = _money(resource.at("amount"))
    order = _order(resource, number)
    data: JsonObject = {
        "payment_id": number,
        "order_id": order,
        "currency": currency,
        "amount_minor": amount,
        "processor": "paypal",
    }
    if event_type == "PaymentFailed":
        details = resource.maybe("status_details")
        data["code"] = (optional_text(details.maybe("reason")) if details else None) or "denied"
    key = f"{'payment_captured' if event_type == 'PaymentCaptured' else 'payment_failed'}:{number}"
    subject = f"order/{order}"
    return envelope(event_type, key, _SOURCE, subject, at.time(), data, 1, subject)


def _fees(resource: Part, at: Part) -> tuple[Envelope, ...]:
    """What PayPal kept of a capture, where it says so."""
    parts = resource.maybe("seller_receivable_breakdown")
    kept = parts.maybe("paypal_fee") if parts else None
    currency, amount = _money(kept) if kept else ("", 0)
    if amount <= 0:
        return ()
    number = resource.at("id").name()
    order = _order(resource, "") or None
    data: JsonObject = {
        "fee_id": f"capture:{number}",
        "processor": "paypal",
        "currency": currency,
        "amount_minor": amount,
        "kind": "processing",
        "reference": number,
        "payment_id": number,
        "order_id": order,
    }
    story = f"order/{order}" if order else None
    return (envelope("FeeCharged", f"fee:{number}", _SOURCE, f"payment/{number}", at.time(), data, 1, story),)


def _refund(resource: Part, at: Part) -> Envelope:
    number = resource.at("id").name()
    currency, amount = _money(resource.at("amount"))
    order = _order(resource, "")
    ups = [link.at("href").text(500) for link in resource.at("links").items() if link.at("rel").text() == "up"]
    data: JsonObject = {
        "refund_id": number,
        "currency": currency,
        "amount_minor": amount,
        "method": "original",
        "order_id": order or None,
        "payment_id": ups[0].rpartition("/")[2] or None if ups else None,
        "processor": "paypal",
        "reason": optional_text(resource.maybe("note_to_payer"), 200),
    }
    story = f"order/{order}" if order else None
    return envelope("RefundProcessed", f"refund:{number}", _SOURCE, f"refund/{number}", at.time(), data, 2, story)


def _dispute(resource: Part, kind: str) -> tuple[Envelope, ...] | Ignored:
    """An inquiry is a question between buyer and shop; a dispute opens when it becomes a claim or chargeback."""
    number = resource.at("dispute_id").name()
    if kind != "CUSTOMER.DISPUTE.RESOLVED" and optional_text(resource.maybe("dispute_life_cycle_stage")) == "INQUIRY":
        return Ignored("an inquiry: the buyer asks the shop, and nothing is taken back")
    currency, amount = _money(resource.at("dispute_amount"))
    paid = resource.at("disputed_transactions").items()
    payment = paid[0].maybe("seller_transaction_id") if paid else None
    own = (paid[0].maybe("custom") or paid[0].maybe("invoice_number")) if paid else None
    order = optional_text(own)
    data: JsonObject = {
        "dispute_id": number,
        "currency": currency,
        "amount_minor": amount,
        "payment_id": payment.name() if payment else None,
        "order_id": order,
        "processor": "paypal",
    }
    subject, story = f"dispute/{number}", f"order/{order}" if order else None
    if kind != "CUSTOMER.DISPUTE.RESOLVED":
        due = resource.maybe("seller_response_due_date")
        data["reason"] = resource.at("reason").text(200)
        data["evidence_due_at"] = format_instant(due.time()) if due else None
        at = resource.at("create_time").time()
        return (envelope("DisputeOpened", f"dispute_opened:{number}", _SOURCE, subject, at, data, 1, story),)
    outcome = resource.at("dispute_outcome").at("outcome_code").text()
    if outcome not in _OUTCOMES:
        return Ignored(f"the dispute ended as {outcome[:40]}, which is neither won nor lost")
    data["outcome"] = _OUTCOMES[outcome]
    at = resource.at("update_time").time()
    return (envelope("DisputeResolved", f"dispute_resolved:{number}", _SOURCE, subject, at, data, 1, story),)


def _payout_fee(resource: Part) -> tuple[Envelope, ...] | Ignored:
    """A payout to somebody is known from whoever ordered it; what it cost is known from PayPal alone."""
    number, kept = resource.at("payout_item_id").name(), resource.maybe("payout_item_fee")
    currency, amount = _money(kept) if kept else ("", 0)
    if amount <= 0:
        return Ignored("the payout cost nothing")
    data: JsonObject = {
        "fee_id": f"payout_item:{number}",
        "processor": "paypal",
        "currency": currency,
        "amount_minor": amount,
        "kind": "payout",
        "reference": number,
    }
    at = resource.at("time_processed").time()
    return (envelope("FeeCharged", f"fee:payout_item:{number}", _SOURCE, f"payout/{number}", at, data),)


@guarded
def map_delivery(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """One PayPal webhook event, by its `event_type`."""
    event = Part(document)
    kind, resource = event.at("event_type").text(), event.at("resource")
    # A capture may wait for days before it completes: the time of its last change is when it did.
    at = resource.maybe("update_time") or resource.maybe("create_time") or event.at("create_time")
    match kind:
        case "PAYMENT.CAPTURE.COMPLETED":
            return (_capture(resource, "PaymentCaptured", at), *_fees(resource, at))
        case "PAYMENT.CAPTURE.DENIED" | "PAYMENT.CAPTURE.DECLINED":
            return (_capture(resource, "PaymentFailed", at),)
        case "PAYMENT.CAPTURE.REFUNDED":
            return (_refund(resource, at),)
        case "CUSTOMER.DISPUTE.CREATED" | "CUSTOMER.DISPUTE.UPDATED" | "CUSTOMER.DISPUTE.RESOLVED":
            return _dispute(resource, kind)
        case "PAYMENT.PAYOUTS-ITEM.SUCCEEDED":
            return _payout_fee(resource)
        case "PAYMENT.PAYOUTSBATCH.SUCCESS":
            return Ignored("a batch names no payout; each of its items is told by itself")
        case "":
            raise Missing("$.event_type", "is empty")
        case _:
            return Ignored(f"{kind[:80]} is no event of ours")
