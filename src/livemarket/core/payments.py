"""Money the shop sends out by its own hand: a payout it asks a processor for, a creator or a supplier paid early.

What is paid early is taken off what falls due later, so nobody is paid twice.
"""

from __future__ import annotations

import numpy as np

from livemarket.core import money
from livemarket.core.acts import Act, one
from livemarket.core.world import World


def owed(world: World, kind: int, party: int) -> int:
    """What is owed to one creator or supplier and not yet paid."""
    state, calendar = world.state, world.state.calendar
    if kind == money.SUPPLIER:
        rows = calendar.waiting("bill")
        rows = rows[state.purchases.at("supplier", rows) == party]
        total = int((state.purchases.at("received", rows) * state.purchases.at("unit_cost", rows)).sum())
    else:
        rows = calendar.waiting("creator")
        mine = (state.orders.at("creator", rows) == party) & (state.orders.at("commission_state", rows) == 1)
        total = int(state.orders.at("commission", rows[mine]).sum())
    return total - state.paid_ahead.get((kind, party), 0)


def pay(world: World, kind: int, act: Act) -> None:
    """Pay a creator or a supplier now: from the bank, or from the PayPal balance (`detail` 1)."""
    state = world.state
    key = (kind, act.entity)
    state.paid_ahead[key] = state.paid_ahead.get(key, 0) + act.amount
    row = state.payments.append(
        1, party=act.entity, kind=kind, amount=act.amount, day=world.day, second=act.second, wallet=act.detail
    )
    state.references.append(act.reference)
    if act.detail:
        line = state.lines.append(
            1, processor=1, kind=int(money.Kind.SENT), gross=-act.amount, day=world.day, second=act.second,
            available=world.day + 7 - world.weekday,
        )  # fmt: skip
        state.payments.put("line", row, line)
        state.balances[1] -= act.amount
        state.calendar.add("pay1", state.lines.at("available", line), line)
    else:
        entry = money.Bank.CREATOR if kind == money.CREATOR else money.Bank.SUPPLIER
        money.bank(world, entry, act.entity, -1 - int(row[0]), -act.amount)
    world.facts.add("paid_early", one(act.second), payment=row)
    world.count("paid_early", act.amount)


def available(world: World, processor: int, day: int) -> int:
    """What a processor would pay out on this day if asked: lines that are available and in no payout."""
    lines = world.state.lines
    open_lines = (lines["processor"] == processor) & (lines["payout"] < 0) & (lines["available"] <= day)
    return int((lines["gross"] - lines["fee"])[open_lines].sum())


def pay_now(world: World, act: Act) -> None:
    """A payout by hand. It takes every available line; what was not asked for comes back as one line of its own, so
    that a payout's lines always make its amount.
    """
    state, processor = world.state, act.entity
    lines = np.flatnonzero(
        (state.lines["processor"] == processor) & (state.lines["payout"] < 0) & (state.lines["available"] <= world.day)
    )
    rest = available(world, processor, world.day) - act.amount
    if rest < 0 or act.amount <= 0:
        return
    if rest:
        kept = state.lines.append(
            2, processor=processor, kind=int(money.Kind.KEPT), gross=np.array([-rest, rest]), day=world.day,
            second=act.second, available=world.day,
        )  # fmt: skip
        lines = np.append(lines, kept[0])
        state.calendar.add(f"pay{processor}", np.array([world.day + 1]), kept[1:])
    money.send(world, processor, act.amount, lines, act.second)


def overcharge(world: World, act: Act) -> None:
    """A processor keeps more than its fee: a fault of theirs, which only their own papers show."""
    lines = world.state.lines
    charged = (lines["order"] == act.entity) & (lines["kind"] == int(money.Kind.CHARGE)) & (lines["payout"] < 0)
    line = np.flatnonzero(charged)[:1]
    if not len(line):
        return
    lines.put("fee", line, lines.at("fee", line) + act.amount)
    world.state.balances[lines.at("processor", line)] -= act.amount
    world.facts.add("overcharged", one(act.second), order=act.entity, amount=act.amount)
    world.count("fees", act.amount)
