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
    """Settle every free line of a sale that is its payment less its refunds."""
    if not pool.schedule.nets:
        return
    sales = Sales(pool, relations)
    for n in sorted(relations.lines, key=pool.order_of):
        m = sales.payment_of(n) if pool.line_free[n] else None
        if m is None:
            continue
        refunds = _chosen(pool, n, m, sales.refunds_of(n, m))
        if refunds and fee_agrees(pool, n, m) and pool.delay(n, m) is None:
            evidence = {"refunds_inside": len(refunds), "sale_minor": pool.moves[m].gross_minor}
            pool.group([n], [m, *refunds], NETTED, CONFIDENCE, evidence)
            pool.netted[m] = n


class Sales:
    """What lines of sales refer to, with the lines of refunds looked up once."""

    def __init__(self, pool: Pool, relations: Relations) -> None:
        self._pool = pool
        self._relations = relations
        self._refund_lines: dict[tuple[str, str], list[int]] = {}
        for n in relations.lines if pool.schedule.nets else ():
            if pool.lines[n].type == "refund":
                for ref in pool.lines[n].refs:
                    self._refund_lines.setdefault(ref, []).append(n)

    def payment_of(self, n: int) -> int | None:
        """The one payment that a line of a sale refers to, if it is free."""
        pool, line = self._pool, self._pool.lines[n]
        kin = self._relations.related(n) if line.type == "payment" else []
        if len(kin) != 1 or not pool.move_free[kin[0]] or contradict(line, pool.moves[kin[0]]):
            return None
        return kin[0] if pool.moves[kin[0]].currency == line.currency else None

    def refunds_of(self, n: int, m: int) -> list[int]:
        """Free refunds of what both the line and its payment name, oldest first; none that a line tells by itself."""
        pool, line, moves = self._pool, self._pool.lines[n], self._pool.moves
        shared = [ref for ref in line.refs if ref in moves[m].refs and ref[0] not in CARRIERS["refund"]]
        told = {r for ref in shared for own in self._refund_lines.get(ref, ()) for r in self._told_by(own)}
        found = {
            r
            for ref in shared
            for r in self._relations.moves_of.get(ref, ())
            if pool.move_free[r] and r not in told and moves[r].type == "refund" and moves[r].currency == line.currency
        }
        return sorted(found, key=lambda r: (moves[r].at, moves[r].key))

    def _told_by(self, n: int) -> list[int]:
        """Refunds that a free line of a refund could be."""
        pool = self._pool
        if not pool.line_free[n]:
            return []
        gross = pool.lines[n].gross_minor
        return [r for r in self._relations.related(n) if pool.moves[r].gross_minor == gross]


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
