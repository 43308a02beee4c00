"""Figures of a simulated run beside figures that somebody published. Each names its source and its quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core.arrays import Floats, Ints
from livemarket.core.facts import Facts
from livemarket.core.money import TIKTOK, Kind
from livemarket.core.setting import WARM_UP_DAYS
from livemarket.core.state import Status
from livemarket.core.world import World


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what was simulated, what was published, and the band that counts as agreeing."""

    name: str
    value: float
    published: str
    low: float
    high: float
    source: str
    quality: str
    percent: bool = True

    @property
    def inside(self) -> bool:
        return self.low <= self.value <= self.high

    @property
    def simulated(self) -> str:
        return f"{100 * self.value:.2f} %" if self.percent else f"{self.value:.2f}"


@dataclass
class Run:
    """What is collected of a run while it lives."""

    totals: dict[str, int]
    conversion: list[float]
    viewers: list[int]
    watching: list[list[int]]

    @classmethod
    def empty(cls) -> Run:
        return cls({}, [], [], [])

    def add(self, world: World, facts: Facts) -> None:
        """One day."""
        for name, amount in world.today.items():
            self.totals[name] = self.totals.get(name, 0) + amount
        for fact in facts.items:
            if fact.kind == "show_over":
                self._shows(world, fact.columns["show"], fact.columns["viewers"])
            if fact.kind == "slot" and len(self.watching) < 400:
                slots = int(fact.columns["slot"].max()) + 1
                self.watching += fact.columns["watching"].reshape(-1, slots).tolist()

    def _shows(self, world: World, shows: Ints, viewers: Ints) -> None:
        orders = world.state.orders
        recent = np.flatnonzero(orders["day"] == world.day - 1)
        place = np.searchsorted(shows, orders.at("show", recent[orders.at("show", recent) >= 0]))
        sold = np.bincount(place, minlength=len(shows))
        self.conversion += (sold / np.maximum(viewers, 1)).tolist()
        self.viewers += viewers.tolist()


def quantile(values: list[float], share: float) -> float:
    """The nearest rank."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def shipped_rows(world: World) -> Ints:
    """Orders of the run that were delivered long enough ago for their returns to be known."""
    orders = world.state.orders
    old = (orders["deliver_day"] >= WARM_UP_DAYS) & (orders["deliver_day"] < world.day - 30)
    return np.flatnonzero(old)


def by_category(world: World) -> list[Row]:
    """Return rates by category against the parameter's published range."""
    orders, rows = world.state.orders, shipped_rows(world)
    category = world.products.category[orders.at("sku", rows)]
    made: list[Row] = []
    for number, kind in enumerate(world.setting.categories):
        own = rows[category == number]
        parameter = world.setting.parameters[kind.returns]
        share = int((orders.at("return_kind", own) > 0).sum()) / max(len(own), 1)
        low, high = 0.85 * parameter.value, 1.15 * parameter.value
        text = f"{100 * parameter.value:.0f} %"
        made.append(Row(f"returns of {kind.name}", share, text, low, high, parameter.source, parameter.quality))
    return made


def card_rows(world: World) -> Ints:
    """Paid card orders of the run, old enough for most of their disputes to have come."""
    orders = world.state.orders
    paid = (orders["status"] != int(Status.FAILED)) & (orders["processor"] != TIKTOK)
    return np.flatnonzero(paid & (orders["day"] >= WARM_UP_DAYS) & (orders["day"] < world.day - 60))


def fee_share(world: World, processor: int) -> float:
    lines = world.state.lines
    kind = Kind.SETTLEMENT if processor == TIKTOK else Kind.CHARGE
    own = (lines["processor"] == processor) & (lines["kind"] == int(kind)) & (lines["gross"] > 0)
    return int(lines["fee"][own].sum()) / max(int(lines["gross"][own].sum()), 1)


