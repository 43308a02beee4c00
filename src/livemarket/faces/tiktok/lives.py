"""Live shows that have ended, as the Shop's analytics tell them. Nothing can be steered here: no public path of the
Open Platform starts, ends or pins anything.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.faces.business import DAY, Happened, unix
from livemarket.faces.sales import MARKET
from livemarket.faces.tiktok.orders import CURRENCY, Orders
from livemarket.files import names
from livemarket.files.faults import major


class Lives:
    """Shows of this run, kept as the clock passes their beginning."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._shows: list[Happened] = []

    def seen(self, happened: Happened) -> None:
        if happened.kind == "show" and happened.columns["channel"] == MARKET:
            self._shows.append(happened)

    def ended(self, first: int, last: int) -> list[dict[str, Any]]:
        """Shows that began between two moments and are over."""
        now = self._orders.view.now
        chosen = [h for h in self._shows if first <= h.moment < last and h.moment + h.columns["length"] <= now]
        return [self._told(h) for h in chosen]

    def _told(self, show: Happened) -> dict[str, Any]:
        view, c = self._orders.view, show.columns
        rows = self._orders.sales.rows()
        own = rows[view.state.orders.at("show", rows) == c["show"]]
        sales = int(view.state.orders.at("subtotal", own).sum())
        return {
            "id": names.show(c["show"]), "title": "simulated", "username": names.creator(c["creator"]),
            "start_time": unix(show.moment), "end_time": unix(show.moment + c["length"]),
            "sales_performance": {
                "gmv": {"amount": major(sales), "currency": CURRENCY}, "sku_orders": len(own),
                "unit_sold": int(view.state.orders.at("quantity", own).sum()),
                "customers": len(np.unique(view.state.orders.at("customer", own))),
            },
            "interaction_performance": {"viewers": c["viewers"], "peak_viewers": c["peak"]},
        }  # fmt: skip

    def latest(self) -> str:
        """The last day that is over."""
        return names.calendar_date(self._orders.view.now // DAY - 1).isoformat()
