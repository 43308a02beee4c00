"""The system's own facts: what it saw, decided, proved, did and posted."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Currency, Digest, Instant, JsonObject, Ratio
from steward.contracts.payloads.fields import Minor, Name, NonNegative, Note


class SnapshotTaken(Contract):
    """The business was read as of an hour."""

    snapshot_id: str
    digest: Digest


class ActionProposed(Contract):
    """Someone wants something done."""

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
    """It will not happen, and why."""

    action_id: str
    risk: str
    amount_minor: int | None
    code: str
    reason: str
    determining: tuple[str, ...]


class ActionHeld(Contract):
    """It waits for a person."""

    action_id: str
    risk: str
    amount_minor: int | None
    approver: str
    reason: str
    expires_at: str


class ActionShadowed(Contract):
    """The exact request was built and not sent."""

    action_id: str
    risk: str
    amount_minor: int | None
    verb: str
    request_digest: Digest


class ActionApproved(Contract):
    """A person who may do so agreed to exactly these arguments."""

    action_id: Name
    approver: Name
    args_digest: Digest | None = None
    role: Name | None = None
    reason: Note | None = None
    expires_at: Instant | None = None


class ActionRejected(Contract):
    """A person who may do so said no."""

    action_id: Name
    approver: Name
    reason: Note | None = None
    args_digest: Digest | None = None


class ActionExecuted(Contract):
    """The request was sent and the other side confirmed it."""

    action_id: Name
    verb: Name
    remote_ref: Name | None = None
    request_digest: Digest | None = None
    response_digest: Digest | None = None
    attempt: NonNegative = 1


class ActionFailed(Contract):
    """The other side refused the request, so nothing changed there."""

    action_id: Name
    verb: Name
    code: Name
    reason: Note | None = None
    request_digest: Digest | None = None
    attempt: NonNegative = 1


class ActionUnknown(Contract):
    """The request was sent and no answer came: it may or may not have happened."""

    action_id: Name
    verb: Name
    reason: Note | None = None
    request_digest: Digest | None = None
    attempt: NonNegative = 1


class ActionSettled(Contract):
    """Looking at the other side showed what became of an action whose answer never came."""

    action_id: Name
    outcome: Literal["executed", "failed"]
    evidence: Note | None = None
    remote_ref: Name | None = None


class ActionCancelled(Contract):
    """It was called back before it was sent."""

    action_id: Name
    cancelled_by: Name
    reason: Note | None = None


class ActionExpired(Contract):
    """Nobody approved it in time."""

    action_id: Name
    expired_at: Instant | None = None


class ActionCompensated(Contract):
    """A second action undid what this one had done."""

    action_id: Name
    compensation_id: Name
    reason: Note | None = None


class RewardMatured(Contract):
    """The profit of a decision will not change any more."""

    decision_id: Name
    action_id: Name
    reward_minor: Minor
    currency: Currency
    forecast_minor: Minor | None = None
    matured_at: Instant | None = None


class PolicyUpdated(Contract):
    """Decisions are made by another version of a policy from now on."""

    policy: Name
    version: Name
    previous: Name | None = None
    digest: Digest | None = None
    loosens: bool = False
    updated_by: Name | None = None


class ForecastSettled(Contract):
    """What was forecast stands beside what happened."""

    forecast_id: str
    action_id: str
    quantity: str
    low: int
    mid: int
    high: int
    actual: int
    baseline: int | None = None


class InvariantViolated(Contract):
    """A rule that must always hold did not, in the facts themselves."""

    invariant: Name
    reason: Note
    action_id: Name | None = None
    subject: Name | None = None
    counterexample: JsonObject | None = None


class GoalCompiled(Contract):
    """A goal in words became tasks, limits and a predicate that says when it is done."""

    goal_id: Name
    digest: Digest
    tasks: NonNegative
    version: NonNegative = 1


class RolloutPromoted(Contract):
    """A change proved itself and reaches more of the business."""

    rollout_id: Name
    stage: Literal["shadow", "canary", "live"]
    previous_stage: Literal["shadow", "canary", "live"] | None = None
    share: Ratio | None = None
    reason: Note | None = None


class RolloutRolledBack(Contract):
    """A change is taken back."""

    rollout_id: Name
    reason: Note
    stage: Literal["shadow", "canary", "live"] = "shadow"
    previous_stage: Literal["shadow", "canary", "live"] | None = None


class KillSwitchThrown(Contract):
    """Nothing inside a scope is sent any more, or may be again: `on` means stopped."""

    scope: Name
    on: bool
    by: Name
    reason: Note
    in_flight: NonNegative | None = None


class AttackEscaped(Contract):
    """A simulated attack got past the rules."""

    attack_id: Name
    family: Name
    currency: Currency
    loss_minor: NonNegative
    digest: Digest | None = None
    budget: NonNegative | None = None


class HardeningProposed(Contract):
    """A tighter rule would have stopped an attack."""

    hardening_id: Name
    attack_id: Name
    rule: Name
    change: JsonObject
    residual_loss_minor: NonNegative | None = None
    false_positive_minor: NonNegative | None = None


class AgentQuarantined(Contract):
    """An agent may propose nothing until a person lets it back."""

    agent: Name
    reason: Note
    quarantined_by: Name | None = None
    until: Instant | None = None


class LedgerTransferPosted(Contract):
    """One batch of transfers: how many, from which events, and the digest of all of them in order. `batch_id` is
    absent in what was posted before batches had numbers.
    """

    transfers: int
    first_source: str
    last_source: str
    digest: Digest
    batch_id: NonNegative | None = None
    rows: NonNegative | None = None
    recorded_at: Instant | None = None


class LedgerChanged(Contract):
    """One batch of anything else in the books, with the digest of its rows."""

    what: Literal["accounts", "account", "holds", "finishes", "releases", "period", "rate"]
    batch_id: NonNegative
    rows: NonNegative
    recorded_at: Instant
    digest: Digest


OPERATIONS = (
    SnapshotTaken,
    ActionProposed,
    ActionRefused,
    ActionHeld,
    ActionApproved,
    ActionRejected,
    ActionShadowed,
    ActionExecuted,
    ActionFailed,
    ActionUnknown,
    ActionSettled,
    ActionCancelled,
    ActionExpired,
    ActionCompensated,
    DecisionMade,
    RewardMatured,
    PolicyUpdated,
    ForecastSettled,
    InvariantViolated,
    GoalCompiled,
    RolloutPromoted,
    RolloutRolledBack,
    KillSwitchThrown,
    AttackEscaped,
    HardeningProposed,
    AgentQuarantined,
    LedgerTransferPosted,
    LedgerChanged,
)
