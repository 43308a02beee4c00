"""The facts of an action for the log: what was proposed, what was decided on which evidence, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from steward.contracts.action import ActionProposal, Executed, Held, Outcome, Receipt, Refused, RiskLevel
from steward.contracts.decision import Decision
from steward.contracts.event import Envelope
from steward.kernel.canonical import JsonObject, digest_hex
from steward.kernel.instants import format_instant

_SOURCE = "steward/control"


@dataclass(frozen=True, slots=True)
class Ended:
    """A proposal and how it ended."""

    proposal: ActionProposal
    snapshot_id: str
    outcome: Outcome
    risk: RiskLevel
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class Anchors:
    """What was decided, and the digests that put decision and evidence into the log."""

    verdict: str
    decision: Decision
    decision_digest: str
    bundle_digest: str


def told(ended: Ended, anchors: Anchors | None, at: datetime) -> list[Envelope]:
    """The story in order, each fact caused by the one before. What was refused before any rule was read (`anchors` is
    None) has no decision.
    """
    proposal = ended.proposal
    proposed: JsonObject = {
        "action_id": proposal.id,
        "kind": proposal.kind,
        "params": proposal.params,
        "proposer": proposal.principal.id,
        "snapshot_id": ended.snapshot_id,
    }
    story = [("ActionProposed", proposed)]
    if anchors is not None:
        decision = anchors.decision
        decided: JsonObject = {
            "decision_id": decision.id,
            "action_id": proposal.id,
            "chosen": decision.chosen,
            "propensity": decision.propensity,
            "verdict": anchors.verdict,
            "decision_digest": anchors.decision_digest,
            "bundle_digest": anchors.bundle_digest,
        }
        story.append(("DecisionMade", decided))
    end = outcome_fact(proposal.id, ended.outcome, ended.risk, ended.amount_minor)
    if end is not None:
        story.append(end)
    envelopes: list[Envelope] = []
    for event_type, data in story:
        envelopes.append(
            Envelope(
                id=f"{event_type}:{proposal.key}",
                source=_SOURCE,
                type=event_type,
                subject=f"action/{proposal.id}",
                time=at,
                correlationid=proposal.id,
                causationid=envelopes[-1].id if envelopes else None,
                data=data,
            )
        )
    return envelopes


def outcome_fact(
    action_id: str, outcome: Outcome, risk: RiskLevel, amount_minor: int | None
) -> tuple[str, JsonObject] | None:
    """The event that says how an action ended, from its outcome; none yet of one on its way outside."""
    common = {"action_id": action_id, "risk": risk, "amount_minor": amount_minor}
    if isinstance(outcome, Refused):
        return "ActionRefused", {
            **common,
            "code": outcome.code,
            "reason": outcome.reason,
            "determining": list(outcome.determining),
        }
    if isinstance(outcome, Held):
        return "ActionHeld", {
            **common,
            "approver": outcome.approver,
            "reason": outcome.reason,
            "expires_at": format_instant(outcome.expires_at),
        }
    if isinstance(outcome, Executed):
        return "ActionExecuted", {
            "action_id": action_id,
            "verb": outcome.verb,
            "remote_ref": outcome.hold,
            "request_digest": digest_hex(outcome.request),
        }
    if isinstance(outcome, Receipt):
        return None
    return "ActionShadowed", {
        **common,
        "verb": outcome.verb,
        "request_digest": digest_hex(outcome.request),
    }
