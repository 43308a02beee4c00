"""Chargebacks: stolen cards, friendly fraud, refused refunds. The bank takes the money first and decides later."""

from __future__ import annotations

import numpy as np

from livemarket.core import exact, money, policy
from livemarket.core.acts import Verb, one
from livemarket.core.arrays import Flags, Floats, Ints
from livemarket.core.keyed import unit
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


def opening_second(world: World, rows: Ints) -> Ints:
    return 21600 + np.floor(50000 * world.word(Word.DISPUTE_AGE, rows)).astype(np.int64)


def open_cases(world: World) -> None:
    """A full refund made before prevents the case; whatever is left of the payment is taken back, with a fee."""
    state, orders = world.state, world.state.orders
    rows = np.unique(state.calendar.take("dispute", world.day))
    money.refunds_asked(world, rows, opening_second(world, rows))
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
    second = opening_second(world, rows)
    for row, case in zip(
        rows.tolist(),
        state.cases.append(len(rows), order=rows, amount=amount, day=world.day, second=second).tolist(),
        strict=True,
    ):
        state.case_of[row] = case
    fee = np.full(len(rows), int(world.number("dispute_fee")))
    money.add_lines(world, money.Kind.DISPUTE, rows, -amount, fee, second)
    world.count("disputes", len(rows))
    world.count("disputed", int(amount.sum()))
    world.count("dispute_fees", int(fee.sum()))
    world.facts.add("dispute", second, order=rows, amount=amount)
    answered = world.word(Word.PICK, rows) < world.number("evidence_sent")
    state.calendar.add("evidence", world.day + 3 + orders.at("key", rows[answered]) % 6, rows[answered])
    case = int(world.number("dispute_case_days")) + np.floor(28 * world.word(Word.MOOD, rows)).astype(np.int64)
    state.calendar.add("verdict", world.day + case, rows)


def cases(world: World, rows: Ints) -> Ints:
    """The case of each of these orders."""
    return np.array([world.state.case_of[row] for row in rows.tolist()], dtype=np.int64)


def send_evidence(world: World) -> None:
    """The operator counters. That costs a second fee, which comes back only if the case is won."""
    rows = world.state.calendar.take("evidence", world.day)
    second = 36000 + np.floor(18000 * world.word(Word.OPERATOR, rows)).astype(np.int64)
    for act in world.due(Verb.ANSWER, rows, second):
        answer(world, one(act.entity), one(act.second))
    for act in world.due(Verb.ACCEPT, rows, second):
        accept(world, act.entity, act.second)
    waits = rows[world.state.cases.at("answered_day", cases(world, rows)) < 0] if len(rows) else rows
    waits = waits[world.state.orders.at("dispute_state", waits) == OPEN]
    if not len(waits):
        return
    second = second[np.isin(rows, waits)]
    counter(world, waits, second)
    opened = world.state.orders.at("dispute_day", waits)
    world.state.decisions.append(
        len(waits), day=world.day, kind=1, entity=waits, after=1, delay_hours=24 * (world.day - opened)
    )


def counter(world: World, rows: Ints, second: Ints) -> None:
    """Evidence goes to the bank."""
    fee = np.full(len(rows), int(world.number("counter_fee")))
    money.add_lines(world, money.Kind.COUNTER_FEE, rows, 0 * fee, fee, second)
    case = cases(world, rows)
    world.state.cases.put("answered_day", case, world.day)
    world.state.cases.put("answered_second", case, second)
    world.count("dispute_fees", int(fee.sum()))
    world.facts.add("evidence", second, order=rows, amount=fee)


def answer(world: World, rows: Ints, second: Ints) -> None:
    """Somebody counters by hand, before the operator did or where the operator never would have."""
    counter(world, rows, second)
    world.state.cases.put("by_act", cases(world, rows), 1)


def accept(world: World, order: int, second: int) -> None:
    """The shop gives in: the case is lost now."""
    row, state = one(order), world.state
    case = cases(world, row)
    verdict_on = state.calendar.where("verdict", order)
    if verdict_on is not None:
        state.calendar.drop("verdict", verdict_on, order)
    close(world, row, one(second), np.zeros(1, dtype=np.bool_), state.cases.at("answered_day", case) >= 0)


def decide_cases(world: World) -> None:
    """Answered cases are won at the published rate; one that nobody answered is lost."""
    rows = world.state.calendar.take("verdict", world.day)
    if not len(rows):
        return
    second = 30000 + np.floor(30000 * world.word(Word.TICKET, rows)).astype(np.int64)
    for act in world.due(Verb.ANSWER, rows, second):
        answer(world, one(act.entity), one(act.second))
    gone = world.due(Verb.ACCEPT, rows, second)
    for act in gone:
        accept(world, act.entity, act.second)
    going = ~np.isin(rows, [act.entity for act in gone])
    rows, second = rows[going], second[going]
    case = cases(world, rows)
    outcome = world.word(Word.PICK, rows)  # not OUTCOME: that word decided whose refund was refused
    answered = world.state.cases.at("answered_day", case) >= 0
    won = outcome < world.number("dispute_win")
    # The operator answers 85 of 100, and all that are won are among those. A case that only an act answered is won as
    # often as an answered one.
    share = world.number("dispute_win") / world.number("evidence_sent")
    late = (outcome >= world.number("evidence_sent")) & (unit(world.state.words.at(rows, Word.TRIP)) < share)
    by_act = world.state.cases.at("by_act", case) == 1
    close(world, rows, second, (won & answered) | (late & by_act), answered)


def close(world: World, rows: Ints, second: Ints, won: Flags, answered: Flags) -> None:
    """Verdicts: what was taken comes back if the case is won, with the fee for countering."""
    state, orders = world.state, world.state.orders
    case = cases(world, rows)
    orders.put("dispute_state", rows, np.where(won, WON, LOST))
    state.cases.put("closed_day", case, world.day)
    state.cases.put("closed_second", case, second)
    state.cases.put("won", case, won.astype(np.int64))
    amount = orders.at("dispute", rows)
    fee_back = np.where(won & answered, int(world.number("counter_fee")), 0)
    good = rows[won]
    money.add_lines(world, money.Kind.DISPUTE_WON, good, amount[won], -fee_back[won], second[won])
    world.count("disputes_won", int(won.sum()))
    world.count("dispute_fees", -int(fee_back.sum()))
    world.count("dispute_returned", int(amount[won].sum()))
    world.count("disputes_decided", len(rows))
    world.facts.add("verdict", second, order=rows, amount=amount, won=won.astype(np.int64), fee_back=fee_back)
