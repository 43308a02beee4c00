"""A business in files: lives the days of a run and writes what the outside world would, and the truth beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from livemarket.core.facts import Facts
from livemarket.core.position import position
from livemarket.core.setting import WARM_UP_DAYS, Setting, Shock
from livemarket.core.step import born, step, warmed_up
from livemarket.core.world import World
from livemarket.files import bank, names, order_events, settlements, shop_events, show_events, truth
from livemarket.files.faults import Budget
from livemarket.files.invoices import Bills
from livemarket.files.lines import Day

ERROR_PPM = 1500  # lines of outside papers that are wrong, in a million


@dataclass
class Written:
    """What a run has written so far."""

    folder: Path
    budget: Budget
    bills: Bills
    files: list[str] = field(default_factory=list[str])
    totals: dict[str, int] = field(default_factory=dict[str, int])
    events: int = 0


def shocked(setting: Setting, shocks: dict[Shock, int], first: int = WARM_UP_DAYS) -> Setting:
    """The setting with each shock beginning on its day of the run (0 is the first, day `first` of the world)."""
    plan = tuple(i for shock, day in shocks.items() for i in shock.starting(first + day))
    return replace(setting, plan=setting.plan + plan)


def opening(day: Day, accounts: dict[str, int]) -> None:
    """What the books begin with: the shop did not begin on the run's first day."""
    for account, amount in accounts.items():
        body = f'"account":"{account}","currency":"{names.CURRENCY}","amount_minor":{amount},'
        body += f'"as_of":"{names.instant(day.day, 0)}"'
        day.write("OpeningBalancePosted", [0], [account], [f"opening/{account}"], [body])


def write_events(
    world: World, day: int, facts: Facts, stream: TextIO, written: Written, first: dict[str, int] | None
) -> None:
    """One day's lines."""
    page = Day(world, day)
    if first is not None:
        opening(page, first)
    writers = order_events.WRITERS | shop_events.WRITERS | show_events.WRITERS
    for fact in facts.items:
        writers[fact.kind](page, fact)
    stream.write(page.text())
    written.events += len(page.lines)


def write_papers(world: World, day: int, facts: Facts, written: Written) -> None:
    """Settlement files of today's payouts, and today's bills."""
    folder, budget = written.folder, written.budget
    for fact in facts.items:
        if fact.kind == "payout":
            written.files += [settlements.write(world, row, folder, budget) for row in fact.columns["payout"].tolist()]
        elif fact.kind == "inbound":
            written.files += written.bills.suppliers(world, fact.columns["purchase"].tolist(), day)
        elif fact.kind == "fulfilment_invoice":
            written.files.append(written.bills.warehouse(world, day))
    written.files += written.bills.weekly(world, day, facts)


class Shell:
    """Writes the days of one world below a folder, as they are over."""

    def __init__(self, world: World, seed: int, folder: Path, error_ppm: int = ERROR_PPM) -> None:
        (folder / "truth").mkdir(parents=True, exist_ok=True)
        self.seed = seed
        budget = Budget(seed, error_ppm)
        self.written = Written(folder, budget, Bills(folder, budget, world.day))
        self.accounts: dict[str, int] | None = position(world)
        self.balance, self.first, self.born = world.state.bank, world.day, world.state.orders.length
        self.days, self.statement_from = 0, world.day
        self._stream = (folder / "events.jsonl").open("w", encoding="utf-8", newline="\n")
        self._told = truth.Truth(folder)
        self._told.__enter__()
        self._told.opening(world, self.accounts)

    def day(self, world: World, today: int, facts: Facts, *, last: bool) -> None:
        """The evening of a day."""
        written = self.written
        write_events(world, today, facts, self._stream, written, self.accounts)
        self.accounts = None
        write_papers(world, today, facts, written)
        self._told.day(world, today, facts)
        if today % 7 == 6 or last:
            file, self.balance = bank.write(world, self.statement_from, today, self.balance, written.folder)
            written.files.append(file)
            self.statement_from = today + 1
        for key, amount in world.today.items():
            written.totals[key] = written.totals.get(key, 0) + amount
        self.days += 1

    def end(self, world: World) -> dict[str, Any]:
        """Closes the files; returns the summary it also writes."""
        self._told.end(world, self.born, self.first, self.written.budget.done)
        self._told.__exit__(None, None, None)
        self._stream.close()
        self.written.files += ["events.jsonl", *self._told.files]
        summary = summarise(world, self.seed, self.days, self._told.shows, self.written)
        (self.written.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        return summary


def run(
    setting: Setting,
    seed: int,
    days: int,
    folder: Path,
    error_ppm: int = ERROR_PPM,
    tick: Callable[[], None] | None = None,
    *,
    newborn: bool = False,
) -> dict[str, Any]:
    """Warm a world up, live `days` days, write everything below `folder`; returns the summary it also writes.
    `tick` is called after every day. `newborn`: the run begins on the shop's first morning, so that no paper tells of
    an order from before it.
    """
    world = born(setting, seed, keep=True) if newborn else warmed_up(setting, seed, keep=True)
    shell = Shell(world, seed, folder, error_ppm)
    for number in range(days):
        today = world.day
        facts = step(world)
        shell.day(world, today, facts, last=number == days - 1)
        if tick:
            tick()
    return shell.end(world)


def summarise(world: World, seed: int, days: int, shows: int, written: Written) -> dict[str, Any]:
    """The figures of a run: counts are of events dated inside it."""
    totals = written.totals
    return {
        "simulated": True,
        "shop": world.setting.shop.name,
        "seed": seed,
        "days": days,
        "first_date": names.calendar_date(world.day - days).isoformat(),
        "currency": names.CURRENCY,
        "shows": shows,
        "orders": totals.get("orders", 0) + totals.get("failed", 0),
        "orders_paid": totals.get("orders", 0),
        "refunds": totals.get("refunds", 0),
        "disputes": totals.get("disputes", 0),
        "gmv": totals.get("gmv", 0),
        "events": written.events,
        "faults": len(written.budget.done),
        "totals": dict(sorted(totals.items())),
        "position": position(world),
        "files": sorted([*written.files, "summary.json"]),
    }
