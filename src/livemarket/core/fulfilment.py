"""The warehouse and the couriers: capacity, cut-off, late scans, parcels that take long or never come."""

from __future__ import annotations

import numpy as np

from livemarket.core import exact, money
from livemarket.core.acts import Verb, one
from livemarket.core.arrays import Ints
from livemarket.core.state import Status, Word
from livemarket.core.world import World

PICK_SECOND = 54_000  # picking begins at three o'clock; until then an order can be stopped and its courier chosen
PROMISED_DAYS = 8  # six business days; a parcel is late after that


def ship(world: World) -> None:
    """Send what is due, oldest first, as much as the warehouse can handle; the rest waits for the next business day."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("ship", world.day)
    rows = asked_before_picking(world, rows)
    if not len(rows):
        return
    capacity = world.setting.shop.capacity
    rows, waiting = rows[:capacity], rows[capacity:]
    state.calendar.add("ship", np.full(len(waiting), world.business_day_after(world.day, 1)), waiting)
    slow = world.word(Word.SCAN, rows) < world.number("dispatch_late")
    scan = np.where(slow, world.day + 3, world.day)
    missed = scan - orders.at("day", rows) > 4
    state.late_share = 0.97 * state.late_share + 0.03 * float(int((slow | missed).sum()) / max(len(rows), 1))
    from_batches(world, rows)
    orders.put("ship_day", rows, world.day)
    orders.put("status", rows, int(Status.SHIPPED))
    choose_courier(world, rows, scan)
    state.handled[0] += len(rows)
    world.count("shipped", len(rows))
    second = PICK_SECOND + np.floor(12600 * world.word(Word.PICK, rows)).astype(np.int64)
    world.facts.add("shipped", second, order=rows)
    state.calendar.add("scan", scan, rows)
    world.count("late_scans", int(slow.sum()))


def asked_before_picking(world: World, rows: Ints) -> Ints:
    """Acts on orders that would be picked today. What is left goes out."""
    before = np.full(len(rows), PICK_SECOND - 1)
    for act in world.due(Verb.LABEL, rows, before):
        label(world, act.entity, act.amount)
    stopped = world.due(Verb.STOP, rows, before)
    for act in stopped:
        call_off(world, act.entity, act.second)
    return rows[~np.isin(rows, [act.entity for act in stopped])]


def stop(world: World, order: int, second: int) -> None:
    """An order that waits for another day is not sent; one that is gone stays gone."""
    day = world.state.calendar.where("ship", order)
    if day is not None:
        world.state.calendar.drop("ship", day, order)
        call_off(world, order, second)


def call_off(world: World, order: int, second: int) -> None:
    """Its goods are free again. Nobody pays the buyer back for that: who waits in vain asks as for a lost parcel."""
    state, row = world.state, one(order)
    state.orders.put("status", row, int(Status.CANCELLED))
    state.reserved[int(state.orders["sku"][order])] -= int(state.orders["quantity"][order])
    state.calendar.add("missing", np.array([world.day + 15]), row)
    state.stopped[order] = world.day * 86400 + second
    world.facts.add("cancelled", one(second), order=row, by=2)
    world.count("stopped", 1)


def label(world: World, order: int, courier: int) -> None:
    """The shop chooses who carries a parcel that is not picked yet, or takes its choice back."""
    world.state.courier_of.pop(order, None)
    if courier >= 0:
        world.state.courier_of[order] = courier


def from_batches(world: World, rows: Ints) -> None:
    """First in, first out: the n-th piece sent is of the batch that brought the n-th piece."""
    state, orders = world.state, world.state.orders
    sku, quantity = orders.at("sku", rows), orders.at("quantity", rows)
    order = np.argsort(sku, kind="stable")
    running = np.cumsum(quantity[order])
    sorted_sku = sku[order]
    new = np.concatenate([[True], sorted_sku[1:] != sorted_sku[:-1]])
    starts = np.flatnonzero(new)
    base = np.repeat((running - quantity[order])[starts], np.diff(np.concatenate([starts, [len(order)]])))
    piece = state.shipped[sorted_sku] + (running - base) - quantity[order] + 1
    orders.put("batch", rows[order], batch_of(world, sorted_sku, piece))
    cost = np.zeros(len(order), dtype=np.int64)
    for more in range(int(quantity.max())):  # an order may take its pieces from two batches
        some = quantity[order] > more
        batch = batch_of(world, sorted_sku[some], piece[some] + more)
        cost[some] += state.batches.at("cost", batch)
    orders.put("cost", rows[order], cost)
    moved = np.bincount(sku, weights=quantity, minlength=len(state.on_hand)).astype(np.int64)
    state.shipped += moved
    state.on_hand -= moved
    state.reserved -= moved


def batch_of(world: World, sku: Ints, piece: Ints) -> Ints:
    """The batch that brought the `piece`-th piece of each product."""
    return world.state.batch_rows[np.searchsorted(world.state.batch_keys, (sku << 40) + piece)]


def choose_courier(world: World, rows: Ints, scan: Ints) -> None:
    """Couriers by their shares; transit lognormal around each one's usual days; a few parcels never arrive."""
    state, orders, couriers = world.state, world.state.orders, world.setting.couriers
    bounds = np.cumsum(np.array([c.share for c in couriers]))
    courier = np.searchsorted(bounds, world.word(Word.COURIER, rows)).clip(0, len(couriers) - 1)
    if state.courier_of:
        courier = np.array([state.courier_of.get(r, c) for r, c in zip(rows.tolist(), courier.tolist(), strict=True)])
    usual = world.do("transit", np.array([c.days for c in couriers]), np.arange(len(couriers), dtype=np.int64))
    spread = np.array([c.sigma for c in couriers])[courier]
    z = exact.normal(world.word(Word.TRANSIT, rows))
    transit = 1 + np.floor(usual[courier] * exact.exp(spread * z)).astype(np.int64)
    lost = world.word(Word.LOST, rows) < world.number("parcel_lost")
    arrives = scan + transit
    late = (arrives - orders.at("day", rows) > PROMISED_DAYS).astype(np.int64)
    orders.put("courier", rows, courier)
    orders.put("late", rows, late)
    state.calendar.add("deliver", arrives[~lost], rows[~lost])
    state.calendar.add("missing", scan[lost] + 15, rows[lost])


