"""What stock cost: moving average and first in, first out, over one SKU's movements in order.

Both keep every minor unit: what came in is what went out plus what is left, whatever the rounding. Sources: IAS 2
Inventories, paragraphs 25 to 27 (first-in, first-out and weighted average cost).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from steward.kernel.money import Money

STOCK_TYPES = ("InboundReceived", "GoodsShipped", "SampleSent", "ReturnReceived", "StockAdjusted")
Method = Literal["average", "fifo"]


@dataclass(frozen=True, slots=True)
class Movement:
    """Units in (with what they cost together) or out (`quantity` negative; the cost is what the method says)."""

    quantity: int
    cost_minor: int = 0


@dataclass(slots=True)
class Valuation:
    """Stock of one SKU after its movements. `short` counts units that went out though none were there: they cost
    nothing here, and somebody must look.
    """

    on_hand: int = 0
    value_minor: int = 0
    received_minor: int = 0
    issued: list[int] = field(default_factory=list[int])
    short: int = 0


def value(movements: Iterable[Movement], method: Method) -> Valuation:
    """Value movements in their order. Raises `ValueError` on a receipt with a negative cost."""
    found = Valuation()
    layers: deque[list[int]] = deque()
    for movement in movements:
        if movement.quantity > 0:
            if movement.cost_minor < 0:
                raise ValueError(f"{movement.quantity} units cannot have come in for {movement.cost_minor}")
            layers.append([movement.quantity, movement.cost_minor])
            found.on_hand += movement.quantity
            found.value_minor += movement.cost_minor
            found.received_minor += movement.cost_minor
        elif movement.quantity < 0:
            taken = min(-movement.quantity, found.on_hand)
            found.short += -movement.quantity - taken
            cost = _average(found, taken) if method == "average" else _oldest(layers, taken)
            found.on_hand -= taken
            found.value_minor -= cost
            found.issued.append(cost)
    return found


def _average(found: Valuation, taken: int) -> int:
    """Half a minor unit goes to the even one, and the last unit takes whatever is left."""
    if taken == 0:
        return 0
    quotient, rest = divmod(found.value_minor * taken, found.on_hand)
    return quotient + (2 * rest > found.on_hand or (2 * rest == found.on_hand and quotient % 2))


def _oldest(layers: deque[list[int]], taken: int) -> int:
    cost = 0
    while taken:
        quantity, value_minor = layers[0]
        part = min(taken, quantity)
        part_cost = value_minor if part == quantity else value_minor * part // quantity
        cost += part_cost
        taken -= part
        if part == quantity:
            layers.popleft()
        else:
            layers[0] = [quantity - part, value_minor - part_cost]
    return cost


def movements_of(event_type: str, data: Mapping[str, Any]) -> list[tuple[str, Movement]]:
    """What a goods event moved, by SKU. A cost of several lines is split by their quantities."""
    match event_type:
        case "GoodsShipped":
            return [(line["sku"], Movement(-line["quantity"])) for line in data.get("lines") or ()]
        case "SampleSent":
            return [(data["sku"], Movement(-int(data.get("quantity") or 1)))]
        case "StockAdjusted" if data["delta"] < 0:
            return [(data["sku"], Movement(data["delta"]))]
        case "StockAdjusted":
            return [(data["sku"], Movement(data["delta"], data.get("cost_minor") or 0))]
        case "ReturnReceived" if data.get("condition") != "as_new":
            return []
        case _:
            lines = [line for line in data.get("lines") or () if line["quantity"]]
            if not lines:
                return []
            if not data.get("cost_minor") or not data.get("currency"):
                return [(line["sku"], Movement(line["quantity"])) for line in lines]
            costs = Money(data["cost_minor"], data["currency"]).allocate([line["quantity"] for line in lines])
            return [
                (line["sku"], Movement(line["quantity"], cost.amount_minor))
                for line, cost in zip(lines, costs, strict=True)
            ]
