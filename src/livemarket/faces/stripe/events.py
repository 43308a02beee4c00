"""What Stripe tells when something happens: its event types, each with the object as it was then."""

from __future__ import annotations

from typing import Any

from livemarket.faces.business import Happened, unix
from livemarket.faces.stripe.account import Account
from livemarket.faces.stripe.objects import STRIPE

API_VERSION = "2023-08-16"


def told(till: Account, happened: Happened) -> list[dict[str, Any]]:
    """The events of one fact; none if it is not Stripe's affair."""
    at = happened.moment
    return [
        {
            "id": f"evt_{at:x}{kind.replace('.', '')}{made['id'].partition('_')[2]}", "object": "event",
            "api_version": API_VERSION, "created": unix(at), "data": {"object": made}, "livemode": False,
            "pending_webhooks": len(till.post.endpoints), "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        for kind, made in _objects(till, happened)
    ]  # fmt: skip


def _objects(till: Account, happened: Happened) -> list[tuple[str, dict[str, Any]]]:
    view, objects, at = till.view, till.objects, happened.moment
    if happened.kind in {"payout", "landed"}:
        row = happened.columns["payout"]
        if view.cell("payouts", "processor", row) != STRIPE:
            return []
        return [("payout.created" if happened.kind == "payout" else "payout.paid", objects.payout(row, at))]
    row = happened.columns.get("order", -1)
    if row < 0 or view.order("processor", row) != STRIPE:
        return []
    if happened.kind == "captured":
        return [("payment_intent.succeeded", objects.intent(row, at)), ("charge.succeeded", objects.charge(row, at))]
    if happened.kind == "payment_failed":
        failed = ("payment_intent.payment_failed", objects.intent(row, at))
        return [failed, ("charge.failed", objects.charge(row, at))]
    if happened.kind == "refund":
        refund = view.refunds_of(row, at)[happened.columns["number"]]
        return [("refund.created", objects.refund(refund, at)), ("charge.refunded", objects.charge(row, at))]
    case = view.case_of(row, at)
    if case is None:
        return []
    dispute = objects.dispute(case, at)
    if happened.kind == "dispute":
        return [("charge.dispute.created", dispute), ("charge.dispute.funds_withdrawn", dispute)]
    if happened.kind == "evidence":
        return [("charge.dispute.updated", dispute)]
    if happened.kind != "verdict":
        return []
    closed = [("charge.dispute.closed", dispute)]
    return [("charge.dispute.funds_reinstated", dispute), *closed] if happened.columns["won"] else closed
