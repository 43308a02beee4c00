"""Orders of one channel as of now, as arrays: what lists are cut from."""

from __future__ import annotations

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.state import Status, Word
from livemarket.faces import numbers
from livemarket.faces.business import DAY
from livemarket.faces.view import PAID_AFTER, View

MARKET, SITE = 0, 1  # the channels: the marketplace, and the shop's own pages


class Sales:
    """Rows of orders of a channel that were paid by now."""

    def __init__(self, view: View, channel: int) -> None:
        self._view = view
        self._channel = channel

    def paid(self, rows: Ints) -> Ints:
        orders = self._view.state.orders
        return orders.at("day", rows) * DAY + orders.at("second", rows) + PAID_AFTER

    def rows(self) -> Ints:
        """Oldest first; equal seconds in the order of their rows."""
        orders = self._view.state.orders
        rows = np.flatnonzero((orders["channel"] == self._channel) & (orders["status"] != Status.FAILED))
        moment = self.paid(rows)
        rows, moment = rows[moment <= self._view.now], moment[moment <= self._view.now]
        return rows[np.argsort(moment, kind="stable")]

    def here(self, row: int) -> bool:
        """Whether an order is one of this channel that was paid for."""
        return row >= 0 and self._view.order("channel", row) == self._channel and not self._view.failed(row)

    def number(self, row: int) -> int:
        return numbers.packed(self._view.order("day", row), self._view.order("key", row))

    def row(self, number: int) -> int | None:
        """The order with this number, if it was paid for by now."""
        row = self._view.keyed_order(*numbers.unpacked(number))
        return row if row is not None and self.here(row) else None

    def refunded(self, rows: Ints) -> Ints:
        """What went back to the buyers by now."""
        table = self._view.state.refunds
        sums = np.zeros(self._view.state.orders.length, dtype=np.int64)
        done = table["day"] * DAY + table["second"] <= self._view.now
        np.add.at(sums, table["order"][done], table["amount"][done])
        return sums[rows]

    def shipped(self, rows: Ints) -> Ints:
        """When each was sent, -1 if not by now."""
        day = self._view.state.orders.at("ship_day", rows)
        second = 54_000 + np.floor(12_600 * self._view.world.word(Word.PICK, rows)).astype(np.int64)
        moment = day * DAY + second
        return np.where((day >= 0) & (moment <= self._view.now), moment, -1)

    def updated(self, rows: Ints) -> Ints:
        """The last thing that happened to each by now: payment, parcel, calling off, refund."""
        orders, table = self._view.state.orders, self._view.state.refunds
        moment = np.maximum(self.paid(rows), self.shipped(rows))
        called = orders.at("status", rows) == Status.CANCELLED
        off = (orders.at("day", rows) + 1) * DAY + 32_400
        off += np.floor(7_200 * self._view.world.word(Word.PICK, rows)).astype(np.int64)
        moment = np.where(called & (off <= self._view.now), np.maximum(moment, off), moment)
        last = np.full(orders.length, -1, dtype=np.int64)
        back = table["day"] * DAY + table["second"]
        done = back <= self._view.now
        np.maximum.at(last, table["order"][done], back[done])
        return np.maximum(moment, last[rows])

    def of_customer(self, number: int) -> Ints:
        rows = self.rows()
        return rows[self._view.state.orders.at("customer", rows) == number]

    def customers(self) -> dict[int, int]:
        """Who has bought here by now and when first, the longest-standing first."""
        rows = self.rows()
        first: dict[int, int] = {}
        buyers = self._view.state.orders.at("customer", rows).tolist()
        for number, at in zip(buyers, self.paid(rows).tolist(), strict=True):
            first.setdefault(number, at)
        return first
