"""What live actions read under row locks, and the effect they have in the same transaction.

Locks are taken in one order by everybody: balance rows by account (as the ledger's own functions take them), then the
rows of the day by kind and currency. Two that meet wait for each other and never in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from psycopg import Connection

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Executed, Refused
from steward.contracts.kind import ActionKind, HoldRule
from steward.contracts.ledger import Hold
from steward.gateway.core.holding import Money, accounts_of, facts_of, hold_of
from steward.gateway.service.records import ActionRecord, record_of
from steward.gateway.store import ActionStore
from steward.infra.db import Database, Row
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Conflict
from steward.ledger import Ledger

_MOST = 10**15


@dataclass(slots=True)
class Room:
    """Live actions that go through the gate together: what is locked for them, as the ones before each leave it."""

    now: datetime
    known: dict[str, ActionRecord]
    quarantined: dict[str, str]
    catalog: str | None
    stopped: frozenset[str] = frozenset()
    granted: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    held: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    used: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    holds: list[Hold] = field(default_factory=list[Hold])
    counted: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def facts(self, proposal: ActionProposal, kind: ActionKind) -> JsonObject:
        """What the kind's rules read of the books, for the next action. A budget nobody granted anything has nothing:
        that is a fact, not a missing one.
        """
        money = amount_of(kind, proposal.params)
        if money is None:
            return {}
        name = _debit(kind, proposal, money)
        return facts_of(
            money,
            self.granted.get(name, 0) if name else 0,
            self.held.get(name, 0) if name else 0,
            self.used.get((kind.kind, money.currency), 0),
        )

    def act(self, proposal: ActionProposal, kind: ActionKind, request: JsonObject) -> Executed | Refused:
        """Have the amount held and counted to the day; it is written when the room is emptied."""
        money = amount_of(kind, proposal.params)
        name = _debit(kind, proposal, money) if money else None
        if money is None or name is None:
            return Refused(code="malformed_request", reason="the action has no amount, or its accounts no such names")
        hold = hold_of(_rule(kind), kind.kind, proposal.key, money, proposal.params, self.now)
        day = (kind.kind, money.currency)
        self.holds.append(hold)
        self.held[name] = self.held.get(name, 0) + money.amount_minor
        self.used[day] = self.used.get(day, 0) + money.amount_minor
        self.counted[day] = self.counted.get(day, 0) + money.amount_minor
        return Executed(verb=kind.verb, request=request, hold=hold.key, expires_at=hold.expires_at)


class Seats:
    """Reads and locks what live kinds need, and writes their effect."""

    def __init__(self, database: Database, catalog: Catalog, ledger: Ledger, store: ActionStore) -> None:
        self._db = database
        self._kinds = {kind.kind: kind for kind in catalog.kinds}
        self._caps = catalog.limit_facts()
        self._ledger = ledger
        self._store = store

    def room(self, proposals: Sequence[ActionProposal], now: datetime, *, lock: bool) -> Room:
        """A room for these, with everything their rules read; locked to the end of the transaction where `lock`."""
        names, days = self._places(proposals)
        day = now.date()
        with self._db.together() as connection:
            standings = self._ledger.locked(names, for_update=lock)
            used = self._store.days(connection, days, day, lock=lock)
            known = self._store.by_keys(connection, [proposal.key for proposal in proposals])
            gate = self._store.gate(connection, sorted({proposal.principal.id for proposal in proposals}))
        counted, shut, found = used(), gate(), standings()
        if lock and len(counted) < len(days):
            with self._db.transaction() as connection:
                self._store.open_days(connection, days, day)
                counted = self._store.days(connection, days, day, lock=True)()
        return Room(
            now,
            {row["idempotency_key"]: record_of(row) for row in known()},
            shut["quarantined"],
            shut["catalog"],
            frozenset(shut["stopped"]),
            {name: -standing.amount_minor for name, standing in found.items()},
            {name: standing.pending_debit_minor for name, standing in found.items()},
            counted,
        )

    def acquaint(self, proposals: Sequence[ActionProposal]) -> None:
        """Look up the accounts of these ahead of the transaction that locks them."""
        self._ledger.acquaint(self._places(proposals)[0])

    def _places(self, proposals: Sequence[ActionProposal]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """The accounts, and the kinds and currencies of a day, that the rules of these read, in the order of locks."""
        names: set[tuple[str, str]] = set()
        days: set[tuple[str, str]] = set()
        for proposal in proposals:
            kind = self._kinds[proposal.kind]
            money = amount_of(kind, proposal.params)
            places = accounts_of(_rule(kind), proposal.params)
            if money and places:
                names |= {(code, money.currency) for code in places}
                days.add((kind.kind, money.currency))
        return sorted(names), sorted(days)

    def hold(self, room: Room) -> None:
        """Write the holds of everything that was admitted. What the books refuse although the rules let it pass (an
        account that was closed) is a `Conflict`: nothing of the room stays. Should the gate be wrong about a cap, the
        account's ceiling undoes it as well, and the table's own check where the day is counted.
        """
        refused = self._ledger.hold(room.holds) if room.holds else []
        if refused:
            raise Conflict(f"the books refuse the hold: {refused[0].detail}", where=refused[0].key)

    def count(self, connection: Connection[Row], room: Room) -> None:
        """Count what was admitted to its day."""
        for (kind, currency), amount in sorted(room.counted.items()):
            cap = cast("dict[str, Any]", self._caps[_rule(self._kinds[kind]).day_cap])["amount_minor"]
            self._store.count_day(connection, kind, currency, room.now.date(), amount, cap)


def _rule(kind: ActionKind) -> HoldRule:
    if kind.hold is None:
        raise AssertionError(f"{kind.kind} is live without a hold: the catalog's check forbids it")
    return kind.hold


def _debit(kind: ActionKind, proposal: ActionProposal, money: Money) -> tuple[str, str] | None:
    places = accounts_of(_rule(kind), proposal.params)
    return (places[0], money.currency) if places else None


def amount_of(kind: ActionKind, params: JsonObject) -> Money | None:
    """The amount of an action, where its parameters have one."""
    value: object = params.get(kind.amount or "")
    found = cast("JsonObject", value) if isinstance(value, dict) else {}
    amount, currency = found.get("amount_minor"), found.get("currency")
    if type(amount) is not int or abs(amount) > _MOST or not isinstance(currency, str):
        return None
    return Money(amount, currency)
