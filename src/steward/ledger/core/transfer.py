"""Keys and digests of what is posted: what makes two postings the same, and a change to any column visible.

A text stands in a digest with its length before it, so that no two lists of fields look alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def key_bytes(key: str) -> bytes:
    """An idempotency key as the books store it: the first sixteen bytes of its SHA-256."""
    return hashlib.sha256(key.encode()).digest()[:16]


def transfer_id(effective_at: datetime, key: bytes) -> str:
    """`tfr_` and an RFC 9562 version 7 UUID: the milliseconds it happened at, then the first 74 bits of its key."""
    bits = int.from_bytes(key, "big") >> 54
    value = (microseconds(effective_at) // 1000 & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76 | (bits >> 62) << 64 | 0x2 << 62 | bits & ((1 << 62) - 1)
    return f"tfr_{value:032x}"


def key_range(own_id: str) -> tuple[bytes, bytes]:
    """The least and the greatest key that a transfer with this id can have."""
    value = int(own_id[4:], 16)
    bits = (value >> 64 & 0xFFF) << 62 | value & ((1 << 62) - 1)
    return (bits << 54).to_bytes(16, "big"), (bits << 54 | (1 << 54) - 1).to_bytes(16, "big")


def is_balanced(legs: Sequence[Leg]) -> bool:
    """Whether the legs sum to zero in each currency and none is zero."""
    totals: dict[str, int] = {}
    for leg in legs:
        totals[leg.currency] = totals.get(leg.currency, 0) + leg.amount_minor
    return all(leg.amount_minor for leg in legs) and not any(totals.values())


def legs_text(legs: Iterable[Leg]) -> str:
    return "".join([f"{len(leg.account)}:{leg.account}{leg.currency}{leg.amount_minor};" for leg in legs])


def _text(value: str | None) -> str:
    return "-" if value is None else f"{len(value)}:{value}"


def transfer_body(
    kind: str, source: str, effective_us: int, reverses: bytes | None, party: str | None, legs: str
) -> bytes:
    """What makes two postings the same transfer; `legs` as `legs_text` writes them."""
    undone = "-" if reverses is None else reverses.hex()
    text = f"transfer{len(kind)}:{kind}{len(source)}:{source}{effective_us};{undone}{_text(party)}{legs}"
    return hashlib.sha256(text.encode()).digest()


def digest_of(transfer: Transfer) -> bytes:
    reverses = None if transfer.reverses is None else key_bytes(transfer.reverses)
    legs = legs_text(transfer.legs)
    effective = microseconds(transfer.effective_at)
    return transfer_body(transfer.kind, transfer.source, effective, reverses, transfer.party, legs)


def hold_body(kind: str, source: str, expires_us: int, party: str | None, legs: str) -> bytes:
    """What makes two holds the same."""
    text = f"hold{len(kind)}:{kind}{len(source)}:{source}{expires_us};{_text(party)}{legs}"
    return hashlib.sha256(text.encode()).digest()


def digest_of_hold(hold: Hold) -> bytes:
    return hold_body(hold.kind, hold.source, microseconds(hold.expires_at), hold.party, legs_text(hold.legs))


def digest_of_finish(finish: Finish) -> bytes:
    """What makes two ends of a hold the same; legs that were not given differ from any that were."""
    legs = "all" if finish.legs is None else legs_text(finish.legs)
    text = f"finish{finish.how}{key_bytes(finish.hold).hex()}{microseconds(finish.effective_at)};{legs}"
    return hashlib.sha256(text.encode()).digest()


def row_digest(*columns: str | None) -> bytes:
    """The twin of SQL's `ledger_row`."""
    return hashlib.sha256("".join(_text(column) for column in columns).encode()).digest()
