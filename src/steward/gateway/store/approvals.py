"""The tables of what people decide. Every method runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from steward.infra import sql

Row = dict[str, Any]


class ApprovalStore:
    """SQL of approval and approval_look, and of the effects that wait."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway", "effects.sql")

    def waiting(self, connection: Connection[Row], role: str | None, limit: int, offset: int) -> list[Row]:
        values = {"role": role, "limit": limit, "offset": offset}
        return connection.execute(self._sql["waiting"], values).fetchall()

    def untold(self, connection: Connection[Row], channels: list[str], limit: int) -> list[Row]:
        """What people were not told yet, by channel: the effect, `what` it is about and its `message_id`."""
        return connection.execute(self._sql["untold"], {"channels": channels, "limit": limit}).fetchall()

    def like(self, connection: Connection[Row], action_id: UUID, limit: int) -> list[UUID]:
        rows = connection.execute(self._sql["like_it"], {"action_id": action_id, "limit": limit})
        return [row["action_id"] for row in rows]

    def look(self, connection: Connection[Row], action_id: UUID, person: str, now: datetime) -> None:
        connection.execute(self._sql["look"], {"action_id": action_id, "person": person, "now": now})

    def take_turn(self, connection: Connection[Row], person: str) -> None:
        """Wait until nobody else decides under this name; held to the end of the caller's transaction."""
        connection.execute(self._sql["approver_turn"], {"person": person})

    def agreed_waiting(self, connection: Connection[Row], limit: int) -> list[UUID]:
        """What enough people agreed to and nobody moved."""
        return [row["action_id"] for row in connection.execute(self._sql["agreed_waiting"], {"limit": limit})]

    def looked_at(self, connection: Connection[Row], action_id: UUID, person: str) -> datetime | None:
        row = connection.execute(self._sql["looked_at"], {"action_id": action_id, "person": person}).fetchone()
        return row["at"] if row else None

    def approved_since(self, connection: Connection[Row], person: str, since: datetime) -> int:
        row = connection.execute(self._sql["decided_since"], {"person": person, "since": since}).fetchone()
        return row["n"] if row else 0

    def decide(self, connection: Connection[Row], values: Row) -> str:
        """Write a decision under a person's key; empty, or why the database refuses it."""
        row = connection.execute(self._sql["decide"], values).fetchone()
        return row["why"] if row else "unknown_key"

    def agreed(self, connection: Connection[Row], action_id: UUID) -> int:
        row = connection.execute(self._sql["agreed"], {"action_id": action_id}).fetchone()
        return row["n"] if row else 0

    def of(self, connection: Connection[Row], action_id: UUID) -> list[Row]:
        return connection.execute(self._sql["approvals_of"], {"action_id": action_id}).fetchall()

    def overdue(self, connection: Connection[Row], now: datetime, limit: int) -> list[Row]:
        return connection.execute(self._sql["overdue_approvals"], {"now": now, "limit": limit}).fetchall()

    def escalate(self, connection: Connection[Row], risk: str, old: str, new: str, before: datetime) -> list[Row]:
        values = {"risk": risk, "from": old, "role": new, "before": before}
        return connection.execute(self._sql["escalate"], values).fetchall()
