"""A growing table of integer columns, and a calendar of rows that fall due."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livemarket.core.arrays import Ints


class Table:
    """Columns of one length. Rows are added at the end and never removed."""

    def __init__(self, columns: dict[str, int]) -> None:
        self._defaults = columns
        self.length = 0
        self._room = 0
        self._data: dict[str, Ints] = {name: np.zeros(0, dtype=np.int64) for name in columns}

    def append(self, count: int, **values: Ints | int) -> Ints:
        """Add `count` rows and return their numbers; a column that is not given takes its default."""
        first = self.length
        if first + count > self._room:
            self._room = max(1024, (first + count) * 3 // 2)
            for name, column in self._data.items():
                grown = np.empty(self._room, dtype=np.int64)
                grown[:first] = column[:first]
                self._data[name] = grown
        for name, default in self._defaults.items():
            self._data[name][first : first + count] = values.get(name, default)
        self.length += count
        return np.arange(first, self.length, dtype=np.int64)

    def __getitem__(self, name: str) -> Ints:
        return self._data[name][: self.length]

    def at(self, name: str, rows: Ints) -> Ints:
        return self._data[name][rows]

    def put(self, name: str, rows: Ints, values: Ints | int) -> None:
        self._data[name][rows] = values


class WordTable:
    """One row of 32-bit words for each order."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._data: NDArray[np.uint32] = np.zeros((0, width), dtype=np.uint32)

    def append(self, first: int, words: NDArray[np.uint64]) -> None:
        last = first + len(words)
        if last > len(self._data):
            grown = np.zeros((max(1024, last * 3 // 2), self._width), dtype=np.uint32)
            grown[:first] = self._data[:first]
            self._data = grown
        self._data[first:last] = words

    def at(self, rows: Ints, column: int) -> NDArray[np.uint32]:
        return self._data[rows, column]


class Calendar:
    """Which rows are due on which day at which stage."""

    def __init__(self) -> None:
        self._due: dict[tuple[str, int], list[Ints]] = {}

    def add(self, stage: str, days: Ints, rows: Ints) -> None:
        if not len(rows):
            return
        order = np.argsort(days, kind="stable")
        sorted_days = days[order]
        cuts = np.flatnonzero(np.diff(sorted_days)) + 1
        firsts = [0, *cuts.tolist()]
        for first, part in zip(firsts, np.split(rows[order], cuts), strict=True):
            self._due.setdefault((stage, int(sorted_days[first])), []).append(part)

    def take(self, stage: str, day: int) -> Ints:
        """The rows due today, in the order of their numbers; they are due no more."""
        parts = self._due.pop((stage, day), [])
        if not parts:
            return np.zeros(0, dtype=np.int64)
        rows: NDArray[np.int64] = np.concatenate(parts)
        rows.sort()
        return rows

    def drop(self, stage: str, day: int, row: int) -> None:
        """One row that is due no more; nothing happens if it is not due then."""
        parts = self._due.get((stage, day))
        if parts is not None:
            self._due[(stage, day)] = [part[part != row] for part in parts]

    def where(self, stage: str, row: int) -> int | None:
        """The day on which a row is due at a stage."""
        return next(
            (d for (name, d), parts in self._due.items() if name == stage and any(row in p for p in parts)), None
        )

    def waiting(self, stage: str) -> Ints:
        """All rows still due at a stage."""
        parts = [rows for (name, _), several in self._due.items() if name == stage for rows in several]
        return np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
