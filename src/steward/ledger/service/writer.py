"""Single callers ride in batches: whoever posts one transfer waits for the batch it lands in.

One thread posts; while it does, callers queue, and what queued goes together into the next batch. An idle writer adds
no wait, a busy one makes larger batches by itself and waits up to four milliseconds for as many as it just answered.
Nobody queues on a lock of the database.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence

from steward.contracts.ledger import NotPosted, Transfer
from steward.infra.clock import Clock, SystemClock
from steward.kernel.errors import Busy, Infrastructure
from steward.ledger.service.ledger import MOST_IN_A_BATCH, Ledger

MOST_WAITING = 50_000
_PATIENCE_ATTEMPTS = 40
_PAUSE_SECONDS = 0.25
_GATHER_SECONDS = 0.004


class _Waiting:
    """One caller's transfers, and the lock it waits on: the lightest thing a thread can sleep on."""

    __slots__ = ("done", "error", "refused", "transfers")

    def __init__(self, transfers: Sequence[Transfer]) -> None:
        self.transfers = transfers
        self.refused: list[NotPosted] = []
        self.error: BaseException | None = None
        self.done = threading.Lock()
        self.done.acquire()


class LedgerWriter:
    """One posting thread over the books. Close it to have everything accepted posted."""

    def __init__(self, ledger: Ledger, most_waiting: int = MOST_WAITING, clock: Clock | None = None) -> None:
        self._ledger = ledger
        self._clock = clock or SystemClock()
        self._most_waiting = most_waiting
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._closing = False
        self._gate = threading.Lock()
        self._patience = threading.Event()
        self._ahead: _Waiting | None = None
        self._expected = 1
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    def post(self, transfers: Sequence[Transfer]) -> list[NotPosted]:
        """Post and wait until it is committed; lines count within `transfers`. Raises `Busy` where too much waits,
        and whatever kept the batch from being posted.
        """
        waiting = _Waiting(transfers)
        with self._gate:
            if self._closing or self._queue.qsize() > self._most_waiting:
                raise Busy("the ledger's writer is closing or has too much to do", fix="try again in a second")
            self._queue.put(waiting)
        waiting.done.acquire()
        if waiting.error is not None:
            raise waiting.error
        return waiting.refused

    def close(self) -> None:
        """Post what waits, then end."""
        with self._gate:
            if not self._closing:
                self._closing = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            group = self._take()
            if not group:
                return
            self._post(group)

    def _take(self) -> list[_Waiting]:
        """Who waits, up to a batch's size; at least one, and nobody at the end.

        Those who were answered together come back one after another within a moment. Taking the first of them at once
        would make batches of one and of all the rest in turn, so it waits, briefly, for as many as the last time.
        """
        group: list[_Waiting] = []
        size = 0
        first = self._ahead if self._ahead is not None else self._queue.get()
        self._ahead = None
        until = self._clock.monotonic() + _GATHER_SECONDS
        while first is not None:
            if group and size + len(first.transfers) > MOST_IN_A_BATCH:
                self._ahead = first
                break
            group.append(first)
            size += len(first.transfers)
            try:
                patience = until - self._clock.monotonic() if len(group) < self._expected else 0.0
                first = self._queue.get(timeout=patience) if patience > 0 else self._queue.get_nowait()
            except queue.Empty:
                break
        else:
            if group:
                self._queue.put(None)  # the end comes after this batch
        self._expected = len(group)
        return group

    def _post(self, group: list[_Waiting]) -> None:
        try:
            refused = self._insist([transfer for waiting in group for transfer in waiting.transfers])
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            if len(group) > 1 and not isinstance(error, Infrastructure):
                for waiting in group:  # one of them made the batch impossible; it alone shall hear so
                    self._post([waiting])
                return
            for waiting in group:
                waiting.error = error
                waiting.done.release()
            return
        if refused:
            _distribute(group, refused)
        for waiting in group:
            waiting.done.release()

    def _insist(self, transfers: list[Transfer]) -> list[NotPosted]:
        """A lost connection leaves open whether the batch was committed: the same keys are sent again, and those that
        were are duplicates, which is an answer of success.
        """
        for attempt in range(_PATIENCE_ATTEMPTS):
            try:
                return self._ledger.post(transfers)
            except Infrastructure:
                if attempt == _PATIENCE_ATTEMPTS - 1:
                    raise
                self._patience.wait(_PAUSE_SECONDS)  # never set: a pause that the interpreter's end may cut short
        raise AssertionError("unreachable")


def _distribute(group: list[_Waiting], refused: list[NotPosted]) -> None:
    """Give each caller its own, with lines counted from its own first transfer."""
    found = iter(refused)
    entry = next(found, None)
    before = 0
    for waiting in group:
        after = before + len(waiting.transfers)
        while entry is not None and entry.line <= after:
            waiting.refused.append(entry.model_copy(update={"line": entry.line - before}))
            entry = next(found, None)
        before = after
