"""The cascade: statements held against the books, from what an id proves to what nothing explains.

1 exact ids, 2 composite keys, 3 fee and rate by contract (inside 1 and 2), 4 cutoff windows, 5 assignment in small
blocks, then sales told net of their refunds where a contract says so, 6 sums with one reference, 7 proposals, then
names for what is left, and the proof that nothing was lost.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from steward.contracts.settlement import (
    Break,
    Expected,
    Match,
    MatchItem,
    Reconciled,
    Report,
    Statement,
)
from steward.kernel.errors import BadInput
from steward.reconciliation.core import conserve
from steward.reconciliation.core.calendars import Window, Windows
from steward.reconciliation.core.composite import match_composites
from steward.reconciliation.core.exact import index_of, match_ids
from steward.reconciliation.core.naming import Namer
from steward.reconciliation.core.netting import match_netted
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.proposals import proposed
from steward.reconciliation.core.relations import relations_of
from steward.reconciliation.core.schedule import Schedule, Terms
from steward.reconciliation.core.sums import match_sums, match_unreferred_sums
from steward.reconciliation.core.windowed import match_windows


def reconcile(
    statements: Sequence[Statement],
    expected: Sequence[Expected],
    terms: Sequence[Terms],
    windows: Sequence[Window],
    as_of: datetime,
) -> Reconciled:
    """Match providers' statements with the books. Equal input, in any order, gives an equal result.

    Raises `BadInput` for keys that are not unique, a movement whose provider cannot be told, terms or windows that
    contradict each other; `NotConserved` if the result does not tell of every item once.
    """
    with uncollected():
        return _reconcile(_by_provider(statements, expected), terms, windows, as_of)


@contextmanager
def uncollected() -> Generator[None]:
    """A run makes millions of objects and no cycle: the collector would only look at all of them again and again. They
    enter its oldest generation unseen, unless the process keeps frozen objects of its own.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            if gc.get_freeze_count() == 0:
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _reconcile(
    by_provider: Mapping[str, tuple[list[Statement], list[Expected]]],
    terms: Sequence[Terms],
    windows: Sequence[Window],
    as_of: datetime,
) -> Reconciled:
    matches: list[Match] = []
    breaks: list[Break] = []
    waiting: list[MatchItem] = []
    pools: list[Pool] = []
    came_in: conserve.CameIn = {}
    for provider in sorted(by_provider):
        told, moves = by_provider[provider]
        pool = Pool(told, moves, Schedule(terms, provider), Windows(windows, provider))
        pool.write_down(came_in)
        pools.append(pool)
    for pool in pools:
        breaks.extend(run(pool, as_of, waiting))
        matches.extend(pool.matches)
    return finished(matches, breaks, waiting, came_in, as_of)


def run(pool: Pool, as_of: datetime, waiting: list[MatchItem]) -> list[Break]:
    """All steps on one pool; returns the breaks and adds to `waiting` what is open."""
    index = index_of(pool)
    relations = relations_of(pool, match_ids(pool, index))
    match_composites(pool, relations)
    match_windows(pool, relations)
    match_netted(pool, relations)
    match_sums(pool, relations)
    match_unreferred_sums(pool, relations)
    namer = Namer(pool, relations, proposed(pool, relations))
    waiting.extend(namer.name(as_of))
    return namer.breaks


def _by_provider(
    statements: Sequence[Statement], expected: Sequence[Expected]
) -> dict[str, tuple[list[Statement], list[Expected]]]:
    made: dict[str, tuple[list[Statement], list[Expected]]] = {}
    for statement in statements:
        made.setdefault(statement.provider, ([], []))[0].append(statement)
    named = {move.provider for move in expected if move.provider}
    only = next(iter(made.keys() | named), "") if len(made.keys() | named) <= 1 else None
    for move in expected:
        provider = move.provider or only
        if provider is None:
            raise BadInput("there are several providers, and this movement names none", where=move.key)
        made.setdefault(provider, ([], []))[1].append(move)
    return made


def finished(
    matches: list[Match],
    breaks: list[Break],
    waiting: list[MatchItem],
    came_in: conserve.CameIn,
    as_of: datetime,
) -> Reconciled:
    """Sorted, counted, and proved to conserve."""
    matches.sort(key=lambda match: match.items[0].key)
    breaks.sort(key=lambda one: (one.type, one.keys[0].side, one.keys[0].key))
    waiting.sort(key=lambda item: item.key)
    conserve.check(came_in, matches, breaks, waiting)
    by_rule: dict[str, int] = {}
    rounding: dict[str, int] = {}
    rounded = 0
    for match in matches:
        outside = len(match.items) - 1 if len(match.items) == 2 else sum(i.side != "books" for i in match.items)
        by_rule[match.rule] = by_rule.get(match.rule, 0) + outside
        if match.rounding_minor:
            rounded += 1
            rounding[match.currency] = rounding.get(match.currency, 0) + match.rounding_minor
    sides = {side: sum(map(len, held.values())) for side, held in came_in.items()}
    books = sides.pop("books", 0)
    report = Report(
        as_of=as_of,
        lines=sum(sides.values()),
        expected=books,
        matched=sum(by_rule.values()),
        by_rule=dict(sorted(by_rule.items())),
        breaks=len(breaks),
        rounding_minor=dict(sorted(rounding.items())),
        conserved=True,
    )
    notes = {"open": len(waiting), "matches": len(matches), "rounded": rounded}
    return Reconciled(tuple(matches), tuple(breaks), report, notes, tuple(waiting))


def fingerprint(result: Reconciled) -> str:
    """SHA-256 over every match, break and open item in order: equal results have equal fingerprints."""
    told: list[str] = []
    for match in result.matches:
        told.append(f"m|{match.rule}|{match.confidence}|{match.currency}|{match.rounding_minor}")
        for item in match.items:
            told.append(f"|{item.side}|{len(item.key)}|{item.key}|{item.amount_minor}\n")  # noqa: PERF401 (a list more)
    digest = hashlib.sha256("".join(told).encode())
    for one in result.breaks:
        digest.update((f"b|{one.type}|{one.currency}|{one.amount_minor}" + _told(one.keys)).encode())
    digest.update(("o" + _told(result.open)).encode())
    return digest.hexdigest()


def _told(items: Iterable[MatchItem]) -> str:
    return "".join([f"|{item.side}|{len(item.key)}|{item.key}|{item.amount_minor}\n" for item in items])
