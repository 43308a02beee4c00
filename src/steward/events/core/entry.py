"""The bytes of one log entry: its key, what the body digest covers, and the Merkle leaf of a recorded event."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec

from steward.contracts.event import Envelope
from steward.events.core.merkle import leaf_hash
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

MOST_DEPTH = 64
# The escape of NUL in canonical JSON, which PostgreSQL cannot store; an escaped backslash before it is plain text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BEYOND_BASIC_PLANE = re.compile(rb"[\xf0-\xf4]")
# Sorts keys by code point, writes no white space and escapes only what JSON must: canonical JSON, in C.
_encode = msgspec.json.Encoder(order="deterministic").encode


class Prepared(msgspec.Struct, gc=False):
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
        digest = digest_of(self.type, self.subject, self.time, text)
        return msgspec.structs.replace(self, data_text=text, body_digest=digest)


class _Body(msgspec.Struct, gc=False):
    """What the body digest covers. Fields stand in canonical order; a UTC time is written as `format_instant` does."""

    data: msgspec.Raw
    subject: str
    time: datetime
    type: str


class Leaf(msgspec.Struct, gc=False):
    """What a leaf covers, in canonical order."""

    body: str
    causationid: str | None
    correlationid: str | None
    id: str
    position: int
    recorded_at: datetime
    schemaversion: int
    source: str


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
    if text.count(b"{") + text.count(b"[") > MOST_DEPTH and _depth(data) > MOST_DEPTH:
        raise BadInput(f"nested deeper than {MOST_DEPTH}", where=where, fix="flatten it")
    # Keys outside the basic plane sort differently by UTF-16: refused. The slow form looks for them.
    return canonical_bytes(data) if _BEYOND_BASIC_PLANE.search(text) else text


def _depth(value: Any) -> int:
    """How deep objects and lists are nested, level by level, without recursion."""
    deepest, level = 0, [value]
    while level and deepest <= MOST_DEPTH:
        deepest += 1
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            elif isinstance(item, list | tuple):
                inner.extend(item)  # pyright: ignore[reportUnknownArgumentType]
        level = inner
    return deepest


def decoded_bytes(data: Any, where: str) -> bytes:
    """As `data_bytes`, for what a JSON decoder that refuses floats has just read: it can hold nothing inexact."""
    return storable(_encode(data), data, where)


def digest_of(event_type: str, subject: str, time: datetime, data_text: bytes) -> bytes:
    """SHA-256 of canonical {data, subject, time, type}: what makes two deliveries the same event. `time` is UTC."""
    return hashlib.sha256(_encode(_Body(msgspec.Raw(data_text), subject, time, event_type))).digest()


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


def leaf_of(event: Prepared, position: int, recorded_at: datetime) -> bytes:
    """The leaf hash of an event at a position: `entry_leaf` in two calls to C. `recorded_at` is UTC."""
    leaf = Leaf(
        event.body_digest.hex(),
        event.causationid,
        event.correlationid,
        event.id,
        position,
        recorded_at,
        event.schemaversion,
        event.source,
    )
    return hashlib.sha256(b"\x00" + _encode(leaf)).digest()


def entry_leaf(envelope: Envelope, body_digest: bytes, position: int, recorded_at: datetime) -> bytes:
    """The leaf hash over every column of the row (the body through its digest): no stored byte changes unseen.

    The plain statement of what `leaf_of` computes.
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
