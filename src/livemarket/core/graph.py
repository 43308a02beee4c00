"""The hidden causal graph: edges with known effects. The equations ask it for every effect, so it is the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from livemarket.core.arrays import Floats


@dataclass(frozen=True, slots=True)
class Edge:
    """One unit of `source` adds `effect` to `target`, all else as it was."""

    source: str
    target: str
    effect: float
    unit: str

    @property
    def name(self) -> str:
        return f"{self.source} -> {self.target}"


Watch = Callable[[str, dict[str, Floats], Floats], None]
"""Called with target, sources and value of every equation."""


class Graph:
    """Edges by target. `watch`, if given, sees every target the equations compute."""

    def __init__(self, edges: tuple[Edge, ...], watch: Watch | None = None) -> None:
        self.edges = edges
        self._watch = watch
        self._into: dict[str, dict[str, float]] = {}
        for edge in edges:
            self._into.setdefault(edge.target, {})[edge.source] = edge.effect

    def without(self, source: str, target: str) -> Graph:
        """The same graph with one edge fewer."""
        kept = tuple(e for e in self.edges if (e.source, e.target) != (source, target))
        return Graph(kept, self._watch)

    def watched(self, watch: Watch) -> Graph:
        return Graph(self.edges, watch)

    def effect(self, source: str, target: str) -> float:
        """The declared effect; no edge is no effect."""
        return self._into.get(target, {}).get(source, 0.0)

    def total(self, target: str, base: Floats, **sources: Floats | float) -> Floats:
        """`base` and what the sources add to it. An edge from a source the equation lacks is refused: the graph may
        not claim what the model does not do.
        """
        edges = self._into.get(target, {})
        missing = edges.keys() - sources.keys()
        if missing:
            raise ValueError(f"the equation of {target} has no {', '.join(sorted(missing))}: mend graph.yaml")
        value = np.asarray(base, dtype=np.float64)
        for name, source in sources.items():
            if name in edges:
                value = value + edges[name] * np.asarray(source, dtype=np.float64)
        if self._watch:
            seen: dict[str, Floats] = {
                name: np.broadcast_to(np.asarray(source, dtype=np.float64), value.shape)
                for name, source in sources.items()
            }
            self._watch(target, seen, value)
        return value
