"""`steward approvals`: what waits for people, and their yes or no under their own key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from steward.cli.output import answer, emit, json_option, report_errors
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App

KEY = "STEWARD_API_KEY"


def own_key() -> str:
    """The key of whoever sits here."""
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise BadInput(
            f"{KEY} is not set", fix="set it to your own key; `steward keys create --role manager` makes one"
        )
    return key


@click.group()
def approvals() -> None:
    """Actions that wait for people. Who decides shows a key in STEWARD_API_KEY.

    Example: steward approvals list
    """


@approvals.command("list")
@click.option("--role", type=click.Choice(["manager", "founder"]), help="Only what waits for this role.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@report_errors
def list_waiting(role: str | None, limit: int, as_json: bool) -> None:
    """What waits, the most urgent first.

    Example: steward approvals list --role founder --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        items = app.approvals.waiting(role, limit)
    emit({"items": items, "next": None}, as_json, "\n".join(_line(item) for item in items) or "nothing waits")


def _line(item: JsonObject) -> str:
    money = str(Money(item["amount_minor"], item["currency"])) if item["amount_minor"] is not None else ""
    until = item["deadline"][:16] if item["deadline"] else "no end"
    head = f"{item['id']}  {item['risk']} {item['role']:<8} {item['kind']:<18} {money:>14}"
    return f"{head}  until {until}  {item['reason']}"


@approvals.command()
@click.argument("action_id")
@json_option
@report_errors
def show(action_id: str, as_json: bool) -> None:
    """One action in full: what exactly would be done, who asked, why, and what was said so far. With a key in
    STEWARD_API_KEY this counts as having read it.

    Example: steward approvals show act_0193...
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        caller = app.access.recognise(os.environ.get(KEY, "").strip())
        found = app.approvals.show(action_id, caller)
    if found is None:
        raise BadInput(f"{action_id!r} waits for nobody", fix="steward approvals list shows what waits")
    lines = [_line(found), f"  proposed by {found['proposer']}: {found['why'] or 'no reason given'}"]
    lines += [f"  {name}: {value}" for name, value in found["args"].items()]
    lines += [f"  would go to {found['tool']}.{found['verb']}; arguments {found['args_digest']}"]
    lines += [f"  {one['person']} ({one['role']}): {one['decision']} {one['reason']}" for one in found["decisions"]]
    lines += [f"  the evidence: steward action show {action_id}"]
    emit(found, as_json, "\n".join(lines))


@approvals.command()
@click.argument("action_id")
@click.option("--reason", default="", help="Why.")
@click.option("--digest", help="The digest of the arguments you were shown; refused if they are others by now.")
@click.option(
    "--like", is_flag=True, help="Everything that waits and is like it as well: same kind, tool, level, not larger."
)
@click.option("--yes", is_flag=True, help="With --like: the list of them was read.")
@json_option
@report_errors
def approve(action_id: str, reason: str, digest: str | None, like: bool, yes: bool, *, as_json: bool) -> None:
    """Say yes, as the person whose key is in STEWARD_API_KEY. Exit 1 where it does not count. With --like alone
    nothing is decided: what it would decide is listed.

    Example: steward approvals approve act_0193... --reason "the customer sent photographs"
    """
    from steward.bootstrap import open_app

    key = own_key()
    with open_app() as app:
        names = [action_id] if not like else app.approvals.like(action_id) or [action_id]
        if like and not yes:
            items = [item for name in names if (item := app.approvals.show(name))]
            text = "\n".join([*(_line(item) for item in items), f"{len(items)} of them; with --yes they are approved"])
            emit({"would_approve": items}, as_json, text)
            answer(False)
        made = [
            app.approvals.approve(name, key, "cli", reason, digest if name == action_id else None) for name in names
        ]
        app.events.sequence()
    _tell([one.to_json() for one in made], as_json)


@approvals.command()
@click.argument("action_id")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def reject(action_id: str, reason: str, as_json: bool) -> None:
    """Say no, which ends it. Exit 1 where it does not count.

    Example: steward approvals reject act_0193... --reason "no photographs"
    """
    from steward.bootstrap import open_app

    key = own_key()
    with open_app() as app:
        made = app.approvals.reject(action_id, key, "cli", reason)
        app.events.sequence()
    _tell([made.to_json()], as_json)


def _tell(made: list[JsonObject], as_json: bool) -> None:
    lines = [
        f"{one['id']}: {one['code']}: {one['reason']}"
        if one["code"]
        else f"{one['id']} is {one['state']}"
        + (f" ({one['agreed']} of {one['quorum']} agreed)" if one["state"] == "awaiting_approval" else "")
        for one in made
    ]
    emit(made[0] if len(made) == 1 else {"items": made}, as_json, "\n".join(lines))
    answer(not any(one["code"] for one in made))


@click.group()
def kill() -> None:
    """Kill switches: nothing inside a scope is sent while it is on.

    Example: steward kill on --scope tool:stripe --reason "charges look wrong"
    """


def _by(app: App, *, on: bool) -> str:
    """Whose key is set, else whoever owns this machine. To let more out takes a manager's key, if one is set."""
    key = os.environ.get(KEY, "").strip()
    caller = app.access.recognise(key)
    if caller is None and key:
        raise BadInput(f"the key in {KEY} is unknown, revoked or over", fix="set a live one, or none")
    if caller is not None and not on and caller.role not in ("manager", "founder"):
        raise BadInput(f"a {caller.role} does not let more out", fix="a manager or a founder does")
    return caller.name if caller else "owner"


