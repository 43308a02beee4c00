"""The exact content of a payout, and its digest: what people agree to and what the bank's statement shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import Who

_PREFIX = "PAY"


def content(
    payout_id: str, party: str, currency: str, payee: str, lines: Sequence[Line], who: Who = "creator"
) -> JsonObject:
    """Who gets what for which commissions, or for which bill."""
    return {
        "payout_id": payout_id,
        f"{who}_id": party,
        "currency": currency,
        "payee": payee,
        "amount_minor": sum(line.amount_minor for line in lines),
        "lines": [[line.kind, line.ref, line.amount_minor] for line in sorted(lines, key=lambda x: (x.kind, x.ref))],
    }


def digest(document: JsonObject) -> bytes:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_bytes(document)).digest()


def reference(of: bytes) -> str:
    """What the transfer is called: 35 characters (as many as ISO 20022 lets an end-to-end id have), 128 bits of the
    digest.
    """
    return _PREFIX + of[:16].hex().upper()
