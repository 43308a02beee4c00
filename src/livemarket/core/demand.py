"""Who watches, clicks and buys: the five-factor funnel of live shows, and visits to the shop's own pages.

GMV = impressions x enter rate x click rate x conversion x value. Each factor is an equation of the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core import ads, exact, keyed, quantise, showtime
from livemarket.core.arrays import Flags, Floats, Ints
from livemarket.core.keyed import Purpose
from livemarket.core.world import World

HOURS = (12, 17, 19, 20, 21)  # when shows begin; an evening's share is largest
HOUR_SHARES = (0.10, 0.30, 0.60, 0.85, 1.0)
LIVE_WEEK = (0.90, 0.88, 0.92, 1.0, 1.08, 1.18, 1.14)
WEB_WEEK = (1.06, 1.03, 1.0, 0.98, 0.95, 0.96, 1.05)
SLOT_SECONDS = 600
MARKETPLACE_SHARE = 0.7
MOST_ORDERS = 4095
RETENTION = 0.55
LIVE_KEY, WEB_KEY, OPPONENT_KEY = 1 << 40, 2 << 40, 3 << 40


@dataclass(frozen=True, slots=True)
class Cells:
    """Places where orders arise today: one slot of a show, or one product's page. Parallel arrays."""

    key: Ints
    sku: Ints
    orders: Ints
    price: Ints
    drop: Floats
    channel: Ints
    show: Ints
    slot: Ints
    creator: Ints
    campaign_share: Floats
    start: Ints
    length: Ints


def joined_cells(first: Cells, second: Cells) -> Cells:
    """Both, one after the other."""

    def both(a: Ints, b: Ints) -> Ints:
        return np.concatenate([a, b])

    return Cells(
        both(first.key, second.key), both(first.sku, second.sku), both(first.orders, second.orders),
        both(first.price, second.price), np.concatenate([first.drop, second.drop]),
        both(first.channel, second.channel), both(first.show, second.show), both(first.slot, second.slot),
        both(first.creator, second.creator), np.concatenate([first.campaign_share, second.campaign_share]),
        both(first.start, second.start), both(first.length, second.length),
    )  # fmt: skip


def season(world: World) -> Floats:
    """A triangle over the year for each product, highest at its category's peak."""
    peak = np.array([c.peak for c in world.setting.categories], dtype=np.float64)[world.products.category]
    away = np.abs((world.day % 365) - peak)
    away = np.minimum(away, 365.0 - away)
    return 1.20 - 0.40 * away / 182.5


def novelty(world: World) -> Floats:
    """2^(-age / half-life); a product that is shown anew every year is new again."""
    age = (world.day - world.products.launched) % 400
    value = exact.exp(-0.6931471805599453 * age / world.number("novelty_half_life"))
    return world.do("novelty", value, world.skus)


def transit_excess(world: World) -> float:
    """How many days longer than usual a parcel is expected to take."""
    couriers = world.setting.couriers
    usual = np.array([c.days for c in couriers])
    now = world.do("transit", usual, np.arange(len(couriers), dtype=np.int64))
    return float(np.cumsum((now - usual) * np.array([c.share for c in couriers]))[-1])


def paid_price(world: World, drop: Floats, sku: Ints) -> tuple[Ints, Floats]:
    """What a buyer pays, and the logarithm of that over the usual price, before the drop."""
    listed = quantise.minor(world.do("price", world.state.price.astype(np.float64), world.skus))
    relative = exact.log(np.maximum(listed, 1) / world.products.usual_price)
    return quantise.minor(listed[sku] * (1.0 - drop)), relative[sku]


def conversion(world: World, base: Floats, sku: Ints, relative: Floats, drop: Floats) -> Floats:
    """The equation of convert_rate. A drop changes what is paid (through price) and adds its urgency."""
    rivals = world.do("competitor_price", world.state.competitor[world.products.category], world.skus)
    return world.graph.total(
        "convert_rate",
        base,
        price=relative + exact.log(1.0 - drop),
        competitor_price=rivals[sku],
        price_drop=drop,
        transit=transit_excess(world),
    )


