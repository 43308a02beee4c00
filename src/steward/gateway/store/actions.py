"""The action table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.action import ActionProposal, Outcome
from steward.infra import sql
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]


class ActionStore:
    """SQL of actions; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def take_turn(self, connection: Connection[Row], name: str) -> None:
        connection.execute(self._sql["take_turn"], {"name": name})

    def add(
        self,
        connection: Connection[Row],
        proposal: ActionProposal,
        snapshot_id: str,
        outcome: Outcome,
        risk: str,
        amount_minor: int | None,
    ) -> None:
        self.add_all(connection, [(proposal, snapshot_id, outcome, risk, amount_minor)])

    def add_all(
        self, connection: Connection[Row], recorded: Sequence[tuple[ActionProposal, str, Outcome, str, int | None]]
    ) -> None:
        """Actions with their outcomes, in one statement."""
        rows = [
            {
                "action_id": proposal.id[4:],
                "idempotency_key": proposal.key,
                "kind": proposal.kind,
                "proposed_at": proposal.at.isoformat(),
                "proposer": proposal.principal.id,
                "snapshot_id": snapshot_id[4:],
                "proposal": proposal.model_dump(mode="json"),
                "outcome": outcome.outcome,
                "risk": risk,
                "amount_minor": amount_minor,
                "result": outcome.model_dump(mode="json"),
            }
            for proposal, snapshot_id, outcome, risk, amount_minor in recorded
        ]
        connection.execute(self._sql["insert_actions"], {"rows": Jsonb(rows)})

    def by_key(self, connection: Connection[Row], key: str) -> Row | None:
        return connection.execute(self._sql["by_key"], {"key": key}).fetchone()

    def by_id(self, connection: Connection[Row], action_id: UUID) -> Row | None:
        return connection.execute(self._sql["by_id"], {"action_id": action_id}).fetchone()

    # These three ask now and tell when called, so that they can be asked together.

    def by_keys(self, connection: Connection[Row], keys: Sequence[str]) -> Callable[[], list[Row]]:
        return connection.execute(self._sql["by_keys"], {"keys": list(keys)}).fetchall

    def gate(self, connection: Connection[Row], proposers: Sequence[str]) -> Callable[[], Row]:
        """Which of these proposers are shut out, with the reason, the catalog in force, and the scopes that are off."""
        found = connection.execute(self._sql["gate"], {"proposers": list(proposers)})

        def told() -> Row:
            row = found.fetchone() or {}
            return {"quarantined": row["quarantined"] or {}, "catalog": row["catalog"], "stopped": row["stopped"] or []}

        return told

    def days(
        self, connection: Connection[Row], days: Sequence[tuple[str, str]], day: date, *, lock: bool
    ) -> Callable[[], dict[tuple[str, str], int]]:
        """What a day took, by kind and currency; locked in that order where `lock`."""
        rows = connection.execute(self._sql["days_locked" if lock else "days"], _days(days, day))
        return lambda: {(row["kind"], row["currency"]): row["used_minor"] for row in rows}

    def open_days(self, connection: Connection[Row], days: Sequence[tuple[str, str]], day: date) -> None:
        connection.execute(self._sql["open_days"], _days(days, day))

    def count_day(
        self, connection: Connection[Row], kind: str, currency: str, day: date, amount_minor: int, cap_minor: int
    ) -> None:
        values = {"kind": kind, "currency": currency, "day": day, "amount": amount_minor, "cap": cap_minor}
        connection.execute(self._sql["count_day"], values)

    def in_flight(
        self,
        connection: Connection[Row],
        kinds: Sequence[str],
        since: datetime,
        until: datetime,
        but: UUID | None = None,
    ) -> list[Row]:
        parameters = {"kinds": list(kinds), "since": since, "until": until, "but": but}
        return connection.execute(self._sql["in_flight"], parameters).fetchall()

    def let_through(
        self,
        connection: Connection[Row],
        kinds: Sequence[str],
        since: datetime | None,
        at: datetime,
        but: UUID | None = None,
        *,
        is_confirmed_gone: bool = False,
    ) -> list[JsonObject]:
        """Parameters of what was let through or still waits for a person, oldest first; of all `but` one action."""
        parameters: Row = {"kinds": list(kinds), "since": since, "at": at, "but": but}
        parameters["is_confirmed_gone"] = is_confirmed_gone
        return [row["params"] for row in connection.execute(self._sql["let_through"], parameters)]

    def listed(
        self, connection: Connection[Row], kind: str | None, outcome: str | None, limit: int, offset: int
    ) -> list[Row]:
        parameters = {"kind": kind, "outcome": outcome, "limit": limit, "offset": offset}
        return connection.execute(self._sql["listed"], parameters).fetchall()

    def counts(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["counts"]).fetchall()

    def refusal_codes(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["refusal_codes"]).fetchall()


def _days(days: Sequence[tuple[str, str]], day: date) -> Row:
    return {"kinds": [kind for kind, _ in days], "currencies": [currency for _, currency in days], "day": day}
