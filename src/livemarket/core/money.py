"""Money at the processors and the marketplace: captures, fees, refunds, settlements, reserves, payouts, the bank.

Every movement is one line. A line belongs to at most one payout, and balances are sums of lines.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from livemarket.core import quantise
from livemarket.core.acts import Verb, one
from livemarket.core.arrays import Ints
from livemarket.core.state import PROCESSORS
from livemarket.core.world import World

TIKTOK = 2


class Kind(IntEnum):
    """What a line is."""

    CHARGE = 0
    REFUND = 1
    DISPUTE = 2
    DISPUTE_WON = 3
    COUNTER_FEE = 4
    SETTLEMENT = 5
    LATE_REFUND = 6
    RESERVE = 7
    RELEASE = 8
    SENT = 9
    KEPT = 10


class Bank(IntEnum):
    """What a bank entry is."""

    PAYOUT = 0
    SUPPLIER = 1
    FULFILMENT = 2
    ADS = 3
    CREATOR = 4
    TAX = 5


REASONS = ("oversold", "returned", "not_received", "keep_it", "lost_parcel", "cancelled", "by_request")
BY_REQUEST = 6
CREATOR, SUPPLIER = 0, 1  # who may be paid ahead


def available_day(world: World, processor: Ints) -> Ints:
    """When a line may be paid out: two business days later at the card processor, the next Monday at PayPal."""
    card = world.business_day_after(world.day, int(world.number("stripe_days")))
    monday = world.day + 7 - world.weekday
    return np.where(processor == 0, card, monday)


def fee_of(world: World, processor: Ints, amount: Ints) -> Ints:
    stripe = int(quantise.ppm(np.array([world.do_one("stripe_rate", world.number("stripe_rate"))]))[0])
    paypal = int(quantise.ppm(np.array([world.number("paypal_rate")]))[0])
    rate = np.where(processor == 0, stripe, paypal)
    fixed = np.where(processor == 0, int(world.number("stripe_fixed")), int(world.number("paypal_fixed")))
    return quantise.share(amount, rate) + fixed


def add_lines(world: World, kind: Kind, rows: Ints, gross: Ints, fee: Ints, second: Ints) -> Ints:
    """Lines at the processors of these orders; they move the balances and wait to be paid out."""
    if not len(rows):
        return rows
    processor = world.state.orders.at("processor", rows)
    available = available_day(world, processor)
    lines = world.state.lines.append(
        len(rows), processor=processor, kind=int(kind), order=rows, gross=gross, fee=fee, day=world.day,
        second=np.clip(second, 0, 86399), available=available,
    )  # fmt: skip
    net = np.bincount(processor, weights=gross - fee, minlength=len(PROCESSORS)).astype(np.int64)
    world.state.balances += net
    for number in (0, 1):
        own = processor == number
        world.state.calendar.add(f"pay{number}", available[own], lines[own])
    return lines


def capture(world: World, rows: Ints) -> None:
    """The buyer's money is with the processor, less its fee; the marketplace takes its own at settlement."""
    orders, state = world.state.orders, world.state
    total, processor, second = orders.at("total", rows), orders.at("processor", rows), orders.at("second", rows)
    world.facts.add("captured", second + 3, order=rows)
    world.count("captured", int(total.sum()))
    own = rows[processor != TIKTOK]
    fee = fee_of(world, orders.at("processor", own), orders.at("total", own))
    add_lines(world, Kind.CHARGE, own, orders.at("total", own), fee, orders.at("second", own) + 3)
    world.facts.add("processing_fee", orders.at("second", own) + 4, order=own, amount=fee)
    world.count("fees", int(fee.sum()))
    market = rows[processor == TIKTOK]
    state.balances[TIKTOK] += int(orders.at("total", market).sum())
    state.tax_owed += int(orders.at("tax", rows).sum())
    site = rows[(processor != TIKTOK) & (orders.at("commission", rows) > 0)]
    orders.put("commission_state", rows[orders.at("commission", rows) > 0], 1)
    world.facts.add("commission", orders.at("second", site) + 60, order=site, amount=orders.at("commission", site))
    state.calendar.add("creator", np.full(len(site), world.day + int(world.number("creator_pay_days"))), site)


