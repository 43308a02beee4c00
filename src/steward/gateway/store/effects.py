"""The tables of what goes outside. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.gateway.core.machine import Standing
from steward.infra import sql
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant

Row = dict[str, Any]
_FIELDS = tuple(field.name for field in fields(Standing))
_KEPT = {"stage", "quorum", "deadline"}
_TIMES = ("lease_until", "due_at", "first_sent_at", "last_sent_at", "doubt_until", "checked_at")


def standing_of(row: Row) -> Standing:
    """Where a row of `effect` stands."""
    return Standing(**{name: row[name] for name in _FIELDS})


class EffectStore:
    """SQL of effect, effect_step, effect_attempt, effect_answer, effect_evidence, rate_bucket and breaker."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway", "effects.sql")

    def open(self, connection: Connection[Row], values: Row) -> None:
        made = {**values, "args": Jsonb(values["args"])}
        connection.execute(self._sql["open_effect"], made)

    def one(self, connection: Connection[Row], action_id: UUID, *, lock: bool = False) -> Row | None:
        name = "effect_locked" if lock else "effect"
        return connection.execute(self._sql[name], {"action_id": action_id}).fetchone()

    def locked(self, connection: Connection[Row], action_ids: Sequence[UUID]) -> dict[UUID, Row]:
        rows = connection.execute(self._sql["effects_locked"], {"action_ids": list(action_ids)})
        return {row["action_id"]: row for row in rows}

    def due(self, connection: Connection[Row], now: datetime, limit: int) -> list[Row]:
        return connection.execute(self._sql["due"], {"now": now, "limit": limit}).fetchall()

    def overdue(self, connection: Connection[Row], now: datetime, limit: int) -> list[Row]:
        return connection.execute(self._sql["overdue_ready"], {"now": now, "limit": limit}).fetchall()

    def move(
        self, connection: Connection[Row], moves: Sequence[tuple[UUID, Standing, Standing, JsonObject]], now: datetime
    ) -> int:
        """Write new standings over old ones, with further columns; how many rows were still as they had been read."""
        rows: list[JsonObject] = []
        for action_id, was, new, more in moves:
            row: JsonObject = {name: getattr(new, name) for name in _FIELDS if name not in _KEPT} | more
            for name in _TIMES:
                if row.get(name) is not None:
                    row[name] = format_instant(row[name])
            rows.append({"action_id": str(action_id), "old_fence": was.fence, **row})
        return connection.execute(self._sql["move_effects"], {"rows": Jsonb(rows), "now": now}).rowcount

    def add_steps(self, connection: Connection[Row], rows: Sequence[JsonObject]) -> None:
        """Steps (action_id, state, at, by, fence, detail), in order."""
        counted: dict[str, int] = {}
        numbered: list[JsonObject] = []
        for row in rows:
            counted[row["action_id"]] = counted.get(row["action_id"], 0) + 1
            numbered.append({**row, "k": counted[row["action_id"]]})
        connection.execute(self._sql["add_steps"], {"rows": Jsonb(numbered)})

    def add_attempts(self, connection: Connection[Row], rows: Sequence[JsonObject], now: datetime) -> dict[UUID, int]:
        """The number of each attempt, by action; one attempt an action."""
        found = connection.execute(self._sql["add_attempts"], {"rows": Jsonb(list(rows)), "now": now})
        return {row["action_id"]: row["n"] for row in found}

    def add_answers(self, connection: Connection[Row], rows: Sequence[JsonObject], now: datetime) -> None:
        connection.execute(self._sql["add_answers"], {"rows": Jsonb(list(rows)), "now": now})

    def may_send(self, connection: Connection[Row], action_id: UUID, fence: int) -> Row | None:
        """The row, if it is still under this fence and nothing stops it."""
        return connection.execute(self._sql["may_send"], {"action_id": action_id, "fence": fence}).fetchone()

    def steps(self, connection: Connection[Row], action_id: UUID) -> list[Row]:
        return connection.execute(self._sql["steps"], {"action_id": action_id}).fetchall()

    def attempts(self, connection: Connection[Row], action_id: UUID) -> list[Row]:
        return connection.execute(self._sql["attempts"], {"action_id": action_id}).fetchall()

    def listed(
        self,
        connection: Connection[Row],
        state: str | None,
        kind: str | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
        *,
        needs_person: bool,
    ) -> list[Row]:
        at, last = before or (None, None)
        values = {"state": state, "kind": kind, "before": at, "before_id": last, "limit": limit}
        return connection.execute(self._sql["effects"], values | {"needs_person": needs_person}).fetchall()

    def of(self, connection: Connection[Row], action_ids: Sequence[UUID]) -> dict[UUID, Row]:
        rows = connection.execute(self._sql["effects_of"], {"action_ids": list(action_ids)})
        return {row["action_id"]: row for row in rows}

    def counts(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["effect_counts"]).fetchall()

    def awaiting(self, connection: Connection[Row], kinds: Sequence[str], arg: str, refs: Sequence[str]) -> list[Row]:
        values = {"kinds": list(kinds), "arg": arg, "refs": list(refs)}
        return connection.execute(self._sql["awaiting_evidence"], values).fetchall()

    def keep_evidence(self, connection: Connection[Row], rows: Sequence[JsonObject]) -> None:
        """References (type, ref, position) of events that no action waited for yet."""
        connection.execute(self._sql["keep_evidence"], {"rows": Jsonb(list(rows))})

    def evidence_before(
        self, connection: Connection[Row], action_ids: Sequence[UUID], rules: Sequence[JsonObject]
    ) -> list[Row]:
        """Those of the actions for which evidence by one of the rules (kind, type, arg) is kept, with `seen_type` and
        `seen_at`, the event's type and position; locked.
        """
        values = {"action_ids": list(action_ids), "rules": Jsonb(list(rules))}
        return connection.execute(self._sql["evidence_before"], values).fetchall()

    # Limits of the other side, which hold over all processes

    def draw(
        self, connection: Connection[Row], name: str, wanted: int, burst: int, rate: int, now: datetime
    ) -> tuple[int, int]:
        """Tokens granted, and what is left in millionths."""
        values = {"name": name, "wanted": wanted, "burst": burst, "rate": rate, "now": now}
        row = connection.execute(self._sql["draw"], values).fetchone()
        if row is None:
            raise AssertionError("an upsert returns its row")
        return row["granted"], row["level"]

    def breakers(self, connection: Connection[Row], tools: Sequence[str]) -> dict[str, datetime]:
        """Until when the open ones of these are open."""
        rows = connection.execute(self._sql["breakers"], {"tools": list(tools)})
        return {row["tool"]: row["open_until"] for row in rows}

    def try_breaker(self, connection: Connection[Row], tool: str, now: datetime, until: datetime) -> bool:
        """Whether we are the one call that tries."""
        values = {"tool": tool, "now": now, "until": until}
        return connection.execute(self._sql["try_breaker"], values).fetchone() is not None

    def note(
        self, connection: Connection[Row], tool: str, now: datetime, most: int, until: datetime, *, failed: bool
    ) -> None:
        values = {"tool": tool, "now": now, "most": most, "until": until}
        connection.execute(self._sql["note_failure" if failed else "note_success"], values)
