"""Actions as a list that can be taken up where it broke off, each with the state it is in now."""

from __future__ import annotations

from uuid import UUID

from steward.gateway.service.records import ActionRecord, record_of
from steward.gateway.store import ListingStore
from steward.infra.db import Database
from steward.kernel.errors import BadInput


class ActionList:
    """Reads; newest first. Beside an outcome, which is what the gate said, an action that goes outside has a state."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._store = ListingStore()

    def page(
        self,
        kind: str | None = None,
        outcomes: tuple[str, ...] | None = None,
        state: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[tuple[ActionRecord, str]]:
        """Actions older than `after`, with their states."""
        before = None if after is None else _uuid(after)
        with self._db.transaction() as connection:
            rows = self._store.page(connection, kind, outcomes, state, before, limit)
        return [(record_of(row), row["state"]) for row in rows]

    def state(self, action_id: str) -> str | None:
        """The state an action is in; None where there is no such action."""
        with self._db.transaction() as connection:
            return self._store.state(connection, _uuid(action_id))


def _uuid(action_id: str) -> UUID:
    try:
        return UUID(action_id.removeprefix("act_"))
    except ValueError as error:
        raise BadInput(f"{action_id!r} is no action's id") from error
