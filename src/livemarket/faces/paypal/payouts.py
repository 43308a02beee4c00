"""Payouts in batches, from the PayPal balance to the shop's creators. Anybody else is no receiver here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from livemarket.core.acts import Verb
from livemarket.faces.business import iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.paypal.account import Account
from livemarket.faces.paypal.objects import PAYPAL, links
from livemarket.faces.paypal.payments import absent, document, minor
from livemarket.faces.paypal.refusals import Refused
from livemarket.faces.shapes import a_list, an_object
from livemarket.files import names
from livemarket.files.faults import major

_CREATOR = re.compile(r"creator-(\d{3})(?:@.*)?")


def table(till: Account) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("POST", "/v1/payments/payouts", lambda call: _pay(till, call)),
        ("GET", "/v1/payments/payouts/{id}", lambda call: _batch(till, call)),
        ("GET", "/v1/payments/payouts-item/{id}", lambda call: _item(till, call)),
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


def _pay(till: Account, call: Call) -> Answer:
    body = document(call)
    header, items = an_object(body.get("sender_batch_header")) or {}, a_list(body.get("items"))
    own = header.get("sender_batch_id")
    if not isinstance(own, str) or not own or not items:
        raise Refused(400, "VALIDATION_ERROR", "sender_batch_header.sender_batch_id and items are needed.")
    if any(batch["header"]["sender_batch_header"].get("sender_batch_id") == own for batch in till.batches.values()):
        raise Refused(400, "USER_BUSINESS_ERROR", f"A batch with the sender_batch_id {own} already exists.")
    wanted = [_asked(item, n) for n, item in enumerate(items)]
    total = sum(amount for amount, _, _ in wanted)
    if total > sum(till.view.balance(PAYPAL, till.view.now)):
        raise Refused(422, "INSUFFICIENT_FUNDS", "The sender does not have sufficient funds.")
    number = len(till.batches) + 1
    key, born = f"SIM{number:010d}", till.view.now
    made = [_paid(till, key, n, *one) for n, one in enumerate(wanted)]
    top: dict[str, Any] = {
        "payout_batch_id": key, "batch_status": "SUCCESS", "time_created": iso(born), "sender_batch_header": header,
    }  # fmt: skip
    till.batches[key] = {"header": top, "items": made, "total": total, "completed": iso(till.view.now)}
    resource = {
        "batch_header": top,
        "links": links(till.signer.base, ("self", f"/v1/payments/payouts/{key}", "GET")),
    }
    till.post.tell(till.event("PAYMENT.PAYOUTSBATCH.SUCCESS", "payouts", resource, till.view.now), till.view.now)
    top = top | {"batch_status": "PENDING"}  # the answer to a batch comes before it is worked on
    return answered(
        201, {"batch_header": top, "links": links(call.base, ("self", f"/v1/payments/payouts/{key}", "GET"))}
    )


def _paid(till: Account, batch: str, place: int, amount: int, receiver: str, item: dict[str, Any]) -> dict[str, Any]:
    """One item: done now, or failed with its reason."""
    key = f"{batch}I{place:04d}"
    found = _CREATOR.fullmatch(receiver)
    made: dict[str, Any] = {
        "payout_item_id": key, "payout_batch_id": batch, "payout_item_fee": _currency(0), "payout_item": item,
        "time_processed": iso(till.view.now),
    }  # fmt: skip
    creator = int(found[1]) if found else -1
    done = None
    if 0 <= creator < till.view.world.setting.shop.creators:
        done = till.business.act(Verb.PAY_CREATOR, creator, amount, 1, key)
    if done is None:
        said = "The receiver has no till." if found is None else "The payment could not be made now."
        error = {"name": "RECEIVER_ACCOUNT_INVALID", "message": said, "debug_id": "simulated"}
        return made | {"transaction_status": "FAILED", "errors": error}
    return made | {"transaction_status": "SUCCESS", "transaction_id": names.paypal_transaction("T0001", key)}


def _batch(till: Account, call: Call) -> Answer:
    batch = till.batches.get(call.found["id"])
    if batch is None:
        raise absent()
    header = batch["header"] | {
        "time_completed": batch["completed"], "amount": _currency(batch["total"]), "fees": _currency(0),
    }  # fmt: skip
    shown = {"batch_header": header, "items": batch["items"], "total_items": len(batch["items"]), "total_pages": 1}
    return answered(200, shown)


def _item(till: Account, call: Call) -> Answer:
    for batch in till.batches.values():
        for item in batch["items"]:
            if item["payout_item_id"] == call.found["id"]:
                own = batch["header"]["sender_batch_header"]["sender_batch_id"]
                return answered(200, item | {"sender_batch_id": own})
    raise absent()