@dataclass(frozen=True, slots=True)
class Lineup:
    """Today's shows and what is pinned in their slots."""

    key: Ints
    creator: Ints
    channel: Ints
    start: Ints
    sku: Ints
    noise: Floats
    lasts: Ints

    def starts(self) -> Ints:
        """The second at which each slot of each show begins."""
        return slot_starts(self.start, int(self.sku.shape[1]))


def slot_starts(start: Ints, slots: int) -> Ints:
    """Seconds of the day: one row a show, one column a slot."""
    return start[:, None] + SLOT_SECONDS * np.arange(slots, dtype=np.int64)[None, :]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A day's shows as they are planned long before: by whom, where, from which second on."""

    key: Ints
    creator: Ints
    channel: Ints
    start: Ints
    noise: Floats


def schedule(world: World, day: int) -> Schedule:
    """The weekly plan of any day."""
    shop, weekday = world.setting.shop, day % 7
    count = shop.shows_per_week * (weekday + 1) // 7 - shop.shows_per_week * weekday // 7
    key = day * showtime.KEYS_A_DAY + np.arange(count, dtype=np.int64)
    u = keyed.uniforms(world.seed, key, day, Purpose.SHOW, 8)
    creator = np.searchsorted(np.cumsum(world.creators.weight), u[:, 0]).clip(0, shop.creators - 1)
    hour = np.array(HOURS)[np.searchsorted(np.array(HOUR_SHARES), u[:, 1]).clip(0, len(HOURS) - 1)]
    channel = (u[:, 2] >= MARKETPLACE_SHARE).astype(np.int64)
    return Schedule(key, creator, channel, hour * 3600, u)


def lineup(world: World, viral: Floats) -> Lineup:
    """Shows by the weekly plan; products by popularity with Gumbel noise (equal to sampling without replacement,
    Yellott 1977), sold-out and banned ones left out.
    """
    shop = world.setting.shop
    planned = schedule(world, world.day)
    key, u, count = planned.key, planned.noise, len(planned.key)
    creator, hour, channel = planned.creator, planned.start // 3600, planned.channel
    pairs = (key[:, None] * 4096 + world.skus[None, :]).ravel()
    gumbel = -exact.log(-exact.log(world.draw(Purpose.RUN_OF_SHOW, pairs, 1)[:, 0]))
    score = gumbel.reshape(count, shop.skus) + (world.products.log_popularity + 0.5 * novelty(world) + viral)[None, :]
    shut: Flags = (world.state.on_hand - world.state.reserved) <= 0
    banned: Flags = world.state.banned_until > world.day
    score = np.where(shut[None, :], score - 1000.0, score)
    score = np.where((channel == 0)[:, None] & banned[None, :], score - 2000.0, score)
    slots = min(shop.slots, shop.skus)
    sku = np.argsort(-score, axis=1, kind="stable")[:, :slots].astype(np.int64)
    forced = world.do("run_of_show", sku.astype(np.float64).T, np.arange(slots, dtype=np.int64)[:, None]).T
    starts = slot_starts(hour * 3600, slots)
    chosen = showtime.pinned(world, key, starts, forced.astype(np.int64))
    return Lineup(key, creator, channel, hour * 3600, chosen, u, showtime.lasting(world, key, starts))


def audience(world: World, plan: Lineup, viral: Floats, u: Floats) -> tuple[Ints, Ints, Ints, Ints]:
    """Impressions, entering, watching and leaving, for each show and slot. Viewers carry over from slot to slot."""
    shop, state = world.setting.shop, world.state
    shows, slots = int(plan.sku.shape[0]), int(plan.sku.shape[1])
    reach = world.creators.audience[plan.creator] * shop.reach * 10.0 * LIVE_WEEK[world.weekday]
    reach = reach * exact.lognormal(plan.noise[:, 3], world.number("audience_sigma"))
    place = np.arange(slots, dtype=np.float64)
    shape = (1.15 - 0.3 * np.abs(place - (slots - 1) / 2.0) / slots) / slots
    health = world.do_one("health", state.health)
    log_mean = world.graph.total(
        "impressions",
        exact.log(reach[:, None] * shape[None, :]),
        health=exact.log(np.array([max(health, 1.0) / 1000.0])),
        ad_lift=world.do_one("ad_lift", state.ad_lift),
        viral=viral[plan.sku],
    )
    impressions = quantise.count(exact.exp(log_mean), u[:, :, 0])
    skill = world.do("skill", world.creators.skill, np.arange(shop.creators, dtype=np.int64))
    base = np.full((shows, slots), world.log("enter_rate"))
    rate = world.graph.total("enter_rate", base, novelty=novelty(world)[plan.sku], skill=skill[plan.creator][:, None])
    joined = np.minimum(quantise.count(impressions * exact.exp(rate), u[:, :, 1]), impressions)
    watching, left = np.zeros_like(joined), np.zeros_like(joined)
    before = np.zeros(shows, dtype=np.int64)
    for slot in range(slots):
        crowd = world.do("crowd", exact.log(np.maximum(before, 1) / 100.0))
        kept = exact.exp(world.graph.total("retention", exact.log(np.full(shows, RETENTION)), crowd=crowd))
        stayed = quantise.minor(before * np.minimum(kept, 0.85))
        left[:, slot] = before - stayed
        before = stayed + joined[:, slot]
        watching[:, slot] = before
    over = np.arange(slots)[None, :] >= plan.lasts[:, None]
    for counted in (impressions, joined, watching, left):
        counted[over] = 0
    return impressions, joined, watching, left


