"""Verify the whole log: every row against its digests, the rows against the tree, the tree against what was
published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg import Connection

from steward.events.core.entry import body_digest, entry_leaf, event_key
from steward.events.core.merkle import grow, root_of_frontier
from steward.events.store import CheckpointFile, EventStore, Row, envelope_of
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_PAGE = 2048  # a whole number of the tree's stored chunks of 256


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


class Verification:
    """One pass over the log, in one transaction."""

    def __init__(self, store: EventStore, checkpoints: CheckpointFile, connection: Connection[Row]) -> None:
        self._store = store
        self._connection = connection
        self._report = LogReport()
        published = checkpoints.read()
        self._report.violations += [
            {"where": "checkpoint", "row": f"line {n}", "what": "cannot be read"} for n in published.torn
        ]
        self._report.violations += [
            {"where": "checkpoint", "row": f"line {n}", "what": "is not signed by a key of ours"}
            for n in published.unsigned
        ]
        self._due = published.by_size()
        self._due.pop(0, None)  # of an empty log there is only one
        self._size, self._frontier = 0, list[bytes]()
        self._nodes = 0

    def run(self, progress: Callable[[int], None]) -> LogReport:
        report, store, connection = self._report, self._store, self._connection
        head = store.head(connection)
        report.waiting = store.outbox_size(connection)
        after = 0
        while rows := store.rows_after(connection, after, None, _PAGE):
            self._page(rows)
            after = rows[-1]["position"]
            progress(len(rows))
        root = root_of_frontier(self._frontier)
        report.head, report.root = head.size, root.hex()
        if report.count != head.size:
            self._violation(head.size, f"the head says {head.size} events, stored {report.count}")
        elif root != head.root or self._frontier != head.frontier:
            self._violation(head.size, "the Merkle root differs from log_head")
        for missing in self._due:
            self._violation(missing, "a published checkpoint is beyond the log: rows were removed")
        counted = store.count_keys(connection)
        for table, stored, expected in (
            ("event_key", counted["keys"], report.count),
            ("log_node", counted["nodes"], self._nodes),
        ):
            if stored != expected:
                report.violations.append({"where": table, "row": "all", "what": f"{stored} rows, should be {expected}"})
        return report

    def _page(self, rows: list[Row]) -> None:
        keys = [event_key(row["source"], row["event_id"]) for row in rows]
        positions = self._store.positions_of(self._connection, keys)
        for row, key in zip(rows, keys, strict=True):
            self._report.count += 1
            position = row["position"]
            if positions.get(key) != position:
                self._violation(position, f"event_key says {positions.get(key, 'nothing')} of {row['event_id']}")
            leaf = self._check_row(row)
            self._size, self._frontier, nodes = grow(self._size, self._frontier, [leaf])
            for level, index, expected in nodes:
                self._nodes += 1
                if self._store.subtree_parts(self._connection, level, index, index + 1) != [expected]:
                    low, high = (index << level) + 1, (index + 1) << level
                    self._violation(position, f"the stored tree differs somewhere in positions {low} to {high}")
            published = self._due.pop(self._size, None)
            if published is not None and {root_of_frontier(self._frontier).hex()} != published:
                self._violation(position, "the tree up to here differs from the published checkpoint")

    def _check_row(self, row: Row) -> bytes:
        position, report = row["position"], self._report
        if position != report.count:
            report.dense = False
            self._violation(position, f"expected position {report.count}")
        envelope = envelope_of(row)
        try:
            digest = body_digest(envelope)
            if digest != bytes(row["body_digest"]):
                self._violation(position, f"body digest of {envelope.type} {envelope.id}")
            leaf = entry_leaf(envelope, digest, position, row["recorded_at"])
        except BadInput as error:
            self._violation(position, str(error))
            return bytes(row["leaf_hash"])
        if leaf != bytes(row["leaf_hash"]):
            self._violation(position, f"leaf hash of {envelope.type} {envelope.id}")
        return leaf

    def _violation(self, position: int, what: str) -> None:
        self._report.violations.append({"where": "event", "row": f"position {position}", "what": what})
