"""What one creator is owed in one currency: every commission, paid, payable or waiting, and why. Nets to the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal

Wait = Literal["return_window", "not_settled", "holdback"]
Kind = Literal["commission", "elsewhere", "invoice"]


@dataclass(frozen=True, slots=True)
class Commission:
    """A commission as the log tells it, minor units; `taken_minor` is what payouts that were not dropped hold of it."""

    commission_id: str
    earned_minor: int
    reversed_minor: int
    taken_minor: int
    eligible_at: datetime | None
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """A share of what became due less than `young` ago stays here; a sum under `least_minor` waits."""

    holdback: Fraction
    young: timedelta
    least_minor: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a statement: what is paid of a commission or a bill, or taken back."""

    kind: Kind
    ref: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Owed:
    """`lines` make `net_minor`. `waiting` is what is owed and not paid now, by reason; `carried` says why a sum that is
    there is not paid: it is less than is worth a transfer, or what is taken back is more.
    """

    lines: tuple[Line, ...] = ()
    waiting: dict[Wait, int] = field(default_factory=dict[Wait, int])
    carried: Literal["", "under_least", "clawed_back"] = ""

    @property
    def net_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def clawed_minor(self) -> int:
        """What is taken back, not positive."""
        return sum(line.amount_minor for line in self.lines if line.amount_minor < 0)

    @property
    def is_payable(self) -> bool:
        return self.net_minor > 0 and not self.carried


def owed(commissions: Sequence[Commission], elsewhere_minor: int, terms: Terms, now: datetime) -> Owed:
    """Every unit of every commission is in a line, was taken before, or waits for one named reason. `elsewhere_minor`
    is what was paid past these payouts and is not in one of them yet; it is taken off.
    """
    lines: list[Line] = []
    waiting: dict[Wait, int] = {}
    for one in sorted(commissions, key=lambda c: c.commission_id):
        due = one.earned_minor - one.reversed_minor
        found, why = _ready(one, due, terms, now)
        ready = min(found, due)
        # What became less than was paid of it is taken back; what is only not ready yet is not.
        amount = max(ready - one.taken_minor, min(due - one.taken_minor, 0))
        rest = due - one.taken_minor - amount
        if amount:
            lines.append(Line("commission", one.commission_id, amount))
        if rest and why:
            waiting[why] = waiting.get(why, 0) + rest
    if elsewhere_minor:
        lines.append(Line("elsewhere", "paid", -elsewhere_minor))
    net = sum(line.amount_minor for line in lines)
    carried = "clawed_back" if net <= 0 and lines else "under_least" if 0 < net < terms.least_minor else ""
    return Owed(tuple(lines), waiting, carried)


def _ready(one: Commission, due: int, terms: Terms, now: datetime) -> tuple[int, Wait | None]:
    """What of a commission may be paid, and what the rest waits for."""
    if one.eligible_at is None or one.eligible_at > now:
        return 0, "return_window"
    if not one.is_settled:
        return 0, "not_settled"
    if due > 0 and one.eligible_at > now - terms.young:
        kept = terms.holdback * due
        return due - -(-kept.numerator // kept.denominator), "holdback"
    return due, None
