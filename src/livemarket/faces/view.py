"""The world as of a moment, for all faces: orders, refunds, cases, payouts and lines that the clock has passed.

Today is lived ahead of the clock, so every row is held against the moment before anybody sees it.
"""

from __future__ import annotations

import re

import numpy as np

from livemarket.core.arrays import Flags, Ints
from livemarket.core.state import State, Status
from livemarket.core.table import Table
from livemarket.core.world import World
from livemarket.faces.business import DAY, Business
from livemarket.files import names

_ORDER = re.compile(r"lm(\d{4,})([0-9a-f]{14})")
PAID_AFTER = 3  # seconds between an order and its payment
SENT_SECOND, LANDED_SECOND = 28_800, 30_000


class View:
    """Read-only; `at` is a moment, the business's own if it is not given."""

    def __init__(self, business: Business) -> None:
        self._business = business

    @property
    def world(self) -> World:
        return self._business.world

    @property
    def state(self) -> State:
        return self._business.world.state

    @property
    def now(self) -> int:
        return self._business.now

    def cell(self, table: str, column: str, row: int) -> int:
        """One number of one table."""
        found: Table = getattr(self.state, table)
        return int(found[column][row])

    def order(self, column: str, row: int) -> int:
        return int(self.state.orders[column][row])

    def order_name(self, row: int) -> str:
        return names.order_ids(self.world, np.array([row]))[0]

    def paid_at(self, row: int) -> int:
        return self.order("day", row) * DAY + self.order("second", row) + PAID_AFTER

    def named_order(self, name: str) -> int | None:
        """The row of an order that was paid for, or failed to be, by now."""
        found = _ORDER.fullmatch(name)
        return self.keyed_order(int(found[1]), int(found[2], 16)) if found else None

    def keyed_order(self, day: int, key: int) -> int | None:
        orders = self.state.orders
        rows = np.flatnonzero((orders["day"] == day) & (orders["key"] == key))
        return int(rows[0]) if len(rows) and self.paid_at(int(rows[0])) <= self.now else None

    def paid_orders(self, processor: int) -> Ints:
        """Orders of a processor whose payment was tried by now, newest first."""
        orders = self.state.orders
        moment = orders["day"] * DAY + orders["second"] + PAID_AFTER
        rows = np.flatnonzero((orders["processor"] == processor) & (moment <= self.now))
        return rows[np.lexsort((-rows, -moment[rows]))]

    def failed(self, row: int) -> bool:
        return self.order("status", row) == Status.FAILED

    def _passed(self, table: Table, at: int) -> Flags:
        return table["day"] * DAY + table["second"] <= at

    def moment(self, table: Table, row: int) -> int:
        return int(table["day"][row]) * DAY + int(table["second"][row])

    def refunds_of(self, row: int, at: int) -> list[int]:
        """Refunds of an order made by then, oldest first."""
        table = self.state.refunds
        found = np.flatnonzero((table["order"] == row) & self._passed(table, at))
        return sorted(found.tolist(), key=lambda r: (self.moment(table, r), int(table["number"][r])))

    def refunded(self, row: int, at: int) -> int:
        return sum(int(self.state.refunds["amount"][r]) for r in self.refunds_of(row, at))

    def refunds(self, processor: int) -> list[int]:
        """All refunds of a processor made by now, newest first."""
        table = self.state.refunds
        own = self.state.orders.at("processor", table["order"]) == processor
        return self.newest(table, np.flatnonzero(own & self._passed(table, self.now)))

    def refund_at(self, row: int, moment: int) -> int | None:
        """The refund of an order that was made at this moment."""
        table = self.state.refunds
        same = (table["order"] == row) & (table["day"] * DAY + table["second"] == moment)
        found = np.flatnonzero(same)
        return int(found[0]) if len(found) else None

    def newest(self, table: Table, rows: Ints) -> list[int]:
        moment = table["day"][rows] * DAY + table["second"][rows]
        return rows[np.lexsort((-rows, -moment))].tolist()

    def case_of(self, row: int, at: int) -> int | None:
        """The dispute of an order, if it was open by then."""
        case = self.state.case_of.get(row)
        return case if case is not None and self.moment(self.state.cases, case) <= at else None

    def cases(self, processor: int) -> list[int]:
        table = self.state.cases
        own = self.state.orders.at("processor", table["order"]) == processor
        return self.newest(table, np.flatnonzero(own & self._passed(table, self.now)))

    def case_moment(self, case: int, what: str, at: int) -> int | None:
        """When a case was `answered` or `closed`, if it was by then."""
        day = self.cell("cases", f"{what}_day", case)
        moment = day * DAY + self.cell("cases", f"{what}_second", case)
        return moment if day >= 0 and moment <= at else None

    def lines(self, processor: int) -> list[int]:
        table = self.state.lines
        return self.newest(table, np.flatnonzero((table["processor"] == processor) & self._passed(table, self.now)))

    def lines_of(self, row: int, at: int) -> list[int]:
        table = self.state.lines
        return np.flatnonzero((table["order"] == row) & self._passed(table, at)).tolist()

    def payout_moment(self, payout: int) -> int:
        return self.cell("payouts", "day", payout) * DAY + self.state.by_hand.get(payout, SENT_SECOND)

    def payouts(self, processor: int) -> list[int]:
        rows = np.flatnonzero(self.state.payouts["processor"] == processor).tolist()
        return sorted(
            (r for r in rows if self.payout_moment(r) <= self.now), key=lambda r: (-self.payout_moment(r), -r)
        )

    def landed_moment(self, payout: int) -> int:
        return self.cell("payouts", "lands", payout) * DAY + LANDED_SECOND

    def balance(self, processor: int, at: int) -> tuple[int, int]:
        """What could be paid out at a moment, and what is still on its way there."""
        lines, payouts = self.state.lines, self.state.payouts
        sent = payouts["day"] * DAY + SENT_SECOND
        for row, second in self.state.by_hand.items():
            sent[row] = payouts["day"][row] * DAY + second
        gone = np.zeros(lines.length, dtype=np.bool_)
        paid = lines["payout"] >= 0
        gone[paid] = sent[lines["payout"][paid]] <= at
        mine = (lines["processor"] == processor) & ~gone & self._passed(lines, at)
        net = lines["gross"] - lines["fee"]
        ready = lines["available"] * DAY <= at
        return int(net[mine & ready].sum()), int(net[mine & ~ready].sum())

    def customers(self, processor: int) -> dict[int, int]:
        """Who tried to pay by now, and when first; the newest first."""
        first: dict[int, int] = {}
        for row in self.paid_orders(processor)[::-1].tolist():
            first.setdefault(self.order("customer", row), self.paid_at(row))
        return dict(reversed(first.items()))
