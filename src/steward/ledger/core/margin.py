"""Contribution by SKU, creator, show and channel: the profit and loss account, split by what events say of each move.

Each posted leg of income, contra or expenses goes to the values of one dimension that its event, or the event's order,
names; by SKU it is split over lines by largest remainder. What nothing is known of stays under `NOBODY`. So the columns
of any dimension add up to the profit and loss account of the same days, to the minor unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from steward.kernel.money import Money
from steward.ledger.core.statements import section_of

NOBODY = ""
Dimension = Literal["sku", "creator", "show", "channel"]
DIMENSIONS: tuple[Dimension, ...] = ("sku", "creator", "show", "channel")
_DIRECT = {"sku": "sku", "creator": "creator_id", "show": "show_id", "channel": "channel"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What one event says about where its money belongs; `lines` are (SKU, weight)."""

    order: str | None = None
    payment: str | None = None
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    lines: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Contribution:
    """One value's share of the profit and loss account, in minor units; expenses by the second part of their code."""

    income_minor: int = 0
    contra_minor: int = 0
    expenses: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def contribution_minor(self) -> int:
        return self.income_minor - self.contra_minor - sum(self.expenses.values())


def facts_of(data: Mapping[str, Any]) -> Facts:
    """The facts in an event's data."""
    names = {dimension: str(data[key]) for dimension, key in _DIRECT.items() if data.get(key) not in (None, "")}
    lines = tuple((str(line["sku"]), _weight(line)) for line in data.get("lines") or () if line.get("sku"))
    return Facts(data.get("order_id"), data.get("payment_id"), names, lines)


def _weight(line: Mapping[str, Any]) -> int:
    """What a line cost, or without prices how many there were."""
    total = line.get("total_minor")
    return abs(int(line.get("quantity", 0) if total is None else total))


class Attribution:
    """Knows orders and payments; asked where the money of an event belongs."""

    def __init__(self) -> None:
        self._orders: dict[str, Facts] = {}
        self._order_of_payment: dict[str, str] = {}
        self._creator_of_order: dict[str, str] = {}
        self._events: dict[str, Facts] = {}

    def order(self, data: Mapping[str, Any]) -> None:
        """Take in an order as it was placed."""
        self._orders[data["order_id"]] = facts_of(data)

    def money(self, source: str, data: Mapping[str, Any]) -> None:
        """Take in a money event; `source` is what its transfer names as its source."""
        facts = self._events[source] = facts_of(data)
        if facts.order is not None:
            if facts.payment is not None:
                self._order_of_payment.setdefault(facts.payment, facts.order)
            if "creator" in facts.names:
                self._creator_of_order.setdefault(facts.order, facts.names["creator"])

    def shares(self, source: str, dimension: Dimension) -> list[tuple[str, int]]:
        """Values with weights, at least one of which is positive."""
        facts = self._events.get(source, Facts())
        number = facts.order if facts.order is not None else self._order_of_payment.get(facts.payment or "")
        placed = self._orders.get(number, Facts()) if number is not None else Facts()
        if dimension == "sku":
            for lines in (facts.lines, placed.lines):
                if any(weight for _, weight in lines):
                    return list(lines)
        own = facts.names.get(dimension) or placed.names.get(dimension)
        if own is None and dimension == "creator" and number is not None:
            own = self._creator_of_order.get(number)
        return [(NOBODY if own is None else own, 1)]


def add_leg(
    found: dict[tuple[str, str], Contribution], shares: list[tuple[str, int]], code: str, currency: str, minor: int
) -> None:
    """Split one leg (debits positive) and add it to what was found by (value, currency)."""
    parts = Money(minor, currency).allocate([weight for _, weight in shares])
    for (name, _), part in zip(shares, parts, strict=True):
        entry = found.setdefault((name, currency), Contribution())
        match section_of(code):
            case "income":
                entry.income_minor -= part.amount_minor
            case "contra":
                entry.contra_minor += part.amount_minor
            case _:
                kind = code.split(":")[1]
                entry.expenses[kind] = entry.expenses.get(kind, 0) + part.amount_minor
