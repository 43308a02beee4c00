"""Orders: demand meets stock, in the order of the clock; payment is tried; what is paid is reserved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core import exact, keyed, money, quantise
from livemarket.core.arrays import Flags, Floats, Ints
from livemarket.core.demand import OPPONENT_KEY, Cells, joined_cells
from livemarket.core.keyed import Purpose
from livemarket.core.opponents import Intent, Opening
from livemarket.core.state import WORDS, Status, Word
from livemarket.core.world import World

CUTOFF_SECOND = 14 * 3600  # a warehouse sends on the same day what was ordered by two o'clock


@dataclass(frozen=True, slots=True)
class Candidates:
    """Orders somebody wants to place today."""

    cell: Ints
    key: Ints
    words: keyed.Words
    customer: Ints
    intent: Ints
    quantity: Ints
    second: Ints


def with_opponents(world: World, cells: Cells) -> tuple[Cells, list[tuple[int, Ints, Ints, Ints]]]:
    """The cells and one more for each attempt of an opponent, with (first cell, quantity, customer, intent)."""
    forced: list[tuple[int, Ints, Ints, Ints]] = []
    state = world.state
    for number, opponent in enumerate(world.setting.opponents):
        opening = Opening(world.day, state.price.copy(), state.on_hand - state.reserved)
        attempt = opponent.orders(world.seed, opening)
        n = len(attempt.sku)
        forced.append((len(cells.key), attempt.quantity, attempt.customer, attempt.intent))
        one, absent = np.ones(n, dtype=np.int64), np.full(n, -1, dtype=np.int64)
        key = OPPONENT_KEY + number * 65536 + np.arange(n, dtype=np.int64)
        price = state.price[attempt.sku]
        none = np.zeros(n)
        more = Cells(key, attempt.sku, one, price, none, one, absent, absent, absent, none, 0 * one, 86400 * one)
        cells = joined_cells(cells, more)
    return cells, forced


def candidates(world: World, cells: Cells, forced: list[tuple[int, Ints, Ints, Ints]]) -> Candidates:
    """Every order gets its words by its own name (cell and number within it), so that nobody else's move it."""
    cell = np.repeat(np.arange(len(cells.key), dtype=np.int64), cells.orders)
    first = np.cumsum(cells.orders) - cells.orders
    key = cells.key[cell] * 4096 + (np.arange(len(cell), dtype=np.int64) - first[cell])
    words = keyed.words(world.seed, key, world.day, Purpose.ORDER, WORDS)
    u = keyed.unit(words)
    draw = u[:, Word.CUSTOMER]
    customer = np.floor(world.setting.shop.customers * draw * draw * np.sqrt(draw)).astype(np.int64)
    base = np.full(len(cells.key), -1.966)  # 14 % of orders hold more than one piece
    more = exact.exp(world.graph.total("quantity", base, price_drop=cells.drop))[cell]
    quantity = 1 + (u[:, Word.QUANTITY] < more) + (u[:, Word.QUANTITY] < 0.25 * more)
    intent = np.zeros(len(cell), dtype=np.int64)
    stolen = (cells.channel[cell] == 1) & (u[:, Word.FRAUD] < world.number("dispute_stolen"))
    intent[stolen] = int(Intent.STOLEN_CARD)
    for start, quantities, customers, intents in forced:
        own = np.flatnonzero((cell >= start) & (cell < start + len(quantities)))
        quantity[own], customer[own], intent[own] = quantities, customers, intents
    # A day's traffic grows towards the evening; a slot's is even.
    span = np.where(cells.length[cell] > 3600, 0.12 + 0.88 * np.sqrt(u[:, Word.SECOND]), u[:, Word.SECOND])
    second = cells.start[cell] + np.floor(span * cells.length[cell]).astype(np.int64)
    return Candidates(cell, key, words, customer, intent, quantity.astype(np.int64), np.minimum(second, 86399))


def allot(world: World, sku: Ints, wanted: Candidates, paid: Flags) -> tuple[Flags, Flags]:
    """Who gets stock, first come first served, and who bought what was already gone: two channels show the same
    last pieces for a moment.
    """
    state = world.state
    available = state.on_hand - state.reserved
    lag = np.floor(2.2 * world.draw(Purpose.STOCK, world.skus, 1)[:, 0]).astype(np.int64)
    order = np.lexsort((wanted.key, wanted.second, sku))
    quantity = np.where(paid, wanted.quantity, 0)[order]
    running = np.cumsum(quantity)
    sorted_sku = sku[order]
    starts = np.flatnonzero(np.concatenate([[True], sorted_sku[1:] != sorted_sku[:-1]])) if len(order) else order
    before = np.repeat(running[starts] - quantity[starts], np.diff(np.concatenate([starts, [len(order)]])))
    within = running - before
    has, sees = within <= available[sorted_sku], within <= available[sorted_sku] + lag[sorted_sku]
    taken, oversold = np.zeros(len(order), dtype=np.bool_), np.zeros(len(order), dtype=np.bool_)
    taken[order] = has
    oversold[order] = sees & ~has
    return taken & paid, oversold & paid


def amounts(world: World, cells: Cells, wanted: Candidates) -> dict[str, Ints]:
    """Price, postage and tax in minor units. A marketplace collects tax itself, so it is none of ours there."""
    web = cells.channel[wanted.cell] == 1
    price = cells.price[wanted.cell]
    subtotal = price * wanted.quantity
    postage = np.where(web & (subtotal < int(world.number("postage_free"))), int(world.number("postage")), 0)
    rate = int(quantise.ppm(np.array([world.number("tax_rate")]))[0])
    tax = np.where(web, quantise.share(subtotal, rate), 0)
    total = subtotal + postage + tax
    return {"price": price, "subtotal": subtotal, "shipping": postage.astype(np.int64), "tax": tax, "total": total}


