"""How old what is owed is: payments settle the oldest debt of the same party first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

BOUNDS = (30, 60, 90)
"""Days up to which a debt is in the first, second and third bucket; older is the fourth."""


@dataclass(frozen=True, slots=True)
class PartyDay:
    """What moved on an account with one party on one day, debits positive."""

    code: str
    currency: str
    party: str
    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Aged:
    """What one party owes or is owed, by age; `buckets` are up to 30, 60, 90 days and older, and add up to the open
    amount. A payment beyond every debt is a negative amount in the first bucket's place.
    """

    code: str
    currency: str
    party: str
    buckets: tuple[int, int, int, int]
    oldest: date | None

    @property
    def open_minor(self) -> int:
        return sum(self.buckets)


def aged(days: Iterable[PartyDay], sign: int, as_of: date) -> list[Aged]:
    """Open amounts at the end of the day before `as_of`. `sign` is 1 for receivables, whose debts are debits, and -1
    for payables. Rows may come in any order.
    """
    by_party: dict[tuple[str, str, str], list[PartyDay]] = {}
    for day in days:
        by_party.setdefault((day.code, day.currency, day.party), []).append(day)
    found = [_of_party(key, rows, sign, as_of) for key, rows in sorted(by_party.items())]
    return [entry for entry in found if any(entry.buckets)]


def _of_party(key: tuple[str, str, str], rows: Sequence[PartyDay], sign: int, as_of: date) -> Aged:
    ordered = sorted((row for row in rows if row.on < as_of), key=lambda row: row.on)
    paid = -sum(min(sign * row.amount_minor, 0) for row in ordered)
    buckets = [0, 0, 0, 0]
    oldest: date | None = None
    for row in ordered:
        debt = max(sign * row.amount_minor, 0)
        settled = min(debt, paid)
        paid -= settled
        if debt > settled:
            oldest = oldest or row.on
            age = (as_of - row.on).days
            buckets[sum(age > bound for bound in BOUNDS)] += debt - settled
    buckets[0] -= paid
    return Aged(*key, (buckets[0], buckets[1], buckets[2], buckets[3]), oldest)
