"""The decision table."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.decision import Decision
from steward.infra import sql

Row = dict[str, Any]


class DecisionStore:
    """SQL of decisions; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.policy")

    def add(self, connection: Connection[Row], decision: Decision, digest: str) -> None:
        connection.execute(
            self._sql["insert_decision"],
            {
                "decision_id": UUID(decision.id[4:]),
                "action_id": UUID(decision.action_id[4:]),
                "policy_version": decision.policy_version,
                "chosen": decision.chosen,
                "propensity": decision.propensity,
                "record": Jsonb(decision.model_dump(mode="json")),
                "digest": bytes.fromhex(digest),
            },
        )

    def of_action(self, connection: Connection[Row], action_id: str) -> Row | None:
        return connection.execute(self._sql["of_action"], {"action_id": UUID(action_id[4:])}).fetchone()

    def all(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["all_decisions"]).fetchall()

    def count(self, connection: Connection[Row]) -> int:
        row = connection.execute(self._sql["count"]).fetchone()
        return int(row["decisions"]) if row else 0
