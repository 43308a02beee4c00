"""Admit an action, build its exact request, record the outcome. In shadow nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Outcome, Refused, RiskLevel, Shadowed
from steward.contracts.base import Json
from steward.contracts.decision import Decision
from steward.contracts.proof import Checked, Verdict
from steward.contracts.snapshot import Snapshot
from steward.contracts.tool import ActionKind, RiskPolicy, VerbSpec
from steward.gateway.core.admit import Admission, admit, risk_of
from steward.gateway.core.request import build_request
from steward.gateway.store import ActionStore, Row
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import DAY, floor_day
from steward.state import State
from steward.verifier import Verifier

_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """An action as stored."""

    id: str
    key: str
    kind: str
    at: datetime
    proposer: str
    snapshot_id: str
    proposal: JsonObject
    outcome: str
    risk: str
    amount_minor: int | None
    result: JsonObject


class Gateway:
    """One gate; every action of every kind passes `execute`."""

    def __init__(self, database: Database, catalog: Catalog, state: State, verifier: Verifier) -> None:
        self._db = database
        self._state = state
        self._catalog = catalog
        self._verifier = verifier
        self._currency = catalog.history.currency
        self._risk: dict[RiskLevel, RiskPolicy] = {policy.level: policy for policy in catalog.risk}
        self._verbs: dict[str, VerbSpec] = {
            f"{tool.tool}.{verb.verb}": verb for tool in catalog.tools for verb in tool.verbs
        }
        self._codes = verifier.refusal_codes()
        self._store = ActionStore()

    def take_turn(self, kind: str) -> None:
        """Wait until no other action of this kind is between its facts and its outcome; held to the end of the
        caller's transaction.
        """
        with self._db.transaction() as connection:
            self._store.take_turn(connection, kind)

    def execute(
        self, proposal: ActionProposal, decision: Decision, verdict: Verdict, facts: JsonObject, snapshot: Snapshot
    ) -> tuple[Outcome, RiskLevel, int | None]:
        """Admit and record, in the caller's transaction: the outcome, its risk, and the amount the risk was read
        from. The evidence is rebuilt from `facts`, as read under this kind's turn, and re-checked here, whoever made
        it.
        """
        kind = self._catalog.kind(proposal.kind)
        amount = _amount(kind, proposal.params)
        level = self._level(kind, amount)
        checked = self._evidence(proposal, verdict, facts)
        outcome = self._admit(proposal, kind, decision, verdict, checked, level)
        with self._db.transaction() as connection:
            self._store.add(connection, proposal, snapshot.id, outcome, level, amount)
        return outcome, level, amount

    def _evidence(self, proposal: ActionProposal, verdict: Verdict, facts: JsonObject) -> Checked:
        """Whether the bundle is of this action and this verdict, and is what the catalog demands on these facts."""
        bundle = verdict.bundle
        if bundle.get("action") != proposal.document():
            return Checked(valid=False, reason="the evidence is of another action")
        if bundle.get("verdict") != verdict.verdict:
            return Checked(valid=False, reason="the evidence has another verdict")
        return self._verifier.rebuild(bundle, facts)

    def _admit(
        self,
        proposal: ActionProposal,
        kind: ActionKind | None,
        decision: Decision,
        verdict: Verdict,
        checked: Checked,
        level: RiskLevel,
    ) -> Outcome:
        request: JsonObject = {}
        verb = kind.verb if kind else ""
        if kind is not None and verdict.verdict == "ALLOW":
            try:
                request = build_request(self._verbs[verb], proposal.params, proposal.key)
            except BadInput as error:
                return Refused(code="malformed_request", reason=str(error))
        outcome = admit(
            Admission(
                verdict=verdict,
                checked=checked,
                chose_nothing=decision.chosen == _NOTHING,
                risk=self._risk[level],
                verb=verb,
                request=request,
                refusal_codes=self._codes,
                at=proposal.at,
            )
        )
        if isinstance(outcome, Shadowed) and (kind is None or kind.stage != "shadow"):
            return Refused(code="unknown_stage", reason="no stage allows this kind")
        return outcome

    def _level(self, kind: ActionKind | None, amount_minor: int | None) -> RiskLevel:
        if kind is None:
            return "L3"
        limits: dict[str, Any] = self._catalog.limit_facts()
        steps = {step.amount_above: limits[step.amount_above]["amount_minor"] for step in kind.risk_steps}
        return risk_of(kind, amount_minor, steps)

    def fact(self, name: str, snapshot: Snapshot) -> Json:
        """What the gate itself knows: the day's amounts that were let through or wait and that the snapshot has not
        seen happen. Any of them may still happen, whatever the order they were asked for in.
        """
        if name == "refunds.in_flight":
            day = floor_day(snapshot.as_of)
            with self._db.transaction() as connection:
                rows = self._store.in_flight(connection, "refund.issue", day, day + DAY)
            happened = self._state.refunded_before([row["params"]["refund_id"] for row in rows], snapshot.as_of)
            amounts = [row["amount_minor"] for row in rows if row["params"]["refund_id"] not in happened]
            return {"any_subset_of": [{"amount_minor": a, "currency": self._currency} for a in amounts]}
        raise KeyError(f"the gateway offers no fact {name!r}")

    def known(self, key: str) -> ActionRecord | None:
        """The action a key already names."""
        with self._db.transaction() as connection:
            row = self._store.by_key(connection, key)
        return _record(row) if row else None

    def action(self, action_id: str) -> ActionRecord | None:
        try:
            uuid = UUID(action_id.removeprefix("act_"))
        except ValueError:
            return None
        with self._db.transaction() as connection:
            row = self._store.by_id(connection, uuid)
        return _record(row) if row else None

    def actions(
        self, kind: str | None = None, outcome: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[ActionRecord]:
        """Newest first."""
        with self._db.transaction() as connection:
            return [_record(row) for row in self._store.listed(connection, kind, outcome, limit, offset)]

    def counts(self) -> list[Row]:
        """Actions and their amounts by kind and outcome."""
        with self._db.transaction() as connection:
            return self._store.counts(connection)

    def refusal_codes(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.refusal_codes(connection)


def _amount(kind: ActionKind | None, params: JsonObject) -> int | None:
    if kind is None or kind.amount is None:
        return None
    value: object = params.get(kind.amount)
    amount = cast("JsonObject", value).get("amount_minor") if isinstance(value, dict) else None
    return amount if type(amount) is int else None


def _record(row: Row) -> ActionRecord:
    return ActionRecord(
        id=f"act_{row['action_id'].hex}",
        key=row["idempotency_key"],
        kind=row["kind"],
        at=row["proposed_at"],
        proposer=row["proposer"],
        snapshot_id=f"snp_{row['snapshot_id'].hex}",
        proposal=row["proposal"],
        outcome=row["outcome"],
        risk=row["risk"],
        amount_minor=row["amount_minor"],
        result=row["result"],
    )
