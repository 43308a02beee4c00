"""What a block of lines and movements that could be each other allows to be said.

As many lines as movements, and a perfect matching: an edge no other matching could replace is a pair; where several
matchings exist they differ in nothing but who is whom among equals, so the set is the match, unless instants tell them
apart by a margin. Anything else is ambiguous, and left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from steward.contracts.base import JsonObject
from steward.reconciliation.core.assignment import FAR, cheapest
from steward.reconciliation.core.matching import Edges, blocks, components, lone_edges, perfect
from steward.reconciliation.core.pool import Pool

BLOCK_MAX: Final = 16
"""Lines in one block: in a larger one a line too many and a movement too many could hide behind each other."""


ALONE: Final[JsonObject] = {"candidates": 1}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a step calls what it accepts, and how sure it is: of the only pair, of one told apart, of a set."""

    alone: str
    several: str
    confidence: tuple[int, int, int]


def settle(pool: Pool, edges: Edges, rule: Rule, *, timely: bool = True) -> list[tuple[list[int], list[int]]]:
    """Accept what is certain in each component; the components that are not come back. `timely`: every edge is known to
    lie in its window.
    """
    left: list[tuple[list[int], list[int]]] = []
    lone = lone_edges(edges)
    put = pool.timely if timely else pool.pair
    for n, m in lone.items():
        found = pool.agree(n, m)
        if found is not None:
            put(n, m, rule.alone, rule.confidence[0], ALONE, found[1])
    for rows, columns in components({n: found for n, found in edges.items() if n not in lone}):
        mate = perfect(rows, edges) if len(rows) == len(columns) <= BLOCK_MAX else None
        if mate is None:
            left.append((rows, columns))
            continue
        for block in blocks(rows, edges, mate):
            if len(block) == 1:
                evidence = {"block": len(rows), "other_pairings": 0}
                _pair(pool, block[0], mate[block[0]], rule.several, rule.confidence[1], evidence)
            else:
                _block(pool, edges, block, [mate[row] for row in block], rule)
    return left


def _pair(pool: Pool, n: int, m: int, name: str, confidence: int, evidence: JsonObject) -> None:
    found = pool.agree(n, m)
    if found is None:
        raise AssertionError("an edge between different money")
    pool.timely(n, m, name, confidence, evidence, found[1])


def _block(pool: Pool, edges: Edges, rows: list[int], columns: list[int], rule: Rule) -> None:
    rows.sort(key=pool.line_keys.__getitem__)
    columns.sort(key=lambda m: pool.moves[m].key)
    costs, margin = _costs(pool, edges, rows, columns)
    best = cheapest(costs) if costs else None
    if best is not None and best[2] >= margin:
        apart = {"block": len(rows), "seconds": best[1], "next_best_seconds_more": min(best[2], FAR)}
        for row, column in zip(rows, best[0], strict=True):
            _pair(pool, row, columns[column], rule.several, rule.confidence[1], apart)
        return
    evidence = {"block": len(rows), "interchangeable": "equal in type, currency, amount and window"}
    pool.group(rows, columns, rule.several, rule.confidence[2], evidence)


def _costs(pool: Pool, edges: Edges, rows: Sequence[int], columns: Sequence[int]) -> tuple[list[list[int]], int]:
    """Seconds between the instants of both sides; empty where the provider's instants are not the movements' own."""
    calendar = pool.windows.of(pool.lines[rows[0]].type)
    if calendar is None or calendar.window.seconds is None:
        return [], 0
    costs: list[list[int]] = []
    for n in rows:
        at = pool.lines[n].at
        if at is None:
            return [], 0
        near = set(edges[n])
        costs.append([abs(round((at - pool.moves[m].at).total_seconds())) if m in near else FAR for m in columns])
    return costs, max(1, calendar.window.margin_seconds)
