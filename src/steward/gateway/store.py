"""The action table."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.action import ActionProposal, Outcome
from steward.infra import sql

Row = dict[str, Any]


class ActionStore:
    """SQL of actions; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def take_turn(self, connection: Connection[Row], kind: str) -> None:
        connection.execute(self._sql["take_turn"], {"kind": kind})

    def add(
        self,
        connection: Connection[Row],
        proposal: ActionProposal,
        snapshot_id: str,
        outcome: Outcome,
        risk: str,
        amount_minor: int | None,
    ) -> None:
        connection.execute(
            self._sql["insert_action"],
            {
                "action_id": UUID(proposal.id[4:]),
                "idempotency_key": proposal.key,
                "kind": proposal.kind,
                "proposed_at": proposal.at,
                "proposer": proposal.principal.id,
                "snapshot_id": UUID(snapshot_id[4:]),
                "proposal": Jsonb(proposal.model_dump(mode="json")),
                "outcome": outcome.outcome,
                "risk": risk,
                "amount_minor": amount_minor,
                "result": Jsonb(outcome.model_dump(mode="json")),
            },
        )

    def by_key(self, connection: Connection[Row], key: str) -> Row | None:
        return connection.execute(self._sql["by_key"], {"key": key}).fetchone()

    def by_id(self, connection: Connection[Row], action_id: UUID) -> Row | None:
        return connection.execute(self._sql["by_id"], {"action_id": action_id}).fetchone()

    def in_flight(self, connection: Connection[Row], kind: str, since: datetime, until: datetime) -> list[Row]:
        return connection.execute(self._sql["in_flight"], {"kind": kind, "since": since, "until": until}).fetchall()

    def listed(
        self, connection: Connection[Row], kind: str | None, outcome: str | None, limit: int, offset: int
    ) -> list[Row]:
        parameters = {"kind": kind, "outcome": outcome, "limit": limit, "offset": offset}
        return connection.execute(self._sql["listed"], parameters).fetchall()

    def counts(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["counts"]).fetchall()

    def refusal_codes(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["refusal_codes"]).fetchall()
