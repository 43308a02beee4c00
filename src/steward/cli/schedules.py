"""`steward schedules`: what runs by the clock, and how it went."""

from __future__ import annotations

from datetime import timedelta

import click

from steward.cli.output import emit, json_option, report_errors
from steward.kernel.canonical import JsonObject

_FAR = timedelta(days=3660)


@click.command()
@click.option("--runs", type=click.IntRange(1, 100), default=1, show_default=True, help="Newest runs to show of each.")
@json_option
@report_errors
def schedules(runs: int, as_json: bool) -> None:
    """What the workers do by the clock: the next tick of each schedule and its newest runs.

    Example: steward schedules --runs 3
    """
    from steward.bootstrap import open_app
    from steward.catalog import load_schedules
    from steward.infra.cron import ticks
    from steward.infra.durable_client import durable_client
    from steward.infra.durable_schema import address_of
    from steward.kernel.instants import format_instant

    found: list[JsonObject] = []
    with open_app() as app, durable_client(address_of(app.settings)) as client:
        now = app.clock.now()
        for schedule in load_schedules(app.catalog.root):
            following = next(ticks(schedule.cron, schedule.zone, now, now + _FAR), None)
            newest = client.newest(f"{schedule.name}@", runs)
            found.append(
                {
                    **schedule.model_dump(mode="json"),
                    "next": None if following is None else format_instant(following),
                    "runs": [{"run": run.run_id, "outcome": run.outcome, "error": run.error} for run in newest],
                }
            )
    emit(found, as_json, "\n".join(_lines(one) for one in found))


def _lines(one: JsonObject) -> str:
    head = f"{one['name']}: {one['job']}, next at {one['next'] or 'no time in sight'}"
    runs = [
        f"  {run['run']}  {run['outcome']}{'' if run['error'] is None else ': ' + run['error']}" for run in one["runs"]
    ]
    return "\n".join([head, *(runs or ["  no run yet"])])
