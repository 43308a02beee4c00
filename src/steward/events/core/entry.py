"""The bytes of one log entry: its key, what the body digest covers, and the Merkle leaf of a recorded event."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from steward.contracts.event import Envelope
from steward.events.core.merkle import leaf_hash
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

# The escape of NUL in canonical JSON, which PostgreSQL cannot store; an escaped backslash before it is plain text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BEYOND_BASIC_PLANE = re.compile(rb"[\xf0-\xf4]")
# Sorts keys by code point, writes no white space and escapes only what JSON must: canonical JSON, in C.
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class Prepared:
    """An event as the log will store it, everything computed that does not depend on its position.

    `data_text` is canonical JSON, `key` names (source, id), `expected_version` is how many events the stream must
    hold already.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    schemaversion: int
    correlationid: str | None
    causationid: str | None
    data_text: bytes
    body_digest: bytes
    key: bytes
    expected_version: int | None = None

    def with_data(self, data: JsonObject) -> Prepared:
        """The same event with other data: personal fields were taken out before it is stored."""
        text = data_bytes(data, self.id)
        return replace(self, data_text=text, body_digest=digest_of(self.type, self.subject, self.time, text))


def event_key(source: str, event_id: str) -> bytes:
    """The first half of SHA-256 over the source, its length before it, and the id: 16 bytes, unique as a pair."""
    named = source.encode()
    return hashlib.sha256(b"%d:%b%b" % (len(named), named, event_id.encode())).digest()[:16]


def _no_float(literal: str) -> Any:
    raise ValueError(literal)


_check = msgspec.json.Decoder(float_hook=_no_float).decode


def data_bytes(data: Any, where: str) -> bytes:
    """Canonical JSON of `data`. What has no canonical form, or no place in PostgreSQL, is `BadInput`.

    The text is read back in C, which shows floats and keys that were no text; only where it does not come back equal
    is the value walked, to say what is wrong and where.
    """
    try:
        text = _encode(data)
        if _check(text) == data:
            return storable(text, data, where)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass
    return storable(canonical_bytes(data), data, where)


def storable(text: bytes, data: Any, where: str) -> bytes:
    """`text`, canonical but for what is looked for here: NUL, and keys outside the basic plane."""
    if b"\\u0000" in text and _NUL.search(text):
        raise BadInput("a text holds a NUL character", where=where, fix="remove it")
    # Keys outside the basic plane sort differently by UTF-16: refused. The slow form looks for them.
    return canonical_bytes(data) if _BEYOND_BASIC_PLANE.search(text) else text


def decoded_bytes(data: Any, where: str) -> bytes:
    """As `data_bytes`, for what a JSON decoder that refuses floats has just read: it can hold nothing inexact."""
    return storable(_encode(data), data, where)


def digest_of(event_type: str, subject: str, time: datetime, data_text: bytes) -> bytes:
    """SHA-256 of canonical {data, subject, time, type}: what makes two deliveries the same event."""
    return hashlib.sha256(
        b'{"data":%b,"subject":%b,"time":"%b","type":%b}'
        % (data_text, _encode(subject), format_instant(time).encode(), _encode(event_type))
    ).digest()


def body_digest(envelope: Envelope) -> bytes:
    """The digest of an envelope's body."""
    return digest_of(envelope.type, envelope.subject, envelope.time, data_bytes(envelope.data, envelope.id))


def prepare(envelope: Envelope, expected_version: int | None = None) -> Prepared:
    """Compute what the log stores of an envelope. The payload is not judged here."""
    text = data_bytes(envelope.data, envelope.id)
    return Prepared(
        id=envelope.id,
        source=envelope.source,
        type=envelope.type,
        subject=envelope.subject,
        time=envelope.time,
        schemaversion=envelope.schemaversion,
        correlationid=envelope.correlationid,
        causationid=envelope.causationid,
        data_text=text,
        body_digest=digest_of(envelope.type, envelope.subject, envelope.time, text),
        key=event_key(envelope.source, envelope.id),
        expected_version=expected_version,
    )


def leaf_frame(event: Prepared) -> tuple[bytes, bytes]:
    """What stands before the position and after the recorded time in the leaf's canonical JSON. The rest is filled
    in under the lock of the log's head, where every microsecond counts.
    """
    before = b'\x00{"body":"%b","causationid":%b,"correlationid":%b,"id":%b,"position":' % (
        event.body_digest.hex().encode(),
        _encode(event.causationid),
        _encode(event.correlationid),
        _encode(event.id),
    )
    after = b',"schemaversion":%d,"source":%b}' % (event.schemaversion, _encode(event.source))
    return before, after


def framed_leaf(frame: tuple[bytes, bytes], position: int, recorded_at: bytes) -> bytes:
    """The leaf hash from its frame; `recorded_at` is the quoted RFC 3339 text."""
    return hashlib.sha256(b'%b%d,"recorded_at":%b%b' % (frame[0], position, recorded_at, frame[1])).digest()


def entry_leaf(envelope: Envelope, body_digest: bytes, position: int, recorded_at: datetime) -> bytes:
    """The leaf hash over every column of the row (the body through its digest): no stored byte changes unseen.

    The plain statement of what `leaf_frame` and `framed_leaf` compute in two halves.
    """
    entry: JsonObject = {
        "body": body_digest.hex(),
        "id": envelope.id,
        "source": envelope.source,
        "schemaversion": envelope.schemaversion,
        "correlationid": envelope.correlationid,
        "causationid": envelope.causationid,
        "position": position,
        "recorded_at": format_instant(recorded_at),
    }
    return leaf_hash(canonical_bytes(entry))
