"""Rows of `event` in PostgreSQL's binary COPY format, made in two halves.

Everything that does not depend on the position is packed before the log's head is locked; under the lock only the
position, the recorded time and the leaf are put in. The format is in PostgreSQL's documentation of COPY, "Binary
Format": a count of fields, then length and bytes of each; -1 is NULL.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from steward.events.core.entry import Prepared, framed_leaf, leaf_frame

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_NULL = struct.pack("!i", -1)
_start = struct.Struct("!hiq").pack
_time = struct.Struct("!iq").pack
_length = struct.Struct("!i").pack
_key = struct.Struct("!hi16siq").pack


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    raw = value.encode()
    return _length(len(raw)) + raw


def timestamp(value: datetime) -> bytes:
    """A timestamptz: microseconds since 2000-01-01 UTC."""
    since = value - _EPOCH
    return _time(8, (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)


class RowFrame:
    """One event, ready for its position."""

    __slots__ = ("_after", "_before", "_leaf", "event")

    def __init__(self, event: Prepared) -> None:
        self.event = event
        self._leaf = leaf_frame(event)
        self._before = b"".join(
            (_text(event.source), _text(event.id), _text(event.type), _text(event.subject), timestamp(event.time))
        )
        self._after = b"".join(
            (
                _length(4),
                _length(event.schemaversion),
                _text(event.correlationid),
                _text(event.causationid),
                _length(len(event.data_text) + 1),
                b"\x01",
                event.data_text,
                _length(32),
                event.body_digest,
                _length(32),
            )
        )

    def leaf(self, position: int, recorded_text: bytes) -> bytes:
        return framed_leaf(self._leaf, position, recorded_text)

    def row(self, position: int, recorded_at: bytes, leaf: bytes) -> bytes:
        return b"".join((_start(13, 8, position), self._before, recorded_at, self._after, leaf))

    def key_row(self, position: int) -> bytes:
        return _key(2, 16, self.event.key, 8, position)
