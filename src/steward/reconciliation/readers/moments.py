"""Dates and times as files write them. A time without a zone is in the zone its format documents, never in ours."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from steward.kernel.errors import BadInput

_OFFSET = re.compile(r"(?P<rest>.*[0-9])\s*(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})", re.ASCII)
_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})", re.ASCII)
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?", re.ASCII)
_ZONES = {
    "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180,
    "IST": 330, "SGT": 480, "HKT": 480, "AWST": 480, "JST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780,
    "BRT": -180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480,
    "PDT": -420,
}  # fmt: skip
"""Minutes east of UTC by the abbreviations processors put beside their times."""


def day_of(year: int, month: int, day: int) -> date:
    if not 1970 <= year < 2200:
        raise BadInput(f"the year {year} is no year of a statement")
    try:
        return date(year, month, day)
    except ValueError:
        raise BadInput(f"{year:04d}-{month:02d}-{day:02d} is no day of the calendar") from None


@lru_cache(maxsize=4096)
def day(text: str) -> date:
    """YYYY-MM-DD, or the same with slashes."""
    found = _DAY.fullmatch(text)
    if not found:
        raise BadInput(f"{text[:32]!r} is no date")
    return day_of(int(found[1]), int(found[2]), int(found[3]))


def zone(name: str) -> timezone:
    """A fixed offset by its abbreviation, as Adyen and others write it; daylight saving has a name of its own."""
    minutes = _ZONES.get(name.strip().upper())
    if minutes is None:
        raise BadInput(f"{name[:16]!r} is no time zone we know")
    return timezone(timedelta(minutes=minutes))


def _offset(text: str) -> timezone:
    if text in {"Z", "UTC"}:
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise BadInput(f"{text} is no offset from UTC")
    minutes += 60 * hours
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


@lru_cache(maxsize=65536)
def local(text: str, assumed: tzinfo | None = UTC) -> datetime:
    """An aware time with the offset it was written in: date and time by blank or T, fraction and offset where they
    are. Without an offset it is in `assumed`; where that is None, the time is refused.
    """
    found = _OFFSET.fullmatch(text) if len(text) > 10 else None
    rest, place = (found["rest"].rstrip(), _offset(found["zone"])) if found else (text, assumed)
    if place is None:
        raise BadInput(f"{text[:40]!r} does not say its offset from UTC")
    when, clock = day(rest[:10]), rest[10:]
    if not clock:
        return datetime(when.year, when.month, when.day, tzinfo=place)
    parts = _CLOCK.fullmatch(clock[1:]) if clock[0] in "T " else None
    if not parts:
        raise BadInput(f"{text[:40]!r} is no time")
    hours, minutes, seconds = int(parts[1]), int(parts[2]), int(parts[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        raise BadInput(f"{text[:40]!r} is no time of a day")
    micros = int((parts[4] or "0")[:6].ljust(6, "0"))
    return datetime(when.year, when.month, when.day, hours, minutes, seconds, micros, tzinfo=place)


@lru_cache(maxsize=65536)
def instant(text: str) -> datetime:
    """The same in UTC, and without an offset in UTC: one object for all rows of one time."""
    return local(text).astimezone(UTC)


def unix(seconds: int) -> datetime:
    if not 0 <= seconds < 7_258_118_400:
        raise BadInput(f"{str(seconds)[:24]} is no Unix time of a statement")
    return datetime.fromtimestamp(seconds, UTC)
