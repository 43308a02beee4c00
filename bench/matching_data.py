"""A year of statements and books for the matching benchmark, made from livemarket's own lines.

The simulated shop lives a year; each line that moved a processor's balance becomes a line of that day's payout
statement and a movement the books expect. Instants differ by the seconds a webhook takes; a card processor's fee is
unknown to the books and follows from its terms. Added to it: conversions out of a euro balance, and captures told in
two parts.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta

import numpy as np
from msgspec.structs import replace as altered

from livemarket import catalog
from livemarket.core.money import Kind
from livemarket.core.setting import WARM_UP_DAYS
from livemarket.core.step import step, warmed_up
from livemarket.files import names
from steward.contracts.settlement import Expected, FeeTerms, FxTerms, Statement, StatementLine
from steward.reconciliation.core.calendars import Window

PROVIDERS = ("stripe", "paypal", "tiktok")
TYPES = {
    Kind.CHARGE: "payment",
    Kind.REFUND: "refund",
    Kind.DISPUTE: "dispute",
    Kind.DISPUTE_WON: "dispute_reversal",
    Kind.COUNTER_FEE: "fee",
    Kind.SETTLEMENT: "payment",
    Kind.LATE_REFUND: "refund",
    Kind.RESERVE: "reserve_hold",
    Kind.RELEASE: "reserve_release",
    Kind.SENT: "transfer",
    Kind.KEPT: "adjustment",
}
SECONDS = 60
WINDOWS = [
    Window("stripe", earliest=1, latest=3, seconds=SECONDS),
    Window("stripe", "payout", latest=1, seconds=SECONDS),
    Window("paypal", earliest=0, latest=6, seconds=SECONDS),
    Window("tiktok", earliest=0, latest=4, seconds=SECONDS),
]
TERMS = [FeeTerms("stripe", "payment", "USD", 29_000, 30), FeeTerms("paypal", "payment", "USD", 34_900, 49)]
CONVERSIONS, TWO_PARTS = 400, 200


@dataclass
class Row:
    """One line of a statement that is still to be written, and the movements it truly tells."""

    provider: str
    payout: int
    line: StatementLine
    truth: tuple[str, ...]
    fault: str = ""


@dataclass
class Year:
    """Both sides, what is true, and what was spoilt: fault -> the keys of the items it touches."""

    rows: list[Row]
    moves: dict[str, Expected]
    terms: list[object]
    as_of: datetime
    faults: list[tuple[str, frozenset[str]]] = field(default_factory=list)


def instant(day, second):
    return datetime.combine(names.calendar_date(day), time(), UTC) + timedelta(seconds=second)


def lived(days, factor, seed):
    base = catalog.setting("large")
    shop = replace(base.shop, visitors=int(base.shop.visitors * factor), reach=base.shop.reach * factor)
    world = warmed_up(replace(base, shop=shop), seed)
    for _ in range(days):
        step(world)
    return world


def references(kind, provider, key, payment, order):
    """(of the line, of the books): the statement knows the provider's transaction, the books do not."""
    if not order:
        own = (("transaction", f"{provider}-{key}"),)
        return own, own
    if provider == "tiktok":
        return (("transaction", f"tt_{key}"), ("order", order)), (("order", order),)
    shared = (("payment", payment), ("order", order))
    if kind == "refund":
        shared = (("refund", f"re_{key}"), *shared)
    elif kind in {"dispute", "dispute_reversal", "fee"}:
        shared = (("dispute", f"dp_{order}"), *shared)
    return (("transaction", f"txn_{key}"), *shared), shared


def year(days=365, factor=0.385, seed=20_261_127):
    """Rows of every paid-out line, and the books with those that are not paid out yet."""
    pick = random.Random(seed)
    world = lived(days, factor, seed)
    table = world.state.lines
    chosen = np.flatnonzero(table["day"] >= WARM_UP_DAYS)
    paid = table["payout"]
    payout_day = world.state.payouts["day"]
    orders = table["order"][chosen]
    known = np.maximum(orders, 0)
    columns = zip(
        chosen.tolist(),
        names.line_keys(world, chosen),
        names.order_ids(world, known),
        names.payment_ids(world, known),
        orders.tolist(),
        *(table[name][chosen].tolist() for name in ("processor", "kind", "gross", "fee", "affiliate", "day", "second")),
        strict=True,
    )
    rows, moves = [], {}
    for line, key, order, payment, number, processor, kind, gross, charged, affiliate, day, second in columns:
        provider, name, fee = PROVIDERS[processor], TYPES[Kind(kind)], charged + affiliate
        refs, theirs = references(name, provider, key, payment, order if number >= 0 else "")
        at, move = instant(day, second), f"{provider}-{key}"
        unknown = name == "payment" and processor < 2
        moves[move] = Expected(move, name, "USD", gross, None if unknown else fee, at, theirs, provider)
        if paid[line] >= 0:
            told = at + timedelta(seconds=min(40, int(pick.expovariate(0.2))))
            when = names.calendar_date(int(payout_day[paid[line]]))
            item = StatementLine(0, key, name, name, "USD", gross, fee, gross - fee, told, when, refs)
            rows.append(Row(provider, int(paid[line]), item, (move,)))
    payouts(world, rows, moves)
    made = Year(rows, moves, list(TERMS), instant(WARM_UP_DAYS + days, 0))
    conversions(made, pick, days)
    two_parts(made, pick)
    return made


