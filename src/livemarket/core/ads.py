"""Paid reach: money buys impressions at a noisy price, with less and less effect, from creatives that wear out."""

from __future__ import annotations

import numpy as np

from livemarket.core import entities, exact, quantise
from livemarket.core.arrays import Ints
from livemarket.core.keyed import Purpose
from livemarket.core.world import World


def promoted(world: World) -> Ints:
    """Which product each ad set shows: the most popular ones, in turn."""
    sets = world.setting.shop.ad_sets
    return np.arange(sets, dtype=np.int64) % world.setting.shop.skus


def advertise(world: World) -> None:
    """Spend today's budgets. Reach saturates as K (1 - e^(-x / K)); clicks come with a delay that falls off
    geometrically and wait in the pipeline of the product they were for.
    """
    state, shop = world.state, world.setting.shop
    sets = np.arange(shop.ad_sets, dtype=np.int64)
    u = world.draw(Purpose.AD, sets, 4)
    budget = quantise.minor(world.do("ad_budget", state.ad_budget.astype(np.float64), sets))
    price = world.number("ad_cpm") * exact.lognormal(u[:, 0], world.number("ad_cpm_sigma"))
    price = world.do("cpm", price)
    base = exact.log(np.maximum(budget, 1) / world.number("ad_cpm") * 1000.0)
    bought = exact.exp(world.graph.total("ad_impressions", base, cpm=exact.log(price / world.number("ad_cpm"))))
    bought = np.where(budget > 0, bought, 0.0)
    limit = world.number("ad_saturation")
    reached = limit * (1.0 - exact.exp(-bought / limit))
    age = world.do("creative_age", (state.day - state.creative_born).astype(np.float64), sets)
    rate = exact.exp(world.graph.total("ad_ctr", np.full(len(sets), world.log("ad_ctr")), creative_age=age))
    clicks = exact.poisson(reached * rate, u[:, 1])
    product = promoted(world)
    state.ad_pipeline += np.bincount(product, weights=clicks.astype(np.float64), minlength=shop.skus)
    organic = shop.reach * shop.shows_per_week / 7.0 * 10.0
    state.ad_lift = float(exact.log(np.array([1.0 + entities.total(reached) / organic]))[0])
    state.ad_owed += int(budget.sum())
    world.count("ad_spend", int(budget.sum()))
    world.count("ad_clicks", int(clicks.sum()))
    world.facts.add(
        "ad_spend",
        np.full(len(sets), 86000),
        ad_set=sets,
        amount=budget,
        impressions=quantise.minor(reached),
        clicks=clicks,
    )
    tired = sets[(age >= 2 * world.number("creative_half_life")) & (age < 2 * world.number("creative_half_life") + 1)]
    world.facts.add(
        "creative_tired",
        np.full(len(tired), 80000),
        ad_set=tired,
        born=state.creative_born[tired],
        rate_ppm=quantise.ppm(rate[tired]),
        impressions=quantise.minor(reached[tired]),
    )


def arriving(world: World) -> tuple[Ints, Ints]:
    """Clicks that become visits today, by product, and what is left for later."""
    state = world.state
    now = np.floor(state.ad_pipeline * (1.0 - world.number("ad_delay")))
    state.ad_pipeline = state.ad_pipeline - now
    return now.astype(np.int64), quantise.minor(state.ad_pipeline)
