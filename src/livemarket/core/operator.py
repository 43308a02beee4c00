"""The people who run the shop: prices, budgets, creatives, commissions. They are late, uneven and at times wrong."""

from __future__ import annotations

import numpy as np

from livemarket.core import quantise
from livemarket.core.keyed import Purpose
from livemarket.core.world import World

PRICE, BUDGET, CREATIVE, COMMISSION = 3, 4, 5, 6


def prices(world: World) -> None:
    """Each product is looked at about once in three weeks: dearer where stock runs short, cheaper where it lies."""
    state = world.state
    u = world.draw(Purpose.OPERATOR, world.skus + 1000, 4)
    looked = np.flatnonzero(u[:, 0] < 1.0 / 21.0)
    cover = (state.on_hand - state.reserved)[looked] / np.maximum(state.sold_lately[looked], 0.05)
    step = np.where(cover < 14.0, 1.04, np.where(cover > 55.0, 0.93, 1.0))
    mistake = u[looked, 1] < world.number("operator_mistake")
    step = np.where(mistake, 2.0 - step, step)  # the wrong way
    usual = world.products.usual_price[looked]
    new = quantise.minor(state.price[looked] * step / 100.0) * 100 - 1
    new = np.clip(new, usual * 7 // 10, usual * 13 // 10)
    moved = new != state.price[looked]
    sku, before, after, wrong = looked[moved], state.price[looked][moved], new[moved], mistake[moved]
    state.price[sku] = after
    second = 30600 + np.floor(28800 * u[sku, 2]).astype(np.int64)
    world.facts.add("price", second, sku=sku, before=before, after=after)
    state.decisions.append(
        len(sku), day=world.day, kind=PRICE, entity=sku, before=before, after=after, mistake=wrong.astype(np.int64)
    )


def advertising(world: World) -> None:
    """Budgets move once a week or so, by feel; a tired creative is replaced a day to four after it should be."""
    state = world.state
    sets = np.arange(world.setting.shop.ad_sets, dtype=np.int64)
    u = world.draw(Purpose.OPERATOR, sets + 500_000, 4)
    usual = world.setting.shop.ad_budget_minor
    moved = np.flatnonzero(u[:, 0] < 1.0 / 8.0)
    step = np.where(u[moved, 1] < 0.5, 0.85, 1.15)
    after = np.clip(quantise.minor(state.ad_budget[moved] * step), usual // 2, usual * 2)
    before = state.ad_budget[moved]
    state.ad_budget[moved] = after
    world.facts.add("budget", np.full(len(moved), 32000), ad_set=moved, before=before, after=after)
    state.decisions.append(len(moved), day=world.day, kind=BUDGET, entity=moved, before=before, after=after)
    age = state.day - state.creative_born
    tired = np.flatnonzero((age > 1.6 * world.number("creative_half_life")) & (u[:, 2] < 0.35))
    state.creative_born[tired] = state.day
    world.facts.add("creative", np.full(len(tired), 34000), ad_set=tired)
    state.decisions.append(len(tired), day=world.day, kind=CREATIVE, entity=tired, after=1, delay_hours=24 * age[tired])


def commissions(world: World) -> None:
    """A rate that is raised holds at once; one that is lowered waits out the lock for creators who already sell."""
    state = world.state
    numbers = np.arange(world.setting.shop.creators, dtype=np.int64)
    u = world.draw(Purpose.OPERATOR, numbers + 700_000, 2)
    moved = numbers[(u[:, 0] < 1.0 / 90.0) & (state.affiliate_pending == state.affiliate_ppm)]
    after = np.where(u[moved, 1] < 0.5, state.affiliate_ppm[moved] - 10_000, state.affiliate_ppm[moved] + 10_000)
    after = np.clip(after, 80_000, 200_000)
    lock = np.where(after < state.affiliate_ppm[moved], int(world.number("affiliate_lock")), 0)
    state.affiliate_pending[moved] = after
    state.affiliate_from[moved] = world.day + lock
    state.decisions.append(
        len(moved), day=world.day, kind=COMMISSION, entity=moved, before=state.affiliate_ppm[moved], after=after
    )
    due = state.affiliate_from <= world.day
    state.affiliate_ppm = np.where(due, state.affiliate_pending, state.affiliate_ppm)
