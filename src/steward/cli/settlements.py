"""`steward settlement`, `reconcile`, `breaks`: statements in, held against the books, and what is left over."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import parse_instant
from steward.kernel.money import Money


@click.group()
def settlement() -> None:
    """Statements of providers and banks.

    Example: steward settlement import payout.csv --provider stripe
    """


@settlement.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--provider", required=True, help="Whose format it is: stripe, paypal, camt, csv, ...")
@click.option("--mapping", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For csv: its columns.")
@click.option("--by", default="owner", show_default=True, help="Who brings it.")
@json_option
@report_errors
def import_file(file: Path, provider: str, mapping: Path | None, by: str, as_json: bool) -> None:
    """Read a file as a whole and keep its statements. The same file again changes nothing; one whose totals do not hold
    is refused. Exit 1 where it is understood and refused, 2 where it cannot be read.

    Example: steward settlement import statement.xml --provider camt
    """
    from steward.bootstrap import open_app
    from steward.catalog import parse_yaml

    columns = None
    if mapping is not None:
        columns = parse_yaml(mapping.read_text(encoding="utf-8"), str(mapping))
        if not isinstance(columns, dict):
            raise BadInput("the mapping is no mapping", where=str(mapping))
    with open_app() as app:
        made = app.settlement_files.take(provider, file.name, file.read_bytes(), by, cast("JsonObject | None", columns))
        app.events.sequence()
    totals = ", ".join(str(Money(amount, currency)) for currency, amount in made["totals"].items())
    held = {True: "totals hold", False: "totals do not hold", None: "no totals in this format"}[
        made["control_total_ok"]
    ]
    lines = [f"{made['outcome']}: {made['lines']} lines, {totals or 'nothing'}; {held}"]
    lines += [f"line {one['line']}: {one['reason']}" for one in made["rejected"][:50]]
    emit(made, as_json, "\n".join(lines))
    answer(made["outcome"] != "refused")


@settlement.command("list")
@click.option("--provider", help="Only of this provider.")
@click.option("--refused", is_flag=True, help="Files that were refused instead, with the reason.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@report_errors
def list_settlements(provider: str | None, refused: bool, limit: int, as_json: bool) -> None:
    """Statements in force, newest first, and how many of their lines are done.

    Example: steward settlement list --provider stripe
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.settlement_files.refused(limit) if refused else app.settlement_files.listed(provider, limit)
    if refused:
        lines = [f"{one['received_at'][:16]}  {one['provider']:<12} {one['name']}: {one['refused']}" for one in items]
    else:
        lines = [
            f"{one['settlement_id']}  {one['provider']:<12} {one['statement'][:40]:<40} "
            f"{Money(one['net_minor'], one['currency'])!s:>18}  {one['done']} of {one['lines']} lines done"
            for one in items
        ]
    emit({"items": items, "next": None}, as_json, "\n".join(lines) or "none")


