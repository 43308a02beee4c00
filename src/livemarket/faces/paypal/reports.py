"""Reporting: transactions of at most 31 days, in the codes of the settlement report, and balances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from livemarket.faces.business import DAY, iso, moment_of
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.pages import by_number
from livemarket.faces.paypal.cases import whole
from livemarket.faces.paypal.objects import PAYPAL, links, money
from livemarket.faces.paypal.refusals import Refused
from livemarket.files import names, settlements

if TYPE_CHECKING:
    from livemarket.faces.paypal.face import PayPal


def table(face: PayPal) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("GET", "/v1/reporting/transactions", lambda call: _transactions(face, call)),
        ("GET", "/v1/reporting/balances", lambda call: _balances(face, call)),
    ]


def _date(call: Call, name: str) -> int:
    """A date of the query as a moment."""
    try:
        found = datetime.fromisoformat(call.asked(name))
    except ValueError as error:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", f"{name} is an Internet date and time.", name) from error
    if found.tzinfo is None:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", f"{name} needs an offset from UTC.", name)
    return moment_of(int(found.timestamp()))


def _rows(face: PayPal, start: int, end: int) -> list[tuple[int, dict[str, Any]]]:
    """Lines and payouts between two moments, oldest first."""
    view = face.view
    lines = [n for n in view.lines(PAYPAL) if start <= view.moment(view.state.lines, n) <= end]
    made: list[tuple[int, dict[str, Any]]] = []
    for entry in settlements.entries(view.world, np.array(lines, dtype=np.int64)):
        f = entry.fields
        moment = f["day"] * DAY + f["second"]
        for code, gross, fee in settlements.paypal_lines(entry):
            own = f["payment"] if code == "T0006" else names.paypal_transaction(code, f["line"])
            info = _info(own, code, moment, gross) | ({"fee_amount": money(-fee)} if fee else {})
            if f["order"]:
                info |= {"invoice_id": f["order"]}
            if code != "T0006" and f["payment"]:
                info |= {"paypal_reference_id": f["payment"], "paypal_reference_id_type": "TXN"}
            made.append((moment, info))
    for row in view.payouts(PAYPAL):
        moment = view.payout_moment(row)
        if start <= moment <= end:
            key = names.payout(PAYPAL, row)
            info = _info(key.upper().replace("_", ""), "T0400", moment, -view.cell("payouts", "amount", row))
            made.append((moment, info | {"bank_reference_id": key.replace("_", "")}))
    return sorted(made, key=lambda pair: pair[0])


def _info(key: str, code: str, moment: int, gross: int) -> dict[str, Any]:
    return {
        "transaction_id": key, "transaction_event_code": code, "transaction_initiation_date": iso(moment),
        "transaction_updated_date": iso(moment), "transaction_amount": money(gross), "transaction_status": "S",
    }  # fmt: skip


def _transactions(face: PayPal, call: Call) -> Answer:
    start, end = _date(call, "start_date"), _date(call, "end_date")
    if not 0 <= end - start <= 31 * DAY:
        raise Refused(400, "INVALID_REQUEST", "The dates are at most 31 days apart, in this order.", "end_date")
    size, page = whole(call, "page_size", 100, 500), whole(call, "page", 1, 10**6)
    rows = [info for _, info in _rows(face, start, min(end, face.view.now))]
    wanted = call.asked("transaction_id"), call.asked("transaction_type")
    rows = [r for r in rows if wanted[0] in {"", r["transaction_id"]}]
    rows = [r for r in rows if wanted[1] in {"", r["transaction_event_code"]}]
    places, pages = by_number(len(rows), page, size)
    return answered(200, {
        "transaction_details": [{"transaction_info": rows[n]} for n in places], "account_number": "SIMULATEDACCT",
        "start_date": iso(start), "end_date": iso(end), "last_refreshed_datetime": iso(face.view.now), "page": page,
        "total_items": len(rows), "total_pages": pages,
        "links": links(call.base, ("self", f"/v1/reporting/transactions?{call.query}", "GET")),
    })  # fmt: skip


def _balances(face: PayPal, call: Call) -> Answer:
    at = min(_date(call, "as_of_time"), face.view.now) if call.asked("as_of_time") else face.view.now
    ready, waiting = face.view.balance(PAYPAL, at)
    return answered(200, {
        "balances": [{
            "currency": names.CURRENCY, "primary": True, "total_balance": money(ready + waiting),
            "available_balance": money(ready + waiting), "withheld_balance": money(0),
        }],
        "account_id": "SHAMPAYPAL222", "as_of_time": iso(at), "last_refresh_time": iso(face.view.now),
    })  # fmt: skip
