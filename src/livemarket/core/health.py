"""What the marketplace thinks of the shop: account health out of 1000, and listings it takes down."""

from __future__ import annotations

import numpy as np

from livemarket.core import exact
from livemarket.core.keyed import Purpose
from livemarket.core.world import World


def review(world: World) -> None:
    """Health moves a thirtieth of the way each day to what late dispatch and cancellations make of it."""
    state = world.state
    orders = max(world.today.get("orders", 0), 1)
    state.oversold_share = 0.97 * state.oversold_share + 0.03 * world.today.get("oversold", 0) / orders
    target = world.graph.total(
        "health_target", exact.log(np.array([1000.0])),
        late_share=world.do_one("late_share", state.late_share),
        oversold_share=world.do_one("oversold_share", state.oversold_share),
    )  # fmt: skip
    state.health = min(state.health + (float(exact.exp(target)[0]) - state.health) / 30.0, 1000.0)
    u = world.draw(Purpose.LISTING, world.skus, 2)
    shown = state.banned_until <= world.day
    banned = world.skus[shown & (u[:, 0] < world.number("listing_ban"))]
    state.banned_until[banned] = world.day + int(world.number("listing_ban_days"))
    state.health = max(state.health - 8.0 * len(banned), 1.0)
    world.facts.add("banned", 50000 + np.floor(20000 * u[banned, 1]).astype(np.int64), sku=banned)
    world.count("bans", len(banned))
    out = world.skus[(state.on_hand - state.reserved <= 0) & (state.sold_lately > 0.5)]
    low = world.skus[(state.on_hand - state.reserved < 4 * state.sold_lately) & (state.on_hand > state.reserved)]
    world.facts.add("stock_out", np.full(len(out), 86300), sku=out)
    world.facts.add("stock_low", np.full(len(low), 86310), sku=low, on_hand=state.on_hand[low])
