"""What happens after the parcel arrived: keeping it, sending it back, refunds, and frauds of each kind."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from livemarket.core import disputes, exact, money, policy, supply, tickets
from livemarket.core.arrays import Flags, Floats, Ints
from livemarket.core.keyed import unit
from livemarket.core.opponents import Intent
from livemarket.core.state import Status, Word
from livemarket.core.world import World


class ReturnKind(IntEnum):
    """Why somebody asks for money back."""

    NONE = 0
    CHANGED_MIND = 1
    DEFECTIVE = 2
    NOT_RECEIVED = 3
    EMPTY_BOX = 4
    WARDROBING = 5


CONDITIONS = ("unknown", "as_new", "used", "damaged", "empty")
FRAUDS = (ReturnKind.NOT_RECEIVED, ReturnKind.EMPTY_BOX, ReturnKind.WARDROBING)
KEEP_IT_MINOR = 1200  # at full generosity nothing under twice this has to be sent back


def rate_of_return(world: World, rows: Ints, late: Floats, defect: Floats) -> Floats:
    orders = world.state.orders
    base = np.array([world.log(c.returns) for c in world.setting.categories])
    category = world.products.category[orders.at("sku", rows)]
    bought = world.do("bought_drop", orders.at("drop_ppm", rows) / 1e6, orders.at("sku", rows))
    usual = base[category] - 0.15  # the published rates hold what lateness, faults and price drops add
    return exact.exp(
        world.graph.total(
            "return_rate", usual, defect=defect, late=late, bought_drop=bought,
            generosity=policy.generosity(world) - policy.USUAL,
        )
    )  # fmt: skip


def deliver(world: World) -> None:
    """Parcels arrive; each order's own words say whether it comes back, and when."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("deliver", world.day)
    if not len(rows):
        return
    orders.put("status", rows, int(Status.DELIVERED))
    orders.put("deliver_day", rows, world.day)
    second = 28800 + np.floor(39600 * world.word(Word.TRANSIT, rows)).astype(np.int64)
    world.facts.add("delivered", second, order=rows)
    world.count("delivered", len(rows))
    market = rows[orders.at("processor", rows) == money.TIKTOK]
    state.calendar.add("settle", np.full(len(market), world.day + int(world.number("settlement_days"))), market)
    rate = world.do("defect", state.batches.at("defect_ppm", orders.at("batch", rows)) / 1e6, orders.at("sku", rows))
    defect = (world.word(Word.DEFECT, rows) < rate).astype(np.int64)
    orders.put("defect", rows, defect)
    late = world.do("late", orders.at("late", rows).astype(np.float64))
    wants = world.word(Word.RETURN, rows) < np.minimum(rate_of_return(world, rows, late, defect * 1.0), 0.95)
    kind = kinds(world, rows, wants, defect == 1)
    orders.put("return_kind", rows, kind)
    back = kind > 0
    ages = np.array([c.return_age for c in world.setting.categories])[world.products.category[orders.at("sku", rows)]]
    # An exponential age with a peak in the first days, cut off at the return window.
    age = 1 + np.floor(-ages * exact.log(world.word(Word.RETURN_AGE, rows))).astype(np.int64)
    age = np.minimum(age, int(world.number("return_window")))
    age = np.where(kind == int(ReturnKind.WARDROBING), np.maximum(age, int(world.number("return_window")) - 6), age)
    state.calendar.add("return", world.day + age[back], rows[back])
    disputes.after_delivery(world, rows, late, defect * 1.0)
    tickets.after_delivery(world, rows, late, defect * 1.0)


def kinds(world: World, rows: Ints, wants: Flags, faulty: Flags) -> Ints:
    """Honest returns and frauds: a share of those who return, and opponents whatever the parameters say."""
    share = world.number("return_fraud")
    u = world.word(Word.FRAUD, rows)
    fraud = np.array([int(kind) for kind in FRAUDS])[np.floor(np.minimum(u / share, 0.999) * 3).astype(np.int64)]
    honest = np.where(faulty, int(ReturnKind.DEFECTIVE), int(ReturnKind.CHANGED_MIND))
    kind = np.where(wants, np.where(u < share, fraud, honest), 0)
    intent = world.state.orders.at("intent", rows)
    forced = {
        Intent.NOT_RECEIVED: 3,
        Intent.EMPTY_BOX: 4,
        Intent.WARDROBING: 5,
        Intent.DOUBLE_DIP: 1,
        Intent.STOLEN_CARD: 0,
    }
    for meaning, value in forced.items():
        kind = np.where(intent == int(meaning), value, kind)
    return kind.astype(np.int64)


