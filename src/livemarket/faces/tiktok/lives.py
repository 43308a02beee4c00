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
    """Shows of this run, kept as the clock passes their beginning and their end."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._begun: dict[int, Happened] = {}
        self._over: dict[int, Happened] = {}

    def seen(self, happened: Happened) -> None:
        if happened.kind == "show" and happened.columns["channel"] == MARKET:
            self._begun[happened.columns["show"]] = happened
        elif happened.kind == "show_over":
            self._over[happened.columns["show"]] = happened

    def ended(self, first: int, last: int) -> list[dict[str, Any]]:
        """Shows that began between two moments and are over."""
        chosen = [(h, self._over.get(show)) for show, h in self._begun.items() if first <= h.moment < last]
        return [self._told(begun, over) for begun, over in chosen if over is not None]

    def _told(self, show: Happened, over: Happened) -> dict[str, Any]:
        view, c = self._orders.view, show.columns
        rows = self._orders.sales.rows()
        own = rows[view.state.orders.at("show", rows) == c["show"]]
        sales = int(view.state.orders.at("subtotal", own).sum())
        return {
            "id": names.show(c["show"]), "title": "simulated", "username": names.creator(c["creator"]),
            "start_time": unix(show.moment), "end_time": unix(over.moment),
            "sales_performance": {
                "gmv": {"amount": major(sales), "currency": CURRENCY}, "sku_orders": len(own),
                "unit_sold": int(view.state.orders.at("quantity", own).sum()),
                "customers": len(np.unique(view.state.orders.at("customer", own))),
            },
            "interaction_performance": {"viewers": over.columns["viewers"], "peak_viewers": over.columns["peak"]},
        }  # fmt: skip

    def latest(self) -> str:
        """The last day that is over."""
        return names.calendar_date(self._orders.view.now // DAY - 1).isoformat()
