"""`steward events`."""

from __future__ import annotations

import click

from steward.cli.output import answer, emit, json_option, report_errors


@click.group()
def events() -> None:
    """The event log: tail, verify, replay.

    Example: steward events verify --json
    """


@events.command()
@click.option("--after", default=0, show_default=True, help="Position to read after.")
@click.option("--type", "types", multiple=True, help="Only this event type; may be repeated.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@json_option
@report_errors
def tail(after: int, types: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Read events after a position.

    Example: steward events tail --after 100 --type DecisionMade
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = [event.model_dump(mode="json") for event in app.events.read(after, types or None, limit)]
    lines = [
        f"{e['position']:>8}  {e['envelope']['time']}  {e['envelope']['type']:<20} {e['envelope']['subject']}"
        for e in found
    ]
    emit({"items": found, "next": found[-1]["position"] if found else None}, as_json, "\n".join(lines))


@events.command()
@json_option
@report_errors
def verify(as_json: bool) -> None:
    """Recompute every digest, leaf and root; name each row that differs.

    Example: steward events verify
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        report = app.events.verify()
        conflicts = len(app.events.conflicts())
    document = {
        "count": report.count,
        "head": report.head,
        "dense": report.dense,
        "root": report.root,
        "conflicts": conflicts,
        "violations": report.violations,
    }
    lines = [f"{v['where']} {v['row']}: {v['what']}" for v in report.violations]
    verdict = "intact" if report.is_intact else f"NOT intact: {len(lines)} violations"
    emit(document, as_json, "\n".join([*lines, f"{report.count} events, root {report.root}: {verdict}"]))
    answer(report.is_intact)


@events.command()
@json_option
@report_errors
def replay(as_json: bool) -> None:
    """Forget the read models and derive them again from the log; say whether they came out the same.

    Example: steward events replay
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        before = app.state.totals()
        app.state.rebuild()
        after = app.state.totals()
    word = "same" if before == after else "DIFFERENT"
    emit(
        {"count": after.orders + after.refunds, "same": before == after},
        as_json,
        f"{after.orders} orders and {after.refunds} refunds derived again: {word}",
    )
    answer(before == after)
