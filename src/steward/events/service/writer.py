"""Micro-batches: requests that arrive while a batch is being written go together into the next one.

One commit then serves many requests: an idle writer adds no wait, a busy one makes larger batches by itself. The
queue is bounded by events; whoever finds it full is told to come back, so that memory never decides.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from steward.events.core.plan import Outcome, Request
from steward.events.service.log import EventLog
from steward.kernel.errors import Busy

MOST_WAITING = 20_000
MOST_IN_A_BATCH = 2_000


@dataclass(slots=True)
class _Waiting:
    request: Request
    answer: Future[list[Outcome]] = field(default_factory=Future[list[Outcome]])


class BatchWriter:
    """A thread that writes what `submit` hands it. Close it to have everything accepted written."""

    def __init__(self, log: EventLog, most_waiting: int = MOST_WAITING, most_in_a_batch: int = MOST_IN_A_BATCH) -> None:
        self._log = log
        self._most_waiting = most_waiting
        self._most_in_a_batch = most_in_a_batch
        self._queue: deque[_Waiting] = deque()
        self._events_waiting = 0
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Events accepted into the queue and not yet written."""
        return self._events_waiting

    def submit(self, request: Request) -> Future[list[Outcome]]:
        """Queue a request; the future holds one outcome an event once they are committed. Raises `Busy`."""
        waiting = _Waiting(request)
        with self._wake:
            if self._closing:
                raise Busy("the writer is closing", fix="try again in a second")
            if self._events_waiting and self._events_waiting + len(request.events) > self._most_waiting:
                raise Busy(f"{self._events_waiting} events wait to be written", fix="try again in a second")
            self._events_waiting += len(request.events)
            self._queue.append(waiting)
            self._wake.notify()
        return waiting.answer

    def close(self) -> None:
        """Write what waits, then end."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
                group = self._take()
            if group:
                self._write(group)

    def _take(self) -> list[_Waiting]:
        """The oldest requests up to a batch's size; at least one."""
        group: list[_Waiting] = []
        size = 0
        while self._queue and (not size or size + len(self._queue[0].request.events) <= self._most_in_a_batch):
            waiting = self._queue.popleft()
            size += len(waiting.request.events)
            # Who gave up while waiting is passed over; from here on nobody can.
            if waiting.answer.set_running_or_notify_cancel():
                group.append(waiting)
            else:
                self._events_waiting -= len(waiting.request.events)
        return group

    def _write(self, group: list[_Waiting]) -> None:
        try:
            outcomes = self._log.write([waiting.request for waiting in group])
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            for waiting in group:
                waiting.answer.set_exception(error)
        else:
            for waiting, answer in zip(group, outcomes, strict=True):
                waiting.answer.set_result(answer)
        finally:
            with self._wake:
                self._events_waiting -= sum(len(waiting.request.events) for waiting in group)
