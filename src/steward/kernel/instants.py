"""Instants are aware UTC datetimes; business dates are plain dates. Text is RFC 3339 ending in Z."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from steward.kernel.errors import BadInput

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def parse_instant(text: str) -> datetime:
    """An RFC 3339 time as UTC. A time without an offset is refused: it does not name an instant."""
    try:
        value = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise BadInput(f"{text!r} is not an RFC 3339 time") from None
    if value.tzinfo is None:
        raise BadInput(f"{text!r} has no UTC offset", fix="end it with Z")
    return value.astimezone(UTC)


def format_instant(value: datetime) -> str:
    """RFC 3339 in UTC ending in Z; microseconds only where there are any."""
    if value.tzinfo is None:
        raise BadInput("an instant must be aware")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def unix_ms(value: datetime) -> int:
    return int(value.timestamp() * 1000)


def floor_hour(value: datetime) -> datetime:
    return value.replace(minute=0, second=0, microsecond=0)


def floor_day(value: datetime) -> datetime:
    return value.replace(hour=0, minute=0, second=0, microsecond=0)


def parse_date(text: str) -> date:
    """A date as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text!r} is not a date", fix="write it as YYYY-MM-DD") from None


def business_date(value: datetime) -> date:
    return value.astimezone(UTC).date()
