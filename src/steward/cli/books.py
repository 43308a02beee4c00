"""`steward ledger`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.instants import format_instant, parse_date, parse_instant
from steward.kernel.money import Money


@click.group()
def ledger() -> None:
    """The books: balances, check, export.

    Example: steward ledger export --format hledger -o books.journal
    """


@ledger.command()
@click.option("--as-of", help="Only transfers effective before this RFC 3339 time.")
@json_option
@report_errors
def balances(as_of: str | None, as_json: bool) -> None:
    """Every account with its balance, and the trial balance per currency.

    Example: steward ledger balances --as-of 2011-07-01T00:00:00Z
    """
    from steward.bootstrap import open_app

    at: datetime | None = parse_instant(as_of) if as_of else None
    with open_app() as app:
        books = app.books.books(at)
    accounts = [
        {
            "code": a["code"],
            "currency": a["currency"],
            "amount_minor": a["amount_minor"],
            "postings": a["postings"],
        }
        for a in books.accounts
    ]
    lines = [
        f"{a['code']:<40} {Money(a['amount_minor'], a['currency'])!s:>20}  {a['postings']:>8} postings"
        for a in accounts
    ]
    trial = ", ".join(str(Money(amount, currency)) for currency, amount in books.trial_balance.items())
    document = {"accounts": accounts, "trial_balance": books.trial_balance, "balanced": books.is_balanced}
    emit(document, as_json, "\n".join([*lines, f"trial balance {trial or 'empty'}"]))
    answer(books.is_balanced)


@ledger.command()
@json_option
@report_errors
def check(as_json: bool) -> None:
    """Audit every row: chains, sums, digests, and the event that explains each transfer.

    Example: steward ledger check --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        report = app.books.check()
    violations = [violation.model_dump() for violation in report.violations]
    lines = [f"{v['where']} {v['row']}: {v['what']}" for v in violations]
    document = {
        "transfers": report.transfers,
        "postings": report.postings,
        "trial_balance": report.trial_balance,
        "balanced": report.is_balanced,
        "violations": violations,
    }
    verdict = "sound" if report.is_balanced else f"NOT sound: {len(lines)} violations"
    emit(
        document,
        as_json,
        "\n".join([*lines, f"{report.transfers} transfers, {report.postings} postings: {verdict}"]),
    )
    answer(report.is_balanced)


@ledger.command()
@click.option(
    "--format", "form", type=click.Choice(["beancount", "hledger", "ledger", "quickbooks", "xero"]), required=True
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="- for stdout.")
@json_option
@report_errors
def export(form: str, output: Path, as_json: bool) -> None:
    """Write the books for an outside tool: journals with a balance assertion on every posting (beancount: a day), or
    CSV for Xero and QuickBooks.

    Example: steward ledger export --format hledger -o books.journal && hledger -f books.journal check
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        transfers, _ = app.books.totals()
        if str(output) == "-":
            for line in app.books.journal(form):
                click.echo(line)
            return
        temporary = output.with_name(output.name + ".part")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in app.books.journal(form))
        temporary.replace(output)
    emit({"transactions": transfers, "format": form}, as_json, f"{transfers} transactions written to {output}")


@ledger.command()
@click.option("--account", help="An account code, or the beginning of one up to a colon.")
@click.option("--since", help="The first day, YYYY-MM-DD.")
@click.option("--until", help="The day after the last.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0)
@json_option
@report_errors
def journal(account: str | None, since: str | None, until: str | None, limit: int, offset: int, as_json: bool) -> None:
    """Postings, account by account, in posted order: the general ledger.

    Example: steward ledger journal --account assets:clearing --since 2011-06-01 --limit 20
    """
    from steward.bootstrap import open_app

    first = parse_date(since) if since else None
    last = parse_date(until) if until else None
    with open_app() as app:
        rows = app.books.general_ledger(account, first, last, offset, limit)
    postings = [
        {
            "transfer_id": row["transfer_id"],
            "account": row["code"],
            "currency": row["currency"],
            "effective_at": format_instant(row["effective_at"]),
            "amount_minor": row["amount_minor"],
            "balance_after_minor": row["balance_after"],
            "kind": row["kind"],
            "source": row["source"],
            "party": row["party"],
        }
        for row in rows
    ]
    lines = [
        f"{row['effective_on']} {row['code']:<36} {Money(row['amount_minor'], row['currency'])!s:>18} "
        f"{Money(row['balance_after'], row['currency'])!s:>18}  {row['kind']} {row['source']}"
        for row in rows
    ]
    emit({"postings": postings}, as_json, "\n".join(lines) or "no postings")


@ledger.command()
@json_option
@report_errors
def unposted(as_json: bool) -> None:
    """Try again to post money events that could not be posted; list those that still cannot, with the reason.

    Example: steward ledger unposted --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        left = app.money_events.retry()
    found = [{"position": u.position, "type": u.event_type, "source": u.source, "reason": u.reason} for u in left]
    lines = [f"{u['position']:>10} {u['type']} {u['source']}: {u['reason']}" for u in found]
    emit({"unposted": found}, as_json, "\n".join(lines) or "every money event is posted")
    answer(not found)
