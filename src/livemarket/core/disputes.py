"""Chargebacks: stolen cards, friendly fraud, refused refunds. The bank takes the money first and decides later."""

from __future__ import annotations

import numpy as np

from livemarket.core import exact, money, policy
from livemarket.core.arrays import Floats, Ints
from livemarket.core.opponents import Intent
from livemarket.core.state import Word
from livemarket.core.world import World

OPEN, WON, LOST = 1, 2, 3


def after_delivery(world: World, rows: Ints, late: Floats, defect: Floats) -> None:
    """Card orders that will be disputed, and when: up to 90 days after delivery, inside the cardholder's window."""
    orders = world.state.orders
    card = orders.at("processor", rows) != money.TIKTOK
    log_rate = world.graph.total(
        "dispute_rate", np.full(len(rows), world.log("dispute_friendly")), late=late, defect=defect,
        generosity=policy.generosity(world) - policy.USUAL,
    )  # fmt: skip
    friendly = world.word(Word.DISPUTE, rows) < exact.exp(log_rate)
    stolen = orders.at("intent", rows) == int(Intent.STOLEN_CARD)
    chosen = rows[card & (friendly | stolen)]
    age = world.word(Word.DISPUTE_AGE, chosen)
    most = int(world.number("cardholder_window")) - 30
    age = np.minimum(3 + np.floor(-21.0 * exact.log(age)).astype(np.int64), most)
    world.state.calendar.add("dispute", world.day + age, chosen)


def open_cases(world: World) -> None:
    """A full refund made before prevents the case; whatever is left of the payment is taken back, with a fee."""
    state, orders = world.state, world.state.orders
    rows = np.unique(state.calendar.take("dispute", world.day))
    amount = orders.at("total", rows) - orders.at("refund", rows)
    dips = orders.at("intent", rows) == int(Intent.DOUBLE_DIP)
    amount = np.where(dips, np.maximum(amount, 0), amount)
    some = (amount > 0) & (orders.at("dispute", rows) == 0)
    rows, amount = rows[some], amount[some]
    if not len(rows):
        return
    orders.put("dispute", rows, amount)
    orders.put("dispute_day", rows, world.day)
    orders.put("dispute_state", rows, OPEN)
    second = 21600 + np.floor(50000 * world.word(Word.DISPUTE_AGE, rows)).astype(np.int64)
    fee = np.full(len(rows), int(world.number("dispute_fee")))
    money.add_lines(world, money.Kind.DISPUTE, rows, -amount, fee, second)
    world.count("disputes", len(rows))
    world.count("disputed", int(amount.sum()))
    world.count("dispute_fees", int(fee.sum()))
    world.facts.add("dispute", second, order=rows, amount=amount)
    answered = world.word(Word.PICK, rows) < world.number("evidence_sent")
    state.calendar.add("evidence", world.day + 3 + rows[answered] % 6, rows[answered])
    case = int(world.number("dispute_case_days")) + np.floor(28 * world.word(Word.MOOD, rows)).astype(np.int64)
    state.calendar.add("verdict", world.day + case, rows)


def send_evidence(world: World) -> None:
    """Countering costs a second fee, which comes back only if the case is won."""
    rows = world.state.calendar.take("evidence", world.day)
    if not len(rows):
        return
    second = 36000 + np.floor(18000 * world.word(Word.OPERATOR, rows)).astype(np.int64)
    fee = np.full(len(rows), int(world.number("counter_fee")))
    money.add_lines(world, money.Kind.COUNTER_FEE, rows, 0 * fee, fee, second)
    world.count("dispute_fees", int(fee.sum()))
    world.facts.add("evidence", second, order=rows, amount=fee)
    opened = world.state.orders.at("dispute_day", rows)
    world.state.decisions.append(
        len(rows), day=world.day, kind=1, entity=rows, after=1, delay_hours=24 * (world.day - opened)
    )


def decide_cases(world: World) -> None:
    """Answered cases are won at the published rate; one that nobody answered is lost."""
    state, orders = world.state, world.state.orders
    rows = state.calendar.take("verdict", world.day)
    if not len(rows):
        return
    outcome = world.word(Word.PICK, rows)  # not OUTCOME: that word decided whose refund was refused
    answered = outcome < world.number("evidence_sent")
    won = outcome < world.number("dispute_win")
    orders.put("dispute_state", rows, np.where(won, WON, LOST))
    amount = orders.at("dispute", rows)
    second = 30000 + np.floor(30000 * world.word(Word.TICKET, rows)).astype(np.int64)
    fee_back = np.where(won & answered, int(world.number("counter_fee")), 0)
    good = rows[won]
    money.add_lines(world, money.Kind.DISPUTE_WON, good, amount[won], -fee_back[won], second[won])
    world.count("disputes_won", int(won.sum()))
    world.count("dispute_fees", -int(fee_back.sum()))
    world.count("dispute_returned", int(amount[won].sum()))
    world.count("disputes_decided", len(rows))
    world.facts.add("verdict", second, order=rows, amount=amount, won=won.astype(np.int64), fee_back=fee_back)
