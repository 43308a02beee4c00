"""What can be scheduled. One more is an entry in catalog/schedules.yaml, its name in contracts/schedule.py, and a
function here.

A job is called for a tick, in a step of a run: at least once, and again by another worker when this one dies. So it
must be idempotent by the tick. What it returns is kept with the run: JSON, for a person to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from steward.contracts.base import Json
from steward.contracts.schedule import Job

if TYPE_CHECKING:
    from steward.bootstrap import App

JobFunction = Callable[["App", datetime], Json]


def take_snapshot(app: App, at: datetime) -> Json:
    """The business as of the tick, from everything that is known by now."""
    app.events.sequence()
    app.state.catch_up()
    return app.state.snapshot(at).id


def reconcile(app: App, at: datetime) -> Json:
    """Statements and bank entries against the books, bills against contracts, as of the tick."""
    app.events.sequence()
    reports = [app.reconciliation.run(side, "schedule", at) for side in ("statement", "bank")]
    told: list[Json] = [{name: one[name] for name in ("run", "lines", "matched", "breaks")} for one in reports]
    bills = app.invoices.audit("schedule", at)
    return [*told, {name: bills[name] for name in ("run", "lines", "breaks", "reclaim_minor")}]


def watched_folder(app: App, _at: datetime) -> Json:
    """What was put into the folder is taken."""
    return app.watched_folder.look(app.clock.now())


def payouts(app: App, _at: datetime) -> Json:
    """Payouts to creators and payments of bills, for people to agree to. Again, while they are on their way, it
    prepares nothing more.
    """
    app.events.sequence()
    made = app.payouts.prepare("schedule")
    return {"payouts": [one["payout_id"] for one in made["payouts"]], "waiting": len(made["waiting"])}


JOBS: Mapping[Job, JobFunction] = {
    "snapshot": take_snapshot,
    "reconcile": reconcile,
    "watched_folder": watched_folder,
    "payouts": payouts,
}
