"""`steward ledger close`, `revalue`, `rate` and `opening`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from steward.cli.books import ledger
from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.errors import BadInput
from steward.kernel.instants import parse_date
from steward.kernel.money import Money

MOST_BYTES = 1_000_000
_currency = click.option("--currency", "own", required=True, help="The currency the books are judged in.")


@ledger.command()
@click.argument("name")
@click.option("--from", "starts", required=True, help="The first day, YYYY-MM-DD.")
@click.option("--until", "ends", required=True, help="The day after the last.")
@_currency
@json_option
@report_errors
def checklist(name: str, starts: str, ends: str, own: str, *, as_json: bool) -> None:
    """What must be so before a period is closed: audit, everything posted, earlier periods, payouts, holds, currencies.

    Example: steward ledger checklist 2011-05 --from 2011-05-01 --until 2011-06-01 --currency GBP
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        checks = app.closing.checklist(parse_date(starts), parse_date(ends), own)
    ready = all(c.is_met for c in checks)
    rows = [asdict(c) for c in checks]
    document = {"period": name, "ready": ready, "checklist": rows}
    emit(document, as_json, "\n".join([*_shown(rows), f"{name} is {'ready' if ready else 'NOT ready'} to be closed"]))
    answer(ready)


@ledger.command()
@click.argument("name")
@click.option("--from", "starts", required=True, help="The first day, YYYY-MM-DD.")
@click.option("--until", "ends", required=True, help="The day after the last.")
@_currency
@click.option("--accept", multiple=True, help="Close although this item is not met; kept with the close.")
@click.option("--by", required=True, help="Who closes.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def close(
    name: str, starts: str, ends: str, own: str, accept: tuple[str, ...], by: str, reason: str, *, as_json: bool
) -> None:
    """Close a period whose checklist is met, but for what is accepted by name.

    Example: steward ledger close 2011-05 --from 2011-05-01 --until 2011-06-01 --currency GBP --by owner --reason done
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        checks = app.closing.close(name, parse_date(starts), parse_date(ends), own, by, reason, accept)
        app.events.sequence()
    rows = [asdict(c) for c in checks]
    document = {"period": name, "closed": True, "checklist": rows}
    emit(document, as_json, "\n".join([*_shown(rows), f"{name} is closed"]))


def _shown(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [f"{'ok ' if row['is_met'] else 'NO '} {row['name']:<20} {row['detail']}" for row in rows]


@ledger.command()
@click.option("--until", "ends", required=True, help="The day after the last.")
@_currency
@json_option
@report_errors
def revalue(ends: str, own: str, *, as_json: bool) -> None:
    """Book what positions in other currencies gained or lost at the newest rates of that day.

    Example: steward ledger revalue --until 2011-06-01 --currency GBP
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.closing.revalue(parse_date(ends), own)
        app.events.sequence()
    document = {"loss_minor": found.loss_minor, "missing": found.missing, "refused": [r.code for r in found.refused]}
    text = f"loss {Money(found.loss_minor, own)}" if not found.missing else f"no rate for {', '.join(found.missing)}"
    emit(document, as_json, "\n".join([text, *(f"{r.code}: {r.detail}" for r in found.refused)]))
    answer(not found.missing and not found.refused)


@ledger.command()
@click.argument("base")
@click.argument("quote")
@click.argument("value")
@click.option("--on", required=True, help="From this day, YYYY-MM-DD.")
@click.option("--source", required=True, help="Whose rate it is.")
@json_option
@report_errors
def rate(base: str, quote: str, value: str, on: str, source: str, *, as_json: bool) -> None:
    """Write down that one BASE is VALUE QUOTE from a day on; VALUE is exact: 0.7512 or 3/4.

    Example: steward ledger rate USD GBP 0.7512 --on 2011-05-31 --source ecb
    """
    from steward.bootstrap import open_app

    try:
        exact = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise BadInput(f"{value!r} is no rate", fix="write 0.7512 or 3/4") from None
    with open_app() as app:
        app.ledger.set_rate(base, quote, parse_date(on), exact, source)
        app.events.sequence()
    document = {"base": base, "quote": quote, "on": on, "numerator": exact.numerator, "denominator": exact.denominator}
    emit(document, as_json, f"from {on} 1 {base} is {exact} {quote}")


@ledger.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--on", required=True, help="The day the books begin, YYYY-MM-DD.")
@json_option
@report_errors
def opening(file: Path, on: str, *, as_json: bool) -> None:
    """Post opening balances from a CSV file with account, currency and amount (or debit and credit), all or nothing.

    Example: steward ledger opening balances.csv --on 2011-01-01
    """
    from steward.bootstrap import open_app

    if file.stat().st_size > MOST_BYTES:
        raise BadInput(f"{file.name} has more than {MOST_BYTES} bytes", fix="opening balances are one line an account")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file.name} is not UTF-8: {error.reason}", where=f"byte {error.start}") from error
    with open_app() as app:
        found = app.closing.open_books(text, parse_date(on))
        app.events.sequence()
    problems = [f"line {r.line}: {r.reason}" for r in found.rejected]
    problems += [f"{r.code}: {r.detail}" for r in found.refused]
    document = {
        "accounts": len(found.lines),
        "posted": not problems and bool(found.lines),
        "rejected": [asdict(r) for r in found.rejected],
        "refused": [r.model_dump() for r in found.refused],
    }
    text = f"{len(found.lines)} accounts opened" if not problems else "nothing was posted"
    emit(document, as_json, "\n".join([*problems, text]))
    answer(not problems)
