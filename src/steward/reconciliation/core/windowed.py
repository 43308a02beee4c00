"""Steps 4 and 5 of the cascade: no id says who is whom, but type, currency, amount, fee and date do.

A line may be a movement if its own references do not speak against it: it has none that the movement has too, or they
look like damaged ids of a movement of its block. A line whose ids the books know belongs to that movement and to no
other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from steward.contracts.settlement import Expected, StatementLine
from steward.reconciliation.core.identities import likeness, telling
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.relations import Relations
from steward.reconciliation.core.settling import Rule, settle

WINDOW: Final = "cutoff_window"
ASSIGNMENT: Final = "assignment"
RULE: Final = Rule(WINDOW, ASSIGNMENT, (950, 945, 930))

Kin = tuple[str, str, int]
Shelf = dict[Kin, tuple[list[datetime], list[int]]]


def match_windows(pool: Pool, relations: Relations) -> None:
    lines = [n for n in relations.lines if pool.line_free[n]]
    named = [n for n in lines if relations.known(n)]
    spoken = relations.spoken_for(named)
    barred = set(named)
    bare = [n for n in lines if n not in barred]
    shelf = shelved(pool, bare, range(len(pool.moves)))
    edges: dict[int, list[int]] = {}
    for n in bare:
        around = [m for m in within_window(pool, shelf, n) if pool.agree(n, m) is not None]
        found = [m for m in around if pool.move_free[m] and m not in spoken]
        if found and not _anothers(pool, n, found, around):
            edges[n] = found
    settle(pool, edges, RULE)


def shelved(pool: Pool, lines: Iterable[int], moves: Iterable[int]) -> Shelf:
    """Those of the movements that are of the kinds these lines could be, by instant."""
    wanted = {_kin(pool.lines[n]) for n in lines}
    rows: dict[Kin, list[tuple[datetime, str, int]]] = {}
    for m in moves if wanted else ():
        move = pool.moves[m]
        kin = _kin(move)
        if kin in wanted:
            rows.setdefault(kin, []).append((move.at, move.key, m))
    made: Shelf = {}
    for kin, held in rows.items():
        held.sort()
        made[kin] = ([at for at, _, _ in held], [m for _, _, m in held])
    return made


def _kin(one: StatementLine | Expected) -> Kin:
    return one.type, one.currency, one.gross_minor


def within_window(pool: Pool, shelf: Shelf, n: int) -> list[int]:
    """The shelved movements on whose window the line falls; none where no window is agreed or the line has no date."""
    line = pool.lines[n]
    calendar, day = pool.windows.of(line.type), pool.day_of(n)
    held = shelf.get(_kin(line))
    if calendar is None or day is None or held is None:
        return []
    seconds = calendar.window.seconds
    if seconds is not None and line.at is not None:
        reach = timedelta(seconds=seconds)
        begin, end = bisect_left(held[0], line.at - reach), bisect_right(held[0], line.at + reach)
    else:
        begin = bisect_left(held[0], _noon(day) - calendar.reach)
        end = bisect_right(held[0], _noon(day) + timedelta(days=3))
    return [m for m in held[1][begin:end] if (b := calendar.bounds(pool.moves[m].at))[0] <= day <= b[1]]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def _anothers(pool: Pool, n: int, moves: list[int], around: list[int]) -> bool:
    """Whether the line carries ids that could be compared and resemble none of the block's, or resemble one that has
    found its line, or is spoken for, as much as any.
    """
    line = pool.lines[n]
    kinds = {ref[0] for ref in line.refs if telling(line.type, ref)}
    if not any(name in kinds for m in moves for name, _ in pool.moves[m].refs):
        return False
    free = set(moves)
    slips = {m: apart for m in around if (apart := likeness(line, pool.moves[m])) is not None}
    inside = min((apart for m, apart in slips.items() if m in free), default=None)
    outside = min((apart for m, apart in slips.items() if m not in free), default=None)
    return inside is None or (outside is not None and outside <= inside)
