"""`steward invoices`: bills of vendors in, recomputed from contracts and facts, and what to have back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import parse_instant
from steward.kernel.money import Money

_HELD = {True: "totals hold", False: "totals do not hold", None: "no totals in this file"}
_FILES = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def invoices() -> None:
    """Bills of warehouses, suppliers, advertising platforms and marketplaces.

    Example: steward invoices import january.csv --vendor warehouse-3pl
    """


@invoices.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option("--vendor", required=True, help="Who sends it, or the contract whose bills say who (contracts.yaml).")
@click.option("--mapping", type=_FILES, help="What its columns mean, where the contract does not say it.")
@click.option("--by", default="owner", show_default=True, help="Who brings it.")
@json_option
@report_errors
def import_files(files: tuple[Path, ...], vendor: str, mapping: Path | None, by: str, as_json: bool) -> None:
    """Read bills as a whole and keep their lines. The same file again changes nothing; an invoice that comes again with
    other lines takes the place of the one before. Exit 1 where one is refused, 2 where one cannot be read.

    Example: steward invoices import inv-119.csv inv-130.csv --vendor suppliers
    """
    from steward.bootstrap import open_app
    from steward.catalog import parse_yaml

    columns = None
    if mapping is not None:
        columns = parse_yaml(mapping.read_text(encoding="utf-8"), str(mapping))
        if not isinstance(columns, dict):
            raise BadInput("the mapping is no mapping", where=str(mapping))
    with open_app() as app:
        made = [
            app.invoices.take(vendor, file.name, file.read_bytes(), by, cast("JsonObject | None", columns))
            for file in files
        ]
    emit({"files": made}, as_json, "\n".join(line for one in made for line in _told(one)))
    answer(all(one["outcome"] != "refused" for one in made))


def _told(one: JsonObject) -> list[str]:
    totals = ", ".join(str(Money(amount, currency)) for currency, amount in one["totals"].items())
    head = f"{one['name']}: {one['outcome']}, {one['lines']} lines, {totals or 'nothing'}; "
    head += _HELD[one["control_total_ok"]]
    corrected = [f"  {i['invoice']} takes the place of {i['supersedes']}" for i in one["invoices"] if "supersedes" in i]
    return [head, *corrected, *(f"  line {bad['line']}: {bad['reason']}" for bad in one["rejected"][:50])]


@invoices.command()
@click.option("--as-of", help="What had happened by then (RFC 3339); now unless told.")
@click.option("--by", default="owner", show_default=True, help="Who asks for it.")
@json_option
@report_errors
def audit(as_of: str | None, by: str, as_json: bool) -> None:
    """Recompute every line from its contract and from what happened. What is in dispute becomes a break with the amount
    to have back; `steward breaks` lists and resolves them.

    Example: steward invoices audit --json
    """
    from steward.bootstrap import open_app

    moment: datetime | None = None if as_of is None else parse_instant(as_of)
    with open_app() as app:
        app.events.sequence()
        report = app.invoices.audit(by, moment)
        app.events.sequence()
    emit(report, as_json, "\n".join(_audited(report)))


def _audited(report: JsonObject) -> list[str]:
    def money(name: str) -> str:
        return ", ".join(str(Money(amount, currency)) for currency, amount in report[name].items()) or "nothing"

    kinds = ", ".join(f"{count} {kind}" for kind, count in report["by_type"].items()) or "none"
    notes = report["notes"]
    lines = [
        f"{report['lines']} lines of {report['invoices']} invoices: {money('billed_minor')}",
        f"{money('agreed_minor')} agreed, {money('disputed_minor')} in dispute",
        f"{report['breaks']} breaks ({kinds}); {money('reclaim_minor')} to have back",
        f"noted and not claimed: {notes['under']} lines below their price, {notes['unbilled']} things not billed",
    ]
    if report["on_trust"]:
        lines.append(f"{report['on_trust']} lines on trust: before the log begins, or at a price nobody knows")
    return lines


@invoices.command("list")
@click.option("--vendor", help="Only of this vendor.")
@click.option("--refused", is_flag=True, help="Files that were refused instead, with the reason.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@report_errors
def list_invoices(vendor: str | None, refused: bool, limit: int, as_json: bool) -> None:
    """Invoices in force, newest first, and what is open of each.

    Example: steward invoices list --vendor warehouse-3pl
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.invoices.refused(limit) if refused else app.invoices.listed(vendor, limit)
    if refused:
        lines = [f"{one['received_at'][:16]}  {one['vendor']:<16} {one['name']}: {one['refused']}" for one in items]
    else:
        lines = [_listed(one) for one in items]
    emit({"items": items, "next": None}, as_json, "\n".join(lines) or "none")


def _listed(one: JsonObject) -> str:
    def money(amounts: dict[str, int]) -> str:
        return ", ".join(str(Money(int(amount), currency)) for currency, amount in amounts.items())

    version = f" version {one['version']}" if one["version"] > 1 else ""
    left = f"{one['open_breaks']} breaks, {money(one['reclaim'])} to have back" if one["open_breaks"] else "none open"
    name = one["number"] + version
    booked = (
        "" if one["booked_minor"] is None else f", in the books at {Money(one['booked_minor'], one['booked_currency'])}"
    )
    return f"{one['vendor']:<16} {name:<28} {one['lines']:>6} lines {money(one['totals']):>18}{booked}; {left}"


@invoices.command()
@click.argument("vendor")
@json_option
@report_errors
def claim(vendor: str, as_json: bool) -> None:
    """What to write to a vendor: each line in dispute, why, and the sum.

    Example: steward invoices claim warehouse-3pl
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        made = app.invoices.claim(vendor)
    emit(made, as_json, made["text"])