def settlement_delay(world: World) -> Floats:
    """Days from delivery to settlement at the marketplace."""
    orders = world.state.orders
    rows = np.flatnonzero((orders["settled_day"] >= WARM_UP_DAYS) & (orders["deliver_day"] >= 0))
    return (orders.at("settled_day", rows) - orders.at("deliver_day", rows)) * 1.0


def margin(run: Run, world: World) -> float:
    """Contribution over sales: sales less returns, goods, fees, commissions, handling, ads, disputes."""
    orders = world.state.orders
    own = np.flatnonzero(orders["ship_day"] >= WARM_UP_DAYS)
    kept = own[orders.at("condition", own) != 1]
    goods = int(orders.at("cost", kept).sum())
    t = run.totals
    out = ("refunded", "fees", "affiliate", "creators_paid", "fulfilment_paid", "ad_spend", "dispute_fees", "disputed")
    return (t["gmv"] - goods - sum(t.get(n, 0) for n in out) + t.get("dispute_returned", 0)) / max(t["gmv"], 1)


def rows(run: Run, world: World) -> list[Row]:
    """Every comparison."""
    t, orders = run.totals, world.state.orders
    old, cards = shipped_rows(world), card_rows(world)
    returned = old[orders.at("return_kind", old) > 0]
    fraud = int((orders.at("return_kind", returned) >= 3).sum()) / max(len(returned), 1)
    late = t["late_scans"] / max(t["shipped"], 1)
    disputed = int((orders.at("dispute", cards) > 0).sum()) / max(len(cards), 1)
    decided = t.get("disputes_won", 0) / max(t.get("disputes_decided", 0), 1)
    web = (orders["day"] >= WARM_UP_DAYS) & (orders["status"] != int(Status.FAILED))
    page = int((web & (orders["channel"] == 1) & (orders["show"] < 0)).sum()) / max(t["visitors"], 1)
    best = quantile(run.conversion, 0.9)
    wait = float(np.median(settlement_delay(world)))
    ctr = t["ad_clicks"] / max(t["ad_spend"] / world.number("ad_cpm") * 1000, 1)
    nrf, vendor = "NRF and Happy Returns 2025", "vendor blogs, see parameters"
    return [
        Row("live orders per viewer, median show", quantile(run.conversion, 0.5), "2-4 %", 0.02, 0.04, vendor, "C"),
        Row("live orders per viewer, ninth of ten shows", best, "8-12 %", 0.07, 0.12, vendor, "C"),
        Row("orders per visit of the shop's own pages", page, "2-3 %", 0.017, 0.03, vendor, "C"),
        Row("returns of all delivered orders", len(returned) / max(len(old), 1), "12-19.3 %", 0.12, 0.193, nrf, "A"),
        Row("frauds among returns", fraud, "9 %", 0.07, 0.11, nrf, "A"),
        *by_category(world),
        Row("disputes of card orders", disputed, "0.5-0.6 %", 0.004, 0.007, "CNP 2022", "B"),
        Row("disputes won", decided, "10-30 %", 0.10, 0.30, "shiftprocessing", "C"),
        Row("tickets per order", t["tickets"] / max(t["orders"], 1), "6.7 %", 0.058, 0.076, "Gorgias", "C"),
        Row("parcels scanned late", late, "limit 4 %", 0.0, 0.04, "seller-us.tiktok.com", "A"),
        Row("card processor's fee", fee_share(world, 0), "2.9 % + 0.30", 0.03, 0.055, "Stripe list price", "A"),
        Row("marketplace's referral fee", fee_share(world, TIKTOK), "6 %", 0.059, 0.061, "TikTok Shop US", "B"),
        Row("days from delivery to settlement", wait, "7", 6.9, 8.1, "seller-us.tiktok.com", "A", percent=False),
        Row("clicks per impression, over a creative's life", ctr, "0.9 %", 0.007, 0.011, "stackmatix", "C"),
        Row("contribution over sales", margin(run, world), "none; owner's floor 15 %", 0.0, 0.35, "own guardrail", "M"),
    ]  # fmt: skip
