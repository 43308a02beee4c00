"""THE SPINE: snapshot -> options -> forecast -> certify -> decide -> execute -> record.

Predict, prove, then choose: forecasts feed the obligations, and the policy draws only among proven options, so the
logged propensity is a probability over actions that could really have happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Held, Outcome, Refused, RiskLevel
from steward.contracts.base import Json
from steward.contracts.decision import Decision
from steward.contracts.event import Envelope
from steward.contracts.forecast import Forecast
from steward.contracts.proof import Verdict
from steward.contracts.snapshot import Snapshot
from steward.events import EventLog
from steward.gateway import Gateway
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject, digest_hex
from steward.kernel.instants import floor_hour, format_instant
from steward.policy import Policy
from steward.state import State
from steward.verifier import ProofLog, Verifier
from steward.world_model import WorldModel

_SOURCE = "steward/control"


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a proposal; `is_new` is false where its key had been acted on before."""

    action_id: str
    outcome: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Control:
    """The doors the spine passes, wired once in bootstrap.py."""

    database: Database
    catalog: Catalog
    events: EventLog
    state: State
    world_model: WorldModel
    verifier: Verifier
    proofs: ProofLog
    policy: Policy
    gateway: Gateway

    def act(self, proposal: ActionProposal) -> Acted:
        """Take one proposal down the whole line, in one transaction, once."""
        with self.database.transaction():
            self.gateway.take_turn(proposal.kind)
            known = self.gateway.known(proposal.key)
            if known is not None:
                return Acted(known.id, known.outcome, is_new=False)

            snapshot = self.state.snapshot(floor_hour(proposal.at))
            options = self.policy.options(proposal)
            # What is malformed has no facts; the verifier denies it and says why.
            readable = self.verifier.is_well_formed(proposal.document())
            forecasts = self.world_model.forecast(proposal, options, snapshot) if readable else []
            facts = self._facts(proposal, snapshot, forecasts) if readable else {}
            verdict = self.verifier.certify(proposal.document(), facts, format_instant(proposal.at))
            decision = self.policy.decide(proposal, options, verdict, forecasts, snapshot)
            outcome, risk, amount = self.gateway.execute(proposal, decision, verdict, facts, snapshot)
            fact = outcome_fact(proposal.id, outcome, risk, amount)
            self._record(proposal, snapshot, forecasts, verdict, decision, fact)
        return Acted(proposal.id, outcome.outcome, is_new=True)

    def _facts(self, proposal: ActionProposal, snapshot: Snapshot, forecasts: list[Forecast]) -> JsonObject:
        """The facts the kind's rules read, each asked of the door that owns it. What an owner cannot say is left
        out, and a rule that needs it escalates.
        """
        kind = self.catalog.kind(proposal.kind)
        facts: dict[str, Json] = {}
        for name, owner in (kind.facts if kind else {}).items():
            if owner == "state":
                value = self.state.fact(name, proposal.params, proposal.evidence, proposal.at, snapshot)
            elif owner == "gateway":
                value = self.gateway.fact(name, snapshot)
            else:
                value = self.world_model.fact(name, proposal.params, proposal.at, forecasts)
            if value is not None:
                facts[name] = value
        return facts

    def _record(
        self,
        proposal: ActionProposal,
        snapshot: Snapshot,
        forecasts: list[Forecast],
        verdict: Verdict,
        decision: Decision,
        outcome: tuple[str, JsonObject],
    ) -> None:
        """Write everything down, and leave the facts of it for the log."""
        self.world_model.record(proposal.id, forecasts)
        bundle_digest = self.proofs.record(proposal.id, verdict)
        decision_digest = self.policy.record(decision)
        proposed: JsonObject = {
            "action_id": proposal.id,
            "kind": proposal.kind,
            "params": proposal.params,
            "proposer": proposal.principal.id,
            "snapshot_id": snapshot.id,
        }
        decided: JsonObject = {
            "decision_id": decision.id,
            "action_id": proposal.id,
            "chosen": decision.chosen,
            "propensity": decision.propensity,
            "verdict": verdict.verdict,
            "decision_digest": decision_digest,
            "bundle_digest": bundle_digest,
        }
        story = [
            ("ActionProposed", proposed),
            ("DecisionMade", decided),
            outcome,
        ]
        envelopes: list[Envelope] = []
        for event_type, data in story:
            envelopes.append(
                Envelope(
                    id=f"{event_type}:{proposal.key}",
                    source=_SOURCE,
                    type=event_type,
                    subject=f"action/{proposal.id}",
                    time=proposal.at,
                    correlationid=proposal.id,
                    causationid=envelopes[-1].id if envelopes else None,
                    data=data,
                )
            )
        self.events.put(envelopes)


def outcome_fact(action_id: str, outcome: Outcome, risk: RiskLevel, amount_minor: int | None) -> tuple[str, JsonObject]:
    """The event that says how an action ended, from its outcome."""
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
    return "ActionShadowed", {
        **common,
        "verb": outcome.verb,
        "request_digest": digest_hex(outcome.request),
    }
