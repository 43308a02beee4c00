"""The spine of kinds that take effect: certificates sought while nobody waits, checked again on what is locked.

One short transaction locks what the rules read, rebuilds each obligation from catalog and locked facts, checks a
certificate on it, acts, and writes everything down; all of it or nothing. Those who come at once go through together.
Time is the gate's, not the proposer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from steward.contracts.action import ActionProposal, Executed, Held, Refused, RiskLevel
from steward.contracts.decision import Decision
from steward.contracts.proof import Verdict
from steward.contracts.snapshot import Snapshot
from steward.control.telling import Anchors, Ended, told
from steward.control.turnstile import Turnstile
from steward.events import EventLog
from steward.gateway import LiveGate, Room, Violations
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Conflict
from steward.kernel.instants import floor_hour
from steward.policy import Policy
from steward.state import State
from steward.verifier import ProofLog

REPROVE_SECONDS = 0.2
TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of a proposal; `is_new` is false where its key had been acted on before."""

    action_id: str
    outcome: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Decided:
    """How one ended, and what it was decided on; nothing where it was refused before any rule was read."""

    ended: Ended
    evidence: tuple[Verdict, Decision] | None = None


class LiveLine:
    """Takes proposals of live kinds through the gate."""

    def __init__(
        self,
        database: Database,
        events: EventLog,
        state: State,
        proofs: ProofLog,
        policy: Policy,
        gate: LiveGate,
        violations: Violations,
    ) -> None:
        self._db = database
        self._events = events
        self._state = state
        self._proofs = proofs
        self._policy = policy
        self._gate = gate
        self._violations = violations
        self._turnstile: Turnstile[ActionProposal, Acted] = Turnstile(self.together, TOGETHER)
        self._hour: Snapshot | None = None

    def takes(self, kind: str) -> bool:
        """Whether actions of this kind take effect."""
        return self._gate.takes(kind)

    def act(self, proposal: ActionProposal) -> Acted:
        """One proposal, with whoever else waits. Inside somebody's transaction it goes alone."""
        if self._db.is_in_transaction:
            return self.together([proposal])[0]
        return self._turnstile.through(proposal)

    def recheck(self, proposal: ActionProposal) -> str:
        """Why an action that people agreed to may not take effect by now, its rules asked anew on what stands in the
        books; nothing where it may. Certificates are sought here, with nothing locked.
        """
        self._gate.acquaint([proposal])
        room = self._gate.room([proposal], proposal.at, lock=False)
        self._gate.draft(proposal, self._gate.facts(proposal, room), proposal.at, None)
        return self._against(proposal, room)

    def take_effect(self, proposal: ActionProposal) -> tuple[str, str]:
        """What people agreed to, in the caller's transaction: checked once more on what is locked, then held. Why not,
        and the key of the hold.
        """
        room = self._gate.room([proposal], proposal.at, lock=True)
        why = self._against(proposal, room, is_locked=True)
        done = None if why else self._gate.take_effect(proposal, room)
        if isinstance(done, Executed):
            return "", done.hold
        return (f"{done.code}: {done.reason}" if done else why), ""

    def _against(self, proposal: ActionProposal, room: Room, *, is_locked: bool = False) -> str:
        """What stands against an action that people agreed to; a rule that asks for them stands no more."""
        verdict = self._gate.barred(proposal, room) or self._gate.recheck(proposal, room)
        if isinstance(verdict, Refused):
            return f"{verdict.code}: {verdict.reason}"
        open_rules = [finding.id for finding in verdict.findings if finding.status == "unproved"]
        if open_rules and is_locked:
            raise Conflict("what stands in the books moved since it was proved", where=proposal.key, fix="ask again")
        if open_rules:
            return f"not proved on what stands in the books now: {', '.join(open_rules)}"
        if verdict.verdict == "DENY":
            return "; ".join(reason.detail for reason in (*verdict.determining, *verdict.errored)) or "DENY"
        return ""

    def together(self, proposals: Sequence[ActionProposal]) -> list[Acted]:
        """Each in its order, in one transaction. What no certificate at hand proves is left out of it, gets one brief
        try of the prover on the facts that were locked, and goes through once more; unproved then, it is stale and a
        person decides.
        """
        now = self._gate.now()
        snapshot = self._snapshot(now)
        self._gate.acquaint(proposals)
        first = list({proposal.key: proposal for proposal in reversed(proposals)}.values())[::-1]
        for proposal in first:
            if not self._gate.has_trees(proposal.kind):
                room = self._gate.room([proposal], now, lock=False)
                self._gate.draft(proposal, self._gate.facts(proposal, room), now, None)
        acted, waiting = self._once(first, snapshot, now, is_last=False)
        for proposal, facts in waiting:
            self._gate.draft(proposal, facts, now, REPROVE_SECONDS)
        if waiting:
            acted |= self._once([proposal for proposal, _ in waiting], snapshot, now, is_last=True)[0]
        return [
            acted[proposal.key] if any(proposal is one for one in first) else replace(acted[proposal.key], is_new=False)
            for proposal in proposals
        ]

    def _once(
        self, proposals: Sequence[ActionProposal], snapshot: Snapshot, now: datetime, *, is_last: bool
    ) -> tuple[dict[str, Acted], list[tuple[ActionProposal, JsonObject]]]:
        """One transaction: what became of each by key, and those without a proof, with the facts to prove them on."""
        acted: dict[str, Acted] = {}
        waiting: list[tuple[ActionProposal, JsonObject]] = []
        decided: list[_Decided] = []
        with self._db.transaction():
            room = self._gate.room(proposals, now, lock=True)
            for proposal in proposals:
                known = room.known.get(proposal.key)
                if known is not None:
                    acted[proposal.key] = Acted(known.id, known.outcome, is_new=False)
                    continue
                found = self._decide(proposal, room, snapshot, is_last=is_last)
                if found is None:
                    waiting.append((proposal, self._gate.facts(proposal, room)))
                    continue
                decided.append(found)
                acted[proposal.key] = Acted(proposal.id, found.ended.outcome.outcome, is_new=True)
            if decided:
                self._record(decided, room)
        return acted, waiting

    def _decide(self, proposal: ActionProposal, room: Room, snapshot: Snapshot, *, is_last: bool) -> _Decided | None:
        """One proposal on what the room holds for it; None where nothing at hand proves or refutes a rule."""
        verdict = self._gate.barred(proposal, room) or self._gate.recheck(proposal, room)
        if isinstance(verdict, Refused):
            amount, risk = self._gate.risk(proposal)
            return _Decided(Ended(proposal, snapshot.id, verdict, risk, amount))
        is_open = any(finding.status == "unproved" for finding in verdict.findings)
        if is_open and not is_last:
            return None
        decision = self._policy.decide(proposal, self._policy.options(proposal), verdict, [], snapshot)
        outcome, risk, amount = self._gate.bind(proposal, decision, verdict, room, is_stale=is_open)
        return _Decided(Ended(proposal, snapshot.id, outcome, risk, amount), (verdict, decision))

    def _record(self, decided: Sequence[_Decided], room: Room) -> None:
        """Effects, evidence, decisions, actions and the facts of them for the log, in the room's transaction."""
        ended = [one.ended for one in decided]
        self._gate.hold(room)
        held: list[tuple[ActionProposal, Held, RiskLevel]] = [
            (one.proposal, one.outcome, one.risk) for one in ended if isinstance(one.outcome, Held)
        ]
        if held:
            self._gate.ask(held, room.now)
        evidence = [(one.ended.proposal.id, *one.evidence) for one in decided if one.evidence is not None]
        with self._db.together():  # none of these needs an answer of another
            self._gate.finish(room, [(e.proposal, e.snapshot_id, e.outcome, e.risk, e.amount_minor) for e in ended])
            bundles = self._proofs.record_all([(name, verdict) for name, verdict, _ in evidence])
            digests = self._policy.record_all([decision for _, _, decision in evidence])
        anchors = {
            name: Anchors(verdict.verdict, decision, digest, bundle)
            for (name, verdict, decision), digest, bundle in zip(evidence, digests, bundles, strict=True)
        }
        denied = [(one.ended.proposal, one.evidence[0]) for one in decided if one.evidence is not None]
        self._violations.refused(denied, room.now)
        self._events.put([fact for one in ended for fact in told(one, anchors.get(one.proposal.id), room.now)])

    def _snapshot(self, now: datetime) -> Snapshot:
        """The hour's snapshot; taken before anything is locked, and kept."""
        hour = floor_hour(now)
        if self._hour is None or self._hour.as_of != hour:
            self._hour = self._state.snapshot(hour)
        return self._hour
