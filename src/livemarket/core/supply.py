"""Suppliers: orders with minimum quantities, lead times, delays and failures; batches with their own faults; bills."""

from __future__ import annotations

import numpy as np

from livemarket.core import exact, fulfilment, money, quantise
from livemarket.core.acts import one
from livemarket.core.arrays import Ints
from livemarket.core.keyed import Purpose
from livemarket.core.world import World

WANTED_DAYS = 40.0  # how many days of sales the operator wants on the shelf and on the way
REORDER_DAYS = 26.0


def shelve(world: World, sku: Ints, units: Ints, cost: Ints, defect_ppm: Ints, supplier: Ints | int) -> Ints:
    """Put batches on the shelf, behind what is there: the queue of each product is first in, first out."""
    state = world.state
    rows = state.batches.append(
        len(sku), sku=sku, units=units, cost=cost, defect_ppm=defect_ppm, supplier=supplier, day=world.day
    )
    before = np.argsort(sku, kind="stable")
    sku, units, rows_in = sku[before], units[before], rows[before]
    running = np.cumsum(units)
    starts = np.flatnonzero(np.concatenate([[True], sku[1:] != sku[:-1]])) if len(sku) else sku
    base = np.repeat((running - units)[starts], np.diff(np.concatenate([starts, [len(sku)]])))
    last = state.received[sku] + running - base
    keys = (sku << 40) + last
    at = np.searchsorted(state.batch_keys, keys)
    state.batch_keys = np.insert(state.batch_keys, at, keys)
    state.batch_rows = np.insert(state.batch_rows, at, rows_in)
    added = np.bincount(sku, weights=units, minlength=len(state.on_hand)).astype(np.int64)
    state.received += added
    state.on_hand += added
    return rows


def defects(world: World, sku: Ints) -> Ints:
    """A batch's share of faulty pieces: lognormal around the supplier's quality."""
    u = world.draw(Purpose.PURCHASE, sku, 8)
    quality = world.suppliers.quality[world.products.supplier[sku]]
    rate = world.number("defect_rate") * quality * exact.lognormal(u[:, 5], world.number("defect_sigma"))
    return quantise.ppm(np.minimum(rate, 0.6))


def stock_first(world: World) -> None:
    """Before the first day every product gets one batch, sized by its popularity."""
    shop = world.setting.shop
    popularity = exact.exp(world.products.log_popularity)
    daily = shop.visitors * world.number("web_convert") * 1.15 + shop.reach * shop.shows_per_week / 7.0 * 0.016
    units = np.maximum(quantise.minor(popularity * daily * WANTED_DAYS), 10)
    world.state.sold_lately = popularity * daily
    world.state.bank = 3 * int((units * world.products.cost).sum())  # what the founders put in
    shelve(world, world.skus, units, world.products.cost, defects(world, world.skus), world.products.supplier)


def reorder(world: World) -> None:
    """The operator's daily round: order up to forty days of sales where fewer than twenty-six are left. Estimates are
    noisy, some days the round is forgotten, and now and then a quantity has a digit too many.
    """
    state = world.state
    u = world.draw(Purpose.PURCHASE, world.skus, 8)
    if float(world.draw(Purpose.OPERATOR, np.array([0]), 1)[0, 0]) < world.number("operator_forgets"):
        return
    level = state.on_hand - state.reserved + state.on_order
    daily = np.maximum(state.sold_lately, 0.05)
    short = level < daily * REORDER_DAYS
    target = world.do(
        "restock", daily * WANTED_DAYS * exact.lognormal(u[:, 0], world.number("operator_noise")), world.skus
    )
    supplier = world.products.supplier
    units = np.maximum(quantise.minor(target - level), world.suppliers.least_units[supplier])
    mistake = u[:, 1] < world.number("operator_mistake") / 3.0
    units = np.where(mistake, units * 3, units)
    chosen = np.flatnonzero(short & (target > level))
    if not len(chosen):
        return
    units, supplier, mistake = units[chosen], supplier[chosen], mistake[chosen]
    lead = world.suppliers.lead_days[supplier] * exact.lognormal(u[chosen, 2], 0.2)
    lead = lead + np.where(u[chosen, 3] < world.number("supplier_late"), 7.0, 0.0)
    shut = world.do("supplier_open", np.ones(len(world.suppliers.lead_days)), np.arange(len(world.suppliers.lead_days)))
    fails = (u[chosen, 4] < world.number("supplier_failure")) | (shut[supplier] <= 0.0)
    arrives = world.day + 1 + quantise.days(lead)
    cost = quantise.minor(world.products.cost[chosen] * (0.97 + 0.06 * u[chosen, 6]))
    rows = state.purchases.append(
        len(chosen), sku=chosen, supplier=supplier, units=units, unit_cost=cost, day=world.day, arrives=arrives
    )
    state.on_order += np.bincount(chosen, weights=units, minlength=len(state.on_order)).astype(np.int64)
    state.calendar.add("inbound", arrives[~fails], rows[~fails])
    state.calendar.add("no_show", arrives[fails] + 10, rows[fails])
    world.facts.add("purchase", np.full(len(rows), 33000), purchase=rows)
    state.decisions.append(
        len(rows), day=world.day, kind=2, entity=chosen, after=units, mistake=mistake.astype(np.int64)
    )
    world.count("purchased", int(units.sum()))


