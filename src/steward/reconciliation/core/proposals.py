"""Step 7 of the cascade: what a person may want to look at. Nothing here is ever accepted by the machine.

Two kinds: a movement of the same amount inside the window that could not be told from others, and an id that looks
like a damaged one. The confidence only sorts them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from steward.contracts.settlement import Match, MatchItem
from steward.reconciliation.core.edits import LONG, NEAR, pieces, within
from steward.reconciliation.core.identities import telling
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.relations import Relations
from steward.reconciliation.core.windowed import shelved, within_window

FUZZY: Final = "fuzzy"
CANDIDATE: Final = "candidate"
PROPOSALS_MAX: Final = 3
COMMON: Final = 64
"""A piece that more ids have than this (the prefix of a provider, say) leads to none of them."""

Piece = tuple[str, int, str]


class DamagedIds:
    """Ids of free movements, to be found again after up to two slips."""

    def __init__(self, pool: Pool, moves: Iterable[int]) -> None:
        self._pool = pool
        self._places: dict[Piece, list[tuple[str, int]]] = {}
        for m in moves:
            for kind, value in pool.moves[m].refs:
                if len(value) >= LONG and telling(pool.moves[m].type, (kind, value)):
                    for place, piece in pieces(value):
                        self._places.setdefault((kind, place, piece), []).append((value, m))

    def like(self, n: int) -> dict[int, int]:
        """Movements of the line's type and currency by how many slips apart their id is."""
        line, found = self._pool.lines[n], dict[int, int]()
        for kind, value in line.refs:
            if len(value) < LONG or not telling(line.type, (kind, value)):
                continue
            for other, m in self._about(kind, value):
                move = self._pool.moves[m]
                if move.type == line.type and move.currency == line.currency:
                    apart = within(value, other)
                    if apart is not None:
                        found[m] = min(apart, found.get(m, NEAR))
        return found

    def _about(self, kind: str, value: str) -> set[tuple[str, int]]:
        found: set[tuple[str, int]] = set()
        for length in range(len(value) - NEAR, len(value) + NEAR + 1):  # the other id may be longer or shorter
            size = len(pieces("x" * length)[0][1]) if pieces("x" * length) else 0
            for start in range(0, 5 * size, size) if size else ():
                for at in range(max(0, start - NEAR), start + NEAR + 1):
                    there = self._places.get((kind, start, value[at : at + size]), ())
                    if len(there) <= COMMON:
                        found.update(there)
        return found


def proposed(pool: Pool, relations: Relations) -> dict[int, list[Match]]:
    """Up to three matches for each line that is left, likeliest first."""
    lines = [n for n in relations.lines if pool.line_free[n]]
    shelf = shelved(pool, lines, pool.free_moves())
    damaged = DamagedIds(pool, pool.free_moves())
    made: dict[int, list[Match]] = {}
    for n in lines:
        found: dict[int, tuple[str, int]] = {}
        for m in within_window(pool, shelf, n):
            if pool.agree(n, m) is not None:
                found[m] = CANDIDATE, 500
        for m, apart in damaged.like(n).items():
            equal = pool.agree(n, m) is not None
            found[m] = FUZZY, (850 if equal else 550) - 50 * apart
        ranked = sorted(found.items(), key=lambda one: (-one[1][1], _apart(pool, n, one[0]), pool.moves[one[0]].key))
        if ranked:
            made[n] = [_proposal(pool, n, m, rule, sure) for m, (rule, sure) in ranked[:PROPOSALS_MAX]]
    return made


def _apart(pool: Pool, n: int, m: int) -> float:
    at = pool.lines[n].at
    return abs((at - pool.moves[m].at).total_seconds()) if at else 0.0


def _proposal(pool: Pool, n: int, m: int, rule: str, sure: int) -> Match:
    items: tuple[MatchItem, ...] = (pool.line_item(n), pool.move_item(m))
    difference = pool.lines[n].net_minor - pool.nets[m]
    return Match(rule, sure, pool.lines[n].currency, items, {"difference_minor": difference})