def scan(world: World) -> None:
    rows = world.state.calendar.take("scan", world.day)
    second = 68400 + np.floor(14400 * world.word(Word.SCAN, rows)).astype(np.int64)
    world.facts.add("scanned", second, order=rows)


def missing(world: World) -> None:
    """A parcel that never came is paid back, or, where the buyer was quicker, disputed."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("missing", world.day)
    if not len(rows):
        return
    sent = rows[orders.at("status", rows) == int(Status.SHIPPED)]
    orders.put("status", sent, int(Status.LOST))
    world.count("parcels_lost", len(sent))
    card = orders.at("processor", rows) != money.TIKTOK
    quick = card & (world.word(Word.DISPUTE, rows) < world.number("dispute_lost_parcel"))
    state.calendar.add("dispute", np.full(int(quick.sum()), world.day + 2), rows[quick])
    rest = rows[~quick]
    second = 40000 + np.floor(20000 * world.word(Word.OPERATOR, rest)).astype(np.int64)
    money.refunds_asked(world, rest, second)
    world.facts.add("refund_asked", second - 3600, order=rest, reason=4)
    money.refund(world, rest, orders.at("total", rest), second, reason=4)


def invoice(world: World) -> None:
    """The warehouse bills every Monday, before the day's work, what it handled in the week before."""
    state = world.state
    if world.weekday != 0:
        return
    sent, returned = int(state.handled[0]), int(state.handled[1])
    names = ("handling_cost", "parcel_cost", "return_cost")
    each = [int(world.number(name)) for name in names]
    amount = sent * (each[0] + each[1]) + returned * each[2]
    if amount:
        world.facts.add("fulfilment_invoice", np.array([25200]), amount=amount, sent=sent, returned=returned)
        state.calendar.add("fulfilment_due", np.array([world.business_day_after(world.day, 10)]), np.array([amount]))
    state.handled[:] = 0


def pay_invoices(world: World) -> None:
    for amount in world.state.calendar.take("fulfilment_due", world.day).tolist():
        money.bank(world, money.Bank.FULFILMENT, 0, world.day, -int(amount))
        world.facts.add("fulfilment_paid", np.array([38000]), amount=int(amount))
        world.count("fulfilment_paid", int(amount))
