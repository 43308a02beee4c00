"""Rows of `event` in PostgreSQL's binary COPY format, made in two halves.

Everything that does not depend on the position is packed before the log's head is locked; under the lock only the
position, the recorded time and the leaf are put in. The format is in PostgreSQL's documentation of COPY, "Binary
Format": a count of fields, then length and bytes of each; -1 is NULL.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from functools import lru_cache

from steward.events.core.entry import Prepared, leaf_of

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = struct.pack("!i", -1)
_start = struct.Struct("!hiq").pack
_time = struct.Struct("!iq").pack
_length = struct.Struct("!i").pack
_version = struct.Struct("!ii").pack
_jsonb = struct.Struct("!ib").pack
_THIRTY_TWO = _length(32)


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    raw = value.encode()
    return _length(len(raw)) + raw


@lru_cache(maxsize=4096)
def _name(value: str) -> bytes:
    """Sources and types, of which there are few."""
    return _text(value)


def timestamp(value: datetime) -> bytes:
    """A timestamptz: microseconds since 2000-01-01 UTC."""
    since = value - _EPOCH
    return _time(8, (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)


class RowFrame:
    """One event, ready for its position."""

    __slots__ = ("_after", "_before", "event")

    def __init__(self, event: Prepared) -> None:
        self.event = event
        event_id, subject, data = event.id.encode(), event.subject.encode(), event.data_text
        self._before = b"".join(
            (
                _name(event.source),
                _length(len(event_id)),
                event_id,
                _name(event.type),
                _length(len(subject)),
                subject,
                timestamp(event.time),
            )
        )
        self._after = b"".join(
            (
                _version(4, event.schemaversion),
                _text(event.correlationid),
                _text(event.causationid),
                _jsonb(len(data) + 1, 1),
                data,
                _THIRTY_TWO,
                event.body_digest,
                _THIRTY_TWO,
            )
        )

    def leaf(self, position: int, recorded_at: datetime) -> bytes:
        return leaf_of(self.event, position, recorded_at)

    def row(self, position: int, recorded_at: bytes, leaf: bytes) -> bytes:
        return b"".join((_start(13, 8, position), self._before, recorded_at, self._after, leaf))
