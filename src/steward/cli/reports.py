"""`steward ledger report`, `margin`, `ageing`, `forecast`, `runway` and `stock`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from steward.cli.books import ledger
from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.errors import BadInput
from steward.kernel.instants import parse_date
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.contracts.ledger import Span

F = TypeVar("F", bound=Callable[..., Any])


def _day(text: str | None) -> date | None:
    return parse_date(text) if text else None


def _span(since: str | None, until: str | None, known: str | None) -> Span:
    from steward.contracts.ledger import Span

    span = Span(since=_day(since), until=_day(until), known=_day(known))
    if span.since is not None and span.until is not None and not span.since < span.until:
        raise BadInput(f"a span starts before it ends, not {span.since} to {span.until}", fix="swap the days")
    return span


def _span_options(function: F) -> F:
    options = [
        click.option("--since", help="The first day, YYYY-MM-DD."),
        click.option("--until", help="The day after the last."),
        click.option("--known", help="Only what was recorded before this day."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _money(amount: int, currency: str) -> str:
    return f"{Money(amount, currency)!s:>20}"


@ledger.command()
@click.argument("name", type=click.Choice(["trial-balance", "profit", "balance-sheet", "cash-flow"]))
@_span_options
@click.option("--compare-since", help="The first day of the period beside it.")
@click.option("--compare-until", help="The day after its last.")
@json_option
@report_errors
def report(
    name: Literal["trial-balance", "profit", "balance-sheet", "cash-flow"],
    since: str | None,
    until: str | None,
    known: str | None,
    compare_since: str | None,
    compare_until: str | None,
    *,
    as_json: bool,
) -> None:
    """A financial statement, by when things happened or by when they were known, with another period beside it.

    Example: steward ledger report profit --since 2011-05-01 --until 2011-06-01 --compare-since 2011-04-01 --compare-until 2011-05-01
    """  # noqa: E501 - an example is one line, to be copied
    from steward.bootstrap import open_app

    span = _span(since, until, known)
    compare = _span(compare_since, compare_until, known) if compare_since or compare_until else None
    with open_app() as app:
        found = app.reports.statement(name, span, compare)
    lines: list[str] = []
    section = ""
    for line in found.lines:
        if line.section != section:
            section = line.section
            lines.append(section)
        beside = "" if line.compared_minor is None else _money(line.compared_minor, line.currency)
        lines.append(f"  {line.code:<38} {_money(line.amount_minor, line.currency)}{beside}")
    for total, sums in found.totals.items():
        for currency, amount in sums.items():
            other = (found.compared or {}).get(total, {}).get(currency, 0)
            beside = "" if found.compared is None else _money(other, currency)
            lines.append(f"{total:<40} {_money(amount, currency)}{beside}")
    emit(found.to_json(), as_json, "\n".join([*lines, *found.problems]) or "no postings")
    answer(not found.problems)


@ledger.command()
@click.option("--by", "dimension", type=click.Choice(["sku", "creator", "show", "channel"]), required=True)
@_span_options
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Lines printed; JSON has them all."
)
@json_option
@report_errors
def margin(
    dimension: Literal["sku", "creator", "show", "channel"],
    since: str | None,
    until: str | None,
    known: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """What each SKU, creator, show or channel contributed. Adds up to the profit and loss account of the same days.

    Example: steward ledger margin --by channel --since 2011-05-01 --until 2011-06-01
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reports.margin(dimension, _span(since, until, known))
    rows = sorted(found.items(), key=lambda entry: (-entry[1].contribution_minor, entry[0]))
    document = {
        "by": dimension,
        "values": [
            {"value": name, "currency": currency, **asdict(c), "contribution_minor": c.contribution_minor}
            for (name, currency), c in rows
        ],
    }
    lines = [
        f"{name or '(nothing known)':<30} {_money(c.income_minor - c.contra_minor, currency)} sold "
        f"{_money(c.contribution_minor, currency)} contributed"
        for (name, currency), c in rows[:limit]
    ]
    if len(rows) > limit:
        lines.append(f"and {len(rows) - limit} more")
    emit(document, as_json, "\n".join(lines) or "no postings")


