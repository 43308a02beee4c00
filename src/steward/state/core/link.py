"""Which purchases a refund is for: the customer's latest earlier purchases of the product, newest first.

The shop's history does not say which order a cancellation belongs to. This rule does, and the same rule serves
the past (links of processed refunds) and the present (a proposal), so both see the same money.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Purchase:
    """One earlier order line. `left` is the quantity not yet refunded; money in minor units."""

    order_id: str
    line: int
    sku: str
    quantity: int
    total_minor: int
    refunded_quantity: int
    refunded_minor: int

    @property
    def left(self) -> int:
        return self.quantity - self.refunded_quantity


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a refund: how many units and how much money go back."""

    sku: str
    quantity: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a refund that falls on one purchase."""

    purchase: Purchase
    quantity: int
    amount_minor: int


def link(wanted: Sequence[Wanted], purchases: Mapping[str, Sequence[Purchase]]) -> list[Part]:
    """Split each wanted line over the purchases of its product, newest first as given.

    What finds no purchase gets no part, so the parts of an unexplained refund sum to less than it asks for. Money
    follows units exactly: the last part of a line takes what integer division left over.
    """
    taken: dict[tuple[str, int], int] = {}
    parts: list[Part] = []
    for line in wanted:
        to_place, money_left = line.quantity, line.amount_minor
        for purchase in purchases.get(line.sku, ()):
            key = (purchase.order_id, purchase.line)
            free = purchase.left - taken.get(key, 0)
            quantity = min(free, to_place)
            if quantity <= 0:
                continue
            whole = quantity == to_place
            amount = money_left if whole else line.amount_minor * quantity // line.quantity
            parts.append(Part(purchase, quantity, amount))
            taken[key] = taken.get(key, 0) + quantity
            to_place -= quantity
            money_left -= amount
            if not to_place:
                break
    return parts


Place = tuple[datetime, int]
"""Business time and, within one instant, position in the log."""


@dataclass(frozen=True, slots=True)
class Bought:
    """A purchase, whose it is and when it was made; what is refunded of it is not known here."""

    customer: str
    at: Place
    purchase: Purchase


@dataclass(frozen=True, slots=True)
class Refund:
    """A processed refund to be linked."""

    refund_id: str
    customer: str
    at: Place
    lines: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Linked:
    """Units and money that a refund at `at` took from one purchase."""

    order_id: str
    line: int
    at: Place
    quantity: int
    amount_minor: int


def link_all(
    refunds: Iterable[Refund], bought: Iterable[Bought], linked: Iterable[Linked]
) -> list[tuple[Refund, list[Part]]]:
    """Link many refunds, oldest first, each as `link` would against what it could see: purchases before it, less what
    refunds before it took. `bought` comes newest first; `linked` is what earlier batches took from these purchases.
    """
    shelves: dict[tuple[str, str], list[Bought]] = defaultdict(list)
    for item in bought:
        shelves[item.customer, item.purchase.sku].append(item)
    taken: dict[tuple[str, int], list[Linked]] = defaultdict(list)
    for part in linked:
        taken[part.order_id, part.line].append(part)
    made: list[tuple[Refund, list[Part]]] = []
    for refund in sorted(refunds, key=lambda refund: refund.at):
        visible = {
            line.sku: [
                _as_of(item, taken, refund.at) for item in shelves[refund.customer, line.sku] if item.at < refund.at
            ]
            for line in refund.lines
        }
        parts = link(refund.lines, visible)
        for part in parts:
            key = (part.purchase.order_id, part.purchase.line)
            taken[key].append(Linked(*key, refund.at, part.quantity, part.amount_minor))
        made.append((refund, parts))
    return made


def _as_of(item: Bought, taken: Mapping[tuple[str, int], Sequence[Linked]], at: Place) -> Purchase:
    """The purchase with what refunds before `at` took from it."""
    earlier = [part for part in taken.get((item.purchase.order_id, item.purchase.line), ()) if part.at < at]
    if not earlier:
        return item.purchase
    return replace(
        item.purchase,
        refunded_quantity=sum(part.quantity for part in earlier),
        refunded_minor=sum(part.amount_minor for part in earlier),
    )