def refund(world: World, rows: Ints, amount: Ints, second: Ints, reason: int) -> None:
    """Money back to where it came from. Processors keep their fee; a commission is taken back if it still can be."""
    orders, state = world.state.orders, world.state
    left = orders.at("total", rows) - orders.at("dispute", rows) * (orders.at("dispute_state", rows) != 2)
    amount = np.minimum(amount, left - orders.at("refund", rows))
    some = amount > 0
    rows, amount, second = rows[some], amount[some], second[some]
    if not len(rows):
        return
    total, tax = orders.at("total", rows), orders.at("tax", rows)
    tax_back = amount * tax // np.maximum(total, 1)
    again = orders.at("refund", rows) > 0
    orders.put("refund", rows, orders.at("refund", rows) + amount)
    orders.put("refund_day", rows, world.day)
    orders.put("refund_reason", rows, reason)
    state.tax_owed -= int(tax_back.sum())
    market = orders.at("processor", rows) == TIKTOK
    own = rows[~market]
    lines = add_lines(world, Kind.REFUND, own, -amount[~market], 0 * amount[~market], second[~market])
    numbers = np.zeros(len(rows), dtype=np.int64)
    numbers[again] = [int((state.refunds["order"] == row).sum()) for row in rows[again].tolist()]
    remember(world, rows, amount, second, reason, (lines, numbers))
    state.balances[TIKTOK] -= int(amount[market].sum())
    settled = market & (orders.at("settled_day", rows) >= 0)
    late = rows[settled]
    lines = state.lines.append(
        len(late), processor=TIKTOK, kind=int(Kind.LATE_REFUND), order=late, gross=-amount[settled], day=world.day,
        second=np.clip(second[settled], 0, 86399), available=world.day + 1,
    )  # fmt: skip
    state.calendar.add("statement", np.full(len(late), world.day + 1), lines)
    gone = rows[market & (orders.at("settled_day", rows) < 0) & (orders.at("deliver_day", rows) < 0)]
    state.calendar.add("settle", np.full(len(gone), world.day + 1), gone)
    world.facts.add("refund", second, order=rows, amount=amount, tax=tax_back, reason=reason, number=numbers)
    world.count("refunds", len(rows))
    world.count("refunded", int(amount.sum()))
    back = rows[(orders.at("commission_state", rows) == 1) & (amount * 2 > total)]
    orders.put("commission_state", back, 2)
    site = back[orders.at("processor", back) != TIKTOK]
    world.facts.add("commission_back", np.full(len(site), 80000), order=site, amount=orders.at("commission", site))


def remember(world: World, rows: Ints, amount: Ints, second: Ints, reason: int, written: tuple[Ints, Ints]) -> None:
    """Write refunds down one by one, with their lines at the processors and their numbers within their orders."""
    line = np.full(len(rows), -1, dtype=np.int64)
    line[world.state.orders.at("processor", rows) != TIKTOK] = written[0]
    world.state.numbered |= {int(line[n]): int(written[1][n]) for n in np.flatnonzero(written[1]).tolist()}
    world.state.refunds.append(
        len(rows), order=rows, number=written[1], amount=amount, day=world.day, second=np.clip(second, 0, 86399),
        reason=reason, line=line,
    )  # fmt: skip


def refunds_asked(world: World, rows: Ints, seconds: Ints) -> None:
    """Refunds by request on these orders that come before what happens to them here."""
    for act in world.due(Verb.REFUND, rows, seconds):
        refund(world, one(act.entity), one(act.amount), one(act.second), reason=BY_REQUEST)


def settle_marketplace(world: World) -> None:
    """A marketplace settles an order some days after delivery: sale less refunds, referral fee, affiliate's share.

    Both fees fall on what is left after refunds made by then; afterwards they stay, whatever comes back.
    """
    orders, state = world.state.orders, world.state
    rows = np.unique(state.calendar.take("settle", world.day))
    rows = rows[orders.at("settled_day", rows) < 0]
    if not len(rows):
        return
    refunds_asked(world, rows, np.full(len(rows), 7200))
    gross = orders.at("total", rows) - orders.at("refund", rows)
    rate = int(quantise.ppm(np.array([world.number("referral_fee")]))[0])
    fee = quantise.share(np.maximum(gross, 0), rate)
    owed = orders.at("commission_state", rows) == 1
    affiliate = np.where(owed, orders.at("commission", rows), 0)
    affiliate = np.minimum(affiliate, np.maximum(gross - fee, 0))
    orders.put("settled_day", rows, world.day)
    orders.put("commission_state", rows[owed], 3)
    lines = state.lines.append(
        len(rows), processor=TIKTOK, kind=int(Kind.SETTLEMENT), order=rows, gross=gross, fee=fee, affiliate=affiliate,
        day=world.day, second=7200, available=world.day + 1,
    )  # fmt: skip
    state.balances[TIKTOK] -= int(fee.sum() + affiliate.sum())
    state.calendar.add("statement", np.full(len(rows), world.day + 1), lines)
    second = np.full(len(rows), 7200)
    world.facts.add("referral_fee", second[fee > 0], order=rows[fee > 0], amount=fee[fee > 0])
    some = affiliate > 0
    world.facts.add("affiliate_fee", second[some], order=rows[some], amount=affiliate[some])
    world.count("fees", int(fee.sum()))
    world.count("affiliate", int(affiliate.sum()))


