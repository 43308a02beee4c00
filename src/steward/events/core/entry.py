"""The bytes of one log entry: what the body digest and the Merkle leaf of a recorded event cover."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from steward.contracts.event import Envelope
from steward.events.core.merkle import leaf_hash
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

# The escape of NUL in canonical JSON, which PostgreSQL cannot store; an escaped backslash before it is plain text.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def body_digest(envelope: Envelope) -> bytes:
    """SHA-256 of canonical {type, subject, time, data}: what makes two deliveries the same event."""
    text = canonical_bytes(body(envelope))
    if _NUL.search(text):
        raise BadInput("a text holds a NUL character", where=envelope.id, fix="remove it")
    return hashlib.sha256(text).digest()


def body(envelope: Envelope) -> JsonObject:
    return {
        "type": envelope.type,
        "subject": envelope.subject,
        "time": format_instant(envelope.time),
        "data": envelope.data,
    }


def entry_leaf(envelope: Envelope, body_digest: bytes, position: int, recorded_at: datetime) -> bytes:
    """The leaf hash over every column of the row (the body through its digest): no stored byte changes unseen."""
    entry = {
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
