"""Which purchases a refund is for: the customer's latest earlier purchases of the product, newest first.

The shop's history does not say which order a cancellation belongs to. This rule does, and the same rule serves
the past (links of processed refunds) and the present (a proposal), so both see the same money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