@ledger.command()
@click.option("--of", "kind", type=click.Choice(["receivable", "payable"]), required=True)
@click.option("--as-of", required=True, help="The day after the last that counts.")
@click.option("--known", help="Only what was recorded before this day.")
@json_option
@report_errors
def ageing(kind: Literal["receivable", "payable"], as_of: str, known: str | None, *, as_json: bool) -> None:
    """How old what is owed is, by account and party; payments settle the oldest first.

    Example: steward ledger ageing --of payable --as-of 2011-07-01
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reports.ageing(kind, parse_date(as_of), _day(known))
    rows = [
        {
            "account": a.code,
            "currency": a.currency,
            "party": a.party,
            "open_minor": a.open_minor,
            "up_to_30_days": a.buckets[0],
            "up_to_60_days": a.buckets[1],
            "up_to_90_days": a.buckets[2],
            "older": a.buckets[3],
            "oldest": None if a.oldest is None else a.oldest.isoformat(),
        }
        for a in found
    ]
    lines = [
        f"{a.code:<30} {a.party:<20} {_money(a.open_minor, a.currency)}  since {a.oldest}  "
        + " ".join(_money(bucket, a.currency) for bucket in a.buckets)
        for a in found
    ]
    emit({"of": kind, "open": rows}, as_json, "\n".join(lines) or "nothing is owed")


@ledger.command()
@click.option("--as-of", required=True, help="The day the weeks ahead begin.")
@click.option("--seed", type=int, default=1, show_default=True)
@json_option
@report_errors
def forecast(as_of: str, seed: int, *, as_json: bool) -> None:
    """Cash thirteen weeks ahead; eight of ten paths end between low and high.

    Example: steward ledger forecast --as-of 2011-07-01
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reports.forecast(parse_date(as_of), seed)
    document = {
        currency: {
            "cash_minor": cash,
            "weeks_known": len(weeks),
            "weeks": [{**asdict(week), "ends_on": week.ends_on.isoformat()} for week in ahead],
        }
        for currency, (cash, weeks, ahead) in found.items()
    }
    lines: list[str] = []
    for currency, (cash, weeks, ahead) in found.items():
        lines.append(f"cash {_money(cash, currency)}, {len(weeks)} full weeks known" + ("" if ahead else ": too few"))
        lines += [
            f"{week.ends_on} {_money(week.low_minor, currency)} {_money(week.middle_minor, currency)} "
            f"{_money(week.high_minor, currency)}"
            for week in ahead
        ]
    emit({"currencies": document}, as_json, "\n".join(lines) or "no cash has moved")


@ledger.command()
@click.option("--as-of", help="The day after the last that counts; without it, now.")
@json_option
@report_errors
def runway(as_of: str | None, *, as_json: bool) -> None:
    """How long the free cash lasts; unknown, with the reasons, where the books may not say what is in the bank.

    Example: steward ledger runway --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reports.runway(_day(as_of))
    lines: list[str] = []
    for currency, r in found.items():
        lasts = "" if r.weeks is None else f", {r.weeks} weeks"
        available = "" if r.available_minor is None else f" {_money(r.available_minor, currency).strip()} free"
        lines.append(f"{currency}: {r.state}{available}{lasts}")
        lines += [f"  {reason}" for reason in r.reasons]
    document = {currency: {**asdict(r), "reasons": list(r.reasons)} for currency, r in found.items()}
    emit({"currencies": document}, as_json, "\n".join(lines) or "unknown: no cash has moved")
    answer(bool(found) and all(r.state != "unknown" for r in found.values()))


@ledger.command()
@click.option("--method", type=click.Choice(["average", "fifo"]), default="average", show_default=True)
@json_option
@report_errors
def stock(method: Literal["average", "fifo"], *, as_json: bool) -> None:
    """What stock is worth by moving average or first in, first out, from the goods events of the log.

    Example: steward ledger stock --method fifo --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reports.stock(method)
    rows = [
        {
            "sku": s.sku,
            "currency": s.currency,
            "on_hand": s.valuation.on_hand,
            "value_minor": s.valuation.value_minor,
            "received_minor": s.valuation.received_minor,
            "issued_minor": sum(s.valuation.issued),
            "short": s.valuation.short,
        }
        for s in found
    ]
    lines = [
        f"{s.sku:<24} {s.valuation.on_hand:>8} on hand {s.valuation.value_minor:>14} {s.currency} minor units"
        for s in found
    ]
    emit({"method": method, "stock": rows}, as_json, "\n".join(lines) or "no goods have moved")
