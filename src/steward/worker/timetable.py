"""What runs by the clock, on the durable engine, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from steward.catalog import load_schedules
from steward.contracts.base import Json
from steward.contracts.schedule import Job
from steward.infra.durable import Durable, Recurring
from steward.infra.durable_schema import address_of
from steward.kernel.errors import StewardError
from steward.kernel.instants import parse_instant
from steward.worker.jobs import JOBS, JobFunction

if TYPE_CHECKING:
    from steward.bootstrap import App

_AGAIN_SECONDS = 5.0


class Timetable:
    """The schedules, which all workers keep together, as far as this worker has a part in them."""

    def __init__(self, app: App, report: Callable[[str], None], jobs: dict[Job, JobFunction] | None = None) -> None:
        self._app = app
        self._report = report
        self._jobs = dict(JOBS) if jobs is None else jobs

    def run(self, stop: threading.Event) -> None:
        """Block until `stop`. Where the engine cannot start, because the database is away, it is tried again."""
        told = ""
        while not stop.is_set():
            try:
                with closing(self._durable()) as durable:
                    durable.launch()
                    stop.wait()
            except StewardError as error:
                if str(error) != told:
                    told = str(error)
                    self._report(f"schedules: {told}")
                stop.wait(_AGAIN_SECONDS)

    def _durable(self) -> Durable:
        app = self._app
        durable = Durable(app.database, app.clock, address_of(app.settings), self._report)
        for name, job in self._jobs.items():
            durable.register(name, self._run_of(durable, name, job))
        for schedule in load_schedules(app.catalog.root):
            durable.schedule(
                Recurring(schedule.name, schedule.job, schedule.cron, schedule.zone, schedule.missed == "every")
            )
        return durable

    def _run_of(self, durable: Durable, name: str, job: JobFunction) -> Callable[[str], Json]:
        def run(tick: str) -> Json:
            return durable.step(name, job, self._app, parse_instant(tick))

        return run
