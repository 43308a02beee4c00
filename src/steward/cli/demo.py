"""`steward demo`: the main job, end to end, on real order history; with `--live`, on simulated days over sockets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steward.cli.output import Phases, answer, emit, json_option, report_errors
from steward.kernel.instants import HOUR, WEEK, floor_day, floor_hour

if TYPE_CHECKING:
    from steward.bootstrap import App

WALK_WEEKS = 4
PROJECTED = ("OrderPlaced", "RefundProcessed")
_SAMPLE = "online_retail_2011-05_2011-07.csv.gz"


@click.command()
@click.option("--once", is_flag=True, help="End after the scoreboard instead of serving the pages.")
@click.option("--data", type=click.Path(path_type=Path), help="Any file in the Online Retail columns (csv, csv.gz).")
@click.option("--port", type=click.IntRange(0, 65535), help="Where the pages are served (default 7107; live: any).")
@click.option("--live", is_flag=True, help="Two simulated business days through real HTTP and webhooks instead.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Live: which simulated world.")
@click.option("--home", type=click.Path(path_type=Path), help="Live: a folder of its own (default: DATA/live).")
@json_option
@report_errors
def demo(
    *, once: bool, data: Path | None, port: int | None, live: bool, seed: int, home: Path | None, as_json: bool
) -> None:
    """Real order history in; proven decisions and balanced books out; then the pages.

    A second run repeats nothing and gives the same figures. With --live a simulated shop, its processors and its bank
    are served beside it in processes of their own: what was killed in the middle goes on where it stood. Exit 1 if what
    the system says at the end is not what the world knows.

    Example: steward demo --once --json
    """
    if live:
        _live(port, seed, home, as_json)
        return
    from steward.bootstrap import open_app
    from steward.cli.scoreboard import scoreboard
    from steward.cli.web import run_server
    from steward.infra.clock import SystemClock

    phases = Phases(SystemClock().monotonic)
    path = data or Path(str(files("steward.catalog") / "samples" / _SAMPLE))
    with phases.phase("start"):
        opened = open_app()
        app = opened.__enter__()
    try:
        run(app, path, phases)
        document: dict[str, Any] = {**app.figures.read(), **phases.to_json()}
        emit(document, as_json, scoreboard(app, document))
    finally:
        opened.__exit__(None, None, None)
    if not once:
        shown = port if port is not None else app.settings.port
        click.echo(f"\npages: http://{app.settings.host}:{shown}/  (Ctrl-C ends; the data stay)", err=as_json)
        run_server(port)


def _live(port: int | None, seed: int, home: Path | None, as_json: bool) -> None:
    """Simulated days in a folder and a database of their own."""
    from steward.demonstration import LiveDemo, Plan, shown
    from steward.infra.clock import SystemClock
    from steward.infra.settings import load_settings

    folder = (home or load_settings().home / "live").expanduser().resolve()
    clock = SystemClock()
    began = clock.monotonic()
    live = LiveDemo(folder, Plan(seed=seed), lambda line: click.echo(line, err=True), port)
    document = live.run()
    document |= {"home": str(folder), "seconds": round(clock.monotonic() - began)}
    emit(document, as_json, shown(document))
    answer(bool(document["holds"]))


def run(app: App, path: Path, phases: Phases) -> None:
    """Phase after phase. Each picks up where a crash left it and adds nothing twice."""
    with phases.phase("read"):
        reading, sha256 = app.history.read(path)
    with phases.phase("ingest", len(reading.envelopes)) as step:
        app.history.write(reading, sha256, path.name, step)
        app.events.sequence()
    with phases.phase("post", sum(e.type in app.money_events.types for e in reading.envelopes)) as step:
        app.money_events.post_pending(step)
        app.events.sequence()
    with phases.phase("project", sum(e.type in PROJECTED for e in reading.envelopes)) as step:
        app.state.catch_up(step)
    hours = list(walk_hours(app, reading.envelopes[-1].time if reading.envelopes else None))
    with phases.phase("walk", len(hours)) as step:
        for hour in hours:
            walk_hour(app, hour)
            step(1)
        app.events.sequence()
    with phases.phase("settle"):
        if hours:
            app.world_model.settle(hours[-1] + HOUR)
        app.events.sequence()
        app.events.publish_checkpoint()


def walk_hours(app: App, end: datetime | None) -> Iterator[datetime]:
    """The hours of the last four weeks before the file's last day ends, never before the history's first whole week."""
    span = app.state.span()
    if end is None or span is None:
        return
    last = floor_day(end) + timedelta(days=1)
    hour = max(last - WALK_WEEKS * WEEK, floor_hour(span[0]))
    while hour < last:
        yield hour
        hour += HOUR


def walk_hour(app: App, hour: datetime) -> None:
    """Take the hour's snapshot, then every proposal the agents make in it, each down the spine."""
    app.state.snapshot(hour)
    for proposal in app.agents.proposals(hour, hour + HOUR):
        app.control.act(proposal)
    if hour.hour == 23:
        app.events.sequence()
