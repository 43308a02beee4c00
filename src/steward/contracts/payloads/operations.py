"""The system's own facts: what it saw, decided, proved and posted."""

from __future__ import annotations

from steward.contracts.base import Contract, Digest, JsonObject, Ratio


class SnapshotTaken(Contract):
    snapshot_id: str
    digest: Digest


class ActionProposed(Contract):
    action_id: str
    kind: str
    params: JsonObject
    proposer: str
    snapshot_id: str


class DecisionMade(Contract):
    """Anchors one decision row and one proof bundle in the Merkle tree by their digests."""

    decision_id: str
    action_id: str
    chosen: str
    propensity: Ratio
    verdict: str
    decision_digest: Digest
    bundle_digest: Digest


class ActionRefused(Contract):
    action_id: str
    risk: str
    amount_minor: int | None
    code: str
    reason: str
    determining: tuple[str, ...]


class ActionHeld(Contract):
    action_id: str
    risk: str
    amount_minor: int | None
    approver: str
    reason: str
    expires_at: str


class ActionShadowed(Contract):
    action_id: str
    risk: str
    amount_minor: int | None
    verb: str
    request_digest: Digest


class ForecastSettled(Contract):
    forecast_id: str
    action_id: str
    quantity: str
    low: int
    mid: int
    high: int
    actual: int
    baseline: int | None = None


class LedgerTransferPosted(Contract):
    """One batch of transfers: how many, from which events, and the digest of all of them in order."""

    transfers: int
    first_source: str
    last_source: str
    digest: Digest
