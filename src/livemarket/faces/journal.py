"""What was asked of the faces, written down before it is done: a served run that was killed goes on where it stood.

The world is a function of its seed and of what is asked of it, in this order, as long as its clock is moved by hand. So
the calls that may change something are the whole state: a new process answers them again, and tells nobody again what
was delivered already.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livemarket.faces.calls import Call
from livemarket.faces.door import Door

_READING = {"GET", "HEAD", "OPTIONS"}


class Journal:
    """One file, one JSON document a line. `run` says what is served; a file of another run is refused (ValueError)."""

    def __init__(self, path: Path, run: dict[str, Any]) -> None:
        whole = path.read_bytes() if path.exists() else b""
        kept = whole[: whole.rfind(b"\n") + 1]  # a line that was cut off was never answered
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in kept.splitlines()]
        if self.entries and self.entries[0] != {"run": run}:
            raise ValueError(f"{path} is the journal of another run: {json.dumps(self.entries[0].get('run'))}")
        self._file = path.open("ab")
        self._file.truncate(len(kept))
        self._is_open = not self.entries
        if self._is_open:
            self._write({"run": run}, is_kept=True)

    def called(self, face: str, call: Call) -> None:
        """Before a call is looked at: on disk, if it may change anything."""
        if self._is_open and call.method not in _READING:
            body = call.body.decode("latin-1")  # any bytes, one to one
            self._write({"face": face, "call": [call.method, call.path, call.query, call.headers, body]}, is_kept=True)

    def delivered(self, face: str, number: int) -> None:
        """A delivery by its place in its face's log. Should the line get lost, it is delivered twice."""
        if self._is_open:
            self._write({"face": face, "delivered": number}, is_kept=False)

    def replay(self, doors: Sequence[Door]) -> int:
        """Answer again what was asked, to nobody; how many calls there were. After it, new ones are written."""
        asyncio.run(self._replayed({door.face.name: door for door in doors}))
        count = sum("call" in entry for entry in self.entries)
        self.entries, self._is_open = [], True
        return count

    async def _replayed(self, doors: dict[str, Door]) -> None:
        for entry in self.entries[1:]:
            door = doors[entry["face"]]
            if "call" in entry:
                method, path, query, headers, body = entry["call"]
                await door.answer(Call(method, path, query, headers, body.encode("latin-1"), door.base))
            elif door.face.post:
                door.face.post.was_delivered(entry["delivered"])

    def close(self) -> None:
        self._file.close()

    def _write(self, entry: dict[str, Any], *, is_kept: bool) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        if is_kept:
            os.fsync(self._file.fileno())
