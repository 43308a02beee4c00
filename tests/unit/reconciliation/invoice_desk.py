"""A small desk for tests of the audit: contracts, facts and bill lines with everything a test does not care about filled in."""

from datetime import UTC, date, datetime

from steward.contracts.invoice import BillableFact, Billed, ContractBook, InvoiceLine
from steward.reconciliation.core.invoices import audit

DAY = date(2026, 3, 10)
AS_OF = date(2026, 6, 30)


def service(name, basis, **more):
    return {"service": name, "basis": basis, "account": "expenses:fulfilment", **more}


def book(*services, name="acme", **more):
    """One contract; `services` as `service` makes them."""
    return ContractBook.model_validate({
        "contracts": [{"name": name, "currency": "USD", "source": "a test", "services": services, **more}],
    })  # fmt: skip


PACK = service("pack", "shipment", unit_minor=300)


def line(subject="o1", amount=300, number=2, invoice="i1", day=DAY, vendor="acme", issued=None, **more):
    values = {
        "service": "pack", "sku": "", "at": None, "quantity": 1, "unit_minor": None, "currency": "USD",
        **more,
    }  # fmt: skip
    made = InvoiceLine(number=number, subject=subject, day=day, amount_minor=amount, **values)
    return Billed(f"{vendor}/{invoice}/{number}", vendor, invoice, issued, made)


def fact(kind="shipment", subject="o1", day=DAY, key=None, hour=9, **more):
    values = {"sku": "", "party": "", "quantity": 1, "amount_minor": 0, "currency": "USD", **more}
    at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    return BillableFact(kind=kind, key=key or f"{kind}/{subject}", subject=subject, at=at, **values)


BEGAN = fact("sale", "long-ago", date(2026, 1, 1), amount_minor=1)
"""The log begins long before the bills."""


def judge(contracts, lines, facts, as_of=AS_OF):
    """(claims by key: type and amount, notes by type and amount, the whole)"""
    made = audit(lines, contracts, [BEGAN, *facts], as_of)
    claims = {one.key: (one.type, one.amount_minor) for one in made.claims}
    return claims, sorted((one.type, one.amount_minor) for one in made.notes), made
