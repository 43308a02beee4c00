"""Actions with the states of their effects."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection

from steward.infra import sql

Row = dict[str, Any]


class ListingStore:
    """SQL of lists; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def page(
        self,
        connection: Connection[Row],
        kind: str | None,
        outcomes: tuple[str, ...] | None,
        state: str | None,
        after: UUID | None,
        limit: int,
    ) -> list[Row]:
        """Newest first, from beyond one action on."""
        values = {
            "kind": kind,
            "outcomes": None if outcomes is None else list(outcomes),
            "state": state,
            "after": after,
            "limit": limit,
        }
        return connection.execute(self._sql["action_page"], values).fetchall()

    def state(self, connection: Connection[Row], action_id: UUID) -> str | None:
        row = connection.execute(self._sql["action_state"], {"action_id": action_id}).fetchone()
        return row["state"] if row else None
