"""Campaigns as the advertising API has them: an ad set of this world is one campaign with one ad group and one budget,
which is shown and can be moved at either.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from livemarket.core.ads import promoted
from livemarket.faces.business import DAY, Happened, iso
from livemarket.faces.sales import SITE, Sales
from livemarket.faces.shelf import Shelf
from livemarket.faces.view import View
from livemarket.files import names

_CAMPAIGN, _GROUP = 1_790_000_000_000_001, 1_791_000_000_000_001


def number(minor: int) -> int | float:
    """Money as the dialect has it, a JSON number: the float next to two decimals is written with these two decimals."""
    return minor // 100 if minor % 100 == 0 else float(f"{minor // 100}.{minor % 100:02d}")


def ratio(top: int, bottom: int, places: int = 2) -> str:
    """A quotient as text, halves up, 0 if nothing is below."""
    scale = 10**places
    value = (2 * top * scale + bottom) // (2 * bottom) if bottom else 0
    return f"{value // scale}.{value % scale:0{places}d}"


class Campaigns:
    """Ad sets, and what each day's delivery was, kept as the clock passes it."""

    def __init__(self, view: View, shelf: Shelf, advertiser: str) -> None:
        self.view = view
        self.advertiser = advertiser
        self._shelf = shelf
        self._sales = Sales(view, SITE)
        self.paused: dict[int, int] = {}  # budgets of ad sets that were switched off
        self.spent: dict[tuple[int, int], dict[str, int]] = {}  # (day, ad set)
        self.changed: dict[int, int] = defaultdict(int)

    @property
    def sets(self) -> range:
        return range(self.view.world.setting.shop.ad_sets)

    def ids(self, ad_set: int) -> tuple[str, str]:
        """Campaign and ad group."""
        return str(_CAMPAIGN + ad_set), str(_GROUP + ad_set)

    def budget(self, ad_set: int) -> int:
        """A day's budget; of a paused one, what it will be once it runs again."""
        now = self._shelf.budget(ad_set)
        return now or self.paused.get(ad_set, 0)

    def runs(self, ad_set: int) -> bool:
        return self._shelf.budget(ad_set) > 0

    def seen(self, happened: Happened) -> None:
        if happened.kind == "ad_spend":
            columns = happened.columns
            self.spent[(happened.moment // DAY, columns["ad_set"])] = columns
        elif happened.kind == "budget":
            self.changed[happened.columns["ad_set"]] = happened.moment

    def _common(self, ad_set: int) -> dict[str, Any]:
        campaign, _ = self.ids(ad_set)
        word = "ENABLE" if self.runs(ad_set) else "DISABLE"
        stamp = iso(self.changed[ad_set]).replace("T", " ").removesuffix("Z")
        return {
            "advertiser_id": self.advertiser, "campaign_id": campaign, "campaign_name": names.ad_set(ad_set),
            "operation_status": word, "budget": number(self.budget(ad_set)), "budget_mode": "BUDGET_MODE_DAY",
            "create_time": iso(0).replace("T", " ").removesuffix("Z"), "modify_time": stamp,
        }  # fmt: skip

    def campaign(self, ad_set: int) -> dict[str, Any]:
        state = "CAMPAIGN_STATUS_ENABLE" if self.runs(ad_set) else "CAMPAIGN_STATUS_DISABLE"
        return self._common(ad_set) | {
            "objective_type": "WEB_CONVERSIONS", "budget_optimize_on": True, "secondary_status": state,
        }  # fmt: skip

    def group(self, ad_set: int) -> dict[str, Any]:
        _, group = self.ids(ad_set)
        state = "ADGROUP_STATUS_DELIVERY_OK" if self.runs(ad_set) else "ADGROUP_STATUS_DISABLE"
        sku = int(promoted(self.view.world)[ad_set])
        return self._common(ad_set) | {
            "adgroup_id": group, "adgroup_name": f"{names.ad_set(ad_set)} {names.sku(sku)}", "secondary_status": state,
            "optimization_goal": "CONVERT", "billing_event": "OCPM", "schedule_type": "SCHEDULE_FROM_NOW",
        }  # fmt: skip

    def delivered(self, ad_set: int, day: int) -> dict[str, int]:
        """Spend, impressions, clicks, and orders that came by the ads of this set on one day."""
        known = self.spent.get((day, ad_set))
        if known is None:
            return {}
        rows = self._sales.rows()
        orders = self.view.state.orders
        own = rows[(orders.at("campaign", rows) == ad_set) & (orders.at("day", rows) == day)]
        return {
            "spend": known["amount"], "impressions": known["impressions"], "clicks": known["clicks"],
            "conversion": len(own), "value": int(np.sum(orders.at("subtotal", own))),
        }  # fmt: skip
