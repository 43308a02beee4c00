"""Admit an action, build its exact request, record the outcome. In shadow nothing is sent; a live kind takes effect in
the transaction that checked its evidence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Held, Outcome, Receipt, Refused, RiskLevel
from steward.contracts.base import Json
from steward.contracts.decision import Decision
from steward.contracts.kind import ActionKind, RiskPolicy
from steward.contracts.port import PortVerb
from steward.contracts.proof import Checked, Verdict
from steward.contracts.snapshot import Snapshot
from steward.gateway.core.admit import Admission, admit, risk_of
from steward.gateway.core.flights import FACTS, FLIGHTS, REFUNDS, Flight, turns
from steward.gateway.core.request import build_request
from steward.gateway.service.departures import Departures
from steward.gateway.service.listing import ActionList
from steward.gateway.service.records import ActionRecord, record_of
from steward.gateway.service.seat import amount_of
from steward.gateway.service.versions import Versions
from steward.gateway.store import ActionStore, Row
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import DAY, floor_day, format_instant
from steward.state import State
from steward.verifier import Verifier

_NOTHING = "nothing"


class Gateway:
    """One gate; every action of every kind passes `execute`. `offers` are the facts it answers."""

    offers = FACTS

    def __init__(
        self,
        database: Database,
        clock: Clock,
        catalog: Catalog,
        state: State,
        verifier: Verifier,
        versions: Versions,
        departures: Departures,
    ) -> None:
        self._db = database
        self._clock = clock
        self._versions = versions
        self._departures = departures
        self._state = state
        self._catalog = catalog
        self._verifier = verifier
        self._currency = catalog.history.currency
        self._risk: dict[RiskLevel, RiskPolicy] = {policy.level: policy for policy in catalog.risk}
        self._verbs: dict[str, PortVerb] = {
            f"{port.port}.{verb.verb}": verb for port in catalog.ports for verb in port.verbs
        }
        self._codes = verifier.refusal_codes()
        self._store = ActionStore()
        self.listing = ActionList(database)

    def take_turn(self, kind: str) -> None:
        """Wait until no other action of this kind, or of one that shares a fact of the gate with it, is between its
        facts and its outcome; held to the end of the caller's transaction.
        """
        known = self._catalog.kind(kind)
        with self._db.transaction() as connection:
            for name in turns(kind, known.facts if known else ()):
                self._store.take_turn(connection, name)

    def now(self) -> datetime:
        """The gate's own time, whatever a proposal says."""
        return self._clock.now()

    def barred(self, proposal: ActionProposal, in_force: str | None = None) -> Refused | None:
        """Why a proposal is refused before any rule is read: it comes too late, or another catalog is in force."""
        if proposal.expires_at is None or proposal.expires_at > self._clock.now():
            return self._versions.barred(in_force)
        return Refused(code="expired", reason=f"it was to be done before {format_instant(proposal.expires_at)}")

    def refuse(self, proposal: ActionProposal, refused: Refused, snapshot: Snapshot) -> tuple[RiskLevel, int | None]:
        """Record what is refused before any rule is read, in the caller's transaction."""
        amount, level = self.risk(proposal, self._catalog.kind(proposal.kind))
        with self._db.transaction() as connection:
            self._store.add(connection, proposal, snapshot.id, refused, level, amount)
        return level, amount

    def execute(
        self, proposal: ActionProposal, decision: Decision, verdict: Verdict, facts: JsonObject, snapshot: Snapshot
    ) -> tuple[Outcome, RiskLevel, int | None]:
        """Admit and record, in the caller's transaction: the outcome, its risk, and the amount the risk was read
        from. The evidence is rebuilt from `facts`, as read under this kind's turn, and re-checked here, whoever made
        it.
        """
        kind = self._catalog.kind(proposal.kind)
        amount, level = self.risk(proposal, kind)
        checked = self._evidence(proposal, verdict, facts)
        outcome = self.admit(proposal, kind, decision, verdict, checked, level, proposal.at)
        with self._db.transaction() as connection:
            if kind is not None and isinstance(outcome, Held | Receipt):
                outcome = self._departures.open(connection, proposal, kind, outcome, level, self._clock.now())
            self._store.add(connection, proposal, snapshot.id, outcome, level, amount)
        return outcome, level, amount

    def request(self, proposal: ActionProposal, kind: ActionKind) -> JsonObject:
        """The exact request of an action, by its kind's port. `BadInput` where its parameters do not fit."""
        return build_request(self._verbs[kind.verb], proposal.params, proposal.key)

    def scopes(self, proposal: ActionProposal) -> frozenset[str]:
        """The kill switches that stop such an action where it takes effect in our own books."""
        return self._departures.scopes(proposal, "books")

    def ask(self, proposal: ActionProposal, kind: ActionKind, held: Held, level: RiskLevel, now: datetime) -> None:
        """Have people asked for a held action of a kind that takes effect in our own books."""
        with self._db.transaction() as connection:
            self._departures.ask(connection, proposal, kind, held, level, now)

    def _evidence(self, proposal: ActionProposal, verdict: Verdict, facts: JsonObject) -> Checked:
        """Whether the bundle is of this action and this verdict, and is what the catalog demands on these facts."""
        bundle = verdict.bundle
        if bundle.get("action") != proposal.document():
            return Checked(valid=False, reason="the evidence is of another action")
        if bundle.get("verdict") != verdict.verdict:
            return Checked(valid=False, reason="the evidence has another verdict")
        return self._verifier.rebuild(bundle, facts)

    def admit(
        self,
        proposal: ActionProposal,
        kind: ActionKind | None,
        decision: Decision,
        verdict: Verdict,
        checked: Checked,
        level: RiskLevel,
        at: datetime,
        *,
        is_bound: bool = False,
    ) -> Outcome:
        """The outcome, with the exact request. Only where `is_bound`, under the locks of a room, may a kind be live."""
        request: JsonObject = {}
        verb = kind.verb if kind else ""
        if kind is not None and verdict.verdict == "ALLOW":
            try:
                request = build_request(self._verbs[verb], proposal.params, proposal.key)
            except BadInput as error:
                return Refused(code="malformed_request", reason=str(error))
        return admit(
            Admission(
                verdict=verdict,
                checked=checked,
                chose_nothing=decision.chosen == _NOTHING,
                risk=self._risk[level],
                verb=verb,
                request=request,
                refusal_codes=self._codes,
                at=at,
                stage=kind.stage if kind else "",
                is_internal=is_bound and self._verbs[verb].method == "INTERNAL",
                leaves=not is_bound and kind is not None and self._verbs[verb].method != "INTERNAL",
            )
        )

    def risk(self, proposal: ActionProposal, kind: ActionKind | None) -> tuple[int | None, RiskLevel]:
        """The amount of an action and the level it gives."""
        if kind is None:
            return None, "L3"
        money = amount_of(kind, proposal.params)
        amount_minor = money.amount_minor if money else None
        limits: dict[str, Any] = self._catalog.limit_facts()
        steps = {step.amount_above: limits[step.amount_above]["amount_minor"] for step in kind.risk_steps}
        return amount_minor, risk_of(kind, amount_minor, steps)

    def fact(self, name: str, params: JsonObject, at: datetime, snapshot: Snapshot, but: str | None = None) -> Json:
        """What the gate itself knows: the day's amounts that were let through or wait and that the snapshot has not
        seen happen. Any of them may still happen, whatever the order they were asked for in. `but` is an action that
        is looked at anew: it does not count against itself.
        """
        other = None if but is None else UUID(but.removeprefix("act_"))
        if name in FLIGHTS:
            return self._flight(FLIGHTS[name], params, at, other)
        if name == "refunds.in_flight":
            day = floor_day(snapshot.as_of)
            with self._db.transaction() as connection:
                rows = self._store.in_flight(connection, REFUNDS, day, day + DAY, other)
            happened = self._state.refunded_before([row["params"]["refund_id"] for row in rows], snapshot.as_of)
            amounts = [row["amount_minor"] for row in rows if row["params"]["refund_id"] not in happened]
            return {"any_subset_of": [{"amount_minor": a, "currency": self._currency} for a in amounts]}
        if name in FACTS:  # read under lock, and only for kinds that take effect
            return None
        raise KeyError(f"the gateway offers no fact {name!r}")

    def _flight(self, flight: Flight, params: JsonObject, at: datetime, but: UUID | None) -> Json:
        """What was let through and has not been seen to happen."""
        with self._db.transaction() as connection:
            rows = self._store.let_through(
                connection, flight.kinds, flight.since(at), at, but, is_confirmed_gone=flight.until_settled
            )
        counted = [row for row in rows if flight.covers(params, row)]
        for end in flight.happened:
            ids = [row[end.param] for row in counted if end.param in row]
            done = self._state.happened(end.event, end.field, ids, at) if ids else set[str]()
            counted = [row for row in counted if row.get(end.param) not in done]
        return flight.value(counted, self._currency)

    def known(self, key: str) -> ActionRecord | None:
        """The action a key already names."""
        with self._db.transaction() as connection:
            row = self._store.by_key(connection, key)
        return record_of(row) if row else None

    def action(self, action_id: str) -> ActionRecord | None:
        try:
            uuid = UUID(action_id.removeprefix("act_"))
        except ValueError:
            return None
        with self._db.transaction() as connection:
            row = self._store.by_id(connection, uuid)
        return record_of(row) if row else None

    def actions(
        self, kind: str | None = None, outcome: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[ActionRecord]:
        """Newest first."""
        with self._db.transaction() as connection:
            return [record_of(row) for row in self._store.listed(connection, kind, outcome, limit, offset)]

    def counts(self) -> list[Row]:
        """Actions and their amounts by kind and outcome."""
        with self._db.transaction() as connection:
            return self._store.counts(connection)

    def refusal_codes(self) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.refusal_codes(connection)
