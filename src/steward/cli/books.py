"""`steward ledger`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.instants import parse_instant
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
        books = app.ledger.books(at)
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
        report = app.ledger.check()
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
@click.option("--format", "form", type=click.Choice(["hledger"]), required=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="- for stdout.")
@json_option
@report_errors
def export(form: str, output: Path, as_json: bool) -> None:
    """Write the books for an outside tool, with a balance assertion on every posting.

    Example: steward ledger export --format hledger -o books.journal && hledger -f books.journal check
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        transfers, _ = app.ledger.totals()
        if str(output) == "-":
            for line in app.ledger.hledger():
                click.echo(line)
            return
        temporary = output.with_name(output.name + ".part")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in app.ledger.hledger())
        temporary.replace(output)
    emit({"transactions": transfers, "format": form}, as_json, f"{transfers} transactions written to {output}")
