"""Shows as of a moment: the plan of the coming week, today's run of show, and what was seen of those that are over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from livemarket.core.acts import Verb
from livemarket.core.demand import SLOT_SECONDS, schedule
from livemarket.core.showtime import KEYS_A_DAY
from livemarket.core.state import CHANNELS, Status
from livemarket.faces.business import DAY, Business, Happened, iso
from livemarket.faces.view import PAID_AFTER, View
from livemarket.files import names

AHEAD = 7  # days of the plan that are known


@dataclass
class Seen:
    """What the clock has shown of a show."""

    slots: dict[int, dict[str, int]] = field(default_factory=dict[int, dict[str, int]])
    ended: int = -1
    peak: int = 0
    viewers: int = 0


class Shows:
    """`seen` is filled as the clock passes facts: the world keeps those of today only."""

    def __init__(self, business: Business) -> None:
        self.view = View(business)
        self._business = business
        self._seen: dict[int, Seen] = {}

    def pass_by(self, happened: Happened) -> int | None:
        """Remember a fact; the key of its show, if it is about one."""
        if happened.kind not in {"show", "slot", "show_over"}:
            return None
        columns, key = happened.columns, happened.columns["show"]
        seen = self._seen.setdefault(key, Seen())
        if happened.kind == "slot":
            seen.slots[columns["slot"]] = columns
        elif happened.kind == "show_over":
            seen.ended, seen.peak, seen.viewers = happened.moment, columns["peak"], columns["viewers"]
        return key

    def known(self) -> dict[int, dict[str, int]]:
        """Creator, channel and first moment of each show from the run's first day to a week from now."""
        made: dict[int, dict[str, int]] = {}
        for day in range(self._business.first, self.view.now // DAY + AHEAD + 1):
            plan = schedule(self.view.world, day)
            columns = (plan.key.tolist(), plan.creator.tolist(), plan.channel.tolist(), plan.start.tolist())
            for key, creator, channel, start in zip(*columns, strict=True):
                made[key] = {"creator": creator, "channel": channel, "moment": day * DAY + start}
        return made

    def named(self, text: str) -> int | None:
        return next((key for key in self.known() if names.show(key) == text), None)

    def status(self, key: int, moment: int) -> str:
        """scheduled, live, ended, or cancelled."""
        seen = self._seen.get(key)
        if seen and seen.ended >= 0:
            return "ended"
        if self._called_off(key, moment):
            return "cancelled"
        return "live" if moment <= self.view.now else "scheduled"

    def _called_off(self, key: int, moment: int) -> bool:
        if key // KEYS_A_DAY < self.view.world.day - 1:
            return key not in self._seen  # it was to be and never began
        return any(c[1] == key and c[2] == Verb.END_SHOW and c[0] < moment for c in self.view.state.show_changes)

    def _planned(self, key: int) -> Iterator[dict[str, int]]:
        """Today's run of show as it will be if nobody changes it, or what was asked for on a later day."""
        for fact in self._business.world.facts.items:
            if fact.kind == "slot":
                for n in np.flatnonzero(fact.columns["show"] == key).tolist():
                    yield {name: int(fact.columns[name][n]) for name in ("slot", "sku", "price", "drop_ppm")}

    def slots(self, key: int, moment: int) -> list[dict[str, Any]]:
        """Slots that began, with what was counted; later ones as they are planned so far."""
        seen = self._seen.get(key, Seen())
        planned = {slot["slot"]: slot for slot in self._planned(key)} | seen.slots
        if not planned and moment > self.view.now:
            return self._asked(key, moment)
        made: list[dict[str, Any]] = []
        for n in sorted(planned):
            columns, starts = planned[n], moment + n * SLOT_SECONDS
            over = starts + SLOT_SECONDS <= self.view.now
            slot: dict[str, Any] = {
                "slot": n, "starts_at": iso(starts), "sku": names.sku(columns["sku"]), "currency": names.CURRENCY,
                "price_minor": columns["price"], "drop_percent": columns["drop_ppm"] // 10_000,
                "status": "over" if over else "live" if n in seen.slots else "planned",
            }  # fmt: skip
            if n in seen.slots:
                slot |= {"watching": columns["watching"], "joined": columns["joined"]}
            if over and n in seen.slots:
                slot |= {"impressions": columns["impressions"], "clicks": columns["clicks"]}
            made.append(slot)
        return made

    def _asked(self, key: int, moment: int) -> list[dict[str, Any]]:
        """Of a later day only what the shop asked for is known."""
        count = min(self.view.world.setting.shop.slots, self.view.world.setting.shop.skus)
        made: list[dict[str, Any]] = [
            {"slot": n, "starts_at": iso(moment + n * SLOT_SECONDS), "status": "planned"} for n in range(count)
        ]
        for _, show, verb, value, slot in self.view.state.show_changes:
            if show != key or verb == Verb.END_SHOW:
                continue
            change = {"sku": names.sku(value)} if verb == Verb.PIN else {"drop_percent": value // 10_000}
            for one in made if slot < 0 else made[slot : slot + 1]:
                one.update(change)
        return made

    def _sales(self, key: int) -> tuple[int, int]:
        orders = self.view.state.orders
        paid = orders["day"] * DAY + orders["second"] + PAID_AFTER <= self.view.now
        rows = np.flatnonzero((orders["show"] == key) & paid & (orders["status"] != Status.FAILED))
        return len(rows), int(orders["subtotal"][rows].sum())

    def show(self, key: int, known: dict[str, int]) -> dict[str, Any]:
        moment, seen = known["moment"], self._seen.get(key, Seen())
        planned = min(self.view.world.setting.shop.slots, self.view.world.setting.shop.skus) * SLOT_SECONDS
        made: dict[str, Any] = {
            "id": names.show(key), "status": self.status(key, moment), "creator_id": names.creator(known["creator"]),
            "channel": CHANNELS[known["channel"]], "starts_at": iso(moment), "planned_minutes": planned // 60,
            "ended_at": iso(seen.ended) if seen.ended >= 0 else None, "simulated": True,
        }  # fmt: skip
        if moment <= self.view.now:
            orders, sales = self._sales(key)
            made |= {"orders": orders, "currency": names.CURRENCY, "sales_minor": sales}
        if seen.ended >= 0:
            made |= {"peak_viewers": seen.peak, "total_viewers": seen.viewers}
        return made
