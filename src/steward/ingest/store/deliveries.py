"""SQL of deliveries: what providers sent, byte for byte, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql

Row = dict[str, Any]
State = Literal["received", "done", "ignored", "failed", "refused", "erased"]


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be stored, byte for byte."""

    provider: str
    delivery_key: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    origin: Literal["webhook", "poll"] = "webhook"
    state: State = "received"
    reason: str | None = None


class DeliveryStore:
    """Every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ingest")

    def add(self, connection: Connection[Row], new: NewDelivery) -> int | None:
        """The new delivery's number; None where the same one was taken before."""
        row = connection.execute(
            self._sql["insert_delivery"],
            {
                "provider": new.provider,
                "delivery_key": new.delivery_key,
                "origin": new.origin,
                "headers": Jsonb(dict(new.headers)),
                "body": new.body,
                "body_sha256": hashlib.sha256(new.body).digest(),
                "received_at": new.received_at,
                "state": new.state,
                "reason": new.reason,
            },
        ).fetchone()
        return row["delivery_id"] if row else None

    def open_ones(self, connection: Connection[Row], most_attempts: int, limit: int) -> list[Row]:
        """Deliveries to be understood, oldest first, locked; what another worker holds is passed over."""
        return connection.execute(
            self._sql["open_deliveries"], {"most_attempts": most_attempts, "limit": limit}
        ).fetchall()

    def settle(
        self,
        connection: Connection[Row],
        delivery_id: int,
        state: State,
        reason: str | None,
        keys: Sequence[bytes],
        attempts: int,
    ) -> None:
        connection.execute(
            self._sql["settle_delivery"],
            {
                "delivery_id": delivery_id,
                "state": state,
                "reason": reason,
                "event_keys": [UUID(bytes=key) for key in keys],
                "attempts": attempts,
            },
        )

    def listed(self, connection: Connection[Row], state: str | None, provider: str | None, limit: int) -> list[Row]:
        return connection.execute(
            self._sql["list_deliveries"], {"state": state, "provider": provider, "limit": limit}
        ).fetchall()

    def counts(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["count_deliveries"]).fetchall()

    def retry(self, connection: Connection[Row], provider: str | None) -> int:
        """Give failed deliveries another round: a mapping was mended."""
        return connection.execute(self._sql["retry_deliveries"], {"provider": provider}).rowcount

    def forget_refused(self, connection: Connection[Row], keep: int) -> int:
        """Refused deliveries beyond the newest `keep`: a stranger must not fill the disk."""
        return connection.execute(self._sql["forget_refused"], {"keep": keep}).rowcount