@kill.command("on")
@click.option("--scope", default="all", show_default=True, help="all, department:X, agent:X, tool:X or kind:X.")
@click.option("--reason", default="stopped by hand", show_default=True)
@json_option
@report_errors
def kill_on(scope: str, reason: str, as_json: bool) -> None:
    """Stop. It holds from the moment this command ends; what is being sent just then may still arrive.

    Example: steward kill on --scope kind:payment.refund --reason "a price was wrong"
    """
    _turn(scope, reason, as_json, on=True)


@kill.command("off")
@click.option("--scope", default="all", show_default=True, help="all, department:X, agent:X, tool:X or kind:X.")
@click.option("--reason", default="let go on by hand", show_default=True)
@json_option
@report_errors
def kill_off(scope: str, reason: str, as_json: bool) -> None:
    """Let effects go on.

    Example: steward kill off --scope all --reason "mended"
    """
    _turn(scope, reason, as_json, on=False)


def _turn(scope: str, reason: str, as_json: bool, *, on: bool) -> None:
    from steward.bootstrap import open_app

    with open_app() as app:
        by, key = _by(app, on=on), os.environ.get(KEY, "")
        changed = app.kills.throw(scope, by, reason) if on else app.kills.lift(scope, by, reason, key)
        app.events.sequence()
        active = app.kills.active()
    since = next((one["since"] for one in active if one["scope"] == scope), None)
    document: JsonObject = {"scope": scope, "changed": changed, "active": active, "since": since}
    emit(document, as_json, f"{scope} is {'stopped' if on else 'free'}" + ("" if changed else ", as it was before"))


@kill.command()
@json_option
@report_errors
def status(as_json: bool) -> None:
    """What is stopped, since when, by whom and why. Exit 1 where anything is.

    Example: steward kill status --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        active = app.kills.active()
    lines = [f"{one['scope']:<30} since {one['since'][:19]} by {one['by']}: {one['reason']}" for one in active]
    since = active[0]["since"] if active else None
    emit({"active": active, "since": since}, as_json, "\n".join(lines) or "nothing is stopped")
    answer(not active)


@click.group()
def cap() -> None:
    """What a day may take, by scope: all, kind:X, agent:X, tool:X or goal:X. The books refuse what goes over.

    Example: steward cap set tool:stripe GBP 500000 --by owner --reason "a day's refunds"
    """


@cap.command("set")
@click.argument("scope")
@click.argument("currency")
@click.argument("day_minor", type=click.IntRange(0))
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def set_cap(scope: str, currency: str, day_minor: int, by: str, reason: str, *, as_json: bool) -> None:
    """A day takes no more of a scope from now on; the amount is in minor units.

    Example: steward cap set kind:payment.refund GBP 100000 --by owner --reason "what the till bears"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        _by(app, on=False)
        app.caps.set(scope, currency, day_minor, by, reason)
        app.events.sequence()
    document = {"scope": scope, "currency": currency, "day_minor": day_minor}
    emit(document, as_json, f"{scope} takes at most {Money(day_minor, currency)} a day")


@cap.command("list")
@json_option
@report_errors
def list_caps(as_json: bool) -> None:
    """Every cap, with what today took of it.

    Example: steward cap list --json
    """
    from steward.bootstrap import open_app
    from steward.kernel.instants import format_instant

    with open_app() as app:
        rows = app.caps.listed()
    items = [{**row, "changed_at": format_instant(row["changed_at"])} for row in rows]
    lines = [
        f"{r['scope']:<32} {Money(r['today_minor'], r['currency'])!s:>16} of "
        f"{Money(r['day_minor'], r['currency'])!s:>16}"
        for r in rows
    ]
    emit({"items": items}, as_json, "\n".join(lines) or "no cap is set")
