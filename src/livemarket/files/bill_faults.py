"""What is wrong with bills, on purpose, in kinds that an audit has to tell apart; the truth names line and money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from livemarket.files.faults import Budget
from livemarket.files.names import CURRENCY

SURCHARGE = "peak_surcharge"
FOREIGN = "EUR"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of a bill before it is written; amounts in minor units."""

    service: str
    subject: str
    day: int  # of what is billed
    amount: int
    sku: str = ""
    units: int = 1
    unit: int = 0
    currency: str = CURRENCY
    settled: int = 0  # the day a marketplace settled it


@dataclass
class Memory:
    """Lines of earlier bills of one vendor that were written as they should be."""

    lines: list[BillLine] = field(default_factory=list[BillLine])


def _lower(line: BillLine, off: int) -> list[BillLine]:
    return [replace(line, amount=max(line.amount - 2 - off % max(line.amount - 2, 1), 0))]


def _invented(line: BillLine, off: int) -> list[BillLine]:
    return [line, replace(line, subject=f"none-{line.subject}-{off}")]


def _more_units(line: BillLine, off: int) -> list[BillLine]:
    units = line.units + 1 + off % 40
    return [replace(line, units=units, amount=units * line.unit)]


def _dearer_unit(line: BillLine, off: int) -> list[BillLine]:
    unit = line.unit + 1 + off % 60
    return [replace(line, unit=unit, amount=line.units * unit)]


_WRONG: dict[str, Callable[[BillLine, int], list[BillLine]]] = {
    "missing": lambda _line, _off: [],
    "under": _lower,
    "rate": lambda line, off: [replace(line, amount=line.amount + off)],
    "twice": lambda line, _off: [line, line],
    "invented": _invented,
    "service": lambda line, _off: [line, replace(line, service=SURCHARGE)],
    "currency": lambda line, _off: [replace(line, currency=FOREIGN)],
    "units": _more_units,
    "unit_price": _dearer_unit,
    "sum": lambda line, off: [replace(line, amount=line.amount + off)],
}


@dataclass(frozen=True, slots=True)
class Wrongs:
    """Which faults a vendor's bills may have, and how many times as often as a line of other papers."""

    kinds: tuple[str, ...]
    often: int = 1


BY_ORDER = Wrongs(("missing", "under", "rate", "twice", "again", "invented", "service", "currency"))
BY_DAY = Wrongs(("missing", "under", "rate", "twice", "again", "invented", "currency"))
BY_DELIVERY = Wrongs(
    ("missing", "under", "units", "unit_price", "sum", "twice", "again", "invented", "currency"),
    often=10,  # a delivery has one line: without this hardly one would be wrong
)


def spoil(
    budget: Budget, paper: tuple[str, int, int], lines: list[BillLine], wrongs: Wrongs, before: Memory, since: int
) -> list[BillLine]:
    """The lines as they are written, and what is wrong with them in the truth. `paper` is file, number and day.
    What was billed of days before `since` is left alone: nobody who sees the run alone could tell.
    """
    file, number, day = paper
    hits = dict(budget.hits(number, day, len(lines), wrongs.often))
    made: list[BillLine] = []
    clean: list[BillLine] = []
    for place, line in enumerate(lines):
        word = hits.get(place)
        if word is None or line.day < since:
            made.append(line)
            clean += [line] if line.day >= since else []
            continue
        kinds = wrongs.kinds
        kind, off = kinds[word % len(kinds)], 2 + word // len(kinds) % 900
        if kind == "again" and not before.lines:
            kind = "twice"
        again = [line, before.lines[off % len(before.lines)]] if kind == "again" else []
        written = again or _WRONG[kind](line, off)
        made += written
        _tell(budget, file, kind, line, written, len(made) + 1)
    before.lines = clean or before.lines
    return made


def _tell(budget: Budget, file: str, kind: str, line: BillLine, written: list[BillLine], last: int) -> None:
    """`line` is the row of the file that is wrong, `over_minor` what it bills too much in its own currency."""
    wrong = written[-1] if written else line
    right = line.amount if len(written) == 1 and wrong.currency == line.currency else 0
    over = max(wrong.amount - right, 0) if written else 0
    same = wrong.currency == line.currency
    budget.done.append({
        "file": file, "fault": kind, "reference": wrong.subject, "line_kind": wrong.service,
        "expected_net_minor": line.amount if same else 0,
        "written_net_minor": sum(one.amount for one in written), "currency": wrong.currency,
        "line": last if written else None, "over_minor": over,
    })  # fmt: skip