def receive(world: World) -> None:
    """Goods arrive and are billed; orders that never came are written off the list."""
    state, purchases = world.state, world.state.purchases
    gone = state.calendar.take("no_show", world.day)
    rows = state.calendar.take("inbound", world.day)
    both = np.concatenate([rows, gone])
    state.on_order -= np.bincount(
        purchases.at("sku", both), weights=purchases.at("units", both), minlength=len(state.on_order)
    ).astype(np.int64)
    if not len(rows):
        return
    sku, units, cost = (purchases.at(name, rows) for name in ("sku", "units", "unit_cost"))
    empty = (state.on_hand - state.reserved)[sku] <= 0
    batch = shelve(world, sku, units, cost, defects(world, sku), purchases.at("supplier", rows))
    purchases.put("received", rows, units)
    second = 31000 + 60 * np.arange(len(rows), dtype=np.int64)
    world.facts.add("inbound", second, purchase=rows, batch=batch)
    world.facts.add("replenished", second[empty] + 10, purchase=rows[empty])
    world.count("received", int(units.sum()))
    state.calendar.add("bill", np.full(len(rows), world.day + int(world.number("supplier_terms"))), rows)


def pay_bills(world: World) -> None:
    purchases = world.state.purchases
    for row in world.state.calendar.take("bill", world.day).tolist():
        one = np.array([row])
        owed = int((purchases.at("received", one) * purchases.at("unit_cost", one))[0])
        amount = money.due_after(world, money.SUPPLIER, int(purchases.at("supplier", one)[0]), owed)
        if not amount:
            continue
        money.bank(world, money.Bank.SUPPLIER, int(purchases.at("supplier", one)[0]), row, -amount)
        world.facts.add("supplier_paid", np.array([39000]), purchase=one, amount=amount)
        world.count("suppliers_paid", amount)


def buy(world: World, sku: int, units: int, second: int) -> None:
    """A purchase by hand, under the same lead times and failures as the operator's; goods come by the same door."""
    state = world.state
    supplier = int(world.products.supplier[sku])
    key = np.array([sku + 2_000_000])
    u = world.draw(Purpose.PURCHASE, key, 8)[0]
    lead = world.suppliers.lead_days[supplier] * float(exact.lognormal(u[2:3], 0.2)[0])
    lead += 7.0 if u[3] < world.number("supplier_late") else 0.0
    arrives = np.array([world.day + 1 + int(lead)])
    cost = quantise.minor(world.products.cost[sku : sku + 1] * (0.97 + 0.06 * u[6]))
    row = state.purchases.append(
        1, sku=sku, supplier=supplier, units=units, unit_cost=cost, day=world.day, arrives=arrives
    )
    state.on_order[sku] += units
    fails = u[4] < world.number("supplier_failure")
    state.calendar.add("no_show" if fails else "inbound", arrives + 10 * int(fails), row)
    world.facts.add("purchase", np.array([second]), purchase=row)
    world.count("purchased", units)


def call_off(world: World, purchase: int, second: int) -> None:
    """A purchase that is still on its way is not wanted any more."""
    state = world.state
    for stage in ("inbound", "no_show"):
        day = state.calendar.where(stage, purchase)
        if day is not None:
            state.calendar.drop(stage, day, purchase)
            units = int(state.purchases["units"][purchase])
            state.on_order[int(state.purchases["sku"][purchase])] -= units
            state.called_off[purchase] = world.day * 86400 + second
            world.count("called_off", units)


def adjust(world: World, sku: int, delta: int, second: int) -> None:
    """A count by hand. Pieces that were found come as a batch of their own at the usual cost; missing ones leave the
    oldest batches, as sold ones do. What buyers have reserved cannot go missing.
    """
    state = world.state
    if delta > 0:
        cost = delta * int(world.products.cost[sku])
        shelve(world, one(sku), one(delta), world.products.cost[sku : sku + 1], defects(world, one(sku)), -1)
    else:
        delta = -min(-delta, max(int(state.on_hand[sku] - state.reserved[sku]), 0))
        pieces = int(state.shipped[sku]) + 1 + np.arange(-delta, dtype=np.int64)
        batches = fulfilment.batch_of(world, np.full(-delta, sku, dtype=np.int64), pieces)
        cost = int(state.batches.at("cost", batches).sum())
        state.shipped[sku] -= delta
        state.on_hand[sku] += delta
    if delta:
        world.facts.add("adjusted", one(second), sku=sku, delta=delta, cost=cost)
        world.count("adjusted", delta)
