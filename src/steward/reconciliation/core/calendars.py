"""Business dates: when a movement happened in the provider's own calendar, and until when its line may come.

Business days are what ISO 20022 and the card schemes mean by them: no weekend, no holiday. A `Window` is a promise of
the provider that the caller writes down; nothing here knows a provider by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from steward.contracts.settlement import LineType
from steward.kernel.errors import BadInput

_DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class Window:
    """From which to which business day after a movement its line may be dated.

    An event at or after `cutoff` (local time in `zone`) belongs to the next day. `earliest` 0 allows the day itself,
    be it a weekend; `latest` counts business days. `seconds`, where the provider's instant of a line is the movement's
    own, says how far the two clocks may be apart; `margin_seconds` by how much the best pairing must beat the next.
    """

    provider: str
    type: LineType | None = None  # None: every type without a window of its own
    zone: str = "UTC"
    cutoff: time | None = None
    earliest: int = 0
    latest: int = 5
    holidays: frozenset[date] = frozenset()
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    seconds: int | None = None
    margin_seconds: int = 60


class Calendar:
    """One window, ready to be asked half a million times."""

    __slots__ = ("_bounds", "_plain", "_zone", "window")

    def __init__(self, window: Window) -> None:
        if not 0 <= window.earliest <= window.latest:
            raise BadInput("a window ends before it begins", where=f"window of {window.provider}")
        if len(window.weekend) > SUNDAY or not all(0 <= day <= SUNDAY for day in window.weekend):
            raise BadInput("a week needs a business day", where=f"window of {window.provider}")
        try:
            self._zone = ZoneInfo(window.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInput(f"{window.zone!r} is no time zone", where=f"window of {window.provider}") from error
        self.window = window
        self._plain = window.zone == "UTC" and window.cutoff is None
        self._bounds: dict[date, tuple[date, date]] = {}

    @property
    def reach(self) -> timedelta:
        """No movement older than this before a day is still in time on it (at most 30 holidays in a window)."""
        return timedelta(days=3 * self.window.latest + 34)

    def business_date(self, at: datetime) -> date:
        """The provider's date of an instant: local, and the next one from the cutoff on."""
        local = at.astimezone(self._zone)
        cutoff = self.window.cutoff
        return local.date() + _DAY if cutoff is not None and local.time() >= cutoff else local.date()

    def open_on(self, day: date) -> bool:
        return day.weekday() not in self.window.weekend and day not in self.window.holidays

    def after(self, day: date, count: int) -> date:
        """`count` business days after `day`; zero is the first business day not before it."""
        while not self.open_on(day):
            day += _DAY
            if count:  # from a weekend, the first business day after it is one day later
                count -= self.open_on(day)
        while count:
            day += _DAY
            count -= self.open_on(day)
        return day

    def bounds(self, at: datetime) -> tuple[date, date]:
        """The first and the last business date on which the line of a movement of `at` is in time."""
        day = at.date() if self._plain and at.tzinfo is UTC else self.business_date(at)
        known = self._bounds.get(day)
        if known is None:
            first = self.after(day, self.window.earliest) if self.window.earliest else day
            known = self._bounds[day] = (first, self.after(day, self.window.latest))
        return known

    def due(self, at: datetime, as_of: datetime) -> bool:
        """Whether a movement's line should have come by `as_of`."""
        return self.bounds(at)[1] < as_of.astimezone(self._zone).date()


class Windows:
    """The calendars of one provider by type of line."""

    __slots__ = ("_default", "_own")

    def __init__(self, windows: Sequence[Window], provider: str) -> None:
        self._own: dict[LineType, Calendar | None] = {}
        self._default: Calendar | None = None
        for window in windows:
            if window.provider != provider:
                continue
            if (self._default if window.type is None else self._own.get(window.type)) is not None:
                raise BadInput(f"two windows for {window.type or 'any type'}", where=f"windows of {provider}")
            if window.type is None:
                self._default = Calendar(window)
            else:
                self._own[window.type] = Calendar(window)

    def of(self, kind: LineType) -> Calendar | None:
        """None: nothing is known, so nothing is early, late, or matched by its date."""
        try:
            return self._own[kind]
        except KeyError:
            return self._own.setdefault(kind, self._default)
