"""Bills of suppliers and services that are due, as payments: what was audited and is not in dispute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from steward.control import Control
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import floor_hour, format_instant
from steward.payouts.core.bills import Bill, Payable, Standing, payable
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import SUPPLIER
from steward.payouts.service.following import WALLETS
from steward.payouts.service.round import Round
from steward.payouts.service.screening import Screened


def pay_suppliers(one: Round, supplier_id: str | None) -> None:
    """Look through the bills that are open (of one supplier, or all), the longest due first; write a payment for each
    of which something can be paid. Where the money is short, nothing that is due later goes first.
    """
    control = one.doors.control
    ahead = timedelta(days=int(control.catalog.limit_facts()["payment_ahead_days"]))
    room = _room(one)
    for bill in one.store.bills(one.connection, supplier_id, one.now):
        if bill.left_minor <= 0:
            continue
        found = payable(bill, standing_of(control, bill.supplier_id, bill.invoice_id, one.now), ahead, one.now)
        screened = one.screen(bill.supplier_id)
        why = _against(one, bill, found, screened)
        if not why and room is not None:
            why = "reserve" if found.amount_minor > room else ""
            room = 0 if why else room - found.amount_minor
        named = {"invoice_id": bill.invoice_id, "due_at": format_instant(bill.due_at)}
        if why or found.waiting:
            waiting = {str(reason): amount for reason, amount in found.waiting.items()}
            one.wait(SUPPLIER, bill.supplier_id, bill.currency, found.amount_minor, why, waiting, named)
        if not why:
            lines = [Line("invoice", bill.invoice_id, found.amount_minor)]
            more = {"invoice_id": bill.invoice_id, "due_at": bill.due_at}
            one.write(SUPPLIER, bill.supplier_id, bill.currency, lines, screened, more)


def standing_of(control: Control, supplier_id: str, invoice_id: str, now: datetime) -> Standing:
    """What the rules will read of a bill."""
    params: JsonObject = {"supplier_id": supplier_id, "invoice_id": invoice_id}
    judged = control.settled.fact("invoice.audited", params)
    disputed = control.settled.fact("invoice.disputed", params)
    ordered = control.state.fact("invoice.ordered", params, {}, now, control.state.snapshot(floor_hour(now)))
    return Standing(None if judged is None else judged == 1, _minor(disputed), _minor(ordered))


def _room(one: Round) -> int | None:
    """What may leave the bank beside what is on its way, so that its reserve stays; None while nobody can say."""
    money = one.doors.control.money
    free, held = (_minor(money.fact(name, {}, one.now)) for name in ("cash.free", "reserve.held"))
    if free is None or held is None:
        return None
    currency = one.doors.control.catalog.history.currency
    return free - held - one.store.open_minor(one.connection, currency, WALLETS)


def _minor(fact: Any) -> int | None:
    return None if fact is None else int(fact["amount_minor"])


def _against(one: Round, bill: Bill, found: Payable, screened: Screened) -> str:
    """Why nothing of a bill is paid now, or nothing."""
    if ("supplier", bill.supplier_id, bill.invoice_id) in one.open:
        return "on_its_way"
    if not found.amount_minor:
        return next(iter(found.waiting))
    why = one.against(bill.supplier_id, bill.currency, screened)
    system = one.payees.get(bill.supplier_id, "").partition(":")[0]
    return "not_a_bank" if not why and system in WALLETS else why
