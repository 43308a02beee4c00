"""The prover process: one JSON request a line on stdin, one answer a line on stdout.

A thread reads stdin so that the process notices its parent's end even in the middle of a proof, and leaves at
once.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from typing import Any, BinaryIO

from steward.verifier.provers.search import answer


def _read(requests: queue.SimpleQueue[dict[str, Any]]) -> None:
    for line in sys.stdin.buffer:
        requests.put(json.loads(line))
    os._exit(0)  # stdin is closed: nobody is there to hear an answer


def _answered(request: dict[str, Any]) -> dict[str, Any]:
    started = time.monotonic_ns()
    try:
        found = answer(request["obligation"], request["seconds"])
    except Exception as error:  # noqa: BLE001 - whatever it stumbles over is "unknown"
        found = {"status": "unknown", "why": f"the prover failed: {type(error).__name__}"}
    spent = (time.monotonic_ns() - started) // 1000
    return {"id": request["id"], "us": spent, **found}


def _own_pipe() -> BinaryIO:
    """The pipe to the parent, out of reach of solvers that print: their standard output goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return pipe


def _say(pipe: BinaryIO, message: dict[str, Any]) -> None:
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def main() -> None:
    pipe = _own_pipe()
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    _say(pipe, {"ready": True})
    while True:
        _say(pipe, _answered(requests.get()))


if __name__ == "__main__":
    main()
