"""One day of the world, in the order in which things happen. Read this first."""

from __future__ import annotations

from livemarket.core import (
    ads,
    aftersales,
    carry_out,
    demand,
    disputes,
    fulfilment,
    health,
    money,
    operator,
    orders,
    supply,
    tickets,
)
from livemarket.core.facts import Facts
from livemarket.core.setting import WARM_UP_DAYS, Setting
from livemarket.core.world import World


def step(world: World) -> Facts:
    """Live one day; the day's facts come back, and its sums stand in `world.today`."""
    world.facts = Facts(kept=world.keep)
    world.today = {}
    demand.rivals(world)
    supply.receive(world)
    orders.cancel(world)
    if world.setting.operator:
        supply.reorder(world)
        operator.prices(world)
        operator.advertising(world)
        operator.commissions(world)
    ads.advertise(world)
    orders.place(world, demand.cells(world))
    fulfilment.invoice(world)
    fulfilment.ship(world)
    fulfilment.scan(world)
    fulfilment.missing(world)
    aftersales.deliver(world)
    aftersales.ask(world)
    aftersales.receive(world)
    aftersales.judge(world)
    disputes.open_cases(world)
    disputes.send_evidence(world)
    disputes.decide_cases(world)
    tickets.desk(world)
    money.settle_marketplace(world)
    money.pay_out(world)
    fulfilment.pay_invoices(world)
    supply.pay_bills(world)
    money.bank_day(world)
    health.review(world)
    carry_out.carry_out(world)
    world.state.day += 1
    return world.facts


def born(setting: Setting, seed: int, *, keep: bool = False) -> World:
    """A world on its first morning, shelves filled."""
    world = World(setting, seed, keep=keep)
    supply.stock_first(world)
    return world


def warmed_up(setting: Setting, seed: int, *, keep: bool = False) -> World:
    """A world whose flows are all in steady state: returns, disputes, settlements and reserves of old orders run."""
    world = born(setting, seed)
    for _ in range(WARM_UP_DAYS):
        step(world)
    world.keep = keep
    return world
