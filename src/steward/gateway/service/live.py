"""The gate of kinds that take effect: what is locked, what is proved on it, and what is written, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Executed, Held, Outcome, Refused, RiskLevel
from steward.contracts.decision import Decision
from steward.contracts.kind import ActionKind
from steward.contracts.proof import Checked, Verdict
from steward.gateway.service.gateway import Gateway
from steward.gateway.service.seat import Room, Seats
from steward.gateway.service.violations import quarantined
from steward.gateway.store import ActionStore, Row
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant
from steward.ledger import Ledger
from steward.verifier import Verifier, certificate_trees

PROVE_SECONDS = 10.0
NOTHING_IN_FORCE = "none"
Recorded = tuple[ActionProposal, str, Outcome, RiskLevel, int | None]


class LiveGate:
    """Certificates are found by `draft`, with no lock held; `recheck` and `bind` believe only the checker, on facts of
    the room. Safe to share between threads.
    """

    def __init__(
        self, database: Database, clock: Clock, catalog: Catalog, verifier: Verifier, ledger: Ledger, gateway: Gateway
    ) -> None:
        self._db = database
        self._clock = clock
        self._verifier = verifier
        self._gateway = gateway
        self._ledger = ledger
        self._kinds = {kind.kind: kind for kind in catalog.kinds if kind.stage == "live" and kind.hold is not None}
        self._store = ActionStore()
        self._seats = Seats(database, catalog, ledger, self._store)
        self._trees: dict[str, dict[str, Any]] = {}

    def takes(self, kind: str) -> bool:
        """Whether actions of this kind take effect."""
        return kind in self._kinds

    def now(self) -> datetime:
        return self._clock.now()

    def room(self, proposals: Sequence[ActionProposal], now: datetime, *, lock: bool) -> Room:
        """What these actions' rules read, as it stands; locked to the end of the caller's transaction where `lock`."""
        return self._seats.room(proposals, now, lock=lock)

    def acquaint(self, proposals: Sequence[ActionProposal]) -> None:
        """Look up what these name ahead of the transaction that locks it: a shorter one then."""
        self._seats.acquaint(proposals)

    def facts(self, proposal: ActionProposal, room: Room) -> JsonObject:
        return room.facts(proposal, self._kind(proposal))

    def has_trees(self, kind: str) -> bool:
        """Whether something was proved for this kind that may fit again."""
        return kind in self._trees

    def draft(self, proposal: ActionProposal, facts: JsonObject, now: datetime, seconds: float | None) -> None:
        """Look for certificates: what proved this kind's rules before, then the prover, for at most `seconds` if given.
        What is found is a suggestion for `recheck`, kept by rule.
        """
        trees = self._trees.get(proposal.kind, {})
        box = PROVE_SECONDS if seconds is None else seconds
        found = self._verifier.recertify(proposal.document(), facts, format_instant(now), trees, box)
        self._trees[proposal.kind] = {**trees, **certificate_trees(found.bundle)}

    def barred(self, proposal: ActionProposal, room: Room) -> Refused | None:
        """Why an action is refused before any rule is read: nothing is proved for it."""
        late = self._gateway.barred(proposal, room.catalog or NOTHING_IN_FORCE)
        if late is not None:
            return late
        if room.stopped:
            off = sorted(room.stopped & self._gateway.scopes(proposal))
            if off:
                return Refused(code="stopped", reason=f"the kill switch {off[0]} is on")
        reason = room.quarantined.get(proposal.principal.id)
        return None if reason is None else quarantined(reason)

    def recheck(self, proposal: ActionProposal, room: Room) -> Verdict | Refused:
        """The verdict on what the room holds, without the prover: obligations rebuilt from catalog and facts, known
        certificate trees fitted to them, the checker's word on each. A check that fails denies.
        """
        trees = self._trees.get(proposal.kind, {})
        facts = self.facts(proposal, room)
        try:
            return self._verifier.recertify(proposal.document(), facts, format_instant(room.now), trees)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing passes, and the reason is on record
            return Refused(code="checker_failed", reason=f"the check failed: {type(error).__name__}")

    def risk(self, proposal: ActionProposal) -> tuple[int | None, RiskLevel]:
        return self._gateway.risk(proposal, self._kind(proposal))

    def bind(
        self, proposal: ActionProposal, decision: Decision, verdict: Verdict, room: Room, *, is_stale: bool
    ) -> tuple[Outcome, RiskLevel, int | None]:
        """Admit on a verdict made in the room, and take effect in it. No one's evidence is believed here: `recheck`
        made it from the catalog and what is locked.
        """
        kind = self._kind(proposal)
        amount, level = self.risk(proposal)
        checked = Checked(valid=True)
        outcome = self._gateway.admit(proposal, kind, decision, verdict, checked, level, room.now, is_bound=True)
        if isinstance(outcome, Held) and is_stale:
            reason = f"stale: the facts moved before a proof was found; {outcome.reason}"
            outcome = outcome.model_copy(update={"code": "stale", "reason": reason})
        if isinstance(outcome, Executed):
            outcome = room.act(proposal, kind, outcome.request)
        return outcome, level, amount

    def hold(self, room: Room) -> None:
        """Have the books hold what was admitted, in the caller's transaction."""
        self._seats.hold(room)

    def finish(self, room: Room, recorded: Sequence[Recorded]) -> None:
        """Write what the room counted and the actions, in the caller's transaction, after `hold`; nothing is read."""
        with self._db.transaction() as connection:
            self._seats.count(connection, room)
            self._store.add_all(connection, recorded)

    def ask(self, held: Sequence[tuple[ActionProposal, Held, RiskLevel]], now: datetime) -> None:
        """Have people asked for what a person must decide, in the caller's transaction."""
        for proposal, outcome, level in held:
            self._gateway.ask(proposal, self._kind(proposal), outcome, level, now)

    def take_effect(self, proposal: ActionProposal, room: Room) -> Executed | Refused:
        """What people agreed to: held and counted to the day, in the caller's transaction, under the room's locks."""
        kind = self._kind(proposal)
        outcome = room.act(proposal, kind, self._gateway.request(proposal, kind))
        if isinstance(outcome, Executed):
            with self._db.transaction() as connection:
                self._seats.hold(room)
                self._seats.count(connection, room)
        return outcome

    def overdrawn(self) -> list[Row]:
        """Budgets of which more is set aside than was granted: the state rule behind the rule on reservations."""
        return [row for row in self._ledger.budgets() if row["free_minor"] < 0]

    def _kind(self, proposal: ActionProposal) -> ActionKind:
        return self._kinds[proposal.kind]
