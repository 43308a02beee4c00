"""What of a supplier's bill is paid now, and what the rest of it waits for. Nets to the unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

Wait = Literal["not_due", "not_audited", "disputed", "over_order"]


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill as the log tells it, minor units. `taken_minor` is what payments that were not dropped hold of it,
    `paid_minor` what was paid past them.
    """

    supplier_id: str
    invoice_id: str
    currency: str
    amount_minor: int
    due_at: datetime
    paid_minor: int
    taken_minor: int

    @property
    def spent_minor(self) -> int:
        """What was paid of it or is on its way."""
        return self.paid_minor + self.taken_minor

    @property
    def left_minor(self) -> int:
        """What is open of it; below nothing where more was paid than it asks for."""
        return self.amount_minor - self.spent_minor


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a bill. `is_audited` is None where no contract says what its sender may bill, `disputed_minor`
    where no audit judged it, and `ordered_minor`, what its purchase order leaves room for, where it names none.
    """

    is_audited: bool | None
    disputed_minor: int | None
    ordered_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Payable:
    """`amount_minor` is paid now, `waiting` is what is open and not paid now, by reason."""

    amount_minor: int = 0
    waiting: dict[Wait, int] = field(default_factory=dict[Wait, int])


def in_order(bills: Iterable[Bill]) -> list[Bill]:
    """The longest due first."""
    return sorted(bills, key=lambda one: (one.due_at, one.supplier_id, one.invoice_id))


def allot(bills: Iterable[Bill], unnamed: dict[tuple[str, str], int]) -> list[Bill]:
    """`unnamed` was paid without a word of which bill, by supplier and currency: it pays the longest due first."""
    left = dict(unnamed)
    made: list[Bill] = []
    for bill in in_order(bills):
        pool = (bill.supplier_id, bill.currency)
        took = min(max(bill.left_minor, 0), max(left.get(pool, 0), 0))
        left[pool] = left.get(pool, 0) - took
        made.append(replace(bill, paid_minor=bill.paid_minor + took))
    return made


def payable(bill: Bill, standing: Standing, ahead: timedelta, now: datetime) -> Payable:
    """What is open of a bill is paid, or waits for one named reason. A bill that nobody can audit is left to people,
    whole; one that could be and was not waits, and so does one that is more than was ordered.
    """
    left = max(bill.left_minor, 0)
    if not left:
        return Payable()
    if bill.due_at > now + ahead:
        return Payable(0, {"not_due": left})
    if standing.is_audited is not None and (not standing.is_audited or standing.disputed_minor is None):
        return Payable(0, {"not_audited": left})
    amount = min(max(bill.left_minor - (standing.disputed_minor or 0), 0), left)
    waiting: dict[Wait, int] = {"disputed": left - amount} if left > amount else {}
    if amount and standing.ordered_minor is not None and bill.spent_minor + amount > standing.ordered_minor:
        return Payable(0, {"over_order": amount, **waiting})
    return Payable(amount, waiting)
