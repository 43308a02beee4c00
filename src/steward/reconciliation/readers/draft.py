"""A reading while it grows: lines by statement, keys made unique, totals held against them, and what was wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from steward.contracts.settlement import BankLine, LineType, Reading, Refs, Rejected, Statement, StatementLine
from steward.kernel.errors import BadInput
from steward.kernel.money import Money

_LONGEST_ID = 200
MOST_LISTED = 100
"""Bad lines that are listed; the first of them decides."""


def digest_key(*parts: object) -> str:
    """A key for a row without an id of its own: the same words give the same key."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:24]


def stem(name: str) -> str:
    """A file's name without folders and ending: what a statement is called whose file names nothing."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[0] or "file"


def refs(pairs: Iterable[tuple[str, str]]) -> Refs:
    """Each outside id once, the empty ones left out."""
    found: dict[tuple[str, str], None] = {}
    for pair in pairs:
        value = pair[1]
        if value:
            found[pair if len(value) <= _LONGEST_ID else (pair[0], value[:_LONGEST_ID])] = None
    return tuple(found)


@dataclass(slots=True)
class Gathering:
    """One statement while its lines come."""

    id: str
    account: str
    currency: str
    payout_id: str | None = None
    opening_minor: int | None = None
    closing_minor: int | None = None
    starts: date | None = None
    ends: date | None = None
    lines: list[StatementLine] = field(default_factory=list[StatementLine])
    entries: list[BankLine] = field(default_factory=list[BankLine])
    seen: dict[str, int] = field(default_factory=dict[str, int])

    def key(self, wanted: str) -> str:
        """`wanted`, numbered when it was seen before: a row told twice is two lines, and the second says so."""
        wanted = wanted[:200]
        count = self.seen[wanted] = self.seen.get(wanted, 0) + 1
        return wanted if count == 1 else f"{wanted}#{count}"

    def add(
        self,
        number: int,
        key: str,
        kind: LineType,
        raw: str,
        amounts: tuple[int, int, int],
        at: datetime | None,
        day: date | None,
        outside: Refs = (),
    ) -> None:
        """A line with (gross, fee, net); net has been held against the others or computed from them."""
        gross, fee, net = amounts
        made = StatementLine(number, self.key(key), kind, raw[:200], self.currency, gross, fee, net, at, day, outside)
        self.lines.append(made)

    def net(self) -> int:
        return sum(line.net_minor for line in self.lines)


class Draft:
    """What a reader fills. `reading()` refuses the whole if anything in it was bad."""

    def __init__(self, provider: str, format_: str, *, verified: bool = True) -> None:
        self.provider = provider
        self.format = format_
        self.verified = verified
        self.gatherings: dict[tuple[str, ...], Gathering] = {}
        self.controls: list[str] = []
        self.idle: list[Rejected] = []
        self.bad: list[Rejected] = []
        self.broken_total = False
        self.entries = 0

    def next_entry(self) -> int:
        """The place of the next entry in a file that has no rows."""
        self.entries += 1
        return self.entries

    def gathering(self, key: tuple[str, ...], id_: str, account: str, currency: str) -> Gathering:
        """The statement under `key`, made when it is new."""
        found = self.gatherings.get(key)
        if found is None:
            found = self.gatherings[key] = Gathering(id_, account, currency)
        return found

    def of_payout(self, payout: str, fallback: str, account: str, currency: str) -> Gathering:
        """The statement of one payout; lines of a second currency stand apart, under the payout's id and currency."""
        key = (payout, fallback, account, currency)
        found = self.gatherings.get(key)
        if found:
            return found
        other = any(known[:3] == key[:3] for known in self.gatherings)
        named = payout or f"{fallback} {currency}"
        made = self.gathering(key, f"{named} {currency}" if payout and other else named, account, currency)
        made.payout_id = payout or None
        return made

    def moved_nothing(self, line: int, reason: str) -> None:
        """A row that the format itself says moved no money: listed, and no reason to refuse the file."""
        self.idle.append(Rejected(line, reason))

    def refuse(self, line: int, reason: str) -> None:
        """A row of money that could not be understood, or a file that is no settlement: the whole is refused."""
        self.bad.append(Rejected(line, reason))

    def take(self, line: int, error: BadInput) -> None:
        """The same from an error, at the line it names, else at `line`."""
        named = error.where.removeprefix("line ")
        if named != error.where and named.isdigit():
            self.bad.append(Rejected(int(named), error.what))
        else:
            self.bad.append(Rejected(line, str(error)))

    def total(self, ok: bool, words: str, line: int, currency: str, stated: int, found: int) -> None:
        """A total of the file, held against its lines; `found` and `stated` are minor units."""
        if ok:
            self.controls.append(words)
        else:
            self.broken_total = True
            says, is_ = Money(stated, currency), Money(found, currency)
            self.bad.append(Rejected(line, f"{words}: the file says {says}, its lines make {is_}"))

    def count(self, words: str, line: int, stated: int, found: int) -> None:
        """A number of rows, held against the rows that came."""
        if stated == found:
            self.controls.append(words)
        else:
            self.broken_total = True
            self.bad.append(Rejected(line, f"{words}: the file says {stated} rows, it has {found}"))

    def reading(self) -> Reading:
        if not self.bad and not any(g.lines or g.entries or g.closing_minor is not None for g in self.ordered()):
            self.bad.append(Rejected(0, "no line of this file moved money"))
        names = [g.id[:200] for g in self.ordered()]
        if len(set(names)) != len(names) and not self.bad:
            twice = next(name for name in names if names.count(name) > 1)
            self.bad.append(Rejected(0, f"the statement {twice} comes twice in one file"))
        if self.bad:
            listed = tuple((self.bad + self.idle)[:MOST_LISTED])
            return Reading(
                self.provider, self.format, (), False if self.broken_total else None, tuple(self.controls), listed,
                self.bad[0], self.verified,
            )  # fmt: skip
        statements = tuple(self._statement(g) for g in self.ordered())
        ok = True if self.controls else None
        return Reading(
            self.provider, self.format, statements, ok, tuple(self.controls), tuple(self.idle), None, self.verified
        )

    def ordered(self) -> list[Gathering]:
        return list(self.gatherings.values())

    def _statement(self, g: Gathering) -> Statement:
        lines = [line.day for line in g.lines if line.day] + [entry.booked for entry in g.entries if entry.booked]
        days = [day for day in (g.starts, g.ends) if day] or lines  # some banks state them the wrong way round
        return Statement(
            id=g.id[:200],
            provider=self.provider,
            account=g.account[:200],
            currency=g.currency,
            lines=tuple(g.entries) if g.entries else tuple(g.lines),
            opening_minor=g.opening_minor,
            closing_minor=g.closing_minor,
            payout_id=g.payout_id,
            starts=min(days, default=None),
            ends=max(days, default=None),
        )


def held(gross: int, fee: int, net: int) -> tuple[int, int, int]:
    """(gross, fee, net) of a row that states all three; they must agree."""
    if gross - fee != net:
        raise BadInput(f"gross {gross} less fee {fee} is not net {net} (minor units)")
    return gross, fee, net