def pay_out(world: World) -> None:
    """Payouts of the day. The card processor and PayPal pay what is due, or take it back where it is negative; the
    marketplace holds a reserve back and carries a negative statement over.
    """
    state = world.state
    for processor in (0, 1):
        lines = state.calendar.take(f"pay{processor}", world.day)
        if not len(lines):
            continue
        amount = int((state.lines.at("gross", lines) - state.lines.at("fee", lines)).sum())
        send(world, processor, amount, lines)
    lines = state.calendar.take("statement", world.day)
    gross, fee = state.lines.at("gross", lines), state.lines.at("fee", lines)
    net = int((gross - fee - state.lines.at("affiliate", lines)).sum())
    held = net * int(quantise.ppm(np.array([world.number("reserve_rate")]))[0]) // quantise.PPM if net > 0 else 0
    extra: list[Ints] = []
    if held > 0:
        extra.append(reserve(world, Kind.RESERVE, -held))
        later = np.array([world.day + int(world.number("reserve_days"))])
        state.calendar.add("release", later, np.array([held]))
    releases = state.calendar.take("release", world.day).tolist()
    extra.extend(reserve(world, Kind.RELEASE, int(back)) for back in releases)
    carried = state.calendar.take("carried", world.day)
    everything = np.concatenate([carried, lines, *extra])
    amount = int(
        (
            state.lines.at("gross", everything)
            - state.lines.at("fee", everything)
            - state.lines.at("affiliate", everything)
        ).sum()
    )
    if amount > 0:
        send(world, TIKTOK, amount, everything)
    elif len(everything):
        state.calendar.add("carried", np.full(len(everything), world.day + 1), everything)


def reserve(world: World, kind: Kind, amount: int) -> Ints:
    """One line that moves money between the marketplace's balance and its reserve."""
    state = world.state
    state.balances[TIKTOK] += amount
    state.reserve -= amount
    second = np.array([7500])
    row = state.lines.append(
        1, processor=TIKTOK, kind=int(kind), gross=amount, day=world.day, second=7500, available=world.day
    )
    world.facts.add("reserve", second, line=row, amount=amount)
    return row


def send(world: World, processor: int, amount: int, lines: Ints, second: int = 28800) -> None:
    """One payout over these lines; it lands at the bank on the next business day."""
    state = world.state
    lands = world.business_day_after(world.day, 1)
    row = state.payouts.append(1, processor=processor, day=world.day, amount=amount, lands=lands)
    state.lines.put("payout", lines, row[0])
    state.balances[processor] -= amount
    if second != 28800:
        state.by_hand[int(row[0])] = second
    world.facts.add("payout", one(second), payout=row)
    state.calendar.add("land", np.array([lands]), row)
    world.count("paid_out", amount)


def bank(world: World, kind: Bank, party: int, number: int, amount: int) -> None:
    """One entry in the bank account."""
    world.state.bank_lines.append(1, day=world.day, kind=int(kind), party=party, number=number, amount=amount)
    world.state.bank += amount


def due_after(world: World, kind: int, party: int, amount: int) -> int:
    """What is left to pay of an amount that falls due, once early payments are counted against it."""
    ahead = world.state.paid_ahead.get((kind, party), 0)
    used = min(ahead, amount)
    if used:
        world.state.paid_ahead[(kind, party)] = ahead - used
    return amount - used


def bank_day(world: World) -> None:
    """What reaches or leaves the bank today: payouts that land, creators', weekly bills, every fourth week tax."""
    state, orders = world.state, world.state.orders
    for row in state.calendar.take("land", world.day).tolist():
        one = np.array([row])
        amount, processor = int(state.payouts.at("amount", one)[0]), int(state.payouts.at("processor", one)[0])
        bank(world, Bank.PAYOUT, processor, row, amount)
        world.facts.add("landed", np.array([30000]), payout=one)
    rows = state.calendar.take("creator", world.day)
    rows = rows[orders.at("commission_state", rows) == 1]
    orders.put("commission_state", rows, 3)
    by_creator = np.bincount(orders.at("creator", rows), weights=orders.at("commission", rows)).astype(np.int64)
    for creator in np.flatnonzero(by_creator).tolist():
        amount = due_after(world, CREATOR, creator, int(by_creator[creator]))
        if not amount:
            continue
        bank(world, Bank.CREATOR, creator, world.day, -amount)
        world.facts.add("creator_paid", np.array([36000]), creator=creator, amount=amount)
        world.count("creators_paid", amount)
    if world.weekday == 0 and state.ad_owed:
        bank(world, Bank.ADS, 0, world.day, -state.ad_owed)
        world.facts.add("ads_paid", np.array([37000]), amount=state.ad_owed)
        state.ad_owed = 0
    if world.day % 28 == 7 and state.tax_owed > 0:
        bank(world, Bank.TAX, 0, world.day, -state.tax_owed)
        world.facts.add("tax_paid", np.array([39600]), amount=state.tax_owed)
        world.count("tax_paid", state.tax_owed)
        state.tax_owed = 0
