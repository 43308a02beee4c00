"""The one process that moves the outbox into the log: a lease, renewed with every look, taken over when it lapses."""

from __future__ import annotations

import threading

from steward.events.service.log import EventLog
from steward.events.store import EventStore
from steward.infra.db import Database
from steward.kernel.errors import Infrastructure

LEASE_SECONDS = 3
_IDLE_SECONDS = 0.02
_WAIT_SECONDS = 0.5


class Sequencer:
    """Any number may run; one holds the lease and works. `holder` names this one among them.

    The lease only says who should try. That two never assign the same positions rests on the lock of the log's
    head, so a holder that stalls past its lease and wakes up does no harm.
    """

    def __init__(self, database: Database, log: EventLog, holder: str) -> None:
        self._db = database
        self._log = log
        self._store = EventStore()
        self._holder = holder
        self._stop = threading.Event()
        self.moved = 0

    def run(self) -> None:
        """Work until `stop`. Losing the database is waited out; the outbox keeps what is not moved."""
        while not self._stop.is_set():
            try:
                pause = self._turn()
            except Infrastructure:
                pause = _WAIT_SECONDS
            self._stop.wait(pause)
        self._release()

    def _turn(self) -> float:
        """One look: seconds to pause until the next."""
        with self._db.transaction() as connection:
            is_ours = self._store.lease(connection, self._holder, LEASE_SECONDS)
        if not is_ours:
            return _WAIT_SECONDS
        moved = self._log.sequence_once()
        self.moved += moved
        return 0 if moved else _IDLE_SECONDS

    def _release(self) -> None:
        try:
            with self._db.transaction() as connection:
                self._store.drop_lease(connection, self._holder)
        except Infrastructure:
            return  # the lease lapses by itself

    def stop(self) -> None:
        self._stop.set()
