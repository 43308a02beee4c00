"""`steward action open`, `resolve` and `undo`: actions on their way outside, and what a person does about them."""

from __future__ import annotations

from typing import Literal

import click

from steward.cli.output import answer, emit, json_option, report_errors


@click.command("open")
@click.option("--person", is_flag=True, help="Only those that wait for somebody to look.")
@click.option("--state", help="Only those in this state, such as unknown.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@json_option
@report_errors
def open_(person: bool, state: str | None, limit: int, as_json: bool) -> None:
    """Actions that went or are to go outside, with where they stand; newest first.

    Example: steward action open --person
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.effects.listed(state, None, limit, needs_person=person)
    items = [one.to_json() for one in found]
    lines = [
        f"{one['id']}  {one['state']:<17} {one['kind']:<18} {one['tool']}.{one['verb']} {one['remote_ref'] or ''}  "
        f"{one['needs_person']}".rstrip()
        for one in items
    ]
    emit({"items": items, "next": None}, as_json, "\n".join(lines) or "none")


@click.command()
@click.argument("action_id")
@click.argument("what", type=click.Choice(["happened", "did-not-happen"]))
@click.option("--by", required=True, help="Who looked.")
@click.option("--reason", required=True, help="What the other side shows.")
@json_option
@report_errors
def resolve(action_id: str, what: str, by: str, reason: str, *, as_json: bool) -> None:
    """Say what became of an action whose answer never came, after looking at the other side.

    Example: steward action resolve act_0193... happened --by ana --reason "refund 88 in their portal"
    """
    from steward.bootstrap import open_app

    word: Literal["happened", "did_not_happen"] = "happened" if what == "happened" else "did_not_happen"
    with open_app() as app:
        changed = app.effects.resolve(action_id, by, word, reason)
        app.events.sequence()
    document = {"id": action_id, "state": changed.state, "reason": changed.why}
    emit(document, as_json, f"{action_id} is {changed.state}" + (f": {changed.why}" if changed.why else ""))
    answer(not changed.why)


@click.command()
@click.argument("action_id")
@click.option("--by", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why.")
@json_option
@report_errors
def undo(action_id: str, by: str, reason: str, *, as_json: bool) -> None:
    """Take an effect back, where its tool has a way to. Exit 1 where it has none.

    Example: steward action undo act_0193... --by ana --reason "wrong listing"
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        changed = app.effects.compensate(action_id, by, reason)
        app.events.sequence()
    document = {"id": action_id, "state": changed.state, "reason": changed.why}
    emit(document, as_json, f"{action_id} is {changed.state}" + (f": {changed.why}" if changed.why else ""))
    answer(not changed.why)


@click.command()
@json_option
@report_errors
def send(as_json: bool) -> None:
    """Carry out what is due now, and end when nothing is; the worker does this by itself.

    Example: steward action send
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        moves = app.dispatcher().drain()
        app.events.sequence()
        counts = app.effects.counts()
    lines = [f"{row['kind']:<20} {row['state']:<18} {row['actions']}" for row in counts]
    emit({"moves": moves, "effects": counts}, as_json, "\n".join(lines) or "nothing goes outside")