def live(world: World, viral: Floats) -> Cells:
    """Today's shows, slot by slot."""
    showtime.note(world)
    plan = lineup(world, viral)
    shows, slots = int(plan.sku.shape[0]), int(plan.sku.shape[1])
    key = (plan.key[:, None] * 32 + np.arange(slots, dtype=np.int64)[None, :]).astype(np.int64)
    u = world.draw(Purpose.SLOT, key.ravel(), 8).reshape(shows, slots, 8)
    impressions, joined, watching, left = audience(world, plan, viral, u)
    steps = np.floor(u[:, :, 2] / world.number("drop_share") * 4.0)
    drop = np.where(steps < 4, 0.10 + 0.05 * steps, 0.0)
    drop = np.clip(world.do("price_drop", drop.T, plan.sku.T).T, 0.0, 0.9)
    drop = showtime.dropped(world, plan.key, plan.starts(), drop)
    exposure = world.do("exposure", world.state.exposure, world.skus)
    pin = world.do("pin", np.ones(world.setting.shop.skus), world.skus)
    base = np.full((shows, slots), world.log("click_rate"))
    pinned = pin[plan.sku] - 1.0  # the level of click_rate is that of a pinned product
    log_click = world.graph.total("click_rate", base, pin=pinned, exposure=exposure[plan.sku], price_drop=drop)
    rate = np.minimum(exact.exp(log_click), 0.9)
    clicks = np.minimum(quantise.count(watching * rate, u[:, :, 3]), watching)
    price, relative = paid_price(world, drop, plan.sku)
    noise = exact.normal(plan.noise[:, 4])[:, None] * world.number("show_sigma")
    noise = noise + exact.normal(u[:, :, 4]) * world.number("slot_sigma")
    log_rate = conversion(world, world.log("live_convert") + noise, plan.sku, relative, drop)
    mean = clicks * np.minimum(exact.exp(log_rate), 0.9)
    drawn = exact.poisson(mean.ravel(), u[:, :, 5].ravel()).reshape(mean.shape)
    orders = np.minimum(drawn, np.minimum(clicks, MOST_ORDERS))
    expose(world, plan, watching)
    report(world, plan, (impressions, joined, watching, left, clicks), price, drop)
    start = plan.starts()
    wide = (shows, slots)
    creator, channel, show = (np.broadcast_to(a[:, None], wide) for a in (plan.creator, plan.channel, plan.key))
    slot = np.broadcast_to(np.arange(slots, dtype=np.int64)[None, :], wide)
    return Cells(
        LIVE_KEY + key.ravel(), plan.sku.ravel(), orders.ravel(), price.ravel(), drop.ravel(), channel.ravel(),
        show.ravel(), slot.ravel(), creator.ravel(), np.zeros(shows * slots), start.ravel(),
        np.full(shows * slots, SLOT_SECONDS, dtype=np.int64),
    )  # fmt: skip


def expose(world: World, plan: Lineup, watching: Ints) -> None:
    """What the audience has seen lately, in units of a usual show's viewers."""
    usual = world.setting.shop.reach * 10.0 * world.number("enter_rate")
    seen = np.bincount(plan.sku.ravel(), weights=watching.ravel() / usual, minlength=world.setting.shop.skus)
    world.state.exposure = world.number("exposure_memory") * world.state.exposure + seen * (1.0 / 3.0)


