"""Writes moves of actions: the row, its history, the facts of it for the log, and the end of what was set aside; all in
the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from psycopg import Connection

from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.gateway.core import machine
from steward.gateway.core.machine import FREES, SPENDS, Illegal, Standing
from steward.gateway.store import EffectStore, Row, standing_of
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Conflict
from steward.kernel.instants import format_instant

SOURCE = "steward/gateway"
_AT_ONCE = 100


class Purse(Protocol):
    """Where money is set aside for actions on their way, by the key of the hold."""

    def settle(self, hold: str) -> None: ...

    def void(self, hold: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Ending:
    """One move of one action: from what was read to what is to be. `more` are further columns; a quiet move is only a
    matter of time and stands in no history.
    """

    row: Row
    was: Standing
    new: Standing
    detail: str = ""
    more: Row = field(default_factory=dict[str, object])
    is_quiet: bool = False


class Mover:
    """The only writer of effects."""

    def __init__(self, events: EventLog, purse: Purse) -> None:
        self._events = events
        self._purse = purse
        self._store = EffectStore()

    def write(self, connection: Connection[Row], ends: Sequence[Ending], now: datetime, by: str) -> None:
        """All of these moves. `Conflict` where a row is not as it was read."""
        if not ends:
            return
        moves = [(end.row["action_id"], end.was, end.new, end.more) for end in ends]
        if self._store.move(connection, moves, now) != len(ends):
            raise Conflict("an action was moved by somebody else meanwhile", fix="try again")
        told = [end for end in ends if not end.is_quiet]
        if told:
            self._store.add_steps(connection, [_step(end, now, by) for end in told])
            facts = [fact for end in told if (fact := _fact(end, now, by)) is not None]
            if facts:
                self._events.put(facts)
        for end in ends:
            self._release(end)

    def _release(self, end: Ending) -> None:
        hold, old, new = end.row["hold"], end.was.state, end.new.state
        if hold is None or old == new:
            return
        if new in SPENDS and old not in SPENDS:
            self._purse.settle(hold)
        elif new in FREES and old not in FREES | SPENDS:
            self._purse.void(hold)

    def expire(self, connection: Connection[Row], now: datetime) -> None:
        """End what is ready, was surely not sent, and whose time is over."""
        ends: list[Ending] = []
        for row in self._store.overdue(connection, now, _AT_ONCE):
            was = standing_of(row)
            new = machine.expire(was, now)
            if not isinstance(new, Illegal):
                ends.append(Ending(row, was, new, "its time was over before it was sent"))
        self.write(connection, ends, now, "time")

    def given_up(self, row: Row, was: Standing, why: str) -> Ending:
        """The move of what cannot be carried out as its tool is described."""
        new = machine.give_up(was, why)
        return Ending(row, was, was if isinstance(new, Illegal) else new, why)


def _step(end: Ending, now: datetime, by: str) -> JsonObject:
    return {
        "action_id": str(end.row["action_id"]),
        "state": end.new.state,
        "at": format_instant(now),
        "by": by,
        "fence": end.new.fence,
        "detail": (end.detail or end.new.needs_person)[:1000],
    }


def _fact(end: Ending, now: datetime, by: str) -> Envelope | None:
    """What the log is told of a move; nothing of one that only leads to the next."""
    was, new, row = end.was, end.new, end.row
    if new.state == was.state and not (new.needs_person and not was.needs_person):
        return None
    action_id = f"act_{row['action_id'].hex}"
    ref = end.more.get("remote_ref") or row["remote_ref"]
    verb = f"{row['tool']}.{row['verb']}"
    common: JsonObject = {"action_id": action_id}
    detail = (end.detail or new.needs_person or "")[:500] or None
    found: tuple[str, JsonObject] | None = None
    if new.state == "succeeded":
        found = "ActionExecuted", {"verb": verb, "remote_ref": ref, "attempt": new.attempts}
    elif new.state == "settled":
        found = "ActionSettled", {"outcome": "executed", "remote_ref": ref, "evidence": detail or by}
    elif new.state == "failed" and was.state == "unknown":
        found = "ActionSettled", {"outcome": "failed", "evidence": detail or by}
    elif new.state == "failed":
        code = str(end.more.get("code") or "refused")
        found = "ActionFailed", {"verb": verb, "code": code, "reason": detail, "attempt": new.attempts}
    elif new.state == "unknown" and (was.state == "executing" or new.needs_person):
        found = "ActionUnknown", {"verb": verb, "reason": detail, "attempt": new.attempts}
    elif new.state == "cancelled":
        found = "ActionCancelled", {"cancelled_by": by, "reason": detail}
    elif new.state == "expired":
        found = "ActionExpired", {"expired_at": format_instant(now)}
    elif new.state == "compensated":
        found = "ActionCompensated", {"compensation_id": str(ref or action_id), "reason": detail}
    if found is None:
        return None
    name, data = found
    return Envelope(
        id=f"{name}:{action_id}:{new.fence}:{new.state}",
        source=SOURCE,
        type=name,
        subject=f"action/{action_id}",
        time=now,
        correlationid=action_id,
        data=common | {key: value for key, value in data.items() if value is not None},
    )
