"""THE SPINE: snapshot -> options -> forecast -> certify -> decide -> execute -> record.

Predict, prove, then choose: forecasts feed the obligations, and the policy draws only among proven options, so the
logged propensity is a probability over actions that could really have happened.
"""

from __future__ import annotations

from dataclasses import dataclass

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Refused
from steward.contracts.base import Json
from steward.contracts.decision import Decision
from steward.contracts.forecast import Forecast
from steward.contracts.proof import Verdict
from steward.contracts.snapshot import Snapshot
from steward.control.live import Acted, LiveLine
from steward.control.telling import Anchors, Ended, told
from steward.events import EventLog
from steward.gateway import Effects, Gateway, Violations
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import floor_hour, format_instant
from steward.ledger import MoneyFacts
from steward.policy import Policy
from steward.reconciliation import Settled
from steward.state import State
from steward.verifier import ProofLog, Verifier
from steward.world_model import WorldModel


@dataclass(frozen=True, slots=True)
class Control:
    """The doors the spine passes, wired once in bootstrap.py."""

    database: Database
    catalog: Catalog
    events: EventLog
    state: State
    money: MoneyFacts
    settled: Settled
    world_model: WorldModel
    verifier: Verifier
    proofs: ProofLog
    policy: Policy
    gateway: Gateway
    live: LiveLine
    violations: Violations
    effects: Effects

    def act(self, proposal: ActionProposal) -> Acted:
        """Take one proposal down the whole line, in one transaction, once."""
        if self.live.takes(proposal.kind):
            return self.live.act(proposal)
        with self.database.transaction():
            self.gateway.take_turn(proposal.kind)
            known = self.gateway.known(proposal.key)
            if known is not None:
                return Acted(known.id, known.outcome, is_new=False)

            snapshot = self.state.snapshot(floor_hour(proposal.at))
            barred = self.gateway.barred(proposal) or self.violations.barred(proposal.principal.id)
            if barred is not None:
                return self._bar(proposal, snapshot, barred)
            options = self.policy.options(proposal)
            # What is malformed has no facts; the verifier denies it and says why.
            readable = self.verifier.is_well_formed(proposal.document())
            forecasts = self.world_model.forecast(proposal, options, snapshot) if readable else []
            facts = self._facts(proposal, snapshot, forecasts) if readable else {}
            verdict = self.verifier.certify(proposal.document(), facts, format_instant(proposal.at))
            decision = self.policy.decide(proposal, options, verdict, forecasts, snapshot)
            outcome, risk, amount = self.gateway.execute(proposal, decision, verdict, facts, snapshot)
            ended = Ended(proposal, snapshot.id, outcome, risk, amount)
            self._record(ended, forecasts, verdict, decision)
        return Acted(proposal.id, outcome.outcome, is_new=True)

    def _bar(self, proposal: ActionProposal, snapshot: Snapshot, barred: Refused) -> Acted:
        """Refused before any rule is read: nothing is predicted, proved or decided, and it is on record."""
        risk, amount = self.gateway.refuse(proposal, barred, snapshot)
        self.events.put(told(Ended(proposal, snapshot.id, barred, risk, amount), None, proposal.at))
        return Acted(proposal.id, barred.outcome, is_new=True)

    def recheck(self, action_id: str) -> str:
        """Why an action that was let through, or that people agreed to, may not go out by now: the rules are asked
        again on facts as of now, in which it does not count against itself. Nothing where it may. What only a person
        may decide was decided when people agreed.
        """
        found = self.gateway.action(action_id)
        if found is None:
            return "there is no such action"
        now = self.gateway.now()
        proposal = ActionProposal.model_validate(found.proposal).model_copy(update={"at": now})
        if self.live.takes(proposal.kind):
            return self.live.recheck(proposal)
        with self.database.transaction():
            self.gateway.take_turn(proposal.kind)
            barred = self.gateway.barred(proposal) or self.violations.barred(proposal.principal.id)
            if barred is not None:
                return f"{barred.code}: {barred.reason}"
            snapshot = self.state.snapshot(floor_hour(now))
            forecasts = self.world_model.forecast(proposal, self.policy.options(proposal), snapshot)
            facts = self._facts(proposal, snapshot, forecasts, action_id)
            verdict = self.verifier.certify(proposal.document(), facts, format_instant(now))
        if verdict.verdict == "ALLOW" or (verdict.verdict == "ESCALATE" and found.outcome == "held"):
            return ""
        return "; ".join(reason.detail for reason in (*verdict.determining, *verdict.errored)) or verdict.verdict

    def take_effect(self, action_id: str) -> tuple[str, str]:
        """What people agreed to and takes effect in our own books, in the caller's transaction: why not, and the key of
        the hold. An entry of a register is the fact of it in the log: its rules are asked once more while nobody else
        of its kind, or of one that shares a fact with it, may move.
        """
        found = self.gateway.action(action_id)
        if found is None:
            return "there is no such action", ""
        kind = self.catalog.kind(found.kind)
        if kind is not None and kind.registry:
            return self.recheck(action_id), kind.registry
        proposal = ActionProposal.model_validate(found.proposal)
        return self.live.take_effect(proposal.model_copy(update={"at": self.gateway.now()}))

    def _facts(
        self, proposal: ActionProposal, snapshot: Snapshot, forecasts: list[Forecast], but: str | None = None
    ) -> JsonObject:
        """The facts the kind's rules read, each asked of the door that owns it. What an owner cannot say is left
        out, and a rule that needs it escalates.
        """
        kind = self.catalog.kind(proposal.kind)
        facts: dict[str, Json] = {}
        for name, owner in (kind.facts if kind else {}).items():
            value = self._fact(owner, name, proposal, snapshot, forecasts, but)
            if value is not None:
                facts[name] = value
        return facts

    def _fact(
        self,
        owner: str,
        name: str,
        proposal: ActionProposal,
        snapshot: Snapshot,
        forecasts: list[Forecast],
        but: str | None,
    ) -> Json:
        """One fact from its owner's door; None where the owner cannot say."""
        params, at = proposal.params, proposal.at
        if owner == "state":
            return self.state.fact(name, params, proposal.evidence, at, snapshot)
        if owner == "gateway":
            return self.gateway.fact(name, params, at, snapshot, but)
        if owner == "ledger":
            return self.money.fact(name, params, at)
        if owner == "reconciliation":
            return self.settled.fact(name, params)
        return self.world_model.fact(name, params, at, forecasts)

    def _record(self, ended: Ended, forecasts: list[Forecast], verdict: Verdict, decision: Decision) -> None:
        """Write everything down, and leave the facts of it for the log."""
        proposal = ended.proposal
        self.world_model.record(proposal.id, forecasts)
        bundle_digest = self.proofs.record(proposal.id, verdict)
        decision_digest = self.policy.record(decision)
        anchors = Anchors(verdict.verdict, decision, decision_digest, bundle_digest)
        self.events.put(told(ended, anchors, proposal.at))
        self.violations.refused([(proposal, verdict)], self.gateway.now())
