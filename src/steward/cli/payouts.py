"""`steward payouts`: what creators and suppliers are owed, agreed to by people, sent by the gateway, seen to land."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from steward.cli.approvals import KEY, own_key
from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App


@click.group()
def payouts() -> None:
    """Payouts to creators, and payments of suppliers' bills. Who decides shows a key in STEWARD_API_KEY.

    Example: steward payouts prepare
    """


_AMONG = click.option(
    "--for", "among", type=click.Choice(["creators", "suppliers", "all"]), default="all", show_default=True,
    help="Whom to look at.",
)  # fmt: skip


@payouts.command("list")
@click.option("--state", type=click.Choice(["open", "sent", "landed", "dropped"]), help="Only in this state.")
@_AMONG
@click.option("--creator", help="Only of this creator.")
@click.option("--supplier", help="Only of this supplier.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@report_errors
def list_payouts(
    state: str | None, among: str, creator: str | None, supplier: str | None, limit: int, *, as_json: bool
) -> None:
    """Payouts, newest first. What became of them meanwhile is taken in first.

    Example: steward payouts list --state open
    """
    from steward.bootstrap import open_app
    from steward.payouts import chosen

    whom = chosen(among, creator, supplier)
    with open_app() as app:
        _take_in(app)
        items = app.payouts.listed(state, *whom, limit)
    emit({"items": items, "next": None}, as_json, "\n".join(_line(one) for one in items) or "none")


@payouts.command()
@_AMONG
@click.option("--creator", help="Only for this creator.")
@click.option("--supplier", help="Only for this supplier.")
@click.option("--by", default="owner", show_default=True, help="Who asks for it.")
@json_option
@report_errors
def prepare(among: str, creator: str | None, supplier: str | None, by: str, *, as_json: bool) -> None:
    """Work out what every creator is owed and which bills are due, and ask for the approval of each payout. Nothing
    leaves before people agree.

    Example: steward payouts prepare --json
    """
    from steward.bootstrap import open_app
    from steward.payouts import chosen

    whom = chosen(among, creator, supplier)
    with open_app() as app:
        app.events.sequence()
        made = app.payouts.prepare(by, *whom)
        app.events.sequence()
    lines = [_line(one) for one in made["payouts"]]
    lines += [_waiting(one) for one in made["waiting"]]
    emit(made, as_json, "\n".join(lines) or "nobody is owed anything")


@payouts.command()
@click.argument("payout_id")
@json_option
@report_errors
def show(payout_id: str, as_json: bool) -> None:
    """One payout: every commission in it, or its bill, what was held back, what people said. With a key in
    STEWARD_API_KEY this counts as having read it.

    Example: steward payouts show pay_0193...
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        _take_in(app)
        found = app.payouts.show(payout_id, os.environ.get(KEY, "").strip())
    if found is None:
        raise BadInput(f"there is no payout {payout_id!r}", fix="steward payouts list")
    money = found["currency"]
    lines = [_line(found), f"  to {found['payee']} as {found['reference']}, {found['screening']['detail']}"]
    lines += [f"  {one['ref']:<40} {Money(one['amount_minor'], money)!s:>16}" for one in found["lines"]]
    lines += [f"  held back {Money(found['held_back_minor'], money)}"] if found["held_back_minor"] else []
    lines += [f"  {one['person']} ({one['role']}): {one['decision']} {one['reason']}" for one in found["approvals"]]
    lines += ["  its lines are as they were prepared" if found["intact"] else "  ITS LINES ARE NOT WHAT WAS PREPARED"]
    lines += [f"  the evidence: steward action show {found['action_id']}"] if found["action_id"] else []
    emit(found, as_json, "\n".join(lines))


