"""Append with deduplication, sequence the outbox, read, follow with a checkpoint, verify."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steward.contracts.event import Appended, Envelope, RecordedEvent
from steward.contracts.payloads import PAYLOADS
from steward.events.core.entry import body_digest, entry_leaf
from steward.events.core.merkle import extend, inclusion_proof, root_of_frontier
from steward.events.store import CheckpointFile, EventStore, Head, NewRow, Row, envelope_of
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Conflict, Tampered

_SEQUENCER_BATCH = 5000


@dataclass(slots=True)
class LogReport:
    """What `verify` found: `violations` name the row and what is wrong with it."""

    count: int = 0
    head: int = 0
    root: str = ""
    dense: bool = True
    waiting: int = 0
    violations: list[JsonObject] = field(default_factory=list[JsonObject])

    @property
    def is_intact(self) -> bool:
        return not self.violations


class EventLog:
    """The one log. `checkpoint_file` is where roots are published outside the database."""

    def __init__(self, database: Database, clock: Clock, checkpoint_file: Path) -> None:
        self._db = database
        self._clock = clock
        self._checkpoints = CheckpointFile(checkpoint_file)
        self._store = EventStore()

    def append(self, envelopes: Sequence[Envelope]) -> Appended:
        """Write a batch directly. Only ingestion may: it owns no other state in the transaction."""
        for envelope in envelopes:
            check_payload(envelope)
        with self._db.transaction() as connection:
            head = self._store.head(connection, lock=True)
            known = self._store.known(connection, [(e.source, e.id) for e in envelopes])
            fresh: list[tuple[Envelope, bytes]] = []
            conflicts: list[str] = []
            duplicates = 0
            now = self._clock.now()
            for envelope in envelopes:
                key, digest = (envelope.source, envelope.id), body_digest(envelope)
                if key not in known:
                    known[key] = digest
                    fresh.append((envelope, digest))
                elif known[key] == digest:
                    duplicates += 1
                else:
                    conflicts.append(f"{envelope.source} {envelope.id}")
                    self._store.keep_conflict(connection, envelope, digest, now)
            rows = [
                NewRow(
                    RecordedEvent(position=head.size + i, recorded_at=now, envelope=envelope),
                    digest,
                    entry_leaf(envelope, digest, head.size + i, now),
                )
                for i, (envelope, digest) in enumerate(fresh, start=1)
            ]
            if rows:
                self._store.write(connection, rows)
                size, frontier = extend(head.size, head.frontier, (row.leaf_hash for row in rows))
                self._store.move_head(connection, Head(size, frontier, root_of_frontier(frontier)))
        return Appended(accepted=len(rows), duplicates=duplicates, conflicts=tuple(conflicts))

    def put(self, envelopes: Sequence[Envelope]) -> None:
        """Leave facts in the outbox, inside the caller's transaction; `sequence` gives them positions. A key that
        waits with another body raises `Conflict`: two different facts cannot have one name.
        """
        for envelope in envelopes:
            check_payload(envelope)
        with self._db.transaction() as connection:
            clashes = self._store.outbox_put(connection, envelopes)
            if clashes:
                raise Conflict("a fact with this id and another body waits already", where=", ".join(clashes[:5]))

    def sequence(self) -> int:
        """Move what waits in the outbox into the log, in batches; returns how many were moved."""
        moved = 0
        while True:
            with self._db.transaction() as connection:
                self._store.head(connection, lock=True)
                batch = self._store.outbox_take(connection, _SEQUENCER_BATCH)
                if batch:
                    self.append(batch)
            if not batch:
                return moved
            moved += len(batch)

    def publish_checkpoint(self) -> JsonObject:
        """Append the current size and root to the checkpoint file, outside the database's reach. A log that is
        shorter than, or differs from, what was published before is `Tampered` and publishes nothing.
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
            self._checkpoints.append(line["size"], line["root"])
        return line

    def head(self) -> JsonObject:
        """Size and Merkle root as committed."""
        with self._db.transaction() as connection:
            head = self._store.head(connection)
        return {"size": head.size, "root": head.root.hex()}

    def read(self, after: int = 0, types: Sequence[str] | None = None, limit: int = 1000) -> list[RecordedEvent]:
        with self._db.transaction() as connection:
            rows = self._store.rows_after(connection, after, types, limit)
        return [_recorded(row) for row in rows]

    def follow(
        self, reader: str, types: Sequence[str], batch: int, derive: Callable[[list[RecordedEvent]], None]
    ) -> int:
        """Hand one batch of events after the reader's checkpoint to `derive`, and move the checkpoint, in one
        transaction: exactly once into PostgreSQL. Returns how many were handed over.
        """
        with self._db.transaction() as connection:
            after = self._store.checkpoint(connection, reader)
            events = [_recorded(row) for row in self._store.rows_after(connection, after, types, batch)]
            if events:
                derive(events)
                self._store.move_checkpoint(connection, reader, events[-1].position)
        return len(events)

    def reached(self, reader: str) -> int:
        """The last position this reader has derived from; 0 before it started."""
        with self._db.transaction() as connection:
            return self._store.reached(connection, reader)

    def rewind(self, reader: str) -> None:
        """Send a reader back to before the first event, in the caller's transaction, to derive everything again."""
        with self._db.transaction() as connection:
            self._store.checkpoint(connection, reader)
            self._store.move_checkpoint(connection, reader, 0)

    def counts(self) -> dict[str, int]:
        with self._db.transaction() as connection:
            return self._store.counts(connection)

    def conflicts(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.conflicts(connection)

    def inclusion(self, position: int) -> list[str]:
        """The RFC 9162 inclusion proof of one event in the current tree, as hex."""
        with self._db.transaction() as connection:
            leaves = [bytes(row["leaf_hash"]) for row in self._store.all_rows(connection)]
        return [part.hex() for part in inclusion_proof(leaves, position - 1)]

    def verify(self) -> LogReport:
        """Recompute every digest and leaf from the rows, the root from the leaves, and compare with the head
        and with every checkpoint published outside the database.
        """
        report = LogReport()
        published = self._checkpoints.read()
        report.violations += [
            {"where": "checkpoint", "row": f"line {n}", "what": "cannot be read"} for n in published.torn
        ]
        due = published.by_size()
        size, frontier = 0, list[bytes]()
        due.pop(0, None)  # of an empty log there is only one
        with self._db.transaction() as connection:
            head = self._store.head(connection)
            report.waiting = self._store.outbox_size(connection)
            for row in self._store.all_rows(connection):
                report.count += 1
                leaf = self._check_row(row, report)
                size, frontier = extend(size, frontier, [leaf])
                expected = due.pop(size, None)
                if expected is not None and {root_of_frontier(frontier).hex()} != expected:
                    report.violations.append(
                        _violation(row["position"], "the tree up to here differs from the published checkpoint")
                    )
        report.head, report.root = head.size, root_of_frontier(frontier).hex()
        if report.count != head.size:
            report.violations.append(_violation(head.size, f"the head says {head.size} events, stored {report.count}"))
        elif root_of_frontier(frontier) != head.root or frontier != head.frontier:
            report.violations.append(_violation(head.size, "the Merkle root differs from log_head"))
        report.violations += [
            _violation(missing, "a published checkpoint is beyond the log: rows were removed") for missing in due
        ]
        return report

    def _check_row(self, row: Row, report: LogReport) -> bytes:
        position = row["position"]
        if position != report.count:
            report.dense = False
            report.violations.append(_violation(position, f"expected position {report.count}"))
        envelope = envelope_of(row)
        try:
            digest = body_digest(envelope)
            if digest != bytes(row["body_digest"]):
                report.violations.append(_violation(position, f"body digest of {envelope.type} {envelope.id}"))
            leaf = entry_leaf(envelope, digest, position, row["recorded_at"])
        except BadInput as error:
            report.violations.append(_violation(position, str(error)))
            return bytes(row["leaf_hash"])
        if leaf != bytes(row["leaf_hash"]):
            report.violations.append(_violation(position, f"leaf hash of {envelope.type} {envelope.id}"))
        return leaf


def check_payload(envelope: Envelope) -> None:
    """Refuse an event whose type is not in the catalog or whose data lacks the required shape."""
    model = PAYLOADS.get(envelope.type)
    if model is None:
        raise BadInput(f"unknown event type {envelope.type!r}", where=envelope.id)
    try:
        model.model_validate(envelope.data)
    except ValueError as error:
        raise BadInput(f"{envelope.type}: {error}", where=envelope.id) from error


def _recorded(row: Row) -> RecordedEvent:
    return RecordedEvent.model_construct(
        position=row["position"], recorded_at=row["recorded_at"], envelope=envelope_of(row)
    )


def _violation(position: int, what: str) -> JsonObject:
    return {"where": "event", "row": f"position {position}", "what": what}
