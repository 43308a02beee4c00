"""Append with deduplication, sequence the outbox, read, follow with a checkpoint, prove."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from psycopg import Connection
from psycopg.errors import UniqueViolation

from steward.contracts.event import Appended, Envelope, RecordedEvent
from steward.contracts.payloads import VERSIONS
from steward.events.core.entry import event_key, prepare
from steward.events.core.merkle import (
    grow,
    range_root,
    root_of_leaves,
    stored_consistency,
    stored_inclusion,
)
from steward.events.core.plan import Known, Outcome, Plan, Request, plan
from steward.events.core.upcast import upcast
from steward.events.service.verification import LogReport, Verification
from steward.events.store import CheckpointFile, EventStore, Head, Row, RowFrame, envelope_of
from steward.events.store.checkpoints import note_body
from steward.events.store.frames import timestamp
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.signing import Signer
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Conflict, Tampered
from steward.kernel.instants import format_instant

_SEQUENCER_BATCH = 5000
_LOOK_FIRST = 100  # batches that look before they write, after one that met a known key


class EventLog:
    """The one log. `checkpoint_file` is where signed roots are published outside the database; the key that signs
    them lives beside it in `keys/`.
    """

    def __init__(self, database: Database, clock: Clock, checkpoint_file: Path) -> None:
        self._db = database
        self._clock = clock
        self._checkpoints = CheckpointFile(checkpoint_file, Signer(checkpoint_file.parent / "keys" / "log.ed25519"))
        self._store = EventStore()
        self._look_first = 0

    def append(self, envelopes: Sequence[Envelope]) -> Appended:
        """Write a batch directly. Only ingestion may: it owns no other state in the transaction."""
        for envelope in envelopes:
            check_payload(envelope)
        prepared = [prepare(envelope) for envelope in envelopes]
        (outcomes,) = self.write([Request(prepared)])
        return Appended(
            accepted=sum(o.status == "stored" for o in outcomes),
            duplicates=sum(o.status == "duplicate" for o in outcomes),
            conflicts=tuple(
                f"{e.source} {e.id}" for e, o in zip(prepared, outcomes, strict=True) if o.status == "conflict"
            ),
        )

    def write(self, requests: Sequence[Request]) -> list[list[Outcome]]:
        """Store a group of requests in one transaction and say what became of each event, in their order.

        Payloads are taken as judged. Rows are packed before the head is locked; under the lock, keys are looked up,
        positions assigned, leaves hashed and the tree grown.
        """
        frames = {id(event): RowFrame(event) for request in requests for event in request.events}
        keys = [event.key for request in requests for event in request.events]
        # Most batches hold nothing known. Then the unique index is the look-up: where it objects, the transaction is
        # rolled back and done again with a look first, and so are the next ones.
        if self._look_first or self._db.is_in_transaction:
            self._look_first = max(0, self._look_first - 1)
            return self._write(requests, frames, keys)
        try:
            return self._write(requests, frames, [])
        except UniqueViolation:
            self._look_first = _LOOK_FIRST
            return self._write(requests, frames, keys)

    def _write(
        self, requests: Sequence[Request], frames: dict[int, RowFrame], keys: list[bytes]
    ) -> list[list[Outcome]]:
        """One transaction; `keys` are those to look up beforehand."""
        subjects = sorted({e.subject for r in requests for e in r.events if e.expected_version is not None})
        with self._db.transaction() as connection:
            head = self._store.lock(connection)
            known = self._store.known(connection, keys) if keys else dict[bytes, Known]()
            streams = self._store.stream_sizes(connection, subjects) if subjects else dict[str, int]()
            made = plan(requests, known, streams, head.size)
            now = self._clock.now()
            self._store_fresh(connection, head, [frames[id(event)] for event in made.fresh], now)
            self._keep_conflicts(connection, made, now)
        return made.outcomes

    def _keep_conflicts(self, connection: Connection[Row], made: Plan, now: datetime) -> None:
        for event, position in made.conflicts:
            self._store.keep_conflict(connection, event, position, now)

    def _store_fresh(self, connection: Connection[Row], head: Head, frames: list[RowFrame], now: datetime) -> None:
        if not frames:
            return
        # A partition is made half a partition before it is needed, and always before a row would have no home.
        wanted = head.size + len(frames)
        if wanted + head.partition_rows // 2 > head.room:
            self._store.make_room(connection, wanted + head.partition_rows // 2)
        recorded_at = timestamp(now)
        rows: list[bytes] = []
        leaves: list[bytes] = []
        for position, frame in enumerate(frames, start=head.size + 1):
            leaf = frame.leaf(position, now)
            leaves.append(leaf)
            rows.append(frame.row(position, recorded_at, leaf))
        size, frontier, nodes = grow(head.size, head.frontier, leaves)
        self._store.write(connection, rows)
        self._store.move_head(connection, [frame.event.key for frame in frames], size, frontier, nodes)

    def put(self, envelopes: Sequence[Envelope]) -> None:
        """Leave facts in the outbox, inside the caller's transaction; `sequence` gives them positions. A key that
        waits with another body raises `Conflict`: two different facts cannot have one name.
        """
        for envelope in envelopes:
            check_payload(envelope)
            prepare(envelope)  # what has no canonical form must not wait where nobody can mend it
        with self._db.transaction() as connection:
            clashes = self._store.outbox_put(connection, envelopes)
            if clashes:
                raise Conflict("a fact with this id and another body waits already", where=", ".join(clashes[:5]))

    def sequence(self) -> int:
        """Move what waits in the outbox into the log, in batches; returns how many were moved."""
        moved = 0
        while batch := self.sequence_once():
            moved += batch
        return moved

    def sequence_once(self) -> int:
        """Move one batch; 0 where nothing waits. Whatever calls this, the head's lock lets one through at a time."""
        with self._db.transaction() as connection:
            if not self._store.outbox_waits(connection):
                return 0
            self._store.lock(connection)
            batch = self._store.outbox_take(connection, _SEQUENCER_BATCH)
            if batch:
                self.write([Request([prepare(envelope) for envelope in batch])])
        return len(batch)

    def publish_checkpoint(self) -> JsonObject:
        """Append the current size and root, signed, to the checkpoint file, outside the database's reach. A log that
        is shorter than, or differs from, what was published before is `Tampered` and publishes nothing.
        """
        line = self.head()
        published = self._checkpoints.read().lines
        for size, root in published:
            if size > line["size"] or (size == line["size"] and root != line["root"]):
                raise Tampered(
                    f"the log has {line['size']} events and root {line['root']}, published were {size} and {root}",
                    where=str(self._checkpoints.path),
                    fix="run steward events verify",
                )
        if (line["size"], line["root"]) not in published:
            self._checkpoints.append(line["size"], line["root"], format_instant(self._clock.now()))
        return line

    def signed_checkpoint(self) -> JsonObject:
        """The current size and root, published, with the key's id and the signature: what an export ends with."""
        line = self.publish_checkpoint()
        key, signature = self._checkpoints.signer.sign(note_body(line["size"], line["root"]))
        return {"size": line["size"], "root": line["root"], "key": key, "signature": signature}

    def head(self) -> JsonObject:
        """Size and Merkle root as committed."""
        with self._db.transaction() as connection:
            head = self._store.head(connection)
        return {"size": head.size, "root": head.root.hex()}

    def read(
        self,
        after: int = 0,
        types: Sequence[str] | None = None,
        limit: int = 1000,
        *,
        subject: str | None = None,
        until: int | None = None,
        as_stored: bool = False,
    ) -> list[RecordedEvent]:
        """Events after a position, oldest first, in the current version of their type unless `as_stored`."""
        with self._db.transaction() as connection:
            rows = self._store.rows_after(connection, after, types, limit, subject=subject, until=until)
        return [_recorded(row, as_stored=as_stored) for row in rows]

    def position_at(self, at: datetime) -> int:
        """The last position recorded at or before an instant: read up to it to see the log as it was then."""
        with self._db.transaction() as connection:
            return self._store.position_at(connection, at)

    def follow(
        self, reader: str, types: Sequence[str], batch: int, derive: Callable[[list[RecordedEvent]], None]
    ) -> int:
        """Hand one batch of events after the reader's checkpoint to `derive`, and move the checkpoint, in one
        transaction: exactly once into PostgreSQL. Returns how many were handed over.
        """
        with self._db.transaction() as connection:
            after = self._store.checkpoint(connection, reader)
            head = self._store.head(connection).size
            if head <= after:
                return 0
            rows = self._store.rows_after(connection, after, types, batch, until=head)
            events = [_recorded(row) for row in rows]
            if events:
                derive(events)
            # Nothing of these types is left below the head: the reader has seen all there is.
            reached = head if len(events) < batch else events[-1].position
            self._store.move_checkpoint(connection, reader, reached)
        return len(events)

    def reached(self, reader: str) -> int:
        """The last position this reader has derived from; 0 before it started."""
        with self._db.transaction() as connection:
            return self._store.reached(connection, reader)

    def rewind(self, reader: str, position: int = 0) -> None:
        """Set a reader's checkpoint, in the caller's transaction: 0 to derive everything again, or the position up
        to which a set-based rebuild has derived.
        """
        with self._db.transaction() as connection:
            self._store.checkpoint(connection, reader)
            self._store.move_checkpoint(connection, reader, position)

    def lags(self) -> list[JsonObject]:
        """Every reader, where it is and how many events it is behind the head."""
        with self._db.transaction() as connection:
            return self._store.lags(connection)

    def key_of(self, envelope: Envelope) -> bytes:
        """The 16-byte key that (source, id) is stored under."""
        return event_key(envelope.source, envelope.id)

    def absent(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Those whose (source, id) the log does not hold."""
        with self._db.transaction() as connection:
            held = self._store.positions_of(connection, [self.key_of(envelope) for envelope in envelopes])
        return [envelope for envelope in envelopes if self.key_of(envelope) not in held]

    def counts(self) -> dict[str, int]:
        with self._db.transaction() as connection:
            return self._store.counts(connection)

    def conflicts(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.conflicts(connection)

    def inclusion(self, position: int, size: int | None = None) -> list[str]:
        """The RFC 9162 inclusion proof of one event in the tree of `size` (now: all), as hex. Reads a few hundred
        hashes, however long the log is.
        """
        with self._db.transaction() as connection:
            size = self._sized(connection, size)
            path = stored_inclusion(position - 1, size, lambda level, index: self._subtree(connection, level, index))
        return [part.hex() for part in path]

    def proof(self, position: int, size: int | None = None) -> JsonObject:
        """Everything an outsider needs to check that an event is in the tree of `size`: leaf, path, root, all hex."""
        with self._db.transaction() as connection:
            size = self._sized(connection, size)
            if position > size:
                raise BadInput(f"the tree has {size} events, not {position}")
            row = self._store.rows_after(connection, position - 1, None, 1)[0]

            def subtree(level: int, index: int) -> bytes:
                return self._subtree(connection, level, index)

            path = stored_inclusion(position - 1, size, subtree)
            root = range_root(0, size, subtree)
        return {
            "position": position,
            "size": size,
            "leaf": bytes(row["leaf_hash"]).hex(),
            "proof": [part.hex() for part in path],
            "root": root.hex(),
            "event": envelope_of(row).model_dump(mode="json"),
        }

    def consistency(self, first: int, size: int | None = None) -> list[str]:
        """The RFC 9162 proof that the tree of `first` events is a prefix of the tree of `size` (now: all), as hex."""
        with self._db.transaction() as connection:
            size = self._sized(connection, size)
            path = stored_consistency(first, size, lambda level, index: self._subtree(connection, level, index))
        return [part.hex() for part in path]

    def _sized(self, connection: Connection[Row], size: int | None) -> int:
        head = self._store.head(connection)
        if size is not None and size > head.size:
            raise BadInput(f"the log has {head.size} events, not {size}")
        return head.size if size is None else size

    def _subtree(self, connection: Connection[Row], level: int, index: int) -> bytes:
        """A perfect subtree's root from the nearest stored level below it."""
        base = level - level % 8
        width = 1 << (level - base)
        parts = self._store.subtree_parts(connection, base, index * width, (index + 1) * width)
        if len(parts) != width:
            raise Tampered(
                f"the tree lacks {width - len(parts)} hashes of level {base}",
                where="log_node",
                fix="run steward events verify",
            )
        return root_of_leaves(parts)

    def verify(self, progress: Callable[[int], None] = lambda _n: None) -> LogReport:
        """Recompute every digest, leaf, key and subtree from the rows, the root from the leaves, and compare with the
        head, the stored tree and every checkpoint published outside the database.
        """
        with self._db.transaction() as connection:
            return Verification(self._store, self._checkpoints, connection).run(progress)


def check_payload(envelope: Envelope) -> None:
    """Refuse an event whose type is not in the catalog or whose data lacks the required shape."""
    model = VERSIONS.get((envelope.type, envelope.schemaversion))
    if model is None:
        known = [version for name, version in VERSIONS if name == envelope.type]
        what = f"version {envelope.schemaversion} of {envelope.type}" if known else f"event type {envelope.type!r}"
        raise BadInput(f"unknown {what}", where=envelope.id, fix=f"versions are {known}" if known else "")
    try:
        model.model_validate(envelope.data)
    except ValueError as error:
        raise BadInput(f"{envelope.type}: {error}", where=envelope.id) from error


def _recorded(row: Row, *, as_stored: bool = False) -> RecordedEvent:
    if not as_stored:
        version, data = upcast(row["type"], row["schema_version"], row["data"])
        row = {**row, "schema_version": version, "data": data}
    return RecordedEvent.model_construct(
        position=row["position"], recorded_at=row["recorded_at"], envelope=envelope_of(row)
    )
