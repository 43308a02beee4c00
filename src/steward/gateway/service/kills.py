"""Kill switches: what is stopped, by whom and why. The send fence reads these rows: a switch holds once committed."""

from __future__ import annotations

import re
from datetime import datetime

from psycopg import Connection

from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.infra import sql
from steward.infra.access import split_key
from steward.infra.clock import Clock
from steward.infra.db import Database, Row
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

SOURCE = "steward/gateway"
_SCOPE = re.compile(r"all|(department|agent|tool|kind):[^\s]{1,200}")


class KillSwitches:
    """Thrown by anybody who may, lifted by people. Nothing is sent inside a scope that is stopped; looking goes on."""

    def __init__(self, database: Database, clock: Clock, events: EventLog) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._sql = sql.load("steward.gateway", "effects.sql")

    def throw(self, scope: str, by: str, reason: str) -> bool:
        """Stop a scope; whether it was not stopped before."""
        return self._turn(scope, by, reason, on=True)

    def lift(self, scope: str, by: str, reason: str, key: str = "") -> bool:
        """Let a scope go on; whether it was stopped. Once a manager or a founder has a key, it takes one of theirs: the
        database holds that, and else this is `BadInput`.
        """
        return self._turn(scope, by, reason, key, on=False)

    def active(self) -> list[JsonObject]:
        """What is stopped now."""
        with self._db.transaction() as connection:
            rows = connection.execute(self._sql["kills"], {"every": False}).fetchall()
        return [_shown(row) for row in rows]

    def one(self, scope: str) -> JsonObject | None:
        """A switch that was ever thrown."""
        with self._db.transaction() as connection:
            rows = connection.execute(self._sql["kills"], {"every": True}).fetchall()
        return next((_shown(row) for row in rows if row["scope"] == scope), None)

    def stops(self, kind: str, tool: str, proposer: str, department: str) -> str | None:
        """The scope that stops such an action; None where none does."""
        scopes = ["all", f"kind:{kind}", f"tool:{tool}", f"agent:{proposer}", f"department:{department}"]
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["stopped_by"], {"scopes": scopes}).fetchone()
        return row["scope"] if row else None

    def _turn(self, scope: str, by: str, reason: str, key: str = "", *, on: bool) -> bool:
        if not _SCOPE.fullmatch(scope):
            raise BadInput(f"{scope!r} is no scope", fix="all, department:X, agent:X, tool:X or kind:X")
        if not by.strip() or not reason.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who does it and why")
        now = self._clock.now()
        with self._db.transaction() as connection:
            key_id, secret = split_key(key.strip()) or ("", "")
            values = {"scope": scope, "on": on, "by": by, "reason": reason, "now": now}
            row = connection.execute(self._sql["turn_kill"], {**values, "key_id": key_id, "secret": secret}).fetchone()
            if row and row["said"] == "not_a_manager":
                raise BadInput("only a manager or a founder lets effects go on", fix="show the key of one")
            changed = bool(row and row["said"])
            if changed:
                self._events.put([self._told(connection, scope, by, reason, now, on=on)])
        return changed

    def _told(
        self, connection: Connection[Row], scope: str, by: str, reason: str, now: datetime, *, on: bool
    ) -> Envelope:
        row = connection.execute(self._sql["in_hand"]).fetchone()
        data: JsonObject = {"scope": scope, "on": on, "by": by, "reason": reason, "in_flight": row["n"] if row else 0}
        name = f"KillSwitchThrown:{scope}:{format_instant(now)}:{random_bytes(4).hex()}"[-500:]
        return Envelope(
            id=name, source=SOURCE, type="KillSwitchThrown", subject=f"kill/{scope}"[:500], time=now, data=data
        )


def _shown(row: Row) -> JsonObject:
    return {
        "scope": row["scope"],
        "on": row["is_on"],
        "since": format_instant(row["changed_at"]),
        "by": row["changed_by"],
        "reason": row["reason"],
    }
