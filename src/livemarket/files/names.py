"""How things are called in files and events. A name is a function of what it names, so it is the same in every file."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.money import Kind
from livemarket.core.setting import WARM_UP_DAYS
from livemarket.core.state import PROCESSORS
from livemarket.core.world import World

CURRENCY = "USD"
SOURCE = "livemarket/simulated"
FIRST_DAY = date(2026, 1, 5)  # a Monday; the first day of a run, after the warm-up
CLOCK = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86400)]


def calendar_date(day: int) -> date:
    """The date of a day of the world; day WARM_UP_DAYS is the first of a run."""
    return FIRST_DAY + timedelta(days=day - WARM_UP_DAYS)


def instant(day: int, second: int) -> str:
    return f"{calendar_date(day).isoformat()}T{CLOCK[second]}Z"


def order_ids(world: World, rows: Ints) -> list[str]:
    """An order is named by its day and its place in the demand of that day, never by a running number."""
    orders = world.state.orders
    return [
        f"lm{day:04d}{key:014x}"
        for day, key in zip(orders.at("day", rows).tolist(), orders.at("key", rows).tolist(), strict=True)
    ]


def payment_ids(world: World, rows: Ints) -> list[str]:
    """As each processor would call it: ch_... at Stripe, seventeen capitals and digits at PayPal."""
    orders = world.state.orders
    made: list[str] = []
    columns = (orders.at(name, rows).tolist() for name in ("day", "key", "processor"))
    for day, key, processor in zip(*columns, strict=True):
        if processor == 1:
            made.append(f"{day:03X}{key:014X}")
        else:
            made.append(f"{'ch_' if processor == 0 else 'tt_'}lm{day:04d}{key:014x}")
    return made


def sku(number: int) -> str:
    return f"SKU-{number:04d}"


def show(number: int) -> str:
    return f"show-{number // 256:04d}-{number % 256:02d}"


def creator(number: int) -> str:
    return f"creator-{number:03d}"


def customer(number: int) -> str:
    return f"customer-{number:06d}" if number >= 0 else f"account-{-number:05d}"


def supplier(number: int) -> str:
    return f"supplier-{number:02d}"


def ad_set(number: int) -> str:
    return f"adset-{number:02d}"


def payout(processor: int, number: int) -> str:
    return f"po_{PROCESSORS[processor]}_{number:06d}"


def title(world: World, number: int) -> str:
    """A product's name in words."""
    category = world.setting.categories[int(world.products.category[number])]
    return category.words[int(world.products.word[number]) % len(category.words)]


def refund(order: str, number: int) -> str:
    """A refund is named by its order, and by its number if it is not the first."""
    return f"{order}-{number}" if number else order


def tracking(order: str) -> str:
    """A parcel's number at its courier."""
    return f"trk-{order}"


def line_keys(world: World, lines: Ints) -> list[str]:
    """What a line is, in one word: its kind, its order, and its number where an order may have several. Never the row:
    a day that is lived again with one act more may write its lines in other rows.
    """
    table = world.state.lines
    orders = table.at("order", lines)
    ids = order_ids(world, np.maximum(orders, 0))
    made: list[str] = []
    for line, order, kind, name in zip(
        lines.tolist(), orders.tolist(), table.at("kind", lines).tolist(), ids, strict=True
    ):
        own = name if order >= 0 else f"{int(table['day'][line]):04d}.{_place(world, line, kind)}"
        number = world.state.numbered.get(line, 0) if kind == Kind.REFUND else 0
        made.append(f"{kind:x}{refund(own, number)}")
    return made


def _place(world: World, line: int, kind: int) -> int:
    """Which of its day's lines of this kind."""
    table = world.state.lines
    same = (table["day"] == table["day"][line]) & (table["kind"] == kind)
    return int(same[:line].sum())


def transaction(key: str) -> str:
    """A balance transaction at Stripe."""
    return f"txn_{key}"


def reserve(world: World, line: int) -> str:
    """One holding back or release by the marketplace."""
    return f"rsv-{line_keys(world, np.array([line]))[0]}"


def paypal_transaction(code: str, key: str) -> str:
    """Seventeen capitals and digits, a function of what is named."""
    number = int.from_bytes(hashlib.sha256(f"{code}/{key}".encode()).digest()[:16])
    digits = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    made = ""
    for _ in range(17):
        number, digit = divmod(number, len(digits))
        made += digits[digit]
    return made
