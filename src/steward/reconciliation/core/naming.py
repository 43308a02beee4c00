"""Names for what the cascade left: every line, and every movement that is due, goes into exactly one break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from steward.contracts.base import JsonObject
from steward.contracts.settlement import Break, BreakType, Match, MatchItem
from steward.reconciliation.core.breaks import DIFFERENT, UNEXPECTED, broken
from steward.reconciliation.core.identities import CARRIERS, contradict, telling
from steward.reconciliation.core.netting import Sales, before, fee_agrees
from steward.reconciliation.core.pool import Pool
from steward.reconciliation.core.relations import Relations


class Namer:
    """Goes once through what is left, from what is said by an id to what nothing is known of."""

    def __init__(self, pool: Pool, relations: Relations, proposals: Mapping[int, Sequence[Match]]) -> None:
        self._pool = pool
        self._relations = relations
        self._proposals = proposals
        self._sales = Sales(pool, relations)
        self.breaks: list[Break] = []

    def name(self, as_of: datetime) -> list[MatchItem]:
        """Fills `breaks`; returns what is open."""
        pool = self._pool
        for n, m, kind in sorted(pool.delays, key=lambda one: pool.line_keys[one[0]]):
            self._timing(n, m, kind)
        lines = sorted((n for n in self._relations.lines if pool.line_free[n]), key=pool.order_of)
        for m, claims in sorted(self._linked(lines).items(), key=lambda one: pool.moves[one[0]].key):
            self._differing(m, claims)
        for n in lines:
            if pool.line_free[n]:
                self._shared(n)
        first: dict[tuple[object, ...], int] = {}
        for n in lines:
            if pool.line_free[n]:
                self._alone(n, first)
        return self._movements(as_of)

    def _timing(self, n: int, m: int, kind: BreakType) -> None:
        pool = self._pool
        calendar = pool.windows.of(pool.moves[m].type)
        bounds = calendar.bounds(pool.moves[m].at) if calendar else None
        evidence: JsonObject = {"dated": str(pool.day_of(n))}
        if bounds:
            evidence |= {"from": str(bounds[0]), "until": str(bounds[1])}
        self._put(kind, [n], [m], evidence)

    def _linked(self, lines: Sequence[int]) -> dict[int, list[int]]:
        """Free movements with the free lines that name them, or refer to them and to nothing else."""
        pool, found = self._pool, dict[int, list[int]]()
        by_reference: dict[int, list[int]] = {}
        for n in lines:
            namesakes = self._relations.namesakes(n)
            if namesakes:
                free = [m for m in namesakes if pool.move_free[m]]
                if len(free) == 1 == len(namesakes):
                    found.setdefault(free[0], []).append(n)
                continue
            kin = [m for m in self._relations.related(n) if not contradict(pool.lines[n], pool.moves[m])]
            free = [m for m in kin if pool.move_free[m]]
            if len(free) == 1 and not self._repeats(n, kin):
                by_reference.setdefault(free[0], []).append(n)
            elif not kin:
                self._other_type(n, found)
        for m, claims in by_reference.items():
            if m not in found:
                found[m] = claims
        return found

    def _repeats(self, n: int, moves: Sequence[int]) -> bool:
        """Whether a settled movement it refers to has its very amount."""
        return any(not self._pool.move_free[m] and self._same_money(n, m) for m in moves)

    def _other_type(self, n: int, found: dict[int, list[int]]) -> None:
        """The free movement of another type with the line's own transaction; for a line of unknown type any reference
        will do, if its amount is the same or nothing else has it.
        """
        pool, line = self._pool, self._pool.lines[n]
        unknown = line.type == "unknown"
        kin = {
            m
            for ref in line.refs
            if (telling("unknown", ref) if unknown else ref[0] == "transaction")
            for m in self._relations.moves_of.get(ref, ())
            if pool.move_free[m]
        }
        equal = [m for m in kin if pool.moves[m].gross_minor == line.gross_minor]
        chosen = equal or list(kin)
        if len(chosen) == 1:
            found.setdefault(chosen[0], []).append(n)

    def _differing(self, m: int, claims: list[int]) -> None:
        """Lines that name a movement and do not agree with it."""
        pool, move = self._pool, self._pool.moves[m]
        netted = self._netted(m, claims)
        distinct: dict[tuple[object, ...], list[int]] = {}
        for n in claims:
            line = pool.lines[n]
            distinct.setdefault((line.currency, line.gross_minor, line.fee_minor), []).append(n)
        kept = [twins[0] for twins in distinct.values()]
        if len(kept) > 1:
            wrong = [n for n in kept if pool.lines[n].currency != move.currency]
            kept = wrong[:1] if len(wrong) == len(kept) else [n for n in kept if n not in wrong]
        if len(kept) == 1:
            name, evidence = self._difference(kept[0], m)
            if netted is not None and kept[0] == netted[0]:
                self._put(netted[2], kept, [m, *netted[1]], netted[3])
            elif name is not None:
                self._put(name, kept, [m], evidence, self._proposals.get(kept[0], ()))
            else:
                kept = []
        else:
            parts = sum(pool.lines[n].gross_minor for n in kept)
            self._put("split", kept, [m], {"parts": len(kept), "parts_minor": parts, "whole_minor": move.gross_minor})
        for twins in distinct.values():
            for n in twins[1:]:
                if twins[0] in kept:
                    self._put("duplicate", [n], [], {"of": pool.line_keys[twins[0]]})

    def _netted(self, m: int, claims: Sequence[int]) -> tuple[int, list[int], BreakType, JsonObject] | None:
        """(line, refunds, name, evidence) of a sale that is told net of its refunds, and not as the books have both."""
        pool = self._pool
        if not pool.schedule.nets or pool.moves[m].type != "payment":
            return None
        n = min(claims, key=pool.order_of)
        if self._sales.payment_of(n) != m or pool.lines[n].gross_minor == pool.moves[m].gross_minor:
            return None
        refunds = before(pool, n, self._sales.refunds_of(n, m))
        if not refunds:
            return None
        due = pool.moves[m].gross_minor + sum(pool.moves[r].gross_minor for r in refunds)
        evidence: JsonObject = {"gross_minor": pool.lines[n].gross_minor, "expected_gross_minor": due}
        evidence["refunds_inside"] = len(refunds)
        if pool.lines[n].gross_minor != due:
            return n, refunds, "amount", evidence
        if not fee_agrees(pool, n, m):
            return n, refunds, "fee", {"fee_minor": pool.lines[n].fee_minor, "expected_fee_minor": pool.fees[m]}
        late = pool.delay(n, m)
        return (n, refunds, late, {"dated": str(pool.day_of(n))}) if late else None

    def _difference(self, n: int, m: int) -> tuple[BreakType | None, JsonObject]:
        """How a line differs from the movement it names; None if only its ids do."""
        pool = self._pool
        line, move = pool.lines[n], pool.moves[m]
        if line.type != move.type:
            return "unknown_type", {"type": line.raw_type, "books_type": move.type}
        if line.currency != move.currency:
            return "currency", {"statement": line.currency, "books": move.currency}
        evidence: JsonObject = {"gross_minor": line.gross_minor, "expected_gross_minor": move.gross_minor}
        if line.gross_minor != move.gross_minor:
            if self._taken_back(n) and (line.gross_minor > 0) != (move.gross_minor > 0):
                return "negative_payout", evidence
            if move.origin_currency:
                contracted = pool.schedule.converted(move)
                return "fx", evidence | ({"contracted_minor": contracted} if contracted is not None else {})
            return DIFFERENT.get(line.type, "amount"), evidence
        if pool.agree(n, m) is not None:
            return None, {}
        return "fee", {"fee_minor": line.fee_minor, "expected_fee_minor": pool.fees[m]}

    def _shared(self, n: int) -> None:
        """One line for several movements that carry its id and that it does not add up to."""
        pool = self._pool
        moves = [m for m in self._relations.namesakes(n) if pool.move_free[m] and self._same_currency(n, m)]
        if len(moves) > 1:
            whole = sum(pool.moves[m].gross_minor for m in moves)
            said: JsonObject = {"parts": len(moves), "parts_minor": whole, "whole_minor": pool.lines[n].gross_minor}
            self._put("split", [n], moves, said)

    def _same_currency(self, n: int, m: int) -> bool:
        return self._pool.lines[n].currency == self._pool.moves[m].currency

    def _alone(self, n: int, first: dict[tuple[object, ...], int]) -> None:
        """A line without a movement of its own."""
        pool, line = self._pool, self._pool.lines[n]
        settled = self._told_already(n)
        if settled is not None:
            self._put("duplicate", [n], [], {"of": pool.moves[settled].key})
            return
        refs = tuple(ref for ref in line.refs if telling(line.type, ref))
        same = (line.type, line.raw_type, line.currency, line.gross_minor, line.fee_minor, refs)
        if refs and first.setdefault(same, n) != n:
            self._put("duplicate", [n], [], {"of": pool.line_keys[first[same]]})
            return
        name = UNEXPECTED[line.type]
        if self._taken_back(n):
            name = "negative_payout"
        evidence: JsonObject = {"absent": "books"}
        if name == "unknown_type":
            evidence = {"type": line.raw_type}
        self._put(name, [n], [], evidence, self._proposals.get(n, ()))

    def _taken_back(self, n: int) -> bool:
        """Whether a payout takes money from us: into the provider's balance, or out of the bank by a payout's name."""
        line = self._pool.lines[n]
        if line.type != "payout":
            return False
        if self._pool.side == "bank":
            return line.gross_minor < 0 and any(name == "payout" for name, _ in line.refs)
        return line.gross_minor > 0

    def _told_already(self, n: int) -> int | None:
        """The settled movement that the line tells again: it names it, or refers to it with the same money."""
        pool = self._pool
        namesakes = self._relations.namesakes(n)
        if namesakes:
            return next((m for m in namesakes if not pool.move_free[m]), None)
        kin = sorted(self._relations.related(n), key=lambda m: pool.moves[m].key)
        return next((m for m in kin if not pool.move_free[m] and self._same_money(n, m)), None)

    def _same_money(self, n: int, m: int) -> bool:
        """Whether the line has a settled movement's money, or that of the line that told it net of refunds."""
        pool = self._pool
        teller = pool.netted.get(m)
        if teller is None:
            return pool.agree(n, m) is not None
        one, other = pool.lines[n], pool.lines[teller]
        return (one.currency, one.gross_minor, one.fee_minor) == (other.currency, other.gross_minor, other.fee_minor)

    def _movements(self, as_of: datetime) -> list[MatchItem]:
        """What the books expect and no line told: open while it may still come, missing afterwards."""
        pool, waiting = self._pool, list[MatchItem]()
        inside = self._inside(as_of)
        gone = {r for refunds in inside.values() for r in refunds}  # with their sales
        for m in pool.free_moves():
            move = pool.moves[m]
            if m in gone:
                continue
            calendar = pool.windows.of(move.type)
            if not self._is_due(m, as_of):
                waiting.append(pool.move_item(m))
                continue
            evidence: JsonObject = {"absent": "statement"}
            if calendar is not None:
                evidence["until"] = str(calendar.bounds(move.at)[1])
            self._put("missing", [], [m, *inside.get(m, ())], evidence)
        return waiting

    def _is_due(self, m: int, as_of: datetime) -> bool:
        move = self._pool.moves[m]
        calendar = self._pool.windows.of(move.type)
        return move.at <= as_of if calendar is None else calendar.due(move.at, as_of)

    def _inside(self, as_of: datetime) -> dict[int, list[int]]:
        """Where a provider nets: the refunds that one missing line of a sale would have told with it."""
        pool, found = self._pool, dict[int, list[int]]()
        if not pool.schedule.nets:
            return found
        free = pool.free_moves()
        sales = {
            ref: m
            for m in free
            if pool.moves[m].type == "payment" and self._is_due(m, as_of)
            for ref in pool.moves[m].refs
        }
        for r in free:
            move = pool.moves[r]
            own = {sales[ref] for ref in move.refs if ref in sales and ref[0] not in CARRIERS["refund"]}
            if move.type == "refund" and len(own) == 1 and pool.moves[m := own.pop()].currency == move.currency:
                found.setdefault(m, []).append(r)
        return found

    def _put(
        self,
        name: BreakType,
        lines: Sequence[int],
        moves: Sequence[int],
        evidence: JsonObject,
        proposals: Sequence[Match] = (),
    ) -> None:
        pool = self._pool
        for n in lines:
            pool.line_free[n] = 0
        for m in moves:
            pool.move_free[m] = 0
        items = [*map(pool.line_item, lines), *map(pool.move_item, moves)]
        self.breaks.append(broken(name, items[0].currency, items, evidence, proposals))
