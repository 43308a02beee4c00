"""What a world is made from: parameters, a shop, categories, couriers, the graph. All of it is data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from livemarket.core.graph import Graph
from livemarket.core.interventions import Intervention
from livemarket.core.opponents import Opponent

# 26 weeks, so that a run begins on a Monday; a dispute opens up to 90 days after delivery and is decided 75 days later.
WARM_UP_DAYS = 182


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number with where it comes from. Quality: A official, B trade press, C vendor, M modelling choice."""

    name: str
    value: float
    unit: str
    source: str
    quality: str


@dataclass(frozen=True, slots=True)
class Category:
    name: str
    price_low: int
    price_high: int
    cost_share: float
    grams: int
    returns: str
    return_age: float
    peak: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Courier:
    name: str
    share: float
    days: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Shop:
    """How large the shop is."""

    name: str
    skus: int
    creators: int
    suppliers: int
    shows_per_week: int
    slots: int
    reach: float
    visitors: int
    customers: int
    ad_sets: int
    ad_budget_minor: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Shock:
    """A named set of interventions; their days count from the shock's beginning."""

    name: str
    why: str
    days: int
    interventions: tuple[Intervention, ...]

    def starting(self, day: int) -> tuple[Intervention, ...]:
        return tuple(
            Intervention(i.variable, i.operation, i.value, day, day + self.days - 1, i.entities)
            for i in self.interventions
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything a run depends on besides its seed."""

    shop: Shop
    parameters: Mapping[str, Parameter]
    categories: tuple[Category, ...]
    couriers: tuple[Courier, ...]
    graph: Graph
    plan: tuple[Intervention, ...] = ()
    opponents: tuple[Opponent, ...] = field(default=())
    operator: bool = True

    def number(self, name: str) -> float:
        return self.parameters[name].value
