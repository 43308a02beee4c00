"""The prover process as its parent sees it: started when first needed, killed when late, started again.

Whatever goes wrong here (a crash, a time-out, nonsense on the pipe) is the answer "unknown", so the rule
escalates.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from typing import Any, cast

START_SECONDS = 30.0
GRACE_SECONDS = 0.25
ANSWER_BYTES_MAX = 4_000_000
_ENVIRONMENT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def _unknown(why: str) -> dict[str, Any]:
    return {"status": "unknown", "why": why}


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill, reap and close, in any state the process is in."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:
                continue


def _write(pipe: int, message: bytes, deadline: float) -> None:
    """Write all of `message` to a pipe that does not block; `TimeoutError` if nobody reads it in time."""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_WRITE)
        while message:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise TimeoutError
            message = message[os.write(pipe, message) :]


class Prover:
    """One prover process; `seconds` is the time box of one obligation. Safe to share between threads."""

    def __init__(self, seconds: float = 2.0, command: tuple[str, ...] = ()) -> None:
        self.seconds = seconds
        self.command = command or (sys.executable, "-m", "steward.verifier.provers")
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.ending: weakref.finalize[Any, Any] | None = None
        self.owner = 0
        self.number = 0
        self.waiting = b""

    def ask(self, obligation: dict[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """The prover's answer, or "unknown". Starts the process if there is none. `seconds` is a shorter box."""
        with self.lock:
            try:
                return self._ask(obligation, self.seconds if seconds is None else seconds)
            except TimeoutError:
                why = "the prover took too long"
            except (OSError, ValueError, EOFError) as error:
                why = f"the prover failed: {type(error).__name__}"
            self._stop()
            return _unknown(why)

    def warm(self) -> None:
        """Start the process now, so that the first obligation does not pay for it."""
        with self.lock:
            try:
                self._started()
            except (OSError, ValueError, EOFError):
                self._stop()

    def close(self) -> None:
        with self.lock:
            self._stop()

    def _ask(self, obligation: dict[str, Any], seconds: float) -> dict[str, Any]:
        process = self._started()
        self.number += 1
        request = {"id": self.number, "obligation": obligation, "seconds": seconds}
        deadline = time.monotonic() + seconds + GRACE_SECONDS
        _write(cast("Any", process.stdin).fileno(), json.dumps(request).encode() + b"\n", deadline)
        found = self._line(process, deadline)
        if found.get("id") != self.number:
            raise ValueError("an answer to another question")
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self.process is not None and self.owner == os.getpid() and self.process.poll() is None:
            return self.process
        if self.process is not None and self.owner != os.getpid():
            self.process = None  # inherited by fork: the pipes belong to the parent
        self._stop()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        process = subprocess.Popen(  # noqa: S603 - our own module, or the one a test passes
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
        )
        os.set_blocking(cast("Any", process.stdin).fileno(), False)
        self.process, self.owner, self.waiting = process, os.getpid(), b""
        self.ending = weakref.finalize(self, _end, process)
        if self._line(process, time.monotonic() + START_SECONDS).get("ready") is not True:
            raise ValueError("the prover did not start")
        return process

    def _line(self, process: subprocess.Popen[bytes], deadline: float) -> dict[str, Any]:
        """The next line as an object; `TimeoutError` past the deadline, `EOFError` if the process ended."""
        pipe = cast("Any", process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while b"\n" not in self.waiting:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                part = os.read(pipe.fileno(), 65_536)
                if not part:
                    raise EOFError
                self.waiting += part
                if len(self.waiting) > ANSWER_BYTES_MAX:
                    raise ValueError("an endless answer")
        line, self.waiting = self.waiting.split(b"\n", 1)
        found = json.loads(line)
        if not isinstance(found, dict):
            raise ValueError("not an object")  # noqa: TRY004 - nonsense on the pipe, whatever its type
        return cast("dict[str, Any]", found)

    def _stop(self) -> None:
        if self.ending is not None and self.owner == os.getpid():
            self.ending()
        elif self.ending is not None:
            self.ending.detach()
        self.process, self.ending, self.waiting = None, None, b""
