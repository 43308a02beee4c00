"""Errors in the outside world's papers: a few lines of settlements and bills are wrong, and the truth says which.

Each kind is one that reconciliation has to tell apart: a line left out, a line twice, a wrong amount, a wrong fee.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from livemarket.core import keyed
from livemarket.core.keyed import Purpose

KINDS = ("missing", "duplicate", "amount", "fee")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a paper, before it is written: amounts in minor units."""

    reference: str
    kind: str
    gross: int
    fee: int
    fields: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass
class Budget:
    """How many lines in a million are spoilt, and what was done so far."""

    seed: int
    ppm: int
    done: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def spoil(self, file: str, number: int, day: int, entries: list[Entry]) -> list[Entry]:
        """The entries as they are written. `number` names the paper, so that another one's errors do not move these."""
        made: list[Entry] = []
        last = 0
        for place, word in self.hits(number, day, len(entries)):
            made += entries[last:place]
            made += self._wrong(file, entries[place], word)
            last = place + 1
        return made + entries[last:]

    def hits(self, number: int, day: int, count: int, often: int = 1) -> list[tuple[int, int]]:
        """Which of so many lines are spoilt, `often` times as many as elsewhere, each with a word that says how."""
        if not self.ppm or not count:
            return []
        keys = (np.int64(number) << 20) + np.arange(count, dtype=np.int64)
        words = keyed.words(self.seed, keys, day, Purpose.FAULT, 2)
        hit = np.flatnonzero(words[:, 0] * 1_000_000 < np.uint64(self.ppm * often) << np.uint64(32))
        return [(place, int(words[place, 1])) for place in hit.tolist()]

    def _wrong(self, file: str, entry: Entry, word: int) -> list[Entry]:
        kind = KINDS[word % len(KINDS)]
        off = 1 + word // 4 % 900
        if kind == "fee" and not entry.fee:
            kind = "amount"
        new: list[Entry] = {
            "missing": [],
            "duplicate": [entry, entry],
            "amount": [Entry(entry.reference, entry.kind, entry.gross - off, entry.fee, entry.fields)],
            "fee": [Entry(entry.reference, entry.kind, entry.gross, entry.fee + off, entry.fields)],
        }[kind]
        self.done.append({
            "file": file, "fault": kind, "reference": entry.reference, "line_kind": entry.kind,
            "expected_net_minor": entry.net, "written_net_minor": sum(e.net for e in new), "currency": "USD",
        })  # fmt: skip
        return new


def major(minor: int) -> str:
    """Minor units as a decimal with two places."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"
