"""Rules that were broken or run into: told once a window, alerted, and whoever repeats is shut out.

Everything here is written in the transaction that refused; telling anybody is the worker's, afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from steward.catalog import Catalog
from steward.contracts.action import ActionProposal, Refused
from steward.contracts.event import Envelope
from steward.contracts.proof import Verdict
from steward.events import EventLog
from steward.gateway.core.breach import Breach, breaches_of, gathered
from steward.gateway.store import AlarmStore, Row
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant

SOURCE = "steward/gateway"


class Violations:
    """`channels` are those that are configured: an alert is left for each of them."""

    def __init__(
        self, database: Database, clock: Clock, events: EventLog, catalog: Catalog, channels: Sequence[str]
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._watched = {kind.kind for kind in catalog.kinds if kind.watch}
        self._window = timedelta(minutes=catalog.limit("violation_window_minutes"))
        self._most: int = catalog.limit("quarantine_after")
        self._channels = channels
        self._store = AlarmStore()

    def barred(self, proposer: str) -> Refused | None:
        """Why a proposer may propose nothing, where that is so."""
        with self._db.transaction() as connection:
            reason = self._store.shut_reason(connection, proposer)
        return None if reason is None else quarantined(reason)

    def refused(self, refusals: Iterable[tuple[ActionProposal, Verdict]], now: datetime) -> None:
        """Actions that rules denied, in the transaction that records them. Kinds that are not watched are left out."""
        watched = [(proposal, verdict) for proposal, verdict in refusals if proposal.kind in self._watched]
        self._note([breach for proposal, verdict in watched for breach in breaches_of(proposal, verdict)], now)

    def found(self, invariant: str, subject: str, reason: str, values: JsonObject) -> None:
        """A rule found broken in the state itself, or a post-condition that failed: nobody proposed it."""
        breach = Breach(invariant=invariant, by=f"found:{subject}", reason=reason, values=values, action_id=None)
        self._note([breach], self._clock.now(), may_shut_out=False)

    def _note(self, breaches: Sequence[Breach], now: datetime, *, may_shut_out: bool = True) -> None:
        if not breaches:
            return
        window = self._window_of(now)
        with self._db.transaction() as connection:
            fresh = self._store.note(connection, gathered(breaches), window)
            facts = [self._broken(breach, window, now) for breach in _first(breaches, fresh)]
            if may_shut_out:
                facts += self._shut_out(sorted({breach.by for breach in breaches}), window, now)
            if facts:
                self._events.put(facts)
            for fact in facts:
                self._alert(fact)

    def _shut_out(self, proposers: list[str], window: datetime, now: datetime) -> list[Envelope]:
        facts: list[Envelope] = []
        with self._db.transaction() as connection:
            for proposer, times in self._store.repeats(connection, proposers, window):
                reason = f"ran into rules {times} times since {format_instant(window)}"
                number = self._store.shut_out(connection, proposer, now, reason) if times >= self._most else None
                if number is not None:
                    data: JsonObject = {"agent": proposer, "reason": reason, "quarantined_by": SOURCE}
                    facts.append(_fact("AgentQuarantined", str(number), f"agent/{proposer}", now, data))
        return facts

    def _broken(self, breach: Breach, window: datetime, now: datetime) -> Envelope:
        key = f"{breach.invariant}:{breach.by}:{format_instant(window)}"
        data: JsonObject = {"invariant": breach.invariant, "reason": breach.reason, "subject": breach.by}
        data |= {"action_id": breach.action_id} if breach.action_id else {}
        data |= {"counterexample": breach.values} if breach.values else {}
        return _fact("InvariantViolated", key, f"invariant/{breach.invariant}", now, data)

    def _alert(self, fact: Envelope) -> None:
        body: JsonObject = {"type": fact.type, "timestamp": format_instant(fact.time), "data": fact.data}
        with self._db.transaction() as connection:
            for channel in self._channels:
                self._store.put_alert(connection, channel, fact.id, body, fact.time)

    def _window_of(self, now: datetime) -> datetime:
        """The start of the window an instant falls into; windows are counted from midnight of 1970."""
        origin = datetime(1970, 1, 1, tzinfo=UTC)
        return origin + ((now - origin) // self._window) * self._window

    # What a person sees and does

    def quarantines(self, *, every: bool = False) -> list[Row]:
        """Who is shut out now, or ever was; newest first."""
        with self._db.transaction() as connection:
            return self._store.quarantines(connection, every=every)

    def listed(self, limit: int) -> list[Row]:
        """Violations by window, newest first."""
        with self._db.transaction() as connection:
            return self._store.violations(connection, limit)

    def lift(self, quarantine_id: int, by: str, why: str) -> str:
        """Let a proposer back, and tell the log. `BadInput` where that is none, or no reason is given."""
        if not why.strip():
            raise BadInput("no reason is given", fix="say why this proposer may propose again")
        now = self._clock.now()
        with self._db.transaction() as connection:
            proposer = self._store.lift(connection, quarantine_id, now, by, why)
            if proposer is None:
                raise BadInput(f"{quarantine_id} is no open quarantine", fix="steward quarantine list shows them")
            data: JsonObject = {"agent": proposer, "reason": f"lifted: {why}", "quarantined_by": by}
            data["until"] = format_instant(now)
            self._events.put([_fact("AgentQuarantined", f"{quarantine_id}:lifted", f"agent/{proposer}", now, data)])
        return proposer


def quarantined(reason: str) -> Refused:
    return Refused(code="quarantined", reason=f"this proposer is shut out until a person lets it back: {reason}")


def _first(breaches: Sequence[Breach], fresh: set[tuple[str, str]]) -> list[Breach]:
    """The first breach of each rule and proposer that is new in its window."""
    first = {(breach.invariant, breach.by): breach for breach in reversed(breaches)}
    return [breach for key, breach in sorted(first.items()) if key in fresh]


def _fact(event_type: str, key: str, subject: str, at: datetime, data: JsonObject) -> Envelope:
    return Envelope(id=f"{event_type}:{key}", source=SOURCE, type=event_type, subject=subject, time=at, data=data)
