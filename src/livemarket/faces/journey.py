"""When an order's goods did what, in the seconds in which the day's facts say it; None if not by then."""

from __future__ import annotations

from math import floor

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.state import Status, Word
from livemarket.faces.business import DAY
from livemarket.faces.view import View


class Journey:
    """Moments of one order, from its day columns and its own words."""

    def __init__(self, view: View) -> None:
        self._view = view

    def _word(self, row: int, which: Word) -> float:
        return float(self._view.world.word(which, np.array([row]))[0])

    def _moment(self, row: int, column: str, first: int, span: int, word: Word) -> int | None:
        day = self._view.order(column, row)
        return None if day < 0 else day * DAY + first + floor(span * self._word(row, word))

    def _by(self, moment: int | None, at: int) -> int | None:
        return moment if moment is not None and moment <= at else None

    def shipped(self, row: int, at: int) -> int | None:
        return self._by(self._moment(row, "ship_day", 54_000, 12_600, Word.PICK), at)

    def sent(self, at: int) -> tuple[Ints, Ints]:
        """All orders that were sent by then, and when."""
        orders = self._view.state.orders
        rows = np.flatnonzero(orders["ship_day"] >= 0)
        words = self._view.world.word(Word.PICK, rows)
        moment = orders["ship_day"][rows] * DAY + 54_000 + np.floor(12_600 * words).astype(np.int64)
        return rows[moment <= at], moment[moment <= at]

    def scanned(self, row: int, at: int) -> int | None:
        """By the courier: on the day it is sent, or three days later where the warehouse is slow."""
        sent = self._view.order("ship_day", row)
        if sent < 0:
            return None
        slow = self._word(row, Word.SCAN) < self._view.world.number("dispatch_late")
        second = 68_400 + floor(14_400 * self._word(row, Word.SCAN))
        return self._by((sent + (3 if slow else 0)) * DAY + second, at)

    def delivered(self, row: int, at: int) -> int | None:
        return self._by(self._moment(row, "deliver_day", 28_800, 39_600, Word.TRANSIT), at)

    def cancelled(self, row: int, at: int) -> int | None:
        """An oversold order is called off on the next day; another one when somebody stopped it."""
        if self._view.order("status", row) != Status.CANCELLED:
            return None
        if row in self._view.state.stopped:
            return self._by(self._view.state.stopped[row], at)
        second = 32_400 + floor(7_200 * self._word(row, Word.PICK))
        return self._by((self._view.order("day", row) + 1) * DAY + second, at)

    def return_asked(self, row: int, at: int) -> int | None:
        return self._by(self._moment(row, "return_day", 36_000, 43_200, Word.INSPECTION), at)

    def returned(self, row: int, at: int) -> int | None:
        return self._by(self._moment(row, "back_day", 36_000, 21_600, Word.TRIP), at)