def commission(world: World, cells: Cells, wanted: Candidates, subtotal: Ints, u: Floats) -> Ints:
    """An affiliate's share of marketplace orders, a creator's of live orders on the shop's own site."""
    creator = cells.creator[wanted.cell]
    channel = cells.channel[wanted.cell]
    affiliate = (channel == 0) & (u < world.number("affiliate_share"))
    site = (channel == 1) & (creator >= 0)
    rate = np.where(affiliate, world.state.affiliate_ppm[creator], np.where(site, world.creators.site_ppm[creator], 0))
    return quantise.share(subtotal, rate)


def place(world: World, demand: Cells) -> None:
    """Write down today's orders and what becomes of each at the checkout."""
    state = world.state
    cells, forced = with_opponents(world, demand)
    wanted = candidates(world, cells, forced)
    u = keyed.unit(wanted.words)
    sku = cells.sku[wanted.cell]
    web = cells.channel[wanted.cell] == 1
    harder = np.where(wanted.intent == int(Intent.STOLEN_CARD), 8.0, 1.0)
    paid = u[:, Word.AUTHORISATION] >= world.number("auth_failure") * harder
    taken, oversold = allot(world, sku, wanted, paid)
    money_of = amounts(world, cells, wanted)
    earned = commission(world, cells, wanted, money_of["subtotal"], u[:, Word.AFFILIATE])
    kept = np.flatnonzero(taken | oversold | ~paid)
    # Rows follow the clock, so that what happens later in the day never renumbers what was there before.
    kept = kept[np.lexsort((wanted.key[kept], wanted.second[kept]))]
    world.count("lost_sales", int(len(sku) - len(kept)))
    status = np.where(~paid, int(Status.FAILED), np.where(oversold, int(Status.OVERSOLD), int(Status.OPEN)))
    paypal = u[:, Word.PROCESSOR] < world.number("paypal_share")
    # The affiliate word is uniform on [0, 1) again where no affiliate can be: it says which visits were paid for.
    bought = u[:, Word.AFFILIATE] < cells.campaign_share[wanted.cell]
    rows = state.orders.append(
        len(kept), key=wanted.key[kept], day=world.day, second=wanted.second[kept], sku=sku[kept],
        quantity=wanted.quantity[kept], **{name: values[kept] for name, values in money_of.items()},
        drop_ppm=quantise.ppm(cells.drop)[wanted.cell][kept], channel=cells.channel[wanted.cell][kept],
        processor=np.where(web, paypal.astype(np.int64), 2)[kept], show=cells.show[wanted.cell][kept],
        slot=cells.slot[wanted.cell][kept], creator=cells.creator[wanted.cell][kept],
        campaign=np.where(bought, sku % world.setting.shop.ad_sets, -1)[kept], customer=wanted.customer[kept],
        intent=wanted.intent[kept], status=status[kept], commission=earned[kept],
    )  # fmt: skip
    state.words.append(int(rows[0]) if len(rows) else 0, wanted.words[kept])
    settle_checkout(world, rows)


def settle_checkout(world: World, rows: Ints) -> None:
    """Payments, reservations and the day on which each order can be sent."""
    state, orders = world.state, world.state.orders
    status, second = orders.at("status", rows), orders.at("second", rows)
    good = rows[status != int(Status.FAILED)]
    real = rows[status == int(Status.OPEN)]
    oversold = rows[status == int(Status.OVERSOLD)]
    state.reserved += np.bincount(
        orders.at("sku", real), weights=orders.at("quantity", real), minlength=len(state.reserved)
    ).astype(np.int64)
    sold = np.bincount(orders.at("sku", good), weights=orders.at("quantity", good), minlength=len(state.reserved))
    state.sold_lately = 0.9 * state.sold_lately + 0.1 * sold
    world.facts.add("order", second, order=rows)
    failed = rows[status == int(Status.FAILED)]
    world.facts.add("payment_failed", orders.at("second", failed) + 2, order=failed)
    world.facts.add("cancelled", orders.at("second", failed) + 900, order=failed, by=0)
    money.capture(world, good)
    world.count("orders", len(good))
    world.count("failed", len(failed))
    world.count("oversold", len(oversold))
    world.count("gmv", int(orders.at("subtotal", good).sum()))
    today = orders.at("second", real) < CUTOFF_SECOND
    ready = np.where(today, world.day, world.day + 1)
    weekday = ready % 7
    ready = np.where(weekday >= 5, ready + 7 - weekday, ready)
    state.calendar.add("ship", ready, real)
    state.calendar.add("cancel", np.full(len(oversold), world.day + 1), oversold)


def cancel(world: World) -> None:
    """What was sold and is not there is called off and paid back the next day."""
    state = world.state
    rows = state.calendar.take("cancel", world.day)
    if not len(rows):
        return
    state.orders.put("status", rows, int(Status.CANCELLED))
    second = 32400 + np.floor(7200 * world.word(Word.PICK, rows)).astype(np.int64)
    world.facts.add("cancelled", second, order=rows, by=1)
    money.refunds_asked(world, rows, second + 60)
    money.refund(world, rows, state.orders.at("total", rows), second + 60, reason=0)
    world.count("cancelled", len(rows))
