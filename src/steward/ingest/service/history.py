"""Read a history file whole, then write its events in batches; a second reading adds nothing."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from steward.contracts.history import HistoryRules
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.ingest.core.classify import Reading, classify
from steward.ingest.core.rows import read_rows
from steward.ingest.store import HistoryStore, Row
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_BATCH = 2000
_MAX_BYTES = 1 << 30
_GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """What one file became: events new and known already, and the tally of every rule."""

    lines: int
    accepted: int
    duplicates: int
    conflicts: tuple[str, ...]
    tallies: JsonObject


class History:
    """A shop's own order history, in the published Online Retail columns."""

    def __init__(self, database: Database, clock: Clock, events: EventLog, rules: HistoryRules) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._rules = rules
        self._store = HistoryStore()

    def read(self, path: Path) -> tuple[Reading, bytes]:
        """The file understood, and its SHA-256. Raises `BadInput` with line numbers; writes nothing."""
        raw = _read_bytes(path)
        text = _decode(raw, path.name)
        return classify(read_rows(text, self._rules.columns, path.name), self._rules), hashlib.sha256(raw).digest()

    def write(
        self, reading: Reading, sha256: bytes, name: str, progress: Callable[[int], None] = lambda _n: None
    ) -> HistoryReport:
        """Append the events in batches, each its own transaction, then record the file and its listed lines."""
        accepted = duplicates = 0
        conflicts: list[str] = []
        for start in range(0, len(reading.envelopes), _BATCH):
            batch = reading.envelopes[start : start + _BATCH]
            appended = self._events.append(batch)
            accepted += appended.accepted
            duplicates += appended.duplicates
            conflicts += appended.conflicts
            progress(len(batch))
        tallies = {
            rule: {"lines": tally.lines, "value_minor": tally.value_minor} for rule, tally in reading.tallies.items()
        }
        with self._db.transaction() as connection:
            self._store.add_file(connection, sha256, name, reading.lines, tallies, self._clock.now())
            self._store.add_listed(connection, sha256, reading.listed, self._rules.currency)
        return HistoryReport(reading.lines, accepted, duplicates, tuple(conflicts), tallies)

    def listed(self) -> list[Row]:
        """What was set aside, by rule: documents, lines, value."""
        with self._db.transaction() as connection:
            return self._store.by_rule(connection)


def _read_bytes(path: Path) -> bytes:
    """The file's bytes, unpacked if gzip; a cut-off or oversized file is `BadInput`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(error.strerror or str(error), where=str(path), fix="give a readable file") from error
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    try:
        with gzip.open(path, "rb") as file:
            unpacked = file.read(_MAX_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise BadInput(f"not a whole gzip file: {error}", where=path.name, fix="fetch it again") from error
    if len(unpacked) > _MAX_BYTES:
        raise BadInput("unpacks to more than 1 GiB", where=path.name, fix="split it")
    return unpacked


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadInput(
            f"line {line}: byte {error.start} is not UTF-8", where=name, fix="convert the file to UTF-8"
        ) from error
