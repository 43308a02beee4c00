# pyright: basic
# The engine's decorators and its WorkflowHandle[Any] are untyped where strict looks; what leaves this file is typed.
"""Port to the durable engine (DBOS Transact, the MIT part): runs that outlive the process that began them.

A run is a registered function under an id; the same id is the same run, once, in all processes together, for thirty
days after its end. Its steps are remembered: whoever finishes the run after a crash begins behind the last one. A step
happens at least once, so what it does must be idempotent by the run's id; an effect outside goes through the gateway,
never through a step.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from steward.infra.clock import Clock
from steward.infra.cron import check_cron, due
from steward.infra.db import Database
from steward.infra.durable_schema import NAME, SCHEMA, Address, engine_of, prepare
from steward.infra.entropy import random_bytes
from steward.infra.sql import load
from steward.kernel.errors import Busy, Conflict, Infrastructure, StewardError
from steward.kernel.instants import format_instant

RUNS = "runs"
TICKS = "ticks"
# Pinned: the engine's default is a digest of the source, and every change of a line would strand what waits.
VERSION = "1"
_LEASE_SECONDS = 10.0
_BEATS_IN_A_LEASE = 5
_SWEEP_BEATS = 15
_QUEUE_POLL_SECONDS = 0.25
_TICKS_AT_ONCE = 2
_TICKS_IN_A_BEAT = 100
_CONNECTIONS = 8
_CLOSING_SECONDS = 10.0
_KEPT = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 500

Run = Callable[..., Any]
"""What is run: positional arguments and result are JSON."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A run for every tick of a cron expression on the clocks of a zone, given the tick as text. What came due while
    nobody worked is run afterwards: every tick, or the last alone.
    """

    name: str
    run: str
    cron: str
    zone: str = "UTC"
    catches_up: bool = True


class Durable:
    """One worker. Runs are registered, then `launch`; one a process, because the engine is a singleton. `report` is
    told of each run that failed for good and of trouble in the background.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        address: Address,
        report: Callable[[str], None],
        *,
        lease_seconds: float = _LEASE_SECONDS,
        takes_over: bool = True,
    ) -> None:
        self.executor_id = random_bytes(8).hex()
        self._db = database
        self._clock = clock
        self._address = address
        self._report = report
        self._lease = lease_seconds
        self._takes_over = takes_over
        self._functions: dict[str, Run] = {}
        self._runs: dict[str, Run] = {}
        self._recurring: list[Recurring] = []
        self._queries = load("steward.infra")
        self._stop = threading.Event()
        self._beating = threading.Thread(target=self._beat_on, name="durable", daemon=True)
        self._engine: Any = None
        self._failing: set[str] = set()
        self._steps = 0
        self._step_ended = threading.Condition()

    def register(self, name: str, run: Run) -> None:
        """Before `launch`: what is run under a name. It stays registered as long as a run of that name may be open."""
        self._functions[name] = run

    def schedule(self, recurring: Recurring) -> None:
        """Before `launch`. The run's id is the schedule's name and the tick, so that a tick is run once whoever sees
        it, and however often. `BadInput` where its times cannot be read.
        """
        check_cron(recurring.cron, recurring.zone)
        self._recurring.append(recurring)

    def launch(self) -> None:
        """Begin to work: the owner's part of the schema, the lease, then whatever is waiting for somebody."""
        prepare(self._address)
        from dbos import DBOS, error
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._construct()
            self._one("beat", executor_id=self.executor_id, seconds=self._lease)
            DBOS.launch()
            DBOS.register_queue(RUNS, polling_interval_sec=_QUEUE_POLL_SECONDS)
            DBOS.register_queue(TICKS, polling_interval_sec=_QUEUE_POLL_SECONDS, worker_concurrency=_TICKS_AT_ONCE)
        except (error.DBOSException, SQLAlchemyError) as failed:
            raise Infrastructure(
                f"the durable engine did not start: {failed}", fix="see `steward db status`"
            ) from failed
        self._beating.start()

    def _construct(self) -> None:
        from dbos import DBOS, DBOSPortableJSONSerializer

        self._engine = engine_of(self._address, _CONNECTIONS)
        DBOS(
            config={
                "name": NAME,
                "application_version": VERSION,
                "executor_id": self.executor_id,
                "dbos_system_schema": SCHEMA,
                "system_database_engine": self._engine,
                "run_migrations": False,  # the owner's, done above
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
                "notification_listener_polling_interval_sec": 0.05,
            }
        )
        self._runs = {name: DBOS.workflow(name=name)(self._told(name, run)) for name, run in self._functions.items()}

    def _told(self, name: str, function: Run) -> Run:
        """The function, whose failure is told: the engine keeps it as the run's end and says nothing."""

        def run(*arguments: Any) -> Any:
            try:
                return function(*arguments)
            except Exception as error:
                self._report(f"{name}({', '.join(map(str, arguments))}) failed for good: {error}")
                raise

        return run

    def start(self, name: str, run_id: str, *arguments: Any) -> None:
        """Begin a run here and now; nothing where this id was begun before."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(run_id):
            DBOS.start_workflow(self._runs[name], *arguments)

    def enqueue(self, name: str, run_id: str, *arguments: Any, queue: str = RUNS) -> None:
        """Let whichever worker has time begin a run; nothing where this id was begun before."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(run_id):
            DBOS.enqueue_workflow(queue, self._runs[name], *arguments)

    def step(self, name: str, function: Run, *arguments: Any) -> Any:
        """Inside a run: call a function and keep its result, which a later attempt of the run gets without a call. When
        infrastructure fails it is tried again for a quarter of an hour; any other error is the run's.
        """
        from dbos import DBOS

        with self._step_ended:
            self._steps += 1
        try:
            return DBOS.run_step(
                {
                    "name": name,
                    "retries_allowed": True,
                    "interval_seconds": 1.0,
                    "backoff_rate": 2.0,
                    "max_attempts": 10,
                    "should_retry": self._may_pass,
                },
                function,
                *arguments,
            )
        finally:
            with self._step_ended:
                self._steps -= 1
                self._step_ended.notify_all()

    def _may_pass(self, error: BaseException) -> bool:
        return isinstance(error, Infrastructure | Busy) and not self._stop.is_set()

    def wait_signal(self, topic: str, seconds: float) -> Any:
        """Inside a run: what was signalled on a topic, or None after that long. Waiting survives any crash."""
        from dbos import DBOS

        return DBOS.recv(topic, timeout_seconds=seconds)

    def signal(self, run_id: str, topic: str, message: Any, key: str) -> None:
        """Tell a run something, once for each key; `Conflict` where there is no such run."""
        from dbos import DBOS, error

        try:
            DBOS.send(run_id, message, topic, idempotency_key=key)
        except error.DBOSNonExistentWorkflowError:
            raise Conflict(f"there is no run {run_id}") from None

    def outcome(self, run_id: str) -> str | None:
        """SUCCESS, ERROR, or on the way (ENQUEUED, PENDING, ...); None where there is no such run."""
        from dbos import DBOS

        status = DBOS.get_workflow_status(run_id)
        return None if status is None else status.status

    def close(self) -> None:
        """Take no more, let steps that run end for a while, and hand what is unfinished to the others at once."""
        from dbos import DBOS

        self._stop.set()
        if self._beating.is_alive():
            self._beating.join()
        with self._step_ended:
            self._step_ended.wait_for(lambda: self._steps == 0, _CLOSING_SECONDS)
        DBOS.destroy(destroy_registry=True)
        if self._engine is not None:
            self._engine.dispose()
        self._try("lease", lambda: self._one("end_lease", executor_id=self.executor_id))

    def _beat_on(self) -> None:
        beats = 0
        while not self._stop.wait(self._lease / _BEATS_IN_A_LEASE):
            has_beat = self._try("lease", lambda: self._one("beat", executor_id=self.executor_id, seconds=self._lease))
            beats = beats + 1 if has_beat else 0
            # Only who was there itself for as long believes others dead: the database may have been away from all.
            if self._takes_over and beats >= _BEATS_IN_A_LEASE:
                self._try("taking over", self._take_over if beats % _SWEEP_BEATS else self._sweep)
            self._try("schedules", self._tick)

    def _try(self, what: str, act: Callable[[], object]) -> bool:
        """Trouble in the background is told once until it is over; the next beat tries again."""
        from dbos import error as of_engine
        from sqlalchemy.exc import SQLAlchemyError

        try:
            act()
        except (StewardError, of_engine.DBOSException, SQLAlchemyError) as error:
            if what not in self._failing:
                self._failing.add(what)
                self._report(f"{what}: {error}")
            return False
        self._failing.discard(what)
        return True

    def _one(self, query: str, **parameters: Any) -> Sequence[dict[str, Any]]:
        with self._db.transaction() as connection:
            cursor = connection.execute(self._queries[query], parameters)
            return cursor.fetchall() if cursor.description else []

    def _sweep(self) -> None:
        """Now and then: look for runs of workers nobody remembers, and forget what ended long ago."""
        from dbos import DBOS

        self._take_over(everything=True)
        before = format_instant(self._clock.now() - _KEPT)
        old = DBOS.list_workflows(
            completed_before=before, limit=_FORGOTTEN_AT_ONCE, load_input=False, load_output=False
        )
        if old:
            DBOS.delete_workflows([run.workflow_id for run in old])

    def _take_over(self, *, everything: bool = False) -> None:
        """Give the runs of workers whose lease is over to the others; with `everything`, all runs without a worker."""
        from dbos import DBOS

        with self._db.transaction():
            dead = [row["executor_id"] for row in self._one("dead_workers")]
            if not (dead or everything) or not self._one("one_takes_over")[0]["got"]:
                return
            live = {row["executor_id"] for row in self._one("live_workers")}
            running = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
            stray = [run for run in running if run.executor_id not in live]
            for queue in {run.queue_name for run in stray}:
                DBOS.resume_workflows(
                    [run.workflow_id for run in stray if run.queue_name == queue], queue_name=queue or RUNS
                )
            self._one("forget_workers", executor_ids=dead)

    def _tick(self) -> None:
        """Hand every tick that came due to the engine, then remember how far that is. In this order: a crash in between
        hands them over again, under the same ids.
        """
        now = self._clock.now()
        marks: dict[str, datetime] = {row["name"]: row["through"] for row in self._one("marks")}
        for recurring in self._recurring:
            if recurring.name not in marks:
                self._one("first_mark", name=recurring.name, at=now)
                continue
            through = marks[recurring.name]
            wanted, reached = due(
                recurring.cron, recurring.zone, through, now, is_every=recurring.catches_up, most=_TICKS_IN_A_BEAT
            )
            for at in wanted:
                text = format_instant(at)
                self.enqueue(recurring.run, f"{recurring.name}@{text}", text, queue=TICKS)
            if reached != through:
                self._one("advance_mark", name=recurring.name, through=reached)


def keeps_the_process() -> bool:
    """Whether a run that waits for a signal would keep this process from ending: its thread cannot be woken."""
    return any(thread.name.startswith("dbos-executor") for thread in threading.enumerate())
