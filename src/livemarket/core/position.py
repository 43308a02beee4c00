"""What the shop owns and owes at a moment, from the world's own tables: the truth that books can be held against."""

from __future__ import annotations

import numpy as np

from livemarket.core import disputes
from livemarket.core.state import PROCESSORS
from livemarket.core.world import World


def inventory_minor(world: World) -> int:
    """Stock at cost, batch by batch, first in first out."""
    state = world.state
    sku = state.batches.at("sku", state.batch_rows)
    units = state.batches.at("units", state.batch_rows)
    end = state.batch_keys - (sku << 40)
    left = np.clip(end - state.shipped[sku], 0, units)
    return int((left * state.batches.at("cost", state.batch_rows)).sum())


def position(world: World) -> dict[str, int]:
    """Account -> amount in minor units; what is owed is negative."""
    state, orders, calendar = world.state, world.state.orders, world.state.calendar
    bills = calendar.waiting("bill")
    owed = int((state.purchases.at("received", bills) * state.purchases.at("unit_cost", bills)).sum())
    owed += int(calendar.waiting("fulfilment_due").sum()) + state.ad_owed
    ahead = [sum(a for (kind, _), a in state.paid_ahead.items() if kind == which) for which in (0, 1)]
    earned = calendar.waiting("creator")
    earned = earned[orders.at("commission_state", earned) == 1]
    open_cases = orders["dispute_state"] == disputes.OPEN
    made = {f"assets:clearing:{name}": int(state.balances[n]) for n, name in enumerate(PROCESSORS)}
    return made | {
        "assets:bank": state.bank,
        "assets:reserve:tiktok": state.reserve,
        "assets:in_transit": int(state.payouts.at("amount", calendar.waiting("land")).sum()),
        "assets:disputes": int(orders["dispute"][open_cases].sum()),
        "assets:inventory": inventory_minor(world),
        "liabilities:payable:suppliers": ahead[1] - owed,
        "liabilities:payable:creators": ahead[0] - int(orders.at("commission", earned).sum()),
        "liabilities:tax": -state.tax_owed,
    }
