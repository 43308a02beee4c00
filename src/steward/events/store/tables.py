"""SQL of the log: event, event_key, log_head, log_node, event_outbox, event_conflict, checkpoint, sequencer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.contracts.event import Envelope
from steward.events.core.entry import Prepared
from steward.events.core.merkle import Node, root_of_frontier
from steward.events.core.plan import Known
from steward.events.store.frames import HEADER, TRAILER
from steward.infra import sql
from steward.kernel.canonical import parse_json
from steward.kernel.instants import format_instant

Row = dict[str, Any]
END = 2**62


@dataclass(frozen=True, slots=True)
class Head:
    """Size of the log, the Merkle frontier that goes with it, and the last position there is a partition for."""

    size: int
    frontier: list[bytes]
    root: bytes
    room: int
    partition_rows: int


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


def document_of(event: Prepared) -> dict[str, Any]:
    """A prepared event as the JSON object it came from."""
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": format_instant(event.time),
        "data": parse_json(event.data_text),
        "schemaversion": event.schemaversion,
        "correlationid": event.correlationid,
        "causationid": event.causationid,
    }


def _uuids(keys: Sequence[bytes]) -> str:
    """An array literal of uuids: one text to send, instead of an object for every key."""
    return "{" + ",".join([key.hex() for key in keys]) + "}"


class EventStore:
    """Every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.events")

    def head(self, connection: Connection[Row], *, lock: bool = False) -> Head:
        row = connection.execute(self._sql["lock_head" if lock else "head"]).fetchone()
        if row is None:
            raise LookupError("log_head is empty")
        return Head(
            row["size"],
            [bytes(part) for part in row["frontier"]],
            bytes(row["root"]),
            row["room"],
            row["partition_rows"],
        )

    def lock(self, connection: Connection[Row]) -> Head:
        """The head, locked until the transaction ends; who stalls while holding it is cut off after five seconds."""
        return self.head(connection, lock=True)

    def make_room(self, connection: Connection[Row], wanted: int) -> None:
        connection.execute(self._sql["make_room"], {"wanted": wanted})

    def move_head(
        self, connection: Connection[Row], keys: Sequence[bytes], size: int, frontier: list[bytes], nodes: list[Node]
    ) -> None:
        """The keys of a batch, in the order of its rows, and the head after it. Raises `UniqueViolation` for a key
        that is known.
        """
        connection.execute(
            self._sql["move_head"],
            {
                "keys": _uuids(keys),
                "before": size - len(keys),
                "size": size,
                "frontier": frontier,
                "root": root_of_frontier(frontier),
                "levels": [node[0] for node in nodes],
                "indexes": [node[1] for node in nodes],
                "hashes": [node[2] for node in nodes],
            },
        )

    def known(self, connection: Connection[Row], keys: Sequence[bytes]) -> dict[bytes, Known]:
        """What the log holds under these keys."""
        rows = connection.execute(self._sql["known_keys"], {"keys": _uuids(keys)}).fetchall()
        if not rows:
            return {}
        positions = {row["key"].bytes: row["position"] for row in rows}
        digests = {
            row["position"]: bytes(row["body_digest"])
            for row in connection.execute(self._sql["digests_at"], {"positions": list(positions.values())})
        }
        return {key: Known(position, digests.get(position, b"")) for key, position in positions.items()}

    def positions_of(self, connection: Connection[Row], keys: Sequence[bytes]) -> dict[bytes, int]:
        rows = connection.execute(self._sql["known_keys"], {"keys": _uuids(keys)})
        return {row["key"].bytes: row["position"] for row in rows}

    def stream_sizes(self, connection: Connection[Row], subjects: Sequence[str]) -> dict[str, int]:
        rows = connection.execute(self._sql["stream_sizes"], {"subjects": list(subjects)})
        return {row["subject"]: row["events"] for row in rows}

    def write(self, connection: Connection[Row], rows: Sequence[bytes]) -> None:
        """Rows in binary COPY form."""
        with connection.cursor() as cursor, cursor.copy(self._sql["copy_events"]) as copy:
            copy.write(b"".join((HEADER, *rows, TRAILER)))

    def keep_conflict(self, connection: Connection[Row], event: Prepared, position: int, received_at: datetime) -> None:
        connection.execute(
            self._sql["insert_conflict"],
            {
                "source": event.source,
                "event_id": event.id,
                "body_digest": event.body_digest,
                "envelope": Jsonb(document_of(event)),
                "received_at": received_at,
                "position": position or None,
            },
        )

    def subtree_parts(self, connection: Connection[Row], level: int, low: int, high: int) -> list[bytes]:
        """Hashes of one stored level (0: leaves) for indexes from `low` up to and without `high`."""
        if level == 0:
            rows = connection.execute(self._sql["leaves"], {"low": low, "high": high})
        else:
            rows = connection.execute(self._sql["nodes"], {"level": level, "low": low, "high": high})
        return [bytes(row["hash"]) for row in rows]

    def count_keys(self, connection: Connection[Row]) -> Row:
        return connection.execute(self._sql["count_keys"]).fetchone() or {}

    def outbox_put(self, connection: Connection[Row], envelopes: Sequence[Envelope]) -> list[str]:
        """Leave facts waiting; returns the ids of those that wait already with another body."""
        rows = [{"source": e.source, "event_id": e.id, "envelope": e.model_dump(mode="json")} for e in envelopes]
        put = connection.execute(self._sql["outbox_put"], {"rows": Jsonb(rows)}, prepare=True)
        if put.rowcount == len(rows):
            return []
        return [row["event_id"] for row in connection.execute(self._sql["outbox_clashes"], {"rows": Jsonb(rows)})]

    def outbox_take(self, connection: Connection[Row], limit: int) -> list[Envelope]:
        rows = connection.execute(self._sql["outbox_take"], {"limit": limit}).fetchall()
        rows.sort(key=lambda row: row["outbox_id"])
        return [Envelope.model_validate(row["envelope"]) for row in rows]

    def outbox_waits(self, connection: Connection[Row]) -> bool:
        row = connection.execute(self._sql["outbox_waits"]).fetchone()
        return bool(row and row["waits"])

    def outbox_size(self, connection: Connection[Row]) -> int:
        row = connection.execute(self._sql["outbox_size"]).fetchone()
        return int(row["waiting"]) if row else 0

    def rows_after(
        self,
        connection: Connection[Row],
        after: int,
        types: Sequence[str] | None,
        limit: int,
        *,
        subject: str | None = None,
        until: int | None = None,
    ) -> list[Row]:
        return connection.execute(
            self._sql["read_after"],
            {
                "after": after,
                "types": None if types is None else list(types),
                "limit": limit,
                "subject": subject,
                "until": END if until is None else until,
            },
        ).fetchall()

    def position_at(self, connection: Connection[Row], at: datetime) -> int:
        row = connection.execute(self._sql["position_at"], {"at": at}).fetchone()
        return int(row["position"]) if row else 0

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

    def lags(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["lags"]).fetchall()

    def lease(self, connection: Connection[Row], holder: str, seconds: int) -> bool:
        """Take or renew the sequencer's lease; whether it is ours now."""
        found = connection.execute(self._sql["lease"], {"holder": holder, "seconds": seconds}).fetchone()
        return found is not None

    def drop_lease(self, connection: Connection[Row], holder: str) -> None:
        connection.execute(self._sql["lease_drop"], {"holder": holder})

    def sequencer(self, connection: Connection[Row]) -> Row:
        return connection.execute(self._sql["lease_read"]).fetchone() or {}
