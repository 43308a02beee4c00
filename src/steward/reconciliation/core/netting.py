"""Between steps 5 and 6 of the cascade, where a contract says that a provider nets: its line of a sale tells what is
left of the sale after the refunds that were given before it was settled, and those refunds have no line of their own.

Accepted only if the line refers to one free payment, the refunds refer to the same order, no line tells one of them by
itself, and one choice of them alone leaves the line's amount; the fee must agree as it must anywhere.
"""

from __future__ import annotations

from typing import Final

from steward.reconciliation.core.identities import CARRIERS, contradict
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.relations import Relations
from steward.reconciliation.core.sums import CANDIDATES_MAX, only_subset

NETTED: Final = "netted"
CONFIDENCE: Final = 965


def match_netted(pool: Pool, relations: Relations) -> None:
    if not pool.schedule.nets:
        return
    for n in sorted(relations.lines, key=pool.order_of):
        m = payment_of(pool, relations, n) if pool.line_free[n] else None
        if m is None:
            continue
        refunds = _chosen(pool, n, m, refunds_of(pool, relations, n, m))
        if refunds and fee_agrees(pool, n, m) and pool.delay(n, m) is None:
            evidence = {"refunds_inside": len(refunds), "sale_minor": pool.moves[m].gross_minor}
            pool.group([n], [m, *refunds], NETTED, CONFIDENCE, evidence)
            pool.netted[m] = n


def payment_of(pool: Pool, relations: Relations, n: int) -> int | None:
    """The one payment that a line of a sale refers to, if it is free."""
    line = pool.lines[n]
    kin = relations.related(n) if line.type == "payment" else []
    if len(kin) != 1 or not pool.move_free[kin[0]] or contradict(line, pool.moves[kin[0]]):
        return None
    return kin[0] if pool.moves[kin[0]].currency == line.currency else None


def refunds_of(pool: Pool, relations: Relations, n: int, m: int) -> list[int]:
    """Free refunds of what both the line and its payment name, oldest first; none that a line tells by itself."""
    line, moves = pool.lines[n], pool.moves
    shared = [ref for ref in line.refs if ref in moves[m].refs and ref[0] not in CARRIERS["refund"]]
    told = {
        own
        for other in relations.lines
        if pool.line_free[other] and pool.lines[other].type == "refund" and _share(shared, pool.lines[other].refs)
        for own in relations.related(other)
        if moves[own].gross_minor == pool.lines[other].gross_minor
    } if shared else set[int]()  # fmt: skip
    found = {
        r
        for ref in shared
        for r in relations.moves_of.get(ref, ())
        if pool.move_free[r] and r not in told and moves[r].type == "refund" and moves[r].currency == line.currency
    }
    return sorted(found, key=lambda r: (moves[r].at, moves[r].key))


def _share(one: list[tuple[str, str]], other: tuple[tuple[str, str], ...]) -> bool:
    return any(ref in other for ref in one)


def before(pool: Pool, n: int, refunds: list[int]) -> list[int]:
    """Those of the refunds that were given up to the line's day: by the provider's custom it nets those."""
    day = pool.day_of(n)
    return [r for r in refunds if day is None or pool.moves[r].at.date() <= day]


def _chosen(pool: Pool, n: int, m: int, refunds: list[int]) -> list[int]:
    """The refunds that leave the line's amount: all that came before it, else the only choice that does."""
    rest = pool.lines[n].gross_minor - pool.moves[m].gross_minor
    early = before(pool, n, refunds)
    if early and sum(pool.moves[r].gross_minor for r in early) == rest:
        return early
    places = only_subset([pool.moves[r].gross_minor for r in refunds], rest) if refunds[:CANDIDATES_MAX] else None
    return [refunds[place] for place in places] if places else []


def fee_agrees(pool: Pool, n: int, m: int) -> bool:
    """The line's fee is the payment's: exactly where the books know it, to one minor unit where the contract says."""
    apart = abs(pool.lines[n].fee_minor - (pool.fees[m] or 0))
    by_contract = pool.moves[m].fee_minor is None and pool.fees[m] is not None
    return apart <= 1 if by_contract else apart == 0
