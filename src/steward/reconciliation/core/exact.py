"""Steps 1 and 3 of the cascade: the same id on both sides, and the same money, known or by contract.

A line that names a movement claims it. One claim that agrees is a match. Of several that agree, the earliest is the
movement and the others tell it again. A claim that does not agree is left for naming.
"""

from __future__ import annotations

from typing import Final

from steward.contracts.base import JsonObject
from steward.contracts.settlement import LineType
from steward.reconciliation.core.identities import IDENTITIES, contradict, doubtful
from steward.reconciliation.core.pool import Pool

Ref = tuple[str, str]
Index = dict[LineType, tuple[dict[Ref, int], set[str]]]
"""By type: the movement that an id names, and which kinds of id the books know at all."""

SHARED: Final = -2
"""Several movements carry this id: alone it names none of them."""

EXACT: Final = "exact_id"
SCHEDULE: Final = "schedule"
CONFIDENCE: Final = {EXACT: 1000, SCHEDULE: 990}

_EVIDENCE: Final[dict[tuple[str, bool], JsonObject]] = {
    (kind, equal): {"id": kind, "money": "equal" if equal else "gross equal, fee or rate by contract"}
    for kind in ("transaction", "payment", "refund", "dispute", "payout")
    for equal in (True, False)
}


def index_of(pool: Pool) -> Index:
    """Movements by each id that names them."""
    index: Index = {}
    for m, move in enumerate(pool.moves):
        own = IDENTITIES[move.type]
        entry = index.get(move.type)
        if entry is None:
            entry = index[move.type] = {}, set()
        known, kinds = entry
        for ref in move.refs:
            if ref[0] in own and ref[1]:
                kinds.add(ref[0])
                if known.setdefault(ref, m) != m:
                    known[ref] = SHARED
    return index


def claimed_by(pool: Pool, index: Index, n: int) -> int:
    """The one movement whose ids the line carries; -1 if none, or if its ids say different things."""
    line = pool.lines[n]
    entry = index.get(line.type)
    if entry is None:
        return -1
    known, kinds = entry
    found, unknown = -1, False
    for ref in line.refs:  # half a million times a year: nothing here but look-ups
        if ref[0] not in kinds:
            continue
        hit = known.get(ref, -1)
        if hit >= 0:
            if found >= 0 and hit != found:
                return -1
            found = hit
        elif hit == -1:
            unknown = True
    if found >= 0 and ((unknown and contradict(line, pool.moves[found])) or doubtful(line, pool.moves[found])):
        return -1
    return found


def match_ids(pool: Pool, index: Index) -> dict[int, int]:
    """Settle every movement that a line names and agrees with; returns the claims that were not settled."""
    first = [-1] * len(pool.moves)
    more: dict[int, list[int]] = {}
    for n in range(len(pool.lines)):
        m = claimed_by(pool, index, n)
        if m < 0:
            continue
        if first[m] < 0:
            first[m] = n
        else:
            more.setdefault(m, [first[m]]).append(n)
    left: dict[int, int] = {}
    for m, n in enumerate(first):
        if n < 0:
            continue
        claims = more.get(m)
        chosen = n if claims is None else _chosen(pool, m, claims)
        found = None if chosen < 0 else pool.agree(chosen, m)
        if found is not None:
            rule = EXACT if found[0] else SCHEDULE
            pool.pair(chosen, m, rule, CONFIDENCE[rule], _EVIDENCE[_kind(pool, chosen, m), found[0]], found[1])
        for other in claims or (n,):
            if pool.line_free[other]:
                left[other] = m
    return left


def _chosen(pool: Pool, m: int, claims: list[int]) -> int:
    """Of several lines that name a movement, the earliest that agrees, in its window if one is; -1 if none agrees."""
    agreeing = sorted((n for n in claims if pool.agree(n, m) is not None), key=pool.order_of)
    in_time = [n for n in agreeing if pool.delay(n, m) is None]
    return next(iter(in_time or agreeing), -1)


def _kind(pool: Pool, n: int, m: int) -> str:
    """The kind of id both carry."""
    move = pool.moves[m]
    own = IDENTITIES[move.type]
    for ref in pool.lines[n].refs:
        if ref[0] in own and ref in move.refs:
            return ref[0]
    raise AssertionError("a claim without an id")
