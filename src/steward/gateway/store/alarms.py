"""Violations, quarantines and alerts. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]


class AlarmStore:
    """SQL of violation, quarantine, alert and alert_attempt."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def note(self, connection: Connection[Row], rows: Sequence[JsonObject], window: datetime) -> set[tuple[str, str]]:
        """Count; the (rule, proposer) pairs that are new in this window."""
        found = connection.execute(self._sql["note"], {"rows": Jsonb(list(rows)), "window": window}).fetchall()
        return {(row["invariant"], row["proposer"]) for row in found if row["is_new"]}

    def repeats(self, connection: Connection[Row], proposers: list[str], since: datetime) -> list[tuple[str, int]]:
        rows = connection.execute(self._sql["repeats"], {"proposers": proposers, "since": since})
        return sorted((row["proposer"], row["times"]) for row in rows)

    def shut_out(self, connection: Connection[Row], proposer: str, since: datetime, reason: str) -> int | None:
        """The number of the quarantine; None where there is one already."""
        values = {"proposer": proposer, "since": since, "reason": reason}
        row = connection.execute(self._sql["shut_out"], values).fetchone()
        return row["quarantine_id"] if row else None

    def shut_reason(self, connection: Connection[Row], proposer: str) -> str | None:
        row = connection.execute(self._sql["shut_reason"], {"proposer": proposer}).fetchone()
        return row["reason"] if row else None

    def quarantines(self, connection: Connection[Row], *, every: bool) -> list[Row]:
        return connection.execute(self._sql["quarantines"], {"every": every}).fetchall()

    def violations(self, connection: Connection[Row], limit: int) -> list[Row]:
        return connection.execute(self._sql["violations"], {"limit": limit}).fetchall()

    def lift(self, connection: Connection[Row], quarantine_id: int, at: datetime, by: str, why: str) -> str | None:
        """The proposer that is let back; None where there is no such open quarantine."""
        values = {"quarantine_id": quarantine_id, "at": at, "by": by, "why": why}
        row = connection.execute(self._sql["lift"], values).fetchone()
        return row["proposer"] if row else None

    def put_alert(
        self, connection: Connection[Row], channel: str, message_id: str, body: JsonObject, at: datetime
    ) -> None:
        values = {"channel": channel, "message_id": message_id, "body": Jsonb(body), "at": at}
        connection.execute(self._sql["put_alert"], values)

    def claim_alert(self, connection: Connection[Row], channels: Sequence[str], now: datetime) -> Row | None:
        return connection.execute(self._sql["claim_alert"], {"channels": list(channels), "now": now}).fetchone()

    def attempted(self, connection: Connection[Row], alert: Row, at: datetime, answer: str, state: str | None) -> None:
        """What the attempt was answered, and where the alert stands if that ends it."""
        values = {"alert_id": alert["alert_id"], "attempt": alert["attempts"], "at": at, "answer": answer}
        connection.execute(self._sql["attempted"], values)
        if state is not None:
            connection.execute(self._sql["settle_alert"], {"alert_id": alert["alert_id"], "state": state})

    def alerts(self, connection: Connection[Row], limit: int) -> list[Row]:
        return connection.execute(self._sql["alerts"], {"limit": limit}).fetchall()
