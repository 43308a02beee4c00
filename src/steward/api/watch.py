"""How far the log is, for streams that wait: one listening connection a process, and polling where it fails."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from steward.kernel.errors import Infrastructure

if TYPE_CHECKING:
    from steward.bootstrap import App

_POLL_SECONDS = 0.25


class LogWatch:
    """`head` is the log's size as last heard; `beyond` waits until it is more. A notification is only a hint: the
    size is always read from the log.
    """

    def __init__(self, app: App, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop
        self._stop = threading.Event()
        self._moved = asyncio.Event()
        self.head = 0
        self.streams = 0
        self._thread = threading.Thread(target=self._run, name="log-watch", daemon=True)
        self._thread.start()

    async def beyond(self, size: int, seconds: float) -> bool:
        """Whether the log grew beyond `size` within `seconds`."""
        while self.head <= size:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), seconds)
            except TimeoutError:
                return False
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._app.database.listen("steward_log", _POLL_SECONDS, self._look, self._stop)
            except Infrastructure:
                self._stop.wait(_POLL_SECONDS)

    def _look(self) -> None:
        size = self._app.events.head()["size"]
        if size != self.head:
            self._loop.call_soon_threadsafe(self._announce, size)

    def _announce(self, size: int) -> None:
        self.head = size
        self._moved.set()
        self._moved = asyncio.Event()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
