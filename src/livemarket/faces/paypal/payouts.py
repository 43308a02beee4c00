"""Payouts in batches, from the PayPal balance to the shop's creators. Anybody else is no receiver here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from livemarket.core.acts import Verb
from livemarket.faces.business import iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.paypal.objects import PAYPAL, links
from livemarket.faces.paypal.payments import absent, document, minor
from livemarket.faces.paypal.refusals import Refused
from livemarket.files import names
from livemarket.files.faults import major

if TYPE_CHECKING:
    from livemarket.faces.paypal.face import PayPal

_CREATOR = re.compile(r"creator-(\d{3})(?:@.*)?")


def table(face: PayPal) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("POST", "/v1/payments/payouts", lambda call: _pay(face, call)),
        ("GET", "/v1/payments/payouts/{id}", lambda call: _batch(face, call)),
        ("GET", "/v1/payments/payouts-item/{id}", lambda call: _item(face, call)),
    ]


def _asked(item: Any, number: int) -> tuple[int, str, dict[str, Any]]:
    """Amount, receiver and the item as it came."""
    given = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
    receiver = given.get("receiver")
    if not isinstance(receiver, str) or not receiver:
        raise Refused(400, "VALIDATION_ERROR", "An item needs a receiver.", f"/items/{number}/receiver")
    amount = minor(given.get("amount"), f"/items/{number}/amount", "currency")
    if amount <= 0:
        raise Refused(400, "VALIDATION_ERROR", "An amount is more than nothing.", f"/items/{number}/amount")
    return amount, receiver, given


def _currency(amount: int) -> dict[str, str]:
    return {"currency": names.CURRENCY, "value": major(amount)}


def _pay(face: PayPal, call: Call) -> Answer:
    body = document(call)
    header, items = body.get("sender_batch_header"), body.get("items")
    own: Any = header.get("sender_batch_id") if isinstance(header, dict) else None  # type: ignore[reportUnknownVariableType]
    if not isinstance(own, str) or not own or not isinstance(items, list) or not items:
        raise Refused(400, "VALIDATION_ERROR", "sender_batch_header.sender_batch_id and items are needed.")
    if any(batch["header"]["sender_batch_header"].get("sender_batch_id") == own for batch in face.batches.values()):
        raise Refused(400, "USER_BUSINESS_ERROR", f"A batch with the sender_batch_id {own} already exists.")
    wanted = [_asked(item, n) for n, item in enumerate(items)]  # type: ignore[reportUnknownVariableType]
    total = sum(amount for amount, _, _ in wanted)
    if total > sum(face.view.balance(PAYPAL, face.view.now)):
        raise Refused(422, "INSUFFICIENT_FUNDS", "The sender does not have sufficient funds.")
    number = len(face.batches) + 1
    key, born = f"SIM{number:010d}", face.view.now
    made = [_paid(face, key, n, *one) for n, one in enumerate(wanted)]
    top: dict[str, Any] = {
        "payout_batch_id": key, "batch_status": "SUCCESS", "time_created": iso(born), "sender_batch_header": header,
    }  # fmt: skip
    face.batches[key] = {"header": top, "items": made, "total": total, "completed": iso(face.view.now)}
    resource = {"batch_header": top, "links": links(face.signer.base, ("self", f"/v1/payments/payouts/{key}", "GET"))}
    face.post.tell(face.event("PAYMENT.PAYOUTSBATCH.SUCCESS", "payouts", resource, face.view.now), face.view.now)
    top = top | {"batch_status": "PENDING"}  # the answer to a batch comes before it is worked on
    return answered(
        201, {"batch_header": top, "links": links(call.base, ("self", f"/v1/payments/payouts/{key}", "GET"))}
    )


def _paid(face: PayPal, batch: str, place: int, amount: int, receiver: str, item: dict[str, Any]) -> dict[str, Any]:
    """One item: done now, or failed with its reason."""
    key = f"{batch}I{place:04d}"
    found = _CREATOR.fullmatch(receiver)
    made: dict[str, Any] = {
        "payout_item_id": key, "payout_batch_id": batch, "payout_item_fee": _currency(0), "payout_item": item,
        "time_processed": iso(face.view.now),
    }  # fmt: skip
    creator = int(found[1]) if found else -1
    done = None
    if 0 <= creator < face.view.world.setting.shop.creators:
        done = face.business.act(Verb.PAY_CREATOR, creator, amount, 1, key)
    if done is None:
        said = "The receiver has no account." if found is None else "The payment could not be made now."
        error = {"name": "RECEIVER_ACCOUNT_INVALID", "message": said, "debug_id": "simulated"}
        return made | {"transaction_status": "FAILED", "errors": error}
    return made | {"transaction_status": "SUCCESS", "transaction_id": names.paypal_transaction("T0001", key)}


def _batch(face: PayPal, call: Call) -> Answer:
    batch = face.batches.get(call.found["id"])
    if batch is None:
        raise absent()
    header = batch["header"] | {
        "time_completed": batch["completed"], "amount": _currency(batch["total"]), "fees": _currency(0),
    }  # fmt: skip
    shown = {"batch_header": header, "items": batch["items"], "total_items": len(batch["items"]), "total_pages": 1}
    return answered(200, shown)


def _item(face: PayPal, call: Call) -> Answer:
    for batch in face.batches.values():
        for item in batch["items"]:
            if item["payout_item_id"] == call.found["id"]:
                own = batch["header"]["sender_batch_header"]["sender_batch_id"]
                return answered(200, item | {"sender_batch_id": own})
    raise absent()
