"""Orders, captures and refunds."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from livemarket.core.acts import Verb
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.paypal.account import Account
from livemarket.faces.paypal.objects import PAYPAL
from livemarket.faces.paypal.refusals import Refused
from livemarket.files import names

_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")


def table(till: Account) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("GET", "/v2/checkout/orders/{id}", lambda call: _order(till, call)),
        ("GET", "/v2/payments/captures/{id}", lambda call: _capture(till, call)),
        ("POST", "/v2/payments/captures/{id}/refund", lambda call: _refund(till, call)),
        ("GET", "/v2/payments/refunds/{id}", lambda call: _one_refund(till, call)),
    ]


def document(call: Call) -> dict[str, Any]:
    """The body as a JSON object."""
    try:
        found: Any = call.document()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed.")
    return cast("dict[str, Any]", found)


def minor(amount: Any, field: str, currency: str = "currency_code") -> int:
    """An amount of the one currency there is, in minor units."""
    given = cast("dict[str, Any]", amount) if isinstance(amount, dict) else {}
    value = given.get("value")
    found = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", "The value of a field is not an amount.", f"{field}/value")
    if given.get(currency) != names.CURRENCY:
        raise Refused(
            422, "CURRENCY_NOT_SUPPORTED", f"This account holds {names.CURRENCY} only.", f"{field}/{currency}"
        )
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def absent() -> Refused:
    return Refused(404, "INVALID_RESOURCE_ID", "The specified resource does not exist.")


def _row(till: Account, key: str) -> int:
    row = till.objects.named(key)
    if row is None:
        raise absent()
    return row


def _order(till: Account, call: Call) -> Answer:
    row = _row(till, call.found["id"].removeprefix("O"))
    return answered(200, till.objects.order(row, till.view.now, call.base))


def _capture(till: Account, call: Call) -> Answer:
    return answered(200, till.objects.capture(_row(till, call.found["id"]), till.view.now, call.base))


def _one_refund(till: Account, call: Call) -> Answer:
    for refund in till.view.refunds(PAYPAL):
        if till.objects.refund_id(refund) == call.found["id"]:
            return answered(200, till.objects.refund(refund, till.view.now, call.base))
    raise absent()


def _refund(till: Account, call: Call) -> Answer:
    view, row, body = till.view, _row(till, call.found["id"]), document(call)
    case = view.case_of(row, view.now)
    if view.failed(row):
        raise Refused(422, "CAPTURE_NOT_REFUNDABLE", "The capture did not succeed.")
    open_or_lost = case is not None and not (
        view.case_moment(case, "closed", view.now) is not None and view.cell("cases", "won", case)
    )
    if open_or_lost:
        raise Refused(422, "CAPTURE_DISPUTED_PARTIAL_REFUND_NOT_ALLOWED", "The capture is disputed.")
    left = view.order("total", row) - view.refunded(row, view.now)
    if left <= 0:
        raise Refused(422, "CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
    amount = minor(body["amount"], "/amount") if "amount" in body else left
    if amount <= 0 or amount > left:
        raise Refused(
            422, "REFUND_AMOUNT_EXCEEDED", "The refund is more than what is left of the capture.", "/amount/value"
        )
    moment = till.business.act(Verb.REFUND, row, amount)
    made = None if moment is None else view.refund_at(row, moment)
    if made is None:
        raise Refused(
            422, "REFUND_TIME_LIMIT_EXCEEDED" if moment else "PREVIOUS_REQUEST_IN_PROGRESS", "Not possible now."
        )
    key = till.objects.refund_id(made)
    till.objects.notes[key] = {k: str(body[k]) for k in ("invoice_id", "custom_id", "note_to_payer") if k in body}
    shown = till.objects.refund(made, view.now, call.base)
    if "return=representation" not in call.headers.get("prefer", ""):
        shown = {name: shown[name] for name in ("id", "status", "links")}
    return answered(201, shown)