def ask(world: World) -> None:
    """Requests of the day. Who says that nothing came sends nothing back; a generous shop lets small things be kept."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("return", world.day)
    rows = rows[(orders.at("refund", rows) == 0) & (orders.at("dispute", rows) == 0)]
    if not len(rows):
        return
    orders.put("return_day", rows, world.day)
    kind = orders.at("return_kind", rows)
    second = 36000 + np.floor(43200 * world.word(Word.INSPECTION, rows)).astype(np.int64)
    absent = kind == int(ReturnKind.NOT_RECEIVED)
    kept = ~absent & (
        orders.at("subtotal", rows) < 2 * KEEP_IT_MINOR * max(policy.generosity(world) - policy.USUAL, 0.0) * 2
    )
    world.count("returns", len(rows))
    sent = rows[~absent & ~kept]
    world.facts.add("return_asked", second[~absent & ~kept], order=sent)
    reason = np.where(absent, 2, np.where(kept, 3, 1))
    world.facts.add("refund_asked", second + 30, order=rows, reason=reason)
    broken = rows[kind == int(ReturnKind.DEFECTIVE)]
    world.facts.add("defect", second[kind == int(ReturnKind.DEFECTIVE)] + 60, order=broken)
    trip = 2 + np.floor(6 * world.word(Word.TRIP, sent)).astype(np.int64)
    state.calendar.add("back", world.day + trip, sent)
    waits = rows[absent | kept]
    state.calendar.add("judge", world.day + patience(world, waits), waits)


def patience(world: World, rows: Ints) -> Ints:
    """How many days a person takes to look at a case: none to two, at times five. Not the same every time."""
    u = world.word(Word.OPERATOR, rows)
    return np.where(u < 0.35, 0, np.where(u < 0.75, 1, np.where(u < 0.96, 2, 5))).astype(np.int64) + 1


def receive(world: World) -> None:
    """Returned parcels are opened. What is as new goes back on the shelf as a small batch of its own."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("back", world.day)
    if not len(rows):
        return
    kind, u = orders.at("return_kind", rows), world.word(Word.INSPECTION, rows)
    condition = np.where(u < 0.80, 1, np.where(u < 0.93, 2, 3))
    condition = np.where(kind == int(ReturnKind.DEFECTIVE), 3, condition)
    condition = np.where(kind == int(ReturnKind.WARDROBING), 2, condition)
    condition = np.where(kind == int(ReturnKind.EMPTY_BOX), 4, condition)
    orders.put("condition", rows, condition)
    orders.put("back_day", rows, world.day)
    second = 36000 + np.floor(21600 * world.word(Word.TRIP, rows)).astype(np.int64)
    world.facts.add("return_received", second, order=rows)
    good = rows[condition == 1]
    sku, quantity = orders.at("sku", good), orders.at("quantity", good)
    supply.shelve(world, sku, quantity, orders.at("cost", good) // quantity, np.full(len(good), 2000), -1)
    world.count("restocked", int(quantity.sum()))
    state.handled[1] += len(rows)
    world.count("returned", len(rows))
    state.calendar.add("judge", world.day + patience(world, rows) - 1, rows)


def judge(world: World) -> None:
    """A person decides. Frauds are caught in part; now and then an honest customer is refused by mistake."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("judge", world.day)
    rows = rows[orders.at("dispute", rows) == 0]
    if not len(rows):
        return
    kind, condition = orders.at("return_kind", rows), orders.at("condition", rows)
    u = world.word(Word.OUTCOME, rows)
    fraud = np.isin(kind, np.array([int(k) for k in FRAUDS]))
    caught = fraud & (u < world.number("fraud_caught"))
    mistaken = ~fraud & (u < world.number("operator_mistake"))
    refused = caught | mistaken
    granted = rows[~refused]
    total = orders.at("total", granted)
    worn = (condition[~refused] == 2) & (kind[~refused] == int(ReturnKind.CHANGED_MIND))
    amount = np.where(worn, total * 4 // 5, total)
    second = 59000 + np.floor(25200 * world.word(Word.OPERATOR, granted)).astype(np.int64)
    money.refunds_asked(world, granted, second)
    by = np.where(kind[~refused] == int(ReturnKind.NOT_RECEIVED), 2, np.where(condition[~refused] == 0, 3, 1))
    for reason in (1, 2, 3):
        own = by == reason
        world.facts.add("refund_granted", second[own] - 1200, order=granted[own], amount=amount[own])
        money.refund(world, granted[own], amount[own], second[own], reason=reason)
    no = rows[refused]
    world.count("refused", len(no))
    decide(world, rows, refused, mistaken | (fraud & ~caught))
    dips = granted[orders.at("intent", granted) == int(Intent.DOUBLE_DIP)]
    state.calendar.add("dispute", np.full(len(dips), world.day + 9), dips)
    card = orders.at("processor", no) != money.TIKTOK
    angry = no[card & (unit(state.words.at(no, Word.DISPUTE)) < world.number("dispute_refused"))]
    state.calendar.add("dispute", world.day + 4 + orders.at("key", angry) % 17, angry)


def decide(world: World, rows: Ints, refused: Flags, mistake: Flags) -> None:
    """The human decision, for comparing with and learning from."""
    asked = world.state.orders.at("return_day", rows)
    world.state.decisions.append(
        len(rows), day=world.day, kind=0, entity=rows, before=0, after=(~refused).astype(np.int64),
        delay_hours=24 * (world.day - asked), mistake=mistake.astype(np.int64),
    )  # fmt: skip
