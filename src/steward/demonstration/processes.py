"""The processes of a demonstration: started, looked after, ended; what a killed driver left behind is found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic
from typing import TypeVar

import httpx

from steward.demonstration.place import Place
from steward.infra.orphans import postmaster_pid
from steward.infra.postgres import EmbeddedPostgres
from steward.kernel.errors import Infrastructure

T = TypeVar("T")
_LOOK_SECONDS = 0.03
_PATIENCE_SECONDS = 180.0
_GRACE_SECONDS = 20.0


@dataclass
class Processes:
    """By name. `restarts` counts how often one had to be started again."""

    place: Place
    commands: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    has_database: bool = False
    restarts: dict[str, int] = field(default_factory=dict[str, int])
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict[str, "subprocess.Popen[bytes]"])

    def __post_init__(self) -> None:
        self._turn = Lock()
        self._over = Event()
        self._trouble = ""
        self._keeper = Thread(target=self._keep_on, name="keeper", daemon=True)

    def start(self, name: str, *words: str) -> None:
        """A module of this installation, with its words; from now on it is looked after."""
        self.commands[name] = [sys.executable, "-m", *words]
        with self._turn:
            self._launch(name)
        if not self._keeper.is_alive():
            self._keeper.start()

    def _launch(self, name: str) -> None:
        with (self.place.folder / f"{name}.log").open("ab") as log:
            # Python keeps what it compiled: else every start compiles everything.
            env = self.place.environment() | {"PYTHONDONTWRITEBYTECODE": ""}
            self.running[name] = subprocess.Popen(self.commands[name], env=env, stdout=log, stderr=log)  # noqa: S603 - our own modules
        pids = self._pids()
        pid = self.running[name].pid
        self.place.write("pids.json", {**pids, name: [pid, _born(pid)]})

    def _keep_on(self) -> None:
        """In a thread of its own, because whoever waits for the database waits in the middle of a call."""
        while not self._over.wait(_LOOK_SECONDS):
            try:
                with self._turn:
                    if not self._over.is_set():
                        self._keep()
                self._trouble = ""
            except Infrastructure as error:  # told by whoever waits in vain; the next turn tries again
                self._trouble = str(error)

    def _keep(self) -> None:
        """Whatever ended is started again; the database first, because all of them wait for it."""
        if self.has_database and not self._database_lives():
            self.restarts["database"] = self.restarts.get("database", 0) + 1
            EmbeddedPostgres(self.place.home).start()
        for name, process in self.running.items():
            if process.poll() is not None:
                self.restarts[name] = self.restarts.get(name, 0) + 1
                self._launch(name)

    def _database_lives(self) -> bool:
        pid = postmaster_pid(EmbeddedPostgres(self.place.home).files.data)
        try:
            os.kill(pid or 0, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # another account's, and there
        return pid is not None

    def until(self, found: Callable[[], T | None], what: str) -> T:
        """Wait for something. What does not answer yet is asked again."""
        deadline, trouble, pause = monotonic() + _PATIENCE_SECONDS, "", Event()
        while True:
            try:
                answer = found()
            except (httpx.TransportError, Infrastructure) as error:
                answer, trouble = None, f"{type(error).__name__}: {error}"
            if answer is not None:
                return answer
            if monotonic() > deadline:
                why = "; ".join(text for text in (trouble, self._trouble) if text)
                raise Infrastructure(f"waited in vain for {what}: {why}", where=str(self.place.folder))
            pause.wait(_LOOK_SECONDS)

    def end_left_behind(self) -> None:
        """End what a driver that was killed had started: by its number, if that is still the same process."""
        for pid, born in self._pids().values():
            if born and _born(pid) == born:
                _end(pid, born)
        self.place.write("pids.json", {})

    def _pids(self) -> dict[str, tuple[int, str]]:
        """Number and birth of each process that was started."""
        return self.place.read("pids.json") or {}

    def end(self) -> None:
        """All of them but the database; none is started again."""
        self._over.set()
        if self._keeper.is_alive():
            self._keeper.join()
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.running:
            self.running.clear()
            self.place.write("pids.json", {})


def _born(pid: int) -> str:
    """When a process began, as the system writes it; nothing where there is none."""
    done = subprocess.run(["ps", "-o", "lstart=,stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - a number of ours
    text = done.stdout.strip()
    began, _, state = text.rpartition(" ")
    return "" if state.startswith("Z") else began


def _end(pid: int, born: str) -> None:
    pause = Event()
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        deadline = monotonic() + _GRACE_SECONDS
        while monotonic() < deadline:
            if _born(pid) != born:
                return
            pause.wait(_LOOK_SECONDS)
