"""One world under a business clock, into which acts come from outside.

The core lives whole days. This shell lives today ahead of the clock, shows of it only what the clock has passed, and
when an act comes, lives today again from its morning with the act in it. What was shown before the act cannot change:
random numbers are keyed, and `_past` compares both lives up to that second. If they ever differed, the act is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livemarket.core.acts import Act, Verb
from livemarket.core.facts import Facts
from livemarket.core.setting import WARM_UP_DAYS, Setting
from livemarket.core.step import step, warmed_up
from livemarket.core.world import World
from livemarket.faces.clock import Clock
from livemarket.files import names
from livemarket.files.run import ERROR_PPM, Shell

DAY = 86_400
_FIRST = datetime(names.FIRST_DAY.year, names.FIRST_DAY.month, names.FIRST_DAY.day, tzinfo=UTC)
_OFFSET = int(_FIRST.timestamp()) - WARM_UP_DAYS * DAY


def unix(moment: int) -> int:
    """A moment (seconds since the world's first midnight) as seconds since 1970."""
    return moment + _OFFSET


def moment_of(unix_seconds: int) -> int:
    return unix_seconds - _OFFSET


def iso(moment: int) -> str:
    return names.instant(moment // DAY, moment % DAY)


@dataclass(frozen=True, slots=True)
class Happened:
    """One fact, when the clock passed it."""

    moment: int
    kind: str
    columns: dict[str, int]


@dataclass
class Business:
    """The world, today's acts and the clock."""

    morning: World
    clock: Clock
    days: int
    shell: Shell | None = None
    seed: int = 0
    error_ppm: int = ERROR_PPM
    listeners: list[Callable[[Happened], None]] = field(default_factory=list[Callable[[Happened], None]])
    summary: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        self.first = self.morning.day
        self.now = self.first * DAY - 1  # the last second that was shown
        self.end = (self.first + self.days) * DAY - 1
        self.acts: tuple[Act, ...] = ()
        self.done = 0
        self.living = self._live(())

    def _live(self, acts: tuple[Act, ...]) -> World:
        world = self.morning.fork()
        world.acts = acts
        step(world)
        return world

    @property
    def world(self) -> World:
        """Today as it will end if nobody acts any more: views must not show what is after `now`."""
        return self.living

    @property
    def over(self) -> bool:
        return self.now >= self.end

    def tick(self) -> None:
        """Show what the clock has passed."""
        self.advance(self.first * DAY + self.clock.elapsed())

    def advance(self, to: int) -> None:
        """Go on to a moment, day by day."""
        to = min(to, self.end)
        while self.now < to:
            midnight = (self.morning.day + 1) * DAY - 1
            upto = min(to, midnight)
            shown, self.now = self.now, upto
            for happened in _between(self.living.facts, self.morning.day, shown, upto):
                for listener in self.listeners:
                    listener(happened)
            if upto == midnight:
                self._evening()

    def _evening(self) -> None:
        last = self.now == self.end
        if self.shell:
            self.shell.day(self.living, self.morning.day, self.living.facts, last=last)
            if last:
                self.summary = self.shell.end(self.living)
        if not last:
            self.morning, self.acts = self.living, ()
            self.living = self._live(())

    def next_moment(self) -> int | None:
        """When something is to be shown next today, or midnight; None after the last day."""
        if self.over:
            return None
        midnight = (self.morning.day + 1) * DAY - 1
        base = self.morning.day * DAY
        later = [
            base + int(s) for f in self.living.facts.items for s in f.columns["second"] if base + int(s) > self.now
        ]
        return min([*later, midnight])

    def act(self, verb: Verb, entity: int, amount: int = 0, detail: int = 0, reference: str = "") -> int | None:
        """Do something now; returns its moment, or None if it cannot be let in. An act takes a second of its own."""
        if self.now + 1 > self.end:
            return None
        at = self.now + 1
        second = at - self.morning.day * DAY
        act = Act(second, verb, entity, amount, detail, reference)
        other = self._live((*self.acts, act))
        if _past(other, second) != _past(self.living, second):
            return None
        self.acts, self.living = (*self.acts, act), other
        self.done += 1
        self.advance(at)
        return at


def _between(facts: Facts, day: int, after: int, upto: int) -> list[Happened]:
    found: list[Happened] = []
    for fact in facts.items:
        columns = {name: values.tolist() for name, values in fact.columns.items() if name != "second"}
        for n, second in enumerate(fact.columns["second"].tolist()):
            moment = day * DAY + second
            if after < moment <= upto:
                found.append(Happened(moment, fact.kind, {name: values[n] for name, values in columns.items()}))
    found.sort(key=lambda h: h.moment)  # stable: equal seconds keep the order in which they were computed
    return found


_ROWS = {"line", "payout", "ticket", "batch"}  # numbers of rows, which an act may shift


def _past(world: World, second: int) -> list[tuple[Any, ...]]:
    """What was true before this second of today, without numbers of rows."""
    made: list[tuple[Any, ...]] = []
    for fact in world.facts.items:
        names_of = sorted(set(fact.columns) - _ROWS)
        rows = zip(*(fact.columns[name].tolist() for name in names_of), strict=True)
        at = names_of.index("second")
        made += [(fact.kind, *row) for row in rows if row[at] < second]
    return sorted(made)


def opened(
    setting: Setting, seed: int, days: int, clock: Clock, out: Path | None = None, *, people: bool = True,
    error_ppm: int = ERROR_PPM,
) -> Business:  # fmt: skip
    """A warmed-up shop under a clock. Without `people` nobody sets prices, buys or advertises but by acts."""
    world = warmed_up(setting, seed, keep=True)
    if not people:
        world.setting = replace(setting, operator=False)
    shell = Shell(world, seed, out, error_ppm) if out else None
    return Business(world, clock, days, shell, seed, error_ppm)
