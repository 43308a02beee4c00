"""Which databases live by simulated time, and the clock that they live by.

A demonstration's days pass in minutes. Its processes share a clock that a file holds, and its database is marked by its
owner before anything else happens in it. A marked database opens with such a clock only, an unmarked one that was used
never does: so simulated time cannot get into real books, and simulated books cannot be taken for real ones.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from steward.kernel.errors import BadInput, Conflict
from steward.kernel.instants import format_instant, parse_instant

_MOST = timedelta(minutes=10)
"""How far the clock runs on by itself after it was set: less than a step of the business, so it never goes back."""


class DemonstrationClock:
    """The instant that the file holds, and from there on at the pace of the machine, for at most ten minutes. Processes
    that share the file agree on the time; the next setting moves all of them.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        try:
            instant, _, since = self._file.read_text(encoding="utf-8").strip().partition(" ")
            at, began = parse_instant(instant), int(since)
        except (OSError, ValueError, BadInput) as error:
            raise BadInput(
                f"no time can be read: {error}", where=str(self._file), fix="`steward demo --live` sets it"
            ) from error
        # After a restart of the machine the count begins anew; what was set still counts.
        passed = timedelta(microseconds=max(time.monotonic_ns() - began, 0) // 1000)
        return at + min(passed, _MOST)

    def monotonic(self) -> float:
        return time.monotonic()

    def set(self, at: datetime) -> None:
        """Move it, for every process at once; never back."""
        if self._file.exists():
            at = max(at, self.now())
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{format_instant(at)} {time.monotonic_ns()}\n", encoding="utf-8")
        draft.replace(self._file)


def hold_apart(owner: str, *, is_demonstration: bool) -> None:
    """Mark a database that is still empty; refuse one whose time is of the other kind. `owner` is its conninfo."""
    with psycopg.connect(owner, autocommit=True) as connection:
        row = connection.execute("SELECT name FROM demonstration").fetchone()
        if row is not None and not is_demonstration:
            raise Conflict(
                f"this database belongs to a demonstration ({row[0]}): its time is simulated, and so is its business",
                fix="use another STEWARD_HOME; STEWARD_DEMONSTRATION names the clock of one",
            )
        if row is None and is_demonstration:
            try:
                connection.execute("INSERT INTO demonstration (name) VALUES ('steward demo --live')")
            except psycopg.errors.RestrictViolation as error:
                raise Conflict(
                    "this database is in use: its time is real and stays so", fix="unset STEWARD_DEMONSTRATION"
                ) from error
