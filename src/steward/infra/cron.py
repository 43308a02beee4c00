"""When something recurs: cron expressions as instants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from steward.kernel.errors import BadInput

_YEARS = 8  # a leap day is at most that far away
_LONG = datetime(2000, 1, 1, tzinfo=UTC), datetime(2010, 1, 1, tzinfo=UTC)


def check_cron(cron: str, zone: str) -> None:
    """`BadInput` where it is no expression of five fields (or six, seconds first) that ever holds, or no time zone."""
    from croniter import croniter

    is_cron = len(cron.split()) in {5, 6} and croniter.is_valid(cron, second_at_beginning=True)
    if not is_cron or next(ticks(cron, "UTC", *_LONG), None) is None:
        raise BadInput(f"{cron!r} is no time that recurs", fix="write minute, hour, day, month, weekday: 0 * * * *")
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError):  # no such zone; a folder; a NUL in the name
        raise BadInput(f"there is no time zone {zone!r}", fix="write one such as Europe/London") from None


def ticks(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant at which the expression holds on the clocks of a zone, after one instant and up to another."""
    from croniter import CroniterBadDateError, croniter

    times = croniter(cron, after.astimezone(ZoneInfo(zone)), second_at_beginning=True, max_years_between_matches=_YEARS)
    try:
        while (at := times.get_next(datetime).astimezone(UTC)) <= until:
            yield at
    except CroniterBadDateError:  # it never holds again
        return


def due(
    cron: str, zone: str, through: datetime, now: datetime, *, is_every: bool, most: int
) -> tuple[list[datetime], datetime]:
    """The ticks after a mark to be run now, and the mark after that: every one, or the last alone. No more than `most`
    are looked at, so that a long absence is made up for bit by bit; of a part that is not the end there is no last.
    """
    found = list(islice(ticks(cron, zone, through, now), most + 1))
    is_end = len(found) <= most
    found = found[:most]
    if not found:
        return [], through
    return (found if is_every else found[-1:] if is_end else []), found[-1]