@payouts.command()
@click.argument("payout_id")
@click.option("--reason", default="", help="Why.")
@json_option
@report_errors
def approve(payout_id: str, reason: str, as_json: bool) -> None:
    """Say yes to exactly this payout, as the person whose key is in STEWARD_API_KEY. Exit 1 where it does not count.

    Example: steward payouts approve pay_0193...
    """
    from steward.bootstrap import open_app

    key = own_key()
    with open_app() as app:
        made = app.payouts.approve(payout_id, key, "cli", reason)
        app.events.sequence()
        _take_in(app)
    _decided(payout_id, made, as_json)


@payouts.command()
@click.argument("payout_id")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def reject(payout_id: str, reason: str, as_json: bool) -> None:
    """Say no: its commissions, or its bill, are free for the next time. Exit 1 where it does not count.

    Example: steward payouts reject pay_0193... --reason "the invoice is missing"
    """
    from steward.bootstrap import open_app

    key = own_key()
    with open_app() as app:
        made = app.payouts.reject(payout_id, key, "cli", reason)
        app.events.sequence()
    _decided(payout_id, made, as_json)


@payouts.command()
@click.argument("party")
@click.argument("address")
@click.option("--name", required=True, help="What she is called, for the lists names are held against.")
@click.option("--called-by", required=True, help="Who rang the number on file and confirmed it.")
@click.option("--by", default="owner", show_default=True, help="Who asks for it.")
@json_option
@report_errors
def payee(party: str, address: str, name: str, called_by: str, by: str, *, as_json: bool) -> None:
    """Ask for the address a creator or supplier is paid at: SYSTEM:ID. Two people other than who asks must agree. Exit
    1 where it is refused.

    Example: steward payouts payee mia mercury:5a1d... --name "Mia Example" --called-by ben
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        made = app.payees.change(party, address, name, called_by, by)
        app.events.sequence()
    reasons = "; ".join(made["reasons"])
    emit(made, as_json, f"{made['id']} is {made['state']}: {reasons}\n  name: {made['screening']['detail']}")
    answer(made["outcome"] != "refused")


@payouts.command()
@json_option
@report_errors
def payees(as_json: bool) -> None:
    """Where each party is paid, since when, and who telephoned.

    Example: steward payouts payees
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.payees.listed()
    lines = [f"{one['party']:<20} {one['payee']:<50} since {one['since'][:10]}, {one['called_by']}" for one in items]
    emit({"items": items, "next": None}, as_json, "\n".join(lines) or "none")


def _take_in(app: App) -> None:
    """What became of payouts goes into the log, and from there into the books."""
    app.payouts.follow()
    app.events.sequence()
    app.money_events.post_pending()


def _line(one: JsonObject) -> str:
    money = Money(one["amount_minor"], one["currency"])
    where = one["landed_ref"] or one["why"] or one["action_state"] or "not proposed yet"
    return f"{one['payout_id']}  {_whose(one)} {money!s:>16}  {one['state']:<8} {where}"


def _whose(one: JsonObject) -> str:
    """Who is paid, and for a supplier which bill."""
    bill = f" {one['invoice_id']}" if "invoice_id" in one else ""
    return f"{one['who']:<9}{one[one['who'] + '_id'] + bill:<24}"


def _waiting(one: JsonObject) -> str:
    parts = [f"{Money(amount, one['currency'])} {why.replace('_', ' ')}" for why, amount in one["waiting"].items()]
    said = "; ".join([*([one["reason"]] if one["reason"] else []), *parts])
    return f"{'waits':<38}{_whose(one)} {Money(one['due_minor'], one['currency'])!s:>16}  {said}"


def _decided(payout_id: str, made: JsonObject, as_json: bool) -> None:
    said = f"{made['code']}: {made['reason']}" if made["code"] else f"is {made['state']}"
    rest = f" ({made['agreed']} of {made['quorum']} agreed)" if made["state"] == "awaiting_approval" else ""
    emit({"payout_id": payout_id, **made}, as_json, f"{payout_id} {said}{rest}")
    answer(not made["code"])
