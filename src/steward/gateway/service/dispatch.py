"""Carries out what is ready: takes actions up, sends, and writes down what came of it.

One short transaction records what came back and takes up what is due: state, attempt, history, facts for the log and
the end of what was set aside, all or nothing. The network is used between transactions, by threads, each of which looks
once more before its first byte whether the action is still its own and nothing stops it. Whoever dies leaves a lease
behind; when that is over somebody else goes on as the verb's effect rule says.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import Connection

from steward.gateway.core import machine
from steward.gateway.core.effect_rule import rule_of, said
from steward.gateway.core.machine import Illegal, Rule, Standing
from steward.gateway.service.moves import Ending, Mover
from steward.gateway.service.outside import Came, Outside, Prepared
from steward.gateway.service.throttle import Throttle
from steward.gateway.store import EffectStore, Row, standing_of
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.errors import BadInput, Infrastructure, StewardError

CERTIFICATE_LIFE = timedelta(minutes=15)
"""After so long facts are read and rules checked anew before anything is sent."""
_IDLE_SECONDS = (0.01, 0.25)
_WAIT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Taken:
    """An action in our hands: what to do, and under which fence and attempt."""

    row: Row
    standing: Standing
    rule: Rule
    prepared: Prepared
    attempt: int
    at: datetime


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of it."""

    taken: _Taken
    came: Came


class Dispatcher:
    """One of any number, in any number of processes. `recheck` asks an action's rules on what is true now: why it may
    not go out, or nothing. `owner` names it in histories.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        outside: Outside,
        mover: Mover,
        recheck: Callable[[str], str],
        owner: str,
        threads: int = 8,
    ) -> None:
        self._db = database
        self._clock = clock
        self._outside = outside
        self._mover = mover
        self._recheck = recheck
        self._owner = owner
        self._threads = threads
        self._store = EffectStore()
        self._throttle = Throttle(self._store, outside)
        self._done: queue.SimpleQueue[_Done] = queue.SimpleQueue()
        self._kept: list[_Done] = []
        self._busy = 0
        self._woken = threading.Event()

    def wake(self) -> None:
        """Something may be due now."""
        self._woken.set()

    def run(self, stop: threading.Event, report: Callable[[str], None] = lambda _what: None) -> None:
        """Until `stop`; what is in the threads' hands then is finished and written down."""
        idle = _IDLE_SECONDS[0]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="effect") as pool:
            while not stop.is_set() or self._busy or self._kept:
                try:
                    moved = self.turn(pool, take=not stop.is_set())
                except Infrastructure as error:  # nothing is lost: what came back is kept and written once it can be
                    report(f"effects: {error.code}: {error}")
                    moved = 0
                    stop.wait(_IDLE_SECONDS[1])
                idle = _IDLE_SECONDS[0] if moved else min(_IDLE_SECONDS[1], idle * 2)
                if not moved and self._done.empty():
                    self._woken.wait(idle)
                    self._woken.clear()

    def drain(self) -> int:
        """Carry out what is due now and end when nothing is any more; how many moves that was."""
        total = 0
        with ThreadPoolExecutor(self._threads, thread_name_prefix="effect") as pool:
            while True:
                moved = self.turn(pool)
                total += moved
                if self._busy:
                    self._woken.wait(_IDLE_SECONDS[1])
                    self._woken.clear()
                elif not moved and self._done.empty():
                    return total

    def turn(self, pool: ThreadPoolExecutor, *, take: bool = True) -> int:
        """Write down what came back, take up what is due and hand it to the pool; how many moves that was."""
        self._collect()
        wanted = self._threads - self._busy if take else 0
        now = self._clock.now()
        taken: list[_Taken] = []
        stale: list[Row] = []
        if not self._kept and wanted <= 0:
            return 0
        with self._db.transaction() as connection:
            recorded = self._record(connection, self._kept, now)
            if wanted > 0:
                taken, stale = self._take(connection, wanted, now)
        self._kept = []
        for one in taken:
            self._busy += 1
            pool.submit(self._carry, one)
        for row in stale:
            self._look_again(row)
        return recorded + len(taken) + len(stale)

    def _collect(self) -> None:
        while not self._done.empty():
            self._kept.append(self._done.get())
            self._busy -= 1

    # Taking up

    def _take(self, connection: Connection[Row], wanted: int, now: datetime) -> tuple[list[_Taken], list[Row]]:
        """What is due, as far as the other sides' limits let it go; and what needs its rules checked anew first."""
        self._mover.expire(connection, now)
        rows = self._store.due(connection, now, wanted)
        if not rows:
            return [], []
        ends: list[Ending] = []
        ready: list[tuple[Row, Standing, Rule, Prepared]] = []
        stale: list[Row] = []
        for row in rows:
            was = standing_of(row)
            if was.state == "ready" and self._is_stale(row, now):
                stale.append(row)
                continue
            try:
                tool, verb = self._outside.verb(row)
                rule = rule_of(tool, verb)
                new = machine.take(was, rule, self._owner, now)
                if isinstance(new, Illegal):
                    continue
                if new.state == "unknown":
                    ends.append(Ending(row, was, new, new.needs_person))
                    continue
                ready.append((row, new, rule, self._outside.prepare(row, new.state)))
            except (BadInput, StewardError) as error:
                ends.append(self._mover.given_up(row, was, str(error)))
        allowed, later = self._throttle.admit(connection, [row for row, _, _, _ in ready], now)
        self._mover.write(connection, [*ends, *(self._put_off(row, due) for row, due in later)], now, self._owner)
        going = [one for one in ready if one[0]["action_id"] in allowed]
        return self._attempts(connection, going, now), stale

    def _attempts(
        self, connection: Connection[Row], going: Sequence[tuple[Row, Standing, Rule, Prepared]], now: datetime
    ) -> list[_Taken]:
        """Write each attempt before it is made."""
        if not going:
            return []
        rows = [
            {
                "action_id": str(row["action_id"]),
                "purpose": prepared.purpose,
                "fence": new.fence,
                "request_digest": prepared.digest,
            }
            for row, new, _, prepared in going
        ]
        numbers = self._store.add_attempts(connection, rows, now)
        moves = [Ending(row, standing_of(row), new) for row, new, _, _ in going]
        self._mover.write(connection, moves, now, self._owner)
        return [_Taken(row, new, rule, prepared, numbers[row["action_id"]], now) for row, new, rule, prepared in going]

    def _put_off(self, row: Row, due: datetime) -> Ending:
        was = standing_of(row)
        return Ending(row, was, replace(was, due_at=due), is_quiet=True)

    def _is_stale(self, row: Row, now: datetime) -> bool:
        checked = row["checked_at"] or row["opened_at"]
        return now - checked > CERTIFICATE_LIFE or self._outside.version(row) != bytes(row["tool_version"])

    def _look_again(self, row: Row) -> None:
        """Check an action's rules on what is true now; then it may go out, or it is called back with the reason."""
        why = ""
        if self._outside.version(row) != bytes(row["tool_version"]):
            why = "the tool is described otherwise by now"
        why = why or self._recheck(f"act_{row['action_id'].hex}")
        now = self._clock.now()
        with self._db.transaction() as connection:
            found = self._store.one(connection, row["action_id"], lock=True)
            if found is None or found["fence"] != row["fence"] or found["state"] != "ready":
                return
            was = standing_of(found)
            new = machine.cancel(was) if why else was
            if isinstance(new, Illegal):
                return
            self._mover.write(
                connection, [Ending(found, was, new, why, {"checked_at": now}, is_quiet=not why)], now, self._owner
            )

    # Sending

    def _carry(self, taken: _Taken) -> None:
        """One call, in a thread. Whatever happens there becomes an answer: silence is one."""
        try:
            came = self._outside.carry(taken.row, taken.prepared, lambda: self._may_send(taken))
        except Exception as error:  # noqa: BLE001 - a bug here must not lose an action: it is as if no answer came
            came = Came("unknown", detail=f"{type(error).__name__} while it was sent")
        self._done.put(_Done(taken, came))
        self._woken.set()

    def _may_send(self, taken: _Taken) -> bool:
        """The fence: still ours, nothing stops it, and time enough that nobody takes it up while we send."""
        with self._db.transaction() as connection:
            row = self._store.may_send(connection, taken.row["action_id"], taken.standing.fence)
        end = self._clock.now() + timedelta(seconds=taken.prepared.seconds)
        return row is not None and row["lease_until"] is not None and end < row["lease_until"]

    # Writing down

    def _record(self, connection: Connection[Row], done: Sequence[_Done], now: datetime) -> int:
        if not done:
            return 0
        ids: list[UUID] = [one.taken.row["action_id"] for one in done]
        rows = self._store.locked(connection, ids)
        self._store.add_answers(connection, [_answer(one) for one in done], now)
        ends: list[Ending] = []
        for one in done:
            row = rows[one.taken.row["action_id"]]
            was = standing_of(row)
            new = _next(was, one, now)
            if isinstance(new, Illegal):  # somebody else took it up: what we heard is kept as an answer, and is all
                continue
            ends.append(Ending(row, was, new, one.came.detail, _more(one.came)))
        self._mover.write(connection, ends, now, self._owner)
        self._throttle.note(connection, [(one.taken.row["tool"], one.came.is_broken) for one in done], now)
        return len(done)


