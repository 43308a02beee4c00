"""Bills of suppliers and services that are due, as payments: what was audited and is not in dispute."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from steward.kernel.instants import format_instant
from steward.payouts.core.bills import Bill, Payable, Standing, payable
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import SUPPLIER
from steward.payouts.service.following import WALLETS
from steward.payouts.service.round import Round
from steward.payouts.service.screening import Screened
from steward.reconciliation import Settled


def pay_suppliers(one: Round, supplier_id: str | None) -> None:
    """Look through the bills that are open (of one supplier, or all), the longest due first; write a payment for each
    of which something can be paid.
    """
    ahead = timedelta(days=int(one.doors.control.catalog.limit_facts()["payment_ahead_days"]))
    for bill in one.store.bills(one.connection, supplier_id, one.now):
        if bill.left_minor <= 0:
            continue
        found = payable(bill, standing_of(one.doors.settled, bill.supplier_id, bill.invoice_id), ahead, one.now)
        screened = one.screen(bill.supplier_id)
        why = _against(one, bill, found, screened)
        named = {"invoice_id": bill.invoice_id, "due_at": format_instant(bill.due_at)}
        if why or found.waiting:
            waiting = {str(reason): amount for reason, amount in found.waiting.items()}
            one.wait(SUPPLIER, bill.supplier_id, bill.currency, found.amount_minor, why, waiting, named)
        if not why:
            lines = [Line("invoice", bill.invoice_id, found.amount_minor)]
            more = {"invoice_id": bill.invoice_id, "due_at": bill.due_at}
            one.write(SUPPLIER, bill.supplier_id, bill.currency, lines, screened, more)


def standing_of(settled: Settled, supplier_id: str, invoice_id: str) -> Standing:
    """What the rules will read of a bill."""
    params = {"supplier_id": supplier_id, "invoice_id": invoice_id}
    judged = settled.fact("invoice.audited", params)
    disputed: Any = settled.fact("invoice.disputed", params)
    return Standing(None if judged is None else judged == 1, None if disputed is None else disputed["amount_minor"])


def _against(one: Round, bill: Bill, found: Payable, screened: Screened) -> str:
    """Why nothing of a bill is paid now, or nothing."""
    if ("supplier", bill.supplier_id, bill.invoice_id) in one.open:
        return "on_its_way"
    if not found.amount_minor:
        return next(iter(found.waiting))
    why = one.against(bill.supplier_id, bill.currency, screened)
    system = one.payees.get(bill.supplier_id, "").partition(":")[0]
    return "not_a_bank" if not why and system in WALLETS else why
