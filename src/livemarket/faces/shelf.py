"""Prices, budgets and stock as of now: how today began and what the clock has passed since."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.state import Status
from livemarket.faces.business import DAY, Business

AS_NEW = 1  # the condition in which returned goods go back on the shelf


class Shelf:
    """Reads this morning and today's facts; today's end is never shown."""

    def __init__(self, business: Business) -> None:
        self._business = business

    def _today(self, kind: str, at: int) -> Iterator[tuple[dict[str, Ints], int, bool]]:
        """Each fact of a kind today: its columns, its place in them, and whether it had happened by then."""
        base = self._business.morning.day * DAY
        for fact in self._business.world.facts.items:
            if fact.kind == kind:
                for n, second in enumerate(fact.columns["second"].tolist()):
                    yield fact.columns, n, base + second <= at

    def _valued(self, kind: str, column: str, number: int, evening: int, at: int) -> int:
        """What a fact with before and after leaves at a moment: the first one still to come tells what is now."""
        later = [
            (int(c["second"][n]), int(c["before"][n]))
            for c, n, passed in self._today(kind, at)
            if not passed and int(c[column][n]) == number
        ]
        return min(later)[1] if later else evening

    def price(self, sku: int, at: int | None = None) -> int:
        now = self._business.now if at is None else at
        return self._valued("price", "sku", sku, int(self._business.world.state.price[sku]), now)

    def budget(self, ad_set: int) -> int:
        evening = int(self._business.world.state.ad_budget[ad_set])
        return self._valued("budget", "ad_set", ad_set, evening, self._business.now)

    def _passed(self, kind: str, column: str) -> Ints:
        """One column of what has happened today by now."""
        base, now = self._business.morning.day * DAY, self._business.now
        parts = [
            f.columns[column][base + f.columns["second"] <= now]
            for f in self._business.world.facts.items
            if f.kind == kind
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def stocks(self) -> tuple[Ints, Ints]:
        """On hand, and reserved for orders, of every product."""
        business = self._business
        state, orders = business.world.state, business.world.state.orders
        on_hand, reserved = business.morning.state.on_hand.copy(), business.morning.state.reserved.copy()
        came = self._passed("inbound", "purchase")
        np.add.at(on_hand, state.purchases.at("sku", came), state.purchases.at("received", came))
        placed = self._passed("order", "order")
        status = orders.at("status", placed)
        placed = placed[(status != Status.FAILED) & (status != Status.OVERSOLD)]
        np.add.at(reserved, orders.at("sku", placed), orders.at("quantity", placed))
        sent = self._passed("shipped", "order")
        np.add.at(on_hand, orders.at("sku", sent), -orders.at("quantity", sent))
        np.add.at(reserved, orders.at("sku", sent), -orders.at("quantity", sent))
        back = self._passed("return_received", "order")
        back = back[orders.at("condition", back) == AS_NEW]
        np.add.at(on_hand, orders.at("sku", back), orders.at("quantity", back))
        np.add.at(on_hand, self._passed("adjusted", "sku"), self._passed("adjusted", "delta"))
        return on_hand, reserved

    def stock(self, sku: int) -> tuple[int, int]:
        """On hand, and reserved for orders."""
        on_hand, reserved = self.stocks()
        return int(on_hand[sku]), int(reserved[sku])

    def counted(self, sku: int, moment: int) -> int:
        """What the count at a moment changed."""
        base = self._business.morning.day * DAY
        return sum(
            int(c["delta"][n])
            for c, n, _ in self._today("adjusted", moment)
            if int(c["sku"][n]) == sku and base + int(c["second"][n]) == moment
        )
