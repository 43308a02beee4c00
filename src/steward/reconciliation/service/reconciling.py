"""Runs of the cascade over what is kept, and what people say about what is left over.

A run is a pure function of the lines in force, of what the books expect, and of the terms. Its result is held against
the matches that are there: equal ones stay, others are undone with the reason, new ones are written. What a person
matched or resolved is no longer in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from msgspec import structs
from psycopg import Connection

from steward.contracts.event import RecordedEvent
from steward.contracts.settlement import (
    Break,
    Expected,
    FeeTerms,
    FxTerms,
    Match,
    MatchItem,
    NettingTerms,
    Reconciled,
    ReconTerms,
    Resolution,
    Statement,
    StatementLine,
)
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Conflict
from steward.kernel.ids import derived_id, make_id
from steward.kernel.instants import format_instant, unix_ms
from steward.reconciliation.core.bank import reconcile_bank
from steward.reconciliation.core.calendars import Window
from steward.reconciliation.core.cascade import fingerprint, reconcile, uncollected
from steward.reconciliation.core.claims import posting_of
from steward.reconciliation.core.expecting import TYPES, alone, comparable, expected_of, fee_of
from steward.reconciliation.core.leftover import left_of
from steward.reconciliation.service.files import texts
from steward.reconciliation.service.told import adjusted, mismatch, reconciled
from steward.reconciliation.store import ResultStore, Row, StatementStore
from steward.reconciliation.store.results import told

Side = Literal["statement", "bank"]
READER = "reconciliation"
MACHINE = "machine"
_BATCH = 2000
_HORIZON = timedelta(days=120)
"""Matches older than this are looked at again only where a new line names one of their movements. What is free, line or
movement, is looked at however old it is.
"""


class Reconciliation:
    """The door of reconciliation: what is expected, runs, matches and breaks."""

    def __init__(self, database: Database, clock: Clock, events: EventLog, terms: Callable[[], ReconTerms]) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._terms = terms
        self._store = StatementStore()
        self._results = ResultStore()

    def catch_up(self) -> int:
        """Derive what is expected from new events; how many were read."""
        total = 0
        while read := self._events.follow(READER, TYPES, _BATCH, self._expect):
            total += read
        return total

    def run(self, side: Side, by: str, as_of: datetime | None = None) -> JsonObject:
        """One run over a side: the report, with what is left. Nothing is kept unless all of it conserves."""
        self.catch_up()
        now = self._clock.now()
        moment = as_of or now
        with uncollected(), self._db.transaction() as connection:
            self._results.take_turn(connection)
            since = now - _HORIZON
            with self._store.whole_sets(connection):
                again = [] if side == "bank" else self._results.told_again(connection, since)
                pool = self._store.pool(connection, is_bank=side == "bank", since=since, again=again)
                expected = self._store.expected(connection, side, moment, since, again)
                live = self._results.live(connection, side, since, again)
            statements = [_charged(one) for one in pool]
            if side == "statement":
                expected = _due_from(self._store.tellers(connection), expected)
            result = self._cascade(side, statements, expected, moment)
            run_id = make_id("run", unix_ms(now), random_bytes(10))
            with ThreadPoolExecutor(1) as beside:  # the database takes longer for the matches than Python does
                digest = beside.submit(fingerprint, result)
                self._keep(connection, side, result, run_id, live, now)
            self._settled(connection, side, (pool, result), run_id, now)
            report = self._report(side, run_id, result, digest.result())
            values = {"run_id": run_id, "side": side, "as_of": moment, "now": now, "by": by, "report": report}
            self._results.add_run(connection, values)
        return report

    def _cascade(
        self, side: Side, statements: Sequence[Statement], expected: Sequence[Expected], at: datetime
    ) -> Reconciled:
        terms = self._terms()
        windows = [
            Window(
                one.provider, one.type, one.zone, one.cutoff, one.earliest, one.latest, frozenset(one.holidays),
                seconds=one.seconds,
            )
            for one in terms.windows
        ]  # fmt: skip
        if side == "bank":
            return reconcile_bank(statements, expected, windows, at)
        fees = [
            FeeTerms(one.provider, one.type, one.currency, one.ppm, one.fixed_minor, one.starts, one.ends)
            for one in terms.fees
        ]
        rates = [
            FxTerms(one.provider, one.sold, one.bought, one.rate, one.margin_ppm, one.starts, one.ends)
            for one in terms.conversions
        ]
        nets = [NettingTerms(one.provider) for one in terms.netting]
        return reconcile(statements, comparable(statements, expected), [*fees, *rates, *nets], windows, at)

    def _keep(
        self,
        connection: Connection[Row],
        side: Side,
        result: Reconciled,
        run_id: str,
        live: dict[tuple[str, ...], int],
        now: datetime,
    ) -> None:
        fresh: Sequence[Match] = result.matches
        if live:
            found = {told(match.items): match for match in result.matches}
            gone = [number for items, number in live.items() if items not in found]
            self._results.undo(connection, gone, MACHINE, f"{run_id} found otherwise", now)
            fresh = [match for items, match in found.items() if items not in live]
        self._results.add(connection, side, fresh, run_id, now, MACHINE)
        rows = [_break_row(side, one) for one in result.breaks]
        before = self._results.open_breaks(connection, side)
        items = [item for row in rows for item in row.pop("items")]
        made = self._results.put_breaks(connection, side, rows, items, run_id, now)
        over = sorted(before - {row["break_id"] for row in rows})
        self._results.end_breaks(connection, over, run_id, "no run finds it any more", now)
        self._events.put([mismatch(row, now) for row in rows if row["break_id"] in made])

    def _settled(
        self,
        connection: Connection[Row],
        side: Side,
        made: tuple[Sequence[Statement], Reconciled],
        run_id: str,
        now: datetime,
    ) -> None:
        """Say of each statement that every line of it is matched or named, once for each outcome."""
        rows = left_of(*made)
        new = self._results.put_settled(connection, rows, run_id, now, is_bank=side == "bank")
        self._events.put([reconciled(row, run_id, now) for row in new])

    def _report(self, side: Side, run_id: str, result: Reconciled, digest: str) -> JsonObject:
        report = result.report
        return {
            "run": run_id,
            "side": side,
            "as_of": format_instant(report.as_of),
            "lines": report.lines,
            "expected": report.expected,
            "matched": report.matched,
            "by_rule": report.by_rule,
            "open": result.notes.get("open", 0),
            "rounding_minor": report.rounding_minor,
            "breaks": len(result.breaks),
            "conserved": report.conserved,
            "digest": digest,
        }

    def _expect(self, events: list[RecordedEvent]) -> None:
        fees = [(event, fee) for event in events if (fee := fee_of(event)) is not None]
        rows = [row for event in events if fee_of(event) is None for row in expected_of(event)]
        with self._db.transaction() as connection:
            if rows:
                self._store.expect(connection, rows)
            if fees:
                unknown = self._store.charge(connection, [fee for _, fee in fees])
                self._store.expect(connection, [alone(event) for event, fee in fees if fee["key"] in unknown])

    # What people look at and say

    def breaks(
        self, state: str | None = "open", kind: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[JsonObject]:
        """Breaks, the oldest first, with age in days, items, evidence, and the posting each way to resolve it makes."""
        now = self._clock.now()
        with self._db.transaction() as connection:
            rows = self._results.breaks(connection, state, kind, None, limit, offset)
        return [self._shown(row, now) for row in rows]

    def show(self, break_id: str) -> JsonObject | None:
        """One break."""
        with self._db.transaction() as connection:
            rows = self._results.breaks(connection, None, None, break_id, 1)
        return self._shown(rows[0], self._clock.now()) if rows else None

    def own(self, break_id: str, owner: str) -> None:
        """Say who looks after a break."""
        with self._db.transaction() as connection:
            if not owner.strip() or not self._results.own(connection, break_id, owner.strip()[:200]):
                raise BadInput(f"there is no break {break_id!r}, or nobody is named", fix="steward breaks")

    def resolve(self, break_id: str, how: str, by: str, why: str) -> JsonObject:
        """End a break as the catalog's rule says: its posting goes through the log into the books, in one transaction
        with its end. `BadInput` where there is no such way, `Conflict` where it ended already.
        """
        if not by.strip() or not why.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who resolves it and why")
        now = self._clock.now()
        with self._db.transaction() as connection:
            self._results.take_turn(connection)
            rows = self._results.breaks(connection, None, None, break_id, 1)
            if not rows:
                raise BadInput(f"there is no break {break_id!r}", fix="steward breaks")
            one = rows[0]
            rule = next((rule for rule in self._ways(one) if rule.how == how), None)
            if rule is None:
                ways = ", ".join(way.how for way in self._ways(one)) or "none: map the word first"
                raise BadInput(f"a break of type {one['type']} is not resolved by {how!r}", fix=f"ways: {ways}")
            if not self._results.resolve(connection, one, how, by, why, now):
                raise Conflict(f"{break_id} is {one['state']}")
            posting = _posting(one, rule)
            if posting:
                self._events.put([adjusted(one, posting, by, why, now)])
        return {"id": break_id, "state": "resolved", "how": how, "posting": posting}

    def accept(self, break_id: str, number: int, by: str, why: str) -> JsonObject:
        """Accept a proposal of a break: a match by a person, which no run undoes."""
        if not by.strip() or not why.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who accepts it and why")
        now = self._clock.now()
        with self._db.transaction() as connection:
            self._results.take_turn(connection)
            rows = self._results.breaks(connection, "open", None, break_id, 1)
            proposals: list[JsonObject] = rows[0]["proposals"] if rows else []
            if not 0 <= number < len(proposals):
                raise BadInput(f"{break_id!r} is no open break with a proposal {number}", fix="steward breaks show")
            chosen = proposals[number]
            items = tuple(
                MatchItem(one["side"], one["key"], one["amount_minor"], one["currency"]) for one in chosen["items"]
            )
            evidence = {**chosen["evidence"], "accepted": why, "proposed_by": chosen["rule"]}
            match = Match("person", chosen["confidence"], rows[0]["currency"], items, evidence)
            numbers = self._results.add(connection, rows[0]["side"], [match], rows[0]["opened_by"], now, by)
            self._results.end_breaks(connection, [break_id], by, f"accepted: {why}", now)
        return {"match": numbers[0], "break": break_id}

    def matches(self, key: str | None = None, rule: str | None = None, limit: int = 100) -> list[JsonObject]:
        """Live matches with their items and evidence, newest first."""
        with self._db.transaction() as connection:
            return texts(self._results.matches(connection, key, rule, limit))

    def undo(self, match_no: int, by: str, why: str) -> None:
        """Undo a match: its items are free, and the next run sees them again."""
        if not by.strip() or not why.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who undoes it and why")
        with self._db.transaction() as connection:
            self._results.take_turn(connection)
            if not self._results.undo(connection, [match_no], by, why, self._clock.now()):
                raise BadInput(f"there is no live match {match_no}", fix="steward breaks matches lists them")

    def _ways(self, one: Row) -> list[Resolution]:
        return [rule for rule in self._terms().resolutions if rule.type == one["type"]]

    def _shown(self, row: Row, now: datetime) -> JsonObject:
        ways = [{"how": rule.how, "meaning": rule.meaning, "posting": _posting(row, rule)} for rule in self._ways(row)]
        return {
            "id": row["break_id"],
            "type": row["type"],
            "side": row["side"],
            "provider": row["provider"],
            "amount": {"amount_minor": row["amount_minor"], "currency": row["currency"]},
            "amount_minor": row["amount_minor"],
            "currency": row["currency"],
            "state": row["state"],
            "age_days": (now - cast("datetime", row["opened_at"])).days,
            "opened_at": format_instant(row["opened_at"]),
            "owner": row["owner"],
            "items": row["items"] or [],
            "evidence": row["evidence"],
            "suggestion": row["suggestion"],
            "ways": ways,
            "proposals": row["proposals"],
            "ended": row["ended_why"] or "",
        }


def _due_from(tellers: Mapping[str, bool], expected: Sequence[Expected]) -> list[Expected]:
    """A provider that never sent a statement is not late with each of its lines, and one whose statements have no line
    for the payout tells of it by sending it: the bank's side sees that.
    """
    return [m for m in expected if m.provider in tellers and (m.type != "payout" or tellers[m.provider])]


def _charged(statement: Statement) -> Statement:
    """Providers write a charge that stands alone as an amount or as a fee: here it is a fee."""
    lines = [
        structs.replace(line, gross_minor=0, fee_minor=-line.net_minor)
        if isinstance(line, StatementLine) and line.type in ("fee", "tax")
        else line
        for line in statement.lines
    ]
    return replace(statement, lines=cast("Any", tuple(lines)))


def _break_row(side: Side, one: Break) -> JsonObject:
    keys = sorted(f"{item.side} {item.key}" for item in one.keys)
    break_id = derived_id("brk", 0, "|".join([side, one.type, *keys]))
    items = [
        {
            "break_id": break_id,
            "item_side": item.side,
            "key": item.key,
            "amount_minor": item.amount_minor,
            "currency": item.currency or one.currency,
        }
        for item in one.keys
    ]
    return {
        "break_id": break_id,
        "type": one.type,
        "provider": "bank" if side == "bank" else one.keys[0].key.partition("/")[0],
        "statement": next((i.key.rpartition("/")[0] for i in one.keys if i.side != "books"), "no statement"),
        "currency": one.currency,
        "amount_minor": one.amount_minor,
        "evidence": one.evidence,
        "suggestion": one.suggestion,
        "proposals": [_proposal(match) for match in one.proposals],
        "items": items,
    }


def _proposal(match: Match) -> JsonObject:
    items = [
        {"side": i.side, "key": i.key, "amount_minor": i.amount_minor, "currency": i.currency or match.currency}
        for i in match.items
    ]
    return {"rule": match.rule, "confidence": match.confidence, "evidence": match.evidence, "items": items}


def _posting(one: Row, rule: Resolution) -> JsonObject | None:
    """What resolving it posts: the provider's balance against an account, until both say the same; None of no money."""
    if one["side"] == "invoice":
        return posting_of(one, rule.how, rule.against)
    amount, bank = int(one["amount_minor"]), one["side"] == "bank"
    if not amount:
        return None
    balance = "assets:bank" if bank else f"assets:clearing:{one['provider']}"
    against = "assets:in_transit" if bank else rule.against.format(provider=one["provider"])
    debit, credit = (balance, against) if amount > 0 else (against, balance)
    return {"debit": debit, "credit": credit, "amount_minor": abs(amount), "currency": one["currency"]}
