"""Schedules: what the background does when, whether or not anybody asks."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract

Job = Literal["snapshot", "reconcile", "watched_folder", "payouts"]
"""What can be scheduled; the worker has a function for each (worker/jobs.py)."""


class Schedule(Contract):
    """A job at every tick of a cron expression (minute, hour, day, month, weekday; six fields begin with seconds) on
    the clocks of `zone`. Ticks that came due while nothing ran are done afterwards: `every` one, or the `last` alone.
    """

    name: str
    job: Job
    cron: str
    zone: str = "UTC"
    missed: Literal["every", "last"]
    why: str
