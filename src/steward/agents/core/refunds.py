"""Returns and refunds: a customer's request becomes one proposal, whatever its chances."""

from __future__ import annotations

from datetime import datetime

from steward.contracts.action import ActionProposal, Principal
from steward.kernel.canonical import JsonObject
from steward.kernel.ids import derived_id, idempotency_key
from steward.kernel.instants import unix_ms

AGENT = Principal(id="agent:returns-refunds")


def propose_refund(request: JsonObject, at: datetime) -> ActionProposal:
    """The proposal for one cancellation. A request without a customer is proposed too: its refusal is on record."""
    key = idempotency_key("refund.issue", request["refund_id"])
    customer = request["customer_id"] or ""
    return ActionProposal(
        id=derived_id("act", unix_ms(at), key),
        key=key,
        kind="refund.issue",
        params={
            "refund_id": request["refund_id"],
            "customer_id": customer,
            "amount": {"amount_minor": request["amount_minor"], "currency": request["currency"]},
            "to": "original_payment",
        },
        principal=AGENT,
        at=at,
        why=f"customer {customer or 'unknown'} asks for {len(request['lines'])} product lines back",
        evidence={"lines": request["lines"], "position": request["position"]},
    )
