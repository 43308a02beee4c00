"""`steward events`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import click

from steward.cli.output import Phases, answer, emit, json_option, report_errors

MOST_LINE_BYTES = 16 << 20


@click.group()
def events() -> None:
    """The event log: ingest, tail, verify, prove, replay, readers.

    Example: steward events verify --json
    """


@events.command()
@click.argument("file", type=click.File("rb"))
@json_option
@report_errors
def ingest(file: BinaryIO, as_json: bool) -> None:
    """Take in JSON Lines of CloudEvents from a file, or from standard input where it is `-`.

    Good lines land, bad ones are listed with their line. Exit 0 if all landed, 1 if some were refused.

    Example: steward events ingest events.jsonl --json
    """
    from steward.bootstrap import open_app
    from steward.infra.clock import SystemClock

    phases = Phases(SystemClock().monotonic)
    with open_app() as app, phases.phase("ingest") as step:
        taken = app.ingestor.take_lines(bounded_lines(file), step)
    rejected = [
        {"line": item.index, "path": item.path, "code": item.code, "reason": item.detail}
        for item in sorted(taken.rejected, key=lambda item: item.index)
    ]
    document = {"accepted": taken.accepted, "duplicates": taken.duplicates, "rejected": rejected}
    lines = [f"line {r['line']}: {r['code']} {r['path']}: {r['reason']}" for r in rejected]
    counts = f"{taken.accepted} accepted, {taken.duplicates} duplicates, {len(rejected)} rejected"
    emit(document, as_json, "\n".join([*lines, counts]))
    answer(not rejected)


def bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines of at most 16 MiB each; a longer one is cut into what no event can be, and is refused with its number."""
    while line := file.readline(MOST_LINE_BYTES):
        yield line


@events.command()
@click.argument("position", type=click.IntRange(1))
@click.option("--size", type=click.IntRange(1), help="The tree to prove in; default: the log as it is.")
@json_option
@report_errors
def prove(position: int, size: int | None, as_json: bool) -> None:
    """The RFC 9162 inclusion proof of one event, for whoever holds a published checkpoint.

    Example: steward events prove 42 --json
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        document = app.events.proof(position, size)
    emit(document, as_json, "\n".join([f"leaf {document['leaf']}", *document["proof"], f"root {document['root']}"]))


@events.command()
@json_option
@report_errors
def readers(as_json: bool) -> None:
    """Every reader of the log: where it is and how far behind.

    Example: steward events readers
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        found = app.events.lags()
    lines = [f"{row['reader']:<20} {row['position']:>12} {row['behind']:>10} behind" for row in found]
    emit({"readers": found}, as_json, "\n".join(lines) or "no reader has started")


@events.command()
@click.option("--after", default=0, show_default=True, help="Position to read after.")
@click.option("--type", "types", multiple=True, help="Only this event type; may be repeated.")
@click.option("--subject", help="Only this stream, such as order/536365.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), help="The log as it was recorded by then (UTC).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 5000))
@json_option
@report_errors
def tail(
    after: int, types: tuple[str, ...], subject: str | None, as_of: datetime | None, limit: int, as_json: bool
) -> None:
    """Read events after a position, as they were stored.

    Example: steward events tail --after 100 --type DecisionMade
    """
    from steward.bootstrap import open_app

    with open_app() as app:
        until = None if as_of is None else app.events.position_at(as_of.replace(tzinfo=UTC))
        read = app.events.read(after, types or None, limit, subject=subject, until=until, as_stored=True)
        found = [event.model_dump(mode="json") for event in read]
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
    from steward.infra.clock import SystemClock

    phases = Phases(SystemClock().monotonic)
    with open_app() as app, phases.phase("verify", app.events.head()["size"]) as step:
        report = app.events.verify(step)
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
