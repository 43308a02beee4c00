"""What a snapshot is made of, and its digest."""

from __future__ import annotations

from datetime import datetime

from steward.contracts.snapshot import Snapshot
from steward.kernel.canonical import digest_hex
from steward.kernel.ids import derived_id
from steward.kernel.instants import format_instant, unix_ms


def build(as_of: datetime, currency: str, metrics: dict[str, int]) -> Snapshot:
    """A snapshot whose id follows from its time: the same hour is the same snapshot."""
    body = {"as_of": format_instant(as_of), "currency": currency, "metrics": metrics}
    return Snapshot(
        id=derived_id("snp", unix_ms(as_of), format_instant(as_of)),
        as_of=as_of,
        currency=currency,
        metrics=metrics,
        digest=digest_hex(body),
    )
