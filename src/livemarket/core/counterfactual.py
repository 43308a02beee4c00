"""What would have happened otherwise: the same world, the same luck, another action. For tests and scoring only.

A world's luck is a function of names and days, so a fork that is forced to act differently differs from the original
in the action's consequences and in nothing else (Pearl 2009, chapter 7: abduction is free here, the noise is known).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from livemarket.core.arrays import Floats
from livemarket.core.graph import Edge, Graph
from livemarket.core.interventions import Intervention
from livemarket.core.step import step
from livemarket.core.world import World

Outcome = Callable[[World], int]
Seen = dict[str, list[tuple[dict[str, Floats], Floats]]]


@dataclass(frozen=True, slots=True)
class Effect:
    """An outcome's sum over the days, as it is and as it would be; all integers."""

    factual: int
    counterfactual: int

    @property
    def difference(self) -> int:
        return self.counterfactual - self.factual


def summed(world: World, days: int, name: str) -> int:
    """Live `days` days and add one of the daily sums up."""
    amount = 0
    for _ in range(days):
        step(world)
        amount += world.today.get(name, 0)
    return amount


def effect(world: World, plan: tuple[Intervention, ...], days: int, name: str) -> Effect:
    """The true effect of `plan` on a daily sum over the next `days` days. The world itself stays where it is."""
    return Effect(summed(world.fork(), days, name), summed(world.fork(plan), days, name))


# How each source of an edge is moved: an operation on the variable of the same name.
PROBES = {
    "health": ("scale", 0.8),
    "ad_lift": ("add", 0.3),
    "viral": ("add", 0.5),
    "novelty": ("add", 0.2),
    "skill": ("add", 0.5),
    "pin": ("add", -0.4),
    "exposure": ("add", 0.25),
    "price_drop": ("add", 0.10),
    "bought_drop": ("add", 0.10),
    "price": ("scale", 1.25),
    "competitor_price": ("add", 0.2),
    "transit": ("add", 2.0),
    "cpm": ("scale", 1.3),
    "creative_age": ("add", 2.0),
    "defect": ("set", 1.0),
    "late": ("set", 1.0),
    "generosity": ("add", 0.2),
    "late_share": ("add", 0.1),
    "oversold_share": ("add", 0.1),
    "crowd": ("add", 0.5),
}


def observed(world: World, plan: tuple[Intervention, ...]) -> Seen:
    """Every equation of one day under a plan: its sources and what came out."""
    seen: Seen = {}

    def watch(target: str, sources: dict[str, Floats], value: Floats) -> None:
        seen.setdefault(target, []).append((sources, value))

    fork = world.fork(plan)
    fork.graph = world.graph.watched(watch)
    step(fork)
    return seen


def flat(calls: list[tuple[dict[str, Floats], Floats]], name: str | None) -> Floats:
    parts = [(value if name is None else sources[name]).ravel() for sources, value in calls]
    return np.concatenate(parts)


def measured(world: World, declared: Graph, targets: frozenset[str] | None = None) -> dict[str, float]:
    """Edge by edge, what one unit of the source really adds to the target in this world: each source is moved in turn
    for a day, and the differences are solved for by least squares. Edges come from `declared`, never from the world.
    """
    edges = [edge for edge in declared.edges if targets is None or edge.target in targets]
    base = observed(world, ())
    rows: dict[str, list[Floats]] = {}
    answers: dict[str, list[Floats]] = {}
    sources = {target: sorted({e.source for e in edges if e.target == target}) for target in {e.target for e in edges}}
    for variable in sorted({edge.source for edge in edges}):
        operation, value = PROBES[variable]
        moved = observed(world, (Intervention(variable, operation, value),))
        for target, names in sources.items():
            if variable not in names or target not in base:
                continue
            difference = flat(moved[target], None) - flat(base[target], None)
            columns = [flat(moved[target], name) - flat(base[target], name) for name in names]
            rows.setdefault(target, []).append(np.stack(columns, axis=1))
            answers.setdefault(target, []).append(difference)
    found: dict[str, float] = {}
    for target, names in sources.items():
        if target in rows:
            solved = np.linalg.lstsq(np.concatenate(rows[target]), np.concatenate(answers[target]), rcond=None)[0]
            found |= {f"{name} -> {target}": float(x) for name, x in zip(names, solved, strict=True)}
    return found


def disagreements(world: World, declared: Graph, targets: frozenset[str] | None = None) -> list[Edge]:
    """Edges whose declared effect the world does not show; an effect that cannot be measured today counts as one."""
    found = measured(world, declared, targets)
    wanted = [edge for edge in declared.edges if targets is None or edge.target in targets]
    return [edge for edge in wanted if abs(found.get(edge.name, np.inf) - edge.effect) > 1e-6 * (1 + abs(edge.effect))]
