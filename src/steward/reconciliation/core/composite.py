"""Step 2 of the cascade: the same reference, type, currency and amount, where no id contradicts."""

from __future__ import annotations

from typing import Final

from steward.reconciliation.core.identities import IDENTITIES, contradict, doubtful
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.relations import Relations
from steward.reconciliation.core.settling import Rule, settle

COMPOSITE: Final = "composite_key"
RULE: Final = Rule(COMPOSITE, COMPOSITE, (980, 975, 970))


def match_composites(pool: Pool, relations: Relations) -> None:
    """First those in their windows, then those that came at another time and are alone."""
    in_time: dict[int, list[int]] = {}
    for n in relations.lines:
        candidates = _candidates(pool, relations, n)
        if candidates:
            in_time[n] = [m for m in candidates if pool.delay(n, m) is None]
    for rows, columns in settle(pool, {n: found for n, found in in_time.items() if found}, RULE):
        _told_again(pool, rows, columns, in_time)
    late: dict[int, list[int]] = {}
    takers: dict[int, int] = {}
    for n in in_time:
        if pool.line_free[n]:
            late[n] = _candidates(pool, relations, n)
            for m in late[n]:
                takers[m] = takers.get(m, 0) + 1
    alone = {n: found for n, found in late.items() if len(found) == 1 and takers[found[0]] == 1}
    settle(pool, alone, RULE, timely=False)


def _candidates(pool: Pool, relations: Relations, n: int) -> list[int]:
    claimed = relations.claims.get(n, -1)
    if claimed >= 0 and not pool.move_free[claimed]:
        return []  # it tells again what is settled
    found = [m for m in relations.related(n) if pool.move_free[m] and pool.agree(n, m) is not None]
    line, moves = pool.lines[n], pool.moves
    return [m for m in found if not contradict(line, moves[m]) and not doubtful(line, moves[m])]


def _told_again(pool: Pool, rows: list[int], columns: list[int], edges: dict[int, list[int]]) -> None:
    """More lines than movements, and the lines say all the same, or are as many as the movements once each that repeats
    another's own id is left out: the earliest are the movements, the rest repeat them.
    """
    if len(rows) <= len(columns):
        return
    groups: dict[tuple[object, ...], list[int]] = {}
    for n in sorted(rows, key=pool.order_of):
        line = pool.lines[n]
        groups.setdefault((line.refs, line.gross_minor, line.fee_minor), []).append(n)
    if len(groups) == 1 and all(len(edges[n]) == len(columns) for n in rows):
        first = next(iter(groups.values()))[: len(columns)]
    else:
        first = [n for own in groups.values() for n in (own[:1] if _names_itself(pool, own[0]) else own)]
    if len(first) == len(columns):
        settle(pool, {n: edges[n] for n in first}, RULE)


def _names_itself(pool: Pool, n: int) -> bool:
    """Whether the line carries an id of the very thing that moved: who repeats that tells the same again."""
    return any(kind in IDENTITIES[pool.lines[n].type] for kind, _ in pool.lines[n].refs)
