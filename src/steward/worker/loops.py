"""What follows the log, what sequences the outbox, what goes outside and what the clock starts, until told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from steward.kernel.errors import Infrastructure, StewardError
from steward.worker.timetable import Timetable

if TYPE_CHECKING:
    from steward.bootstrap import App

_POLL_SECONDS = 0.25
_AGAIN_SECONDS = 5.0
_CHECKPOINT_SECONDS = 60.0
_FOLD_SECONDS = 600.0
_FORGET_SECONDS = 3600.0


class Worker:
    """Consumers by name; `report` is told of each failure, once until the consumer works again."""

    def __init__(self, app: App, report: Callable[[str], None]) -> None:
        self._app = app
        self._report = report
        self._stop = threading.Event()
        self._failing: set[str] = set()
        self._last: dict[str, float] = {}
        self._timetable = Timetable(app, report)
        self._consumers: dict[str, Callable[[], object]] = {
            "ledger": app.money_events.post_pending,
            "holds": app.ledger.release_expired,
            "state": app.state.catch_up,
            "webhooks": app.webhooks.normalise,
            "alerts": app.alerts.deliver,
            "evidence": app.effects.follow_evidence,
            "payouts": app.payouts.follow,
            "approvals": app.approvals.sweep,
            "notices": app.way_out.notices.tell,
            "mismatches": app.way_out.notices.tell_mismatches,
        }
        self._hourly: dict[str, tuple[float, Callable[[], object]]] = {
            "checkpoint": (_CHECKPOINT_SECONDS, app.events.publish_checkpoint),
            "fold": (_FOLD_SECONDS, app.ledger.fold),
            "state rules": (_FOLD_SECONDS, app.watch_state),
            "idempotency": (_FORGET_SECONDS, app.idempotency.forget),
            "refused deliveries": (_FORGET_SECONDS, app.webhooks.forget_refused),
        }

    def run(self) -> None:
        """Block until `stop`. The database's notifications wake the loop; without them it looks four times a second."""
        sequencing = threading.Thread(target=self._app.sequencer.run, name="sequencer", daemon=True)
        sequencing.start()
        carrying = threading.Thread(target=self._carry, name="effects", daemon=True)
        carrying.start()
        keeping = threading.Thread(target=self._timetable.run, args=(self._stop,), name="timetable", daemon=True)
        keeping.start()
        try:
            while not self._stop.is_set():
                try:
                    self._app.database.listen("steward_log", _POLL_SECONDS, self._turn, self._stop)
                except Infrastructure as error:
                    self._fails("database", error)
                    self._stop.wait(_POLL_SECONDS)
        finally:
            self._app.sequencer.stop()
            sequencing.join()
            carrying.join()
            keeping.join()

    def _carry(self) -> None:
        """Carry out what is ready to go outside, until told to stop. What nobody foresaw is told, and it goes on: a
        worker that carries nothing out and says nothing would look well.
        """
        while not self._stop.is_set():
            try:
                self._app.dispatcher().run(self._stop, self._report)
            except Exception as error:  # noqa: BLE001 - whatever it is, somebody has to know
                self._report(f"effects: {type(error).__name__}: {error}")
                self._stop.wait(_AGAIN_SECONDS)

    def _turn(self) -> None:
        self._failing.discard("database")
        for name, consume in self._consumers.items():
            self._try(name, consume)
        now = self._app.clock.monotonic()
        for name, (seconds, act) in self._hourly.items():
            if now - self._last.get(name, -seconds) >= seconds:
                self._last[name] = now
                self._try(name, act)

    def _try(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except StewardError as error:
            self._fails(name, error)
        else:
            self._failing.discard(name)

    def _fails(self, name: str, error: StewardError) -> None:
        if name not in self._failing:
            self._failing.add(name)
            self._report(f"{name}: {error.code}: {error}")

    def stop(self) -> None:
        self._stop.set()
