"""The log's tables: event, log_head, event_outbox, event_conflict, checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.event import Envelope, RecordedEvent
from steward.infra import sql
from steward.kernel.canonical import canonical_text

Row = dict[str, Any]
_PAGE = 2000


@dataclass(frozen=True, slots=True)
class Head:
    """Size of the log and the Merkle frontier that goes with it."""

    size: int
    frontier: list[bytes]
    root: bytes


@dataclass(frozen=True, slots=True)
class NewRow:
    """An event with its position, digest and leaf, ready to be written."""

    event: RecordedEvent
    body_digest: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Published:
    """Checkpoints as read: (size, root) in the order they were published, and the numbers of unreadable lines."""

    lines: list[tuple[int, str]]
    torn: list[int]

    def by_size(self) -> dict[int, set[str]]:
        """Every root published for a size: more than one means the log was rewritten between them."""
        found: dict[int, set[str]] = {}
        for size, root in self.lines:
            found.setdefault(size, set()).add(root)
        return found


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """Sizes and roots of the log, one JSON object a line, in a file outside the database."""

    path: Path

    def read(self) -> Published:
        lines: list[tuple[int, str]] = []
        torn: list[int] = []
        if self.path.exists():
            for number, line in enumerate(self.path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                try:
                    document = json.loads(line)
                    lines.append((int(document["size"]), str(document["root"])))
                except (ValueError, KeyError, TypeError):
                    torn.append(number)
        return Published(lines, torn)

    def append(self, size: int, root: str) -> None:
        """Write a line and see it on disk; a line that a crash tore is ended first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+b") as file:
            torn = file.tell() > 0 and self.path.read_bytes()[-1:] != b"\n"
            file.write((b"\n" if torn else b"") + json.dumps({"size": size, "root": root}).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def envelope_of(row: Row) -> Envelope:
    return Envelope.model_construct(
        id=row["event_id"],
        source=row["source"],
        type=row["type"],
        subject=row["subject"],
        time=row["occurred_at"],
        data=row["data"],
        schemaversion=row["schema_version"],
        correlationid=row["correlation_id"],
        causationid=row["causation_id"],
    )


class EventStore:
    """SQL of the log; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.events")

    def head(self, connection: Connection[Row], *, lock: bool = False) -> Head:
        row = connection.execute(self._sql["lock_head" if lock else "head"]).fetchone()
        if row is None:
            raise LookupError("log_head is empty")
        return Head(row["size"], [bytes(part) for part in row["frontier"]], bytes(row["root"]))

    def move_head(self, connection: Connection[Row], head: Head) -> None:
        connection.execute(self._sql["move_head"], {"size": head.size, "frontier": head.frontier, "root": head.root})

    def known(self, connection: Connection[Row], keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
        rows = connection.execute(
            self._sql["known_keys"], {"sources": [k[0] for k in keys], "ids": [k[1] for k in keys]}
        )
        return {(row["source"], row["event_id"]): bytes(row["body_digest"]) for row in rows}

    def write(self, connection: Connection[Row], rows: Iterable[NewRow]) -> None:
        with connection.cursor() as cursor, cursor.copy(self._sql["copy_events"]) as copy:
            for row in rows:
                envelope = row.event.envelope
                copy.write_row(
                    (
                        row.event.position,
                        envelope.source,
                        envelope.id,
                        envelope.type,
                        envelope.subject,
                        envelope.time,
                        row.event.recorded_at,
                        envelope.schemaversion,
                        envelope.correlationid,
                        envelope.causationid,
                        canonical_text(envelope.data),
                        row.body_digest,
                        row.leaf_hash,
                    )
                )

    def keep_conflict(
        self, connection: Connection[Row], envelope: Envelope, body_digest: bytes, received_at: datetime
    ) -> None:
        connection.execute(
            self._sql["insert_conflict"],
            {
                "source": envelope.source,
                "event_id": envelope.id,
                "body_digest": body_digest,
                "envelope": Jsonb(envelope.model_dump(mode="json")),
                "received_at": received_at,
            },
        )

    def outbox_put(self, connection: Connection[Row], envelopes: Sequence[Envelope]) -> list[str]:
        """Leave facts waiting; returns the ids of those that wait already with another body."""
        rows = [{"source": e.source, "event_id": e.id, "envelope": e.model_dump(mode="json")} for e in envelopes]
        connection.execute(self._sql["outbox_put"], {"rows": Jsonb(rows)})
        return [row["event_id"] for row in connection.execute(self._sql["outbox_clashes"], {"rows": Jsonb(rows)})]

    def outbox_take(self, connection: Connection[Row], limit: int) -> list[Envelope]:
        rows = connection.execute(self._sql["outbox_take"], {"limit": limit}).fetchall()
        rows.sort(key=lambda row: row["outbox_id"])
        return [Envelope.model_validate(row["envelope"]) for row in rows]

    def outbox_size(self, connection: Connection[Row]) -> int:
        row = connection.execute(self._sql["outbox_size"]).fetchone()
        return int(row["waiting"]) if row else 0

    def rows_after(self, connection: Connection[Row], after: int, types: Sequence[str] | None, limit: int) -> list[Row]:
        return connection.execute(
            self._sql["read_after"],
            {"after": after, "types": None if types is None else list(types), "limit": limit},
        ).fetchall()

    def all_rows(self, connection: Connection[Row]) -> Iterator[Row]:
        after = 0
        while rows := self.rows_after(connection, after, None, _PAGE):
            yield from rows
            after = rows[-1]["position"]

    def counts(self, connection: Connection[Row]) -> dict[str, int]:
        return {row["type"]: row["events"] for row in connection.execute(self._sql["count_by_type"])}

    def conflicts(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["conflicts"]).fetchall()

    def checkpoint(self, connection: Connection[Row], reader: str) -> int:
        connection.execute(self._sql["checkpoint_open"], {"reader": reader})
        row = connection.execute(self._sql["checkpoint_lock"], {"reader": reader}).fetchone()
        return int(row["position"]) if row else 0

    def reached(self, connection: Connection[Row], reader: str) -> int:
        row = connection.execute(self._sql["checkpoint_read"], {"reader": reader}).fetchone()
        return int(row["position"]) if row else 0

    def move_checkpoint(self, connection: Connection[Row], reader: str, position: int) -> None:
        connection.execute(self._sql["checkpoint_move"], {"reader": reader, "position": position})
