"""Acts that no stage of the day had to know of: done at the day's end, dated at their own second.

Money moves, answers and payments hold at once. Prices, budgets, listings, counts and purchases hold from the next
morning, because a day's demand is drawn from its morning.
"""

from __future__ import annotations

from collections.abc import Callable

from livemarket.core import disputes, fulfilment, money, payments, supply, tickets
from livemarket.core.acts import Act, Verb, one
from livemarket.core.world import World

FAR = 10**6  # days: until somebody lists it again


def _refund(world: World, act: Act) -> None:
    money.refund(world, one(act.entity), one(act.amount), one(act.second), reason=money.BY_REQUEST)


def _answer(world: World, act: Act) -> None:
    disputes.answer(world, one(act.entity), one(act.second))


def _accept(world: World, act: Act) -> None:
    disputes.accept(world, act.entity, act.second)


def _solve(world: World, act: Act) -> None:
    tickets.solve(world, act.entity, act.second)


def _reply(world: World, act: Act) -> None:
    tickets.reply(world, act.entity, act.second)


def _stop(world: World, act: Act) -> None:
    fulfilment.stop(world, act.entity, act.second)


def _label(world: World, act: Act) -> None:
    fulfilment.label(world, act.entity, act.amount)


def _call_off(world: World, act: Act) -> None:
    supply.call_off(world, act.entity, act.second)


def _price(world: World, act: Act) -> None:
    before = int(world.state.price[act.entity])
    world.state.price[act.entity] = act.amount
    world.facts.add("price", one(act.second), sku=act.entity, before=before, after=act.amount)


def _budget(world: World, act: Act) -> None:
    before = int(world.state.ad_budget[act.entity])
    world.state.ad_budget[act.entity] = act.amount
    world.facts.add("budget", one(act.second), ad_set=act.entity, before=before, after=act.amount)


def _unlist(world: World, act: Act) -> None:
    world.state.banned_until[act.entity] = FAR


def _list(world: World, act: Act) -> None:
    if world.state.banned_until[act.entity] == FAR:  # a marketplace's own ban is not ended by the shop
        world.state.banned_until[act.entity] = world.day


def _buy(world: World, act: Act) -> None:
    supply.buy(world, act.entity, act.amount, act.second)


def _adjust(world: World, act: Act) -> None:
    supply.adjust(world, act.entity, act.amount, act.second)


def _pay_out(world: World, act: Act) -> None:
    payments.pay_now(world, act)


def _overcharge(world: World, act: Act) -> None:
    payments.overcharge(world, act)


def _creator(world: World, act: Act) -> None:
    payments.pay(world, money.CREATOR, act)


def _supplier(world: World, act: Act) -> None:
    payments.pay(world, money.SUPPLIER, act)


_DONE: dict[Verb, Callable[[World, Act], None]] = {
    Verb.REFUND: _refund, Verb.ANSWER: _answer, Verb.ACCEPT: _accept, Verb.SOLVE: _solve, Verb.PRICE: _price,
    Verb.BUDGET: _budget, Verb.UNLIST: _unlist, Verb.LIST: _list, Verb.BUY_STOCK: _buy, Verb.PAY_OUT: _pay_out,
    Verb.PAY_CREATOR: _creator, Verb.PAY_SUPPLIER: _supplier, Verb.ADJUST: _adjust, Verb.REPLY: _reply,
    Verb.STOP: _stop, Verb.LABEL: _label, Verb.CALL_OFF: _call_off, Verb.OVERCHARGE: _overcharge,
}  # fmt: skip


def carry_out(world: World) -> None:
    """All acts that still wait, in the order of the clock."""
    for act in sorted(world.acts, key=lambda a: a.second):
        _DONE[act.verb](world, act)
    world.acts = ()
