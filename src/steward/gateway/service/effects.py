"""What became of actions that went outside, and what people may do about them: call back, resolve, take back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg import Connection

from steward.catalog import Catalog
from steward.contracts.event import RecordedEvent
from steward.contracts.kind import Settles
from steward.events import EventLog
from steward.gateway.core import machine
from steward.gateway.core.machine import Illegal, Moved, Standing
from steward.gateway.service.departures import INSIDE
from steward.gateway.service.moves import SOURCE, Ending, Mover
from steward.gateway.service.outside import Outside
from steward.gateway.store import EffectStore, Row, standing_of
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

_READER = "effects"
_BATCH = 500
_SENT = ("ActionExecuted", "ActionUnknown")


@dataclass(frozen=True, slots=True)
class EffectView:
    """One action outside, as it stands."""

    action_id: str
    kind: str
    proposer: str
    stage: str
    tool: str
    verb: str
    state: str
    risk: str
    role: str | None
    quorum: int
    amount_minor: int | None
    currency: str | None
    attempts: int
    remote_ref: str | None
    needs_person: str
    confirmed: str
    deadline: datetime | None
    due_at: datetime
    changed_at: datetime
    args: JsonObject
    args_digest: str
    result: JsonObject

    def to_json(self) -> JsonObject:
        """As commands and the API show it."""
        whole = {name: getattr(self, name) for name in self.__slots__ if name != "action_id"}
        times = {name: format_instant(value) for name, value in whole.items() if isinstance(value, datetime)}
        return {"id": self.action_id, **whole, **times}


@dataclass(frozen=True, slots=True)
class Changed:
    """What came of what a person asked for: `why` is empty where it was done."""

    action_id: str
    state: str
    why: str = ""


class Effects:
    """The door to actions on their way outside."""

    def __init__(
        self, database: Database, clock: Clock, events: EventLog, catalog: Catalog, mover: Mover, outside: Outside
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._mover = mover
        self._outside = outside
        self._evidence: dict[str, list[tuple[str, Settles]]] = {}
        self._holding = frozenset(kind.kind for kind in catalog.kinds if kind.hold is not None)
        for kind in catalog.kinds:
            if kind.settles is not None:
                self._evidence.setdefault(kind.settles.event, []).append((kind.kind, kind.settles))
        self._store = EffectStore()

    def state(self, action_id: str) -> EffectView | None:
        """Where an action stands; None where it never was to go outside."""
        uuid = _uuid(action_id)
        if uuid is None:
            return None
        with self._db.transaction() as connection:
            row = self._store.one(connection, uuid)
        return None if row is None else _view(row)

    def hold_inside(self, action_id: str) -> str:
        """The key of what a person let be set aside in our own books; nothing where nobody did."""
        view = self.state(action_id)
        if view is None or view.tool != INSIDE or view.state != "succeeded" or view.kind not in self._holding:
            return ""
        return view.remote_ref or ""

    def history(self, action_id: str) -> list[JsonObject]:
        """Every step with its time, who made it and why, and every attempt with its answer, in order of time."""
        uuid = _uuid(action_id)
        if uuid is None:
            return []
        with self._db.transaction() as connection:
            steps, attempts = self._store.steps(connection, uuid), self._store.attempts(connection, uuid)
        told = [{**_told(row), "what": "step"} for row in steps]
        told += [{**_told(row), "at": format_instant(row["started_at"]), "what": "attempt"} for row in attempts]
        return sorted(told, key=lambda one: (one["at"], one["what"] == "step"))

    def listed(
        self,
        state: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: tuple[datetime, str] | None = None,
        *,
        needs_person: bool = False,
    ) -> list[EffectView]:
        """Newest first; with `needs_person` only those that wait for somebody to look."""
        last = None if before is None else (before[0], UUID(before[1].removeprefix("act_")))
        with self._db.transaction() as connection:
            rows = self._store.listed(connection, state, kind, last, limit, needs_person=needs_person)
        return [_view(row) for row in rows]

    def states(self, action_ids: Sequence[str]) -> dict[str, JsonObject]:
        """State, need of a person and the other side's reference, by action, of those that are on their way outside."""
        uuids = [uuid for action_id in action_ids if (uuid := _uuid(action_id)) is not None]
        with self._db.transaction() as connection:
            rows = self._store.of(connection, uuids)
        return {f"act_{uuid.hex}": {k: v for k, v in row.items() if k != "action_id"} for uuid, row in rows.items()}

    def counts(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.counts(connection)

    def cancel(self, action_id: str, by: str, reason: str) -> Changed:
        """Call back what was surely not sent; what was set aside for it is free again."""
        return self._change(action_id, by, reason, machine.cancel)

    def resolve(self, action_id: str, by: str, what: Literal["happened", "did_not_happen"], reason: str) -> Changed:
        """A person looked at the other side: it did happen, or it did not."""
        return self._change(action_id, by, reason, lambda was: machine.resolve(was, happened=what == "happened"))

    def compensate(self, action_id: str, by: str, reason: str) -> Changed:
        """Take an effect back through the verb its tool names for that, if it names one."""

        def begin(was: Standing, row: Row) -> Moved:
            _, verb = self._outside.verb(row)
            if verb.undo is None:
                return Illegal(verb.irreversible or "its tool names no way to take it back")
            return machine.compensate(was, self._clock.now())

        return self._change_row(action_id, by, reason, begin)

    def follow_evidence(self) -> int:
        """Settle actions that events from outside confirm; how many events were read."""
        types, total = sorted({*self._evidence, *_SENT}), 0
        while self._evidence and (read := self._events.follow(_READER, types, _BATCH, self._settle)):
            total += read
        return total

    def _settle(self, events: list[RecordedEvent]) -> None:
        """One reader follows both what shows effects and what tells of our own answers, so that neither order of the
        two is missed: evidence that no action waits for yet is kept, and an action that is sent looks for it there.
        """
        now = self._clock.now()
        with self._db.transaction() as connection:
            early: list[JsonObject] = []
            for event in events:
                for kind, rule in self._evidence.get(event.envelope.type, ()):
                    early += self._confirm(connection, event, kind, rule, now)
            if early:
                self._store.keep_evidence(connection, early)
            told = [_uuid(str(event.envelope.data["action_id"])) for event in events if _is_sent(event)]
            sent = [action_id for action_id in told if action_id is not None]
            if sent:
                self._look_back(connection, sent, now)

    def _confirm(
        self, connection: Connection[Row], event: RecordedEvent, kind: str, rule: Settles, now: datetime
    ) -> list[JsonObject]:
        """Settle what waits for this event; where nothing does, what is to be kept of it."""
        refs = [str(event.envelope.data[name]) for name in rule.fields if event.envelope.data.get(name)]
        rows = self._store.awaiting(connection, [kind], rule.arg, refs)
        self._confirmed(connection, [(row, event.envelope.type, event.position) for row in rows], now)
        return [] if rows else [{"type": rule.event, "ref": ref, "position": event.position} for ref in refs]

    def _look_back(self, connection: Connection[Row], action_ids: Sequence[UUID], now: datetime) -> None:
        rules: list[JsonObject] = [
            {"kind": kind, "type": rule.event, "arg": rule.arg}
            for pairs in self._evidence.values()
            for kind, rule in pairs
        ]
        rows = self._store.evidence_before(connection, action_ids, rules)
        self._confirmed(connection, [(row, row["seen_type"], row["seen_at"]) for row in rows], now)

    def _confirmed(self, connection: Connection[Row], seen: Sequence[tuple[Row, str, int]], now: datetime) -> None:
        ends: list[Ending] = []
        for row, event_type, position in seen:
            was = standing_of(row)
            new = machine.settle(was)
            if isinstance(new, Standing):
                ends.append(Ending(row, was, new, f"{event_type} at position {position}"))
        self._mover.write(connection, ends, now, "evidence")

    def _change(self, action_id: str, by: str, reason: str, move: Callable[[Standing], Moved]) -> Changed:
        return self._change_row(action_id, by, reason, lambda was, _row: move(was))

    def _change_row(self, action_id: str, by: str, reason: str, move: Callable[[Standing, Row], Moved]) -> Changed:
        if not by.strip() or not reason.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who does it and why")
        uuid = _uuid(action_id)
        with self._db.transaction() as connection:
            row = None if uuid is None else self._store.one(connection, uuid, lock=True)
            if row is None:
                raise BadInput(f"no action {action_id!r} is on its way outside", fix="steward action list shows them")
            was = standing_of(row)
            new = move(was, row)
            if isinstance(new, Illegal):
                return Changed(action_id, was.state, new.why)
            self._write(connection, Ending(row, was, new, reason), by)
        return Changed(action_id, new.state)

    def _write(self, connection: Connection[Row], end: Ending, by: str) -> None:
        self._mover.write(connection, [end], self._clock.now(), by)


def _is_sent(event: RecordedEvent) -> bool:
    return event.envelope.type in _SENT and event.envelope.source == SOURCE


def _uuid(action_id: str) -> UUID | None:
    try:
        return UUID(action_id.removeprefix("act_"))
    except ValueError:
        return None


def _view(row: Row) -> EffectView:
    names = [name for name in EffectView.__slots__ if name not in ("action_id", "args_digest")]
    return EffectView(
        action_id=f"act_{row['action_id'].hex}",
        args_digest=bytes(row["args_digest"]).hex(),
        **{name: row[name] for name in names},
    )


def _told(row: Row) -> JsonObject:
    return {name: format_instant(value) if isinstance(value, datetime) else value for name, value in row.items()}
