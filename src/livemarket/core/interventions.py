"""`do`: variables forced to a value, whatever would have caused them (Pearl, Causality, 2nd ed. 2009, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core.arrays import Floats, Ints

# Every variable that can be forced, and what its entities are.
VARIABLES = {
    "price": "product",
    "price_drop": "product",
    "bought_drop": "product",
    "pin": "product",
    "novelty": "product",
    "exposure": "product",
    "viral": "product",
    "defect": "product",
    "competitor_price": "product",
    "restock": "product",
    "skill": "creator",
    "ad_budget": "ad set",
    "creative_age": "ad set",
    "cpm": "shop",
    "ad_lift": "shop",
    "health": "shop",
    "transit": "courier",
    "late": "shop",
    "generosity": "shop",
    "late_share": "shop",
    "oversold_share": "shop",
    "crowd": "shop",
    "stripe_rate": "shop",
    "supplier_open": "supplier",
    "run_of_show": "slot",
}
OPERATIONS = ("set", "scale", "add")


@dataclass(frozen=True, slots=True)
class Intervention:
    """From `first` to `last` (days of the world, both included) a variable is set, scaled or added to, for the named
    entities or for all.
    """

    variable: str
    operation: str
    value: float
    first: int = 0
    last: int = 10**9
    entities: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.variable not in VARIABLES:
            raise ValueError(f"{self.variable} cannot be forced; one of {', '.join(VARIABLES)}")
        if self.operation not in OPERATIONS:
            raise ValueError(f"{self.operation} is not one of {', '.join(OPERATIONS)}")


def applied(plan: tuple[Intervention, ...], variable: str, day: int, values: Floats, entities: Ints | None) -> Floats:
    """`values` as they are after every intervention of the plan that holds on this day, in the plan's order."""
    for item in plan:
        if item.variable != variable or not item.first <= day <= item.last:
            continue
        changed = {"set": np.full_like(values, item.value), "scale": values * item.value, "add": values + item.value}
        new = changed[item.operation]
        if item.entities and entities is not None:
            new = np.where(np.isin(entities, np.array(item.entities)), new, values)
        values = new
    return values