Funnel = tuple[Ints, Ints, Ints, Ints, Ints]


def report(world: World, plan: Lineup, funnel: Funnel, price: Ints, drop: Floats) -> None:
    """Facts of the shows: what the platform would tell, and the funnel by slot for the truth."""
    impressions, joined, watching, left, clicks = funnel
    for name, values in zip(("impressions", "viewers", "watching", "left", "clicks"), funnel, strict=True):
        world.count(name, int(values.sum()))
    shows = np.arange(len(plan.key))
    last = np.where(plan.lasts > 0, watching[shows, np.maximum(plan.lasts - 1, 0)], 0)
    world.count("left", int(last.sum()))  # whoever still watches leaves when the show ends
    if not world.facts.kept:
        return
    slots = int(plan.sku.shape[1])
    slot = np.broadcast_to(np.arange(slots, dtype=np.int64)[None, :], plan.sku.shape)
    on = plan.lasts > 0  # one that was called off before it began never was
    length = SLOT_SECONDS * plan.lasts
    world.facts.add(
        "show", plan.start[on], show=plan.key[on], creator=plan.creator[on], channel=plan.channel[on],
        planned=SLOT_SECONDS * slots,
    )  # fmt: skip
    columns = {
        "show": np.broadcast_to(plan.key[:, None], plan.sku.shape), "slot": slot, "sku": plan.sku, "price": price,
        "drop_ppm": quantise.ppm(drop), "previous": np.broadcast_to(world.state.price[plan.sku], plan.sku.shape),
        "impressions": impressions, "joined": joined, "watching": watching, "left": left, "clicks": clicks,
    }  # fmt: skip
    lives = slot < plan.lasts[:, None]
    world.facts.add("slot", plan.starts()[lives], **{name: values[lives] for name, values in columns.items()})
    world.facts.add(
        "show_over", (plan.start + length)[on], show=plan.key[on], peak=watching.max(axis=1)[on],
        viewers=joined.sum(axis=1)[on], last=last[on],
    )  # fmt: skip


def storefront(world: World, viral: Floats) -> Cells:
    """Visits to the shop's own pages, with those that advertisements sent."""
    shop = world.setting.shop
    u = world.draw(Purpose.STOREFRONT, world.skus, 4)
    base = world.products.log_popularity + exact.log(season(world) * (shop.visitors * WEB_WEEK[world.weekday]))
    log_mean = world.graph.total("visitors", base, viral=viral)
    organic = exact.poisson(exact.exp(log_mean), u[:, 0])
    paid, _ = ads.arriving(world)
    visitors = organic + paid
    world.count("visitors", int(visitors.sum()))
    none = np.zeros(shop.skus)
    price, relative = paid_price(world, none, world.skus)
    log_rate = conversion(world, np.full(shop.skus, world.log("web_convert")), world.skus, relative, none)
    orders = np.minimum(exact.poisson(visitors * np.minimum(exact.exp(log_rate), 0.9), u[:, 1]), visitors)
    absent = np.full(shop.skus, -1, dtype=np.int64)
    return Cells(
        WEB_KEY + world.skus, world.skus, np.minimum(orders, MOST_ORDERS), price, none,
        np.ones(shop.skus, dtype=np.int64), absent, absent, absent, paid / np.maximum(visitors, 1),
        np.zeros(shop.skus, dtype=np.int64),
        np.full(shop.skus, 86400, dtype=np.int64),
    )  # fmt: skip


def cells(world: World) -> Cells:
    """All of today's demand."""
    viral = world.do("viral", np.zeros(world.setting.shop.skus), world.skus)
    shown, visited = live(world, viral), storefront(world, viral)
    return joined_cells(shown, visited)


def rivals(world: World) -> None:
    """Competitors' prices: one AR(1) walk for each category."""
    categories = np.arange(len(world.setting.categories), dtype=np.int64)
    z = exact.normal(world.draw(Purpose.COMPETITOR, categories, 1)[:, 0])
    state = world.state
    state.competitor = world.number("competitor_memory") * state.competitor + world.number("competitor_sigma") * z
