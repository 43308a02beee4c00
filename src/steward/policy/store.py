"""The decision table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql

Row = dict[str, Any]


class DecisionStore:
    """SQL of decisions; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.policy")

    def add_all(self, connection: Connection[Row], decided: Sequence[tuple[Row, str]]) -> None:
        """Decisions as records, with their digests, in one statement."""
        rows = [
            {
                "decision_id": record["id"][4:],
                "action_id": record["action_id"][4:],
                "policy_version": record["policy_version"],
                "chosen": record["chosen"],
                "propensity": record["propensity"],
                "record": record,
                "digest": digest,
            }
            for record, digest in decided
        ]
        connection.execute(self._sql["insert_decisions"], {"rows": Jsonb(rows)})

    def of_action(self, connection: Connection[Row], action_id: str) -> Row | None:
        return connection.execute(self._sql["of_action"], {"action_id": UUID(action_id[4:])}).fetchone()

    def all(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["all_decisions"]).fetchall()

    def count(self, connection: Connection[Row]) -> int:
        row = connection.execute(self._sql["count"]).fetchone()
        return int(row["decisions"]) if row else 0