@click.command()
@click.option("--settlement", "settlement_id", help="Show only what is left of this statement.")
@click.option("--side", type=click.Choice(["statement", "bank", "both"]), default="both", show_default=True)
@click.option("--as-of", help="What was due by then (RFC 3339); now unless told.")
@click.option("--by", default="owner", show_default=True, help="Who asks for it.")
@json_option
@report_errors
def reconcile(settlement_id: str | None, side: str, as_of: str | None, by: str, as_json: bool) -> None:
    """Hold statements against the books, and bank entries against payouts. Every minor unit ends in one match or one
    named break, or is not due yet.

    Example: steward reconcile --json
    """
    from steward.bootstrap import open_app

    moment: datetime | None = None if as_of is None else parse_instant(as_of)
    with open_app() as app:
        sides: list[Literal["statement", "bank"]] = ["statement", "bank"] if side == "both" else [cast("Any", side)]
        runs = [app.reconciliation.run(one, by, moment) for one in sides]
        breaks = app.reconciliation.breaks(limit=10_000)
        if settlement_id is not None:
            found = next(
                (s for s in app.settlement_files.listed(None, 1000) if s["settlement_id"] == settlement_id), None
            )
            if found is None:
                raise BadInput(f"there is no settlement {settlement_id!r}", fix="steward settlement list")
            prefix = f"{found['provider']}/{found['statement']}/"
            breaks = [one for one in breaks if any(item["key"].startswith(prefix) for item in one["items"])]
        app.events.sequence()
    by_rule: dict[str, int] = {}
    for rule, count in (pair for run in runs for pair in run["by_rule"].items()):
        by_rule[rule] = by_rule.get(rule, 0) + count
    document: JsonObject = {
        "lines": sum(run["lines"] for run in runs),
        "matched": sum(run["matched"] for run in runs),
        "open": sum(run["open"] for run in runs),
        "by_rule": by_rule,
        "breaks": breaks,
        "conserved": all(run["conserved"] for run in runs),
        "runs": runs,
    }
    rules = ", ".join(f"{count} by {rule}" for rule, count in by_rule.items()) or "none"
    head = f"{document['matched']} of {document['lines']} lines matched ({rules}); {document['open']} not due yet"
    emit(document, as_json, "\n".join([head, f"{len(breaks)} breaks", *(_line(one) for one in breaks[:50])]))


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(["open", "gone", "resolved", "all"]), default="open", show_default=True)
@click.option("--type", "kind", help="Only of this type.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@click.pass_context
@report_errors
def breaks(context: click.Context, state: str, kind: str | None, limit: int, as_json: bool) -> None:
    """What statements and books do not agree on, the oldest first.

    Example: steward breaks --type fee
    """
    if context.invoked_subcommand is not None:
        return
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.reconciliation.breaks(None if state == "all" else state, kind, limit)
    emit({"breaks": items}, as_json, "\n".join(_line(one) for one in items) or "no breaks")


def _line(one: JsonObject) -> str:
    keys = "  ".join(item["key"] for item in one["items"][:2])
    money = str(Money(one["amount_minor"], one["currency"]))
    return f"{one['id']}  {one['type']:<16} {money:>16}  {one['age_days']:>3} d  {one['owner'] or '-':<10} {keys}"


@breaks.command()
@click.argument("break_id")
@json_option
@report_errors
def show(break_id: str, as_json: bool) -> None:
    """One break: its items, its evidence, and the ways to resolve it with the posting each makes.

    Example: steward breaks show brk_0193...
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.reconciliation.show(break_id)
    if found is None:
        raise BadInput(f"there is no break {break_id!r}", fix="steward breaks")
    lines = [_line(found), found["suggestion"]]
    lines += [
        f"  {item['side']:<10} {item['key']}  {Money(item['amount_minor'], item['currency'])}"
        for item in found["items"]
    ]
    for way in found["ways"]:
        posted = way["posting"]
        says = "posts nothing" if posted is None else f"debit {posted['debit']}, credit {posted['credit']}"
        lines.append(f"  {way['how']}: {way['meaning']}; {says}")
    lines += [f"  proposal {n}: {one['rule']} {one['confidence']}" for n, one in enumerate(found["proposals"])]
    emit(found, as_json, "\n".join(lines))


@breaks.command()
@click.argument("break_id")
@click.option("--how", required=True, type=click.Choice(["claim", "accept"]), help="Which way (see show).")
@click.option("--by", required=True, help="Who resolves it.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def resolve(break_id: str, how: str, by: str, reason: str, as_json: bool) -> None:
    """End a break by the catalog's rule: the posting goes through the log into the books.

    Example: steward breaks resolve brk_0193... --how claim --by ana --reason "charged twice"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        made = app.reconciliation.resolve(break_id, how, by, reason)
        app.events.sequence()
        app.money_events.post_pending()
    emit(made, as_json, f"{break_id} is resolved" + ("" if made["posting"] else "; no money was in question"))


@breaks.command()
@click.argument("break_id")
@click.argument("number", type=click.IntRange(0))
@click.option("--by", required=True, help="Who accepts it.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def accept(break_id: str, number: int, by: str, reason: str, as_json: bool) -> None:
    """Accept a proposed match of a break; no run undoes it.

    Example: steward breaks accept brk_0193... 0 --by ana --reason "the reference was mistyped"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        made = app.reconciliation.accept(break_id, number, by, reason)
    emit(made, as_json, f"match {made['match']}")


@breaks.command()
@click.argument("break_id")
@click.argument("owner")
@json_option
@report_errors
def assign(break_id: str, owner: str, as_json: bool) -> None:
    """Say who looks after a break.

    Example: steward breaks assign brk_0193... ana
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        app.reconciliation.own(break_id, owner)
    emit({"id": break_id, "owner": owner}, as_json, f"{break_id} is {owner}'s")


@breaks.command()
@click.option("--key", help="Only the match of this item.")
@click.option("--rule", help="Only by this rule.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@report_errors
def matches(key: str | None, rule: str | None, limit: int, as_json: bool) -> None:
    """Matches with their rule and evidence, newest first.

    Example: steward breaks matches --rule windowed
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.reconciliation.matches(key, rule, limit)
    lines = [
        f"{one['match_no']:>8}  {one['rule']:<12} {one['confidence']:>4}  "
        + "  =  ".join(f"{item['side']} {item['key']}" for item in one["items"])
        for one in items
    ]
    emit({"items": items, "next": None}, as_json, "\n".join(lines) or "none")


@breaks.command()
@click.argument("match_no", type=int)
@click.option("--by", required=True, help="Who undoes it.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def undo(match_no: int, by: str, reason: str, as_json: bool) -> None:
    """Undo a match: the next run sees its items again.

    Example: steward breaks undo 812 --by ana --reason "another customer's"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        app.reconciliation.undo(match_no, by, reason)
    emit({"match": match_no, "undone": True}, as_json, f"match {match_no} is undone")
