"""Both sides of one provider while they are being matched: what is free, what is matched, what has another fate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from steward.contracts.base import JsonObject
from steward.contracts.settlement import BreakType, Expected, Match, MatchItem, Statement, StatementLine
from steward.kernel.errors import BadInput
from steward.reconciliation.core.calendars import Windows
from steward.reconciliation.core.conserve import CameIn, add
from steward.reconciliation.core.schedule import Schedule

Agreement = tuple[bool, int]
"""(equal without looking at the contract, minor units of rounding)."""

Side = Literal["statement", "bank"]
EQUAL: Agreement = (True, 0)


def line_key(statement: Statement, key: str) -> str:
    """What a line is called in matches and breaks: unique over all providers and statements."""
    return f"{statement.provider}/{statement.id}/{key}"


class Pool:
    """Lines and movements by number. Numbers are places in the input and never decide anything: ties go by key."""

    def __init__(
        self,
        statements: Iterable[Statement],
        moves: Sequence[Expected],
        schedule: Schedule,
        windows: Windows,
        side: Side = "statement",
    ) -> None:
        self.side: Side = side
        self.schedule = schedule
        self.windows = windows
        self.lines: list[StatementLine] = []
        self.line_keys: list[str] = []
        for statement in statements:
            prefix = line_key(statement, "")
            for line in statement.lines:
                if not isinstance(line, StatementLine):
                    raise BadInput("a bank's statement is matched against payouts", where=statement.id)
                if line.net_minor != line.gross_minor - line.fee_minor:
                    raise BadInput("net is not gross less fee", where=f"{statement.id}, row {line.number}")
                self.lines.append(line)
                self.line_keys.append(prefix + line.key)
        self.moves = moves
        self.fees = [move.fee_minor if move.fee_minor is not None else schedule.fee(move) for move in moves]
        self.nets = [move.gross_minor - (fee or 0) for move, fee in zip(moves, self.fees, strict=True)]
        self.line_free = bytearray(b"\1") * len(self.lines)
        self.move_free = bytearray(b"\1") * len(moves)
        self.matches: list[Match] = []
        self.netted: dict[int, int] = {}  # payments told net of refunds, and the line that tells them
        self.delays: list[tuple[int, int, BreakType]] = []

    def agree(self, n: int, m: int) -> Agreement | None:
        """Whether a line and a movement are the same money; None if not."""
        line, move = self.lines[n], self.moves[m]
        if line.currency != move.currency:
            return None
        if line.gross_minor == move.gross_minor:
            if line.fee_minor == move.fee_minor:
                return EQUAL
            if move.fee_minor is None and self.fees[m] is None:
                return EQUAL if line.fee_minor == 0 else None
            return self._by_contract(n, m)
        return self._by_contract(n, m) if move.origin_currency else None

    def _by_contract(self, n: int, m: int) -> Agreement | None:
        """Recomputed from the contract: the fee, the conversion, each to one minor unit, and one in all."""
        line, move = self.lines[n], self.moves[m]
        scheduled = self.fees[m] if move.fee_minor is None else self.schedule.fee(move)
        if scheduled is None and line.fee_minor != (move.fee_minor or 0):
            return None
        if scheduled is not None and abs(line.fee_minor - scheduled) > 1:
            return None
        if line.gross_minor != move.gross_minor:
            converted = self.schedule.converted(move)
            if converted is None or abs(line.gross_minor - converted) > 1:
                return None
        rounding = line.net_minor - self.nets[m]
        return (False, rounding) if abs(rounding) <= 1 else None

    def day_of(self, n: int) -> date | None:
        """The business date of a line: the provider's own, or that of its instant."""
        line = self.lines[n]
        if line.day is not None or line.at is None:
            return line.day
        calendar = self.windows.of(line.type)
        return line.at.date() if calendar is None else calendar.business_date(line.at)

    def delay(self, n: int, m: int) -> BreakType | None:
        """`late` or `date` if the line stands outside the movement's window."""
        move = self.moves[m]
        calendar = self.windows.of(move.type)
        day = self.lines[n].day or self.day_of(n)
        if calendar is None or day is None:
            return None
        first, last = calendar.bounds(move.at)
        return None if first <= day <= last else "late" if day > last else "date"

    def pair(self, n: int, m: int, rule: str, confidence: int, evidence: JsonObject, rounding: int) -> None:
        """The line and the movement are the same money; if it came at another time than due, that is a break."""
        late = self.delay(n, m)
        if late is not None:
            self.line_free[n] = self.move_free[m] = 0
            self.delays.append((n, m, late))
        else:
            self.timely(n, m, rule, confidence, evidence, rounding)

    def timely(self, n: int, m: int, rule: str, confidence: int, evidence: JsonObject, rounding: int) -> None:
        """A pair whose line is known to stand inside its window."""
        self.line_free[n] = self.move_free[m] = 0
        line, move = self.lines[n], self.moves[m]
        items = (
            MatchItem(self.side, self.line_keys[n], line.net_minor),
            MatchItem("books", move.key, self.nets[m]),
        )
        self.matches.append(Match(rule, confidence, line.currency, items, evidence, rounding))

    def group(
        self, lines: Iterable[int], moves: Iterable[int], rule: str, confidence: int, evidence: JsonObject
    ) -> None:
        """These lines together are these movements together."""
        lines, moves = sorted(lines, key=self.line_keys.__getitem__), sorted(moves, key=lambda m: self.moves[m].key)
        for n in lines:
            self.line_free[n] = 0
        for m in moves:
            self.move_free[m] = 0
        items = (*map(self.line_item, lines), *map(self.move_item, moves))
        rounding = sum(self.lines[n].net_minor for n in lines) - sum(self.nets[m] for m in moves)
        self.matches.append(Match(rule, confidence, self.lines[lines[0]].currency, items, evidence, rounding))

    def line_item(self, n: int) -> MatchItem:
        return MatchItem(self.side, self.line_keys[n], self.lines[n].net_minor, self.lines[n].currency)

    def move_item(self, m: int) -> MatchItem:
        return MatchItem("books", self.moves[m].key, self.nets[m], self.moves[m].currency)

    def order_of(self, n: int) -> tuple[str, str]:
        """Among equals the earlier line comes first, then the lesser key."""
        line = self.lines[n]
        when = line.at.isoformat() if line.at else (line.day.isoformat() if line.day else "~")
        return when, self.line_keys[n]

    def free_lines(self) -> list[int]:
        return [n for n, free in enumerate(self.line_free) if free]

    def free_moves(self) -> list[int]:
        return [m for m, free in enumerate(self.move_free) if free]

    def write_down(self, came_in: CameIn) -> None:
        """Everything of both sides. Raises `BadInput` for a key that a side has twice."""
        currencies = [line.currency for line in self.lines]
        nets = [line.net_minor for line in self.lines]
        _by_currency(came_in, self.side, self.line_keys, currencies, nets)
        keys = [move.key for move in self.moves]
        _by_currency(came_in, "books", keys, [move.currency for move in self.moves], self.nets)


def _by_currency(
    came_in: CameIn, side: str, keys: Sequence[str], currencies: Sequence[str], nets: Sequence[int]
) -> None:
    if len(set(keys)) != len(keys):
        raise BadInput("two lines or two movements have the same key", where=side)
    for currency in sorted(set(currencies)):
        count = currencies.count(currency)
        if count == len(keys):
            add(came_in, side, currency, zip(keys, nets, strict=True), count)
        else:
            rows = zip(keys, currencies, nets, strict=True)
            add(came_in, side, currency, [(key, net) for key, own, net in rows if own == currency], count)
