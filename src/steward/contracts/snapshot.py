"""Snapshots: the business at an instant; what every decision is made against."""

from __future__ import annotations

from steward.contracts.base import Contract, Digest, Instant


class Snapshot(Contract):
    """Metrics are integers; money metrics end in `_minor` and are in `currency`."""

    id: str
    as_of: Instant
    currency: str
    metrics: dict[str, int]
    digest: Digest
