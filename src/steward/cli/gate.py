"""`steward quarantine`, `steward alerts`, `steward budget`: what the gate stopped, whom it told, what it may spend."""

from __future__ import annotations

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.money import Money


@click.group()
def quarantine() -> None:
    """Proposers that ran into rules too often and may propose nothing until a person lets them.

    Example: steward quarantine list
    """


@quarantine.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were lifted too.")
@json_option
@report_errors
def list_quarantines(every: bool, as_json: bool) -> None:
    """Who is shut out, since when and why.

    Example: steward quarantine list --all --json
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.violations.quarantines(every=every)
    items = [
        {
            **row,
            "since": format_instant(row["since"]),
            "lifted_at": None if row["lifted_at"] is None else format_instant(row["lifted_at"]),
        }
        for row in rows
    ]
    lines = [
        f"{r['quarantine_id']:>5}  {str(r['since'])[:19]}  {r['proposer']:<24} {r['reason']}"
        + (f"  lifted by {r['lifted_by']}: {r['lifted_why']}" if r["lifted_at"] else "")
        for r in items
    ]
    emit({"items": items}, as_json, "\n".join(lines) or "nobody is shut out")


@quarantine.command()
@click.argument("quarantine_id", type=int)
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why it may propose again.")
@json_option
@report_errors
def lift(quarantine_id: int, by: str, reason: str, *, as_json: bool) -> None:
    """Let a proposer back; the log keeps who did and why.

    Example: steward quarantine lift 3 --by owner --reason "its price feed is mended"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        proposer = app.violations.lift(quarantine_id, by, reason)
        app.events.sequence()
    emit({"quarantine_id": quarantine_id, "proposer": proposer}, as_json, f"{proposer} may propose again")


@click.group()
def alerts() -> None:
    """What was told about broken rules, by webhook and e-mail.

    Example: steward alerts list
    """


@alerts.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10000))
@json_option
@report_errors
def list_alerts(limit: int, as_json: bool) -> None:
    """Alerts, newest first, with how often each was tried and the last answer.

    Example: steward alerts list --json
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.alerts.listed(limit)
    items = [{**row, "created_at": format_instant(row["created_at"])} for row in rows]
    lines = [
        f"{r['alert_id']:>6}  {r['created_at'][:19]}  {r['channel']:<8} {r['state']:<10} {r['attempts']:>3}  "
        f"{r['message_id']}  {r['answer'] or ''}"
        for r in items
    ]
    emit({"items": items}, as_json, "\n".join(lines) or "none")


@alerts.command()
@json_option
@report_errors
def deliver(as_json: bool) -> None:
    """Send what is due now; the worker does this by itself.

    Example: steward alerts deliver
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        attempts = app.alerts.deliver()
    emit({"attempts": attempts}, as_json, f"{attempts} attempts")


@click.group()
def budget() -> None:
    """Budgets: what is granted, what is set aside of it, what is free.

    Example: steward budget list
    """


@budget.command("list")
@json_option
@report_errors
def list_budgets(as_json: bool) -> None:
    """Every budget by currency; in JSON in minor units.

    Example: steward budget list --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        rows = app.ledger.budgets()
    lines = [
        f"{r['code']:<40} granted {Money(r['granted_minor'], r['currency'])!s:>18}  "
        f"set aside {Money(r['held_minor'], r['currency'])!s:>18}  free {Money(r['free_minor'], r['currency'])!s:>18}"
        for r in rows
    ]
    emit({"items": rows}, as_json, "\n".join(lines) or "no budget was granted anything")


@budget.command()
@click.argument("name")
@click.argument("currency")
@click.argument("amount_minor", type=click.IntRange(1))
@click.option("--key", required=True, help="Names this grant: the same key grants once.")
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def grant(name: str, currency: str, amount_minor: int, key: str, by: str, reason: str, *, as_json: bool) -> None:
    """Give a budget money it may set aside; the amount is in minor units (pence, cents).

    Example: steward budget grant ads GBP 500000 --key 2026-12 --by owner --reason "the season"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        refused = app.ledger.grant(name, currency, amount_minor, key, by, reason)
        app.events.sequence()
    wrong = [entry.code for entry in refused if entry.code != "duplicate"]
    document = {"budget": name, "currency": currency, "amount_minor": amount_minor, "refused": wrong}
    told = f"refused: {', '.join(wrong)}" if wrong else f"{name} was granted {Money(amount_minor, currency)}"
    emit(document, as_json, told)
    answer(not wrong)