def _next(was: Standing, one: _Done, now: datetime) -> machine.Moved:
    """The move that what came back makes."""
    came, rule, fence = one.came, one.taken.rule, one.taken.standing.fence
    wait = None if came.retry_after is None else timedelta(seconds=came.retry_after)
    if one.taken.prepared.purpose == "probe":
        return machine.looked(was, rule, fence, came.seen, one.taken.at, now)
    if one.taken.prepared.purpose == "undo":
        return machine.undone(was, rule, fence, said(came.kind, came.status, was), now)
    if came.kind == "stopped":
        return machine.answered(was, rule, fence, "again", now, _WAIT)
    return machine.answered(was, rule, fence, said(came.kind, came.status, was), now, wait)


def _more(came: Came) -> Row:
    more: Row = {}
    if came.remote_ref:
        more["remote_ref"] = came.remote_ref
    if came.result:
        more["result"] = came.result
    if came.confirmed:
        more["confirmed"] = came.confirmed
    return more


def _answer(one: _Done) -> Row:
    came = one.came
    return {
        "action_id": str(one.taken.row["action_id"]),
        "n": one.taken.attempt,
        "outcome": came.seen if one.taken.prepared.purpose == "probe" else came.kind,
        "status": came.status,
        "remote_ref": came.remote_ref,
        "response_digest": came.digest,
        "detail": came.detail[:500],
    }
