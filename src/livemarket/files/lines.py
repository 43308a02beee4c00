"""One CloudEvents line out of many equal ones. Text that could hold a quote goes through json.dumps; ids cannot."""

from __future__ import annotations

from collections.abc import Iterable

from livemarket.core.arrays import Ints
from livemarket.core.facts import Fact
from livemarket.core.world import World
from livemarket.files import names

Line = tuple[int, str]

_VERSIONS = {"OrderPlaced": 2, "RefundProcessed": 2, "TicketOpened": 2}


class Day:
    """One day of one world, while its facts become lines."""

    def __init__(self, world: World, day: int) -> None:
        self.world = world
        self.day = day
        self.date = names.calendar_date(day).isoformat()
        self.lines: list[Line] = []

    def write(
        self, kind: str, seconds: Iterable[int], ids: Iterable[str], subjects: Iterable[str], bodies: Iterable[str]
    ) -> None:
        """Events of one type: parallel iterables of second, id (unique within the type), stream and data."""
        version = _VERSIONS.get(kind, 1)
        head = (
            f'{{"specversion":"1.0","type":"{kind}","source":"{names.SOURCE}","schemaversion":{version},"id":"{kind}/'
        )
        date, clock = self.date, names.CLOCK
        self.lines += [
            (s, f'{head}{i}","subject":"{u}","time":"{date}T{clock[s]}Z","data":{{{b}}}}}')
            for s, i, u, b in zip(seconds, ids, subjects, bodies, strict=True)
        ]

    def at(self, name: str, rows: Ints) -> list[int]:
        """One column of these orders, as Python integers."""
        return self.world.state.orders.at(name, rows).tolist()

    def text(self) -> str:
        """All lines of the day in the order of the clock; equal seconds keep the order in which they were computed."""
        self.lines.sort(key=_second)
        return "".join(f"{line}\n" for _, line in self.lines)


def _second(line: Line) -> int:
    return line[0]


def column(fact: Fact, name: str) -> list[int]:
    return fact.columns[name].tolist()


def money(amount: int) -> str:
    """The two fields every amount comes with."""
    return f'"currency":"{names.CURRENCY}","amount_minor":{amount}'


def ratio(ppm: int) -> str:
    """Millionths as the exact text of a ratio."""
    return f"{ppm // 1_000_000}.{ppm % 1_000_000:06d}"