def payouts(world, rows, moves):
    """Each statement ends with its payout."""
    table = world.state.payouts
    columns = ([int(v) for v in table[name]] for name in ("processor", "day", "amount"))
    for number, (processor, day, amount) in enumerate(zip(*columns, strict=True)):
        if day < WARM_UP_DAYS:
            continue
        provider, name = PROVIDERS[processor], names.payout(processor, number)
        at, refs = instant(day, 28_800), (("payout", name),)
        move = f"sent-{name}"
        moves[move] = Expected(move, "payout", "USD", -amount, 0, at, refs, provider)
        item = StatementLine(
            0, f"payout-{name}", "payout", "payout", "USD", -amount, 0, -amount, at, names.calendar_date(day), refs
        )
        rows.append(Row(provider, number, item, (move,)))


def conversions(made, pick, days):
    """A euro balance at PayPal is sold for dollars at the month's contracted rate, rounded as the provider likes."""
    for month in range(1, 13):
        rate = f"1.{pick.randrange(500, 1500):04d}"
        first = datetime(2026, month, 1, tzinfo=UTC).date()
        last = datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC).date() - timedelta(days=1)
        made.terms.append(FxTerms("paypal", "EUR", "USD", rate, 25_000, first, last))
    from steward.reconciliation.core.schedule import Schedule

    schedule = Schedule(made.terms, "paypal")
    for number in range(CONVERSIONS):
        at = instant(WARM_UP_DAYS + pick.randrange(min(days, 355) - 25), pick.randrange(86_400))
        sold, refs = pick.randrange(5_000, 900_000), (("transaction", f"CNV{pick.randrange(10**14):014d}"),)
        bought = Expected(f"cnv-{number}-b", "conversion", "USD", 0, 0, at, refs, "paypal", "EUR", sold)
        bought = altered(bought, gross_minor=schedule.converted(bought))
        out = Expected(f"cnv-{number}-s", "conversion", "EUR", -sold, 0, at, refs, "paypal")
        for move, off in ((bought, pick.choice((0, 0, 0, 1, -1))), (out, 0)):
            own = (("transaction", refs[0][1] + move.currency),)
            made.moves[move.key] = altered(move, refs=own)
            gross = move.gross_minor + off
            item = StatementLine(
                0,
                move.key,
                "conversion",
                "T0200",
                move.currency,
                gross,
                0,
                gross,
                at,
                at.date() + timedelta(days=1),
                own,
            )
            made.rows.append(Row("paypal", -1 - at.timetuple().tm_yday, item, (move.key,)))


def two_parts(made, pick):
    """Captures that the provider tells in two parts which add up: no fault, and no break may come of them."""
    places = [n for n, row in enumerate(made.rows) if row.provider == "stripe" and row.line.type == "payment"]
    for n in pick.sample(places, TWO_PARTS):
        row = made.rows[n]
        first, second = parted(row.line, row.line.gross_minor * pick.randrange(20, 80) // 100)
        made.rows[n] = replace(row, line=first, fault="two_parts")
        made.rows.append(replace(row, line=second, fault="two_parts"))


def parted(line, gross):
    """The line as two: of `gross`, and of the rest, the fee in proportion."""
    fee = line.fee_minor * gross // line.gross_minor
    refs = [tuple((k, v + part if k == "transaction" else v) for k, v in line.refs) for part in ("a", "b")]
    rest, rest_fee = line.gross_minor - gross, line.fee_minor - fee
    return (
        altered(line, key=line.key + "a", gross_minor=gross, fee_minor=fee, net_minor=gross - fee, refs=refs[0]),
        altered(
            line, key=line.key + "b", gross_minor=rest, fee_minor=rest_fee, net_minor=rest - rest_fee, refs=refs[1]
        ),
    )


def statements(made):
    """The rows as statements, one for each payout; and the truth by line key."""
    by_payout = {}
    for row in made.rows:
        by_payout.setdefault((row.provider, row.payout), []).append(row)
    told, truth = [], {}
    for (provider, payout), rows in by_payout.items():
        name = f"{payout:06d}"
        lines = tuple(altered(row.line, number=n) for n, row in enumerate(rows, start=1))
        told.append(Statement(name, provider, "main", "USD", lines))
        truth |= {f"{provider}/{name}/{row.line.key}": row for row in rows}
    return told, truth


def degraded(made, missing=0.20, mangled=0.05, seed=7):
    """The same year, but a share of the lines has lost all its references and another has each of them damaged."""
    pick = random.Random(seed)
    rows = []
    for row in made.rows:
        luck = pick.random()
        refs = row.line.refs
        if luck < missing:
            refs = ()
        elif luck < missing + mangled:
            refs = tuple((kind, slipped(value, pick)) for kind, value in refs)
        rows.append(replace(row, line=altered(row.line, refs=refs)) if refs != row.line.refs else row)
    return replace(made, rows=rows)


def slipped(text, pick):
    """One or two slips: a character lost, doubled, changed, or two neighbours swapped."""
    for _ in range(pick.choice((1, 1, 2))):
        at = pick.randrange(len(text) - 1)
        text = pick.choice(
            (
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[:at] + pick.choice("0123456789abcdef") + text[at + 1 :],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            )
        )
    return text
