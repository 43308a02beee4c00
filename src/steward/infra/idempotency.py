"""Idempotency-Key: the same request under the same key gets the first one's answer, whatever came between.

As the IETF draft has it (draft-ietf-httpapi-idempotency-key-header): a key in flight is a conflict, a key with
another request is an error. A first run that died frees its key after a minute; what it did is found again by the
events' own keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from steward.infra import sql
from steward.infra.clock import Clock
from steward.infra.db import Database

Row = dict[str, Any]
LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request was answered."""

    status: int
    body: bytes


Start = Literal["new", "in_flight", "other_request"] | Answered


class IdempotencyKeys:
    """Requests by caller and key."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock
        self._sql = sql.load("steward.infra")

    def start(self, key_id: str, idempotency_key: str, request_digest: bytes) -> Start:
        """Claim the key for this request, or say what stands in the way."""
        names = {"key_id": key_id, "idempotency_key": idempotency_key}
        with self._db.transaction() as connection:
            claimed = connection.execute(
                self._sql["start_request"], {**names, "request_digest": request_digest, "now": self._clock.now()}
            ).fetchone()
            if claimed:
                return "new"
            row = connection.execute(self._sql["get_request"], names).fetchone()
        if row is None or row["status"] is None:
            is_same = row is None or bytes(row["request_digest"]) == request_digest
            return "in_flight" if is_same else "other_request"
        if bytes(row["request_digest"]) != request_digest:
            return "other_request"
        return Answered(row["status"], bytes(row["answer"]))

    def finish(self, key_id: str, idempotency_key: str, status: int, answer: bytes) -> None:
        with self._db.transaction() as connection:
            connection.execute(
                self._sql["finish_request"],
                {"key_id": key_id, "idempotency_key": idempotency_key, "status": status, "answer": answer},
            )

    def drop(self, key_id: str, idempotency_key: str) -> None:
        """Free a key whose request was turned away before it did anything."""
        with self._db.transaction() as connection:
            connection.execute(self._sql["drop_request"], {"key_id": key_id, "idempotency_key": idempotency_key})

    def forget(self) -> None:
        """Free every key older than a week."""
        with self._db.transaction() as connection:
            connection.execute(self._sql["forget_requests"], {"before": self._clock.now() - LIFETIME})
