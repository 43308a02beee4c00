"""A valid transfer, and the digests that make a change to any of its columns visible. Under 200 lines on purpose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from steward.contracts.ledger import Leg, Transfer
from steward.kernel.canonical import canonical_bytes, digest
from steward.kernel.instants import format_instant


def is_balanced(legs: Sequence[Leg]) -> bool:
    """Whether the legs sum to zero in each currency and none is zero."""
    totals: dict[str, int] = {}
    for leg in legs:
        totals[leg.currency] = totals.get(leg.currency, 0) + leg.amount_minor
    return all(leg.amount_minor for leg in legs) and not any(totals.values())


def body_digest(key: str, kind: str, source: str, effective_at: datetime, legs: Iterable[Leg]) -> bytes:
    """What makes two postings the same transfer."""
    return digest(
        {
            "key": key,
            "kind": kind,
            "source": source,
            "effective_at": format_instant(effective_at),
            "legs": [[leg.account, leg.currency, leg.amount_minor] for leg in legs],
        }
    )


def row_digest(transfer_id: str, body: bytes, recorded_at: datetime, batch: str, batch_line: int) -> bytes:
    """Covers the columns the body does not: id, recording time and place in its batch."""
    rest = [transfer_id, body.hex(), format_instant(recorded_at), batch, batch_line]
    return hashlib.sha256(canonical_bytes(rest)).digest()


def batch_digest(row_digests: Iterable[bytes]) -> str:
    """The digest of a whole batch in order; it is anchored in the log as a LedgerTransferPosted event."""
    total = hashlib.sha256()
    for one in row_digests:
        total.update(one)
    return total.hexdigest()


def digest_of(transfer: Transfer) -> bytes:
    return body_digest(transfer.key, transfer.kind, transfer.source, transfer.effective_at, transfer.legs)
