"""Entries of the bank held against what should have arrived there, by the same cascade.

Payouts leave a provider's balance and arrive at the bank, so their sign turns; any other movement the caller expects
at the bank (a supplier paid, a transfer) is signed as the bank's balance moves. A bank knows one kind of entry, so all
of them are matched as payouts: by a payout's id anywhere in the entry, by reference and amount, by amount and window,
by sums.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from msgspec import structs

from steward.contracts.settlement import (
    BankLine,
    Expected,
    MatchItem,
    Reconciled,
    Refs,
    Statement,
    StatementLine,
)
from steward.kernel.errors import BadInput
from steward.reconciliation.core import conserve
from steward.reconciliation.core.calendars import Window, Windows
from steward.reconciliation.core.cascade import finished, run
from steward.reconciliation.core.pool import Pool, line_key
from steward.reconciliation.core.schedule import Schedule

BANK: Final = "bank"
"""The provider that windows of bank entries name."""

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")
_SHORT: Final = 6
"""Letters and digits of an id that may be found inside a text; a shorter one could be any word."""


def reconcile_bank(
    statements: Sequence[Statement], expected: Sequence[Expected], windows: Sequence[Window], as_of: datetime
) -> Reconciled:
    """Match bank entries with payouts and other expected movements. Entries the bank calls pending stay open."""
    named = _named(expected)
    booked: list[Statement] = []
    waiting: list[MatchItem] = []
    for statement in statements:
        lines: list[StatementLine] = []
        for line in statement.lines:
            if not isinstance(line, BankLine):
                raise BadInput("a provider's statement is matched with the books", where=statement.id)
            if line.pending:
                key = line_key(statement, line.key)
                waiting.append(MatchItem("bank", key, line.amount_minor, line.currency))
            else:
                lines.append(_entry(line, named))
        booked.append(replace(statement, lines=tuple(lines)))
    moves = [_arriving(move) for move in expected]
    pool = Pool(booked, moves, Schedule((), BANK), Windows(windows, BANK), side="bank")
    came_in: conserve.CameIn = {}
    pool.write_down(came_in)
    for item in waiting:
        conserve.add(came_in, "bank", item.currency, [(item.key, item.amount_minor)], 1)
    breaks = run(pool, as_of, waiting)
    return finished(pool.matches, breaks, waiting, came_in, as_of)


def _arriving(move: Expected) -> Expected:
    """A movement as the bank sees it; fees were the provider's matter."""
    sign = -1 if move.type in {"payout", "payout_reversal"} else 1
    net = move.gross_minor - (move.fee_minor or 0)
    refs = tuple(ref for ref in move.refs if ref[0] in {"payout", "reference", "transaction", "bank"})
    return structs.replace(move, type="payout", gross_minor=sign * net, fee_minor=0, refs=refs)


def _named(expected: Iterable[Expected]) -> dict[str, tuple[str, str]]:
    """Ids by which a text may name a movement, in capitals as banks print them."""
    return {
        _capitals(value): (kind, value)
        for move in expected
        for kind, value in move.refs
        if kind in {"payout", "reference", "transaction"} and len(_capitals(value)) >= _SHORT
    }


def _capitals(text: str) -> str:
    return "".join(filter(str.isalnum, text)).upper()


def _entry(line: BankLine, named: Mapping[str, tuple[str, str]]) -> StatementLine:
    """A bank entry as a line, with every id that its references or its text name."""
    refs: dict[tuple[str, str], None] = dict.fromkeys(line.refs)
    words = [value for _, value in line.refs] + _WORD.findall(line.text)
    for word in words:
        found = named.get(_capitals(word))
        if found is not None:
            refs[found] = None
    kept: Refs = tuple(refs)
    return StatementLine(
        number=line.number,
        key=line.key,
        type="payout",
        raw_type="reversal" if line.reversal else "",
        currency=line.currency,
        gross_minor=line.amount_minor,
        fee_minor=0,
        net_minor=line.amount_minor,
        at=None,
        day=line.booked or line.value,
        refs=kept,
    )
