"""`steward ledger limit`, `account` and `period`: what an owner sets about her books."""

from __future__ import annotations

from typing import Literal

import click

from steward.cli.books import ledger
from steward.cli.output import emit, json_option, report_errors
from steward.kernel.instants import parse_date

_by = click.option("--by", required=True, help="Who decides.")
_reason = click.option("--reason", required=True, help="Why.")


@ledger.command()
@click.argument("code")
@click.argument("currency")
@click.option("--floor", type=int, help="Never below this many minor units; debits are positive.")
@click.option("--ceiling", type=int, help="Never above this many.")
@_by
@_reason
@json_option
@report_errors
def limit(
    code: str, currency: str, floor: int | None, ceiling: int | None, by: str, reason: str, *, as_json: bool
) -> None:
    """Set where an account must stay; without a floor or a ceiling there is none.

    Example: steward ledger limit assets:bank GBP --floor 0 --by owner --reason "no overdraft"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        app.ledger.set_limits(code, currency, floor, ceiling, by, reason)
        app.events.sequence()
    document = {"account": code, "currency": currency, "floor_minor": floor, "ceiling_minor": ceiling}
    emit(document, as_json, f"{code} {currency}: floor {floor}, ceiling {ceiling}")


@ledger.command()
@click.argument("code")
@click.argument("currency")
@click.option("--close/--open", "closed", required=True, default=None)
@_by
@_reason
@json_option
@report_errors
def account(code: str, currency: str, by: str, reason: str, *, closed: bool, as_json: bool) -> None:
    """Close an account to every posting, or open it again.

    Example: steward ledger account assets:clearing:oldpay GBP --close --by owner --reason "we left them"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        app.ledger.set_closed(code, currency, closed, by, reason)
        app.events.sequence()
    emit({"account": code, "currency": currency, "closed": closed}, as_json, f"{code} {currency}: closed {closed}")


@ledger.command()
@click.argument("name")
@click.option("--from", "starts", required=True, help="The first day, YYYY-MM-DD.")
@click.option("--until", "ends", required=True, help="The day after the last.")
@click.option(
    "--state", type=click.Choice(["open", "soft", "closed"]), required=True, help="soft: closing entries only."
)
@_by
@_reason
@json_option
@report_errors
def period(
    name: str,
    starts: str,
    ends: str,
    state: Literal["open", "soft", "closed"],
    by: str,
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Open, close or reopen the days of a period. Each change is kept.

    Example: steward ledger period 2011-05 --from 2011-05-01 --until 2011-06-01 --state closed --by owner --reason done
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        app.ledger.set_period(name, parse_date(starts), parse_date(ends), state, by, reason)
        app.events.sequence()
    emit({"period": name, "from": starts, "until": ends, "state": state}, as_json, f"{name} is {state}")
