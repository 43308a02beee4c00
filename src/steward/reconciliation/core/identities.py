"""Which outside ids name a movement itself, and which only something it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from steward.contracts.settlement import Expected, LineType, Refs, StatementLine
from steward.reconciliation.core.edits import LONG, within

_OWN: Final[dict[LineType, str]] = {
    "payment": "payment",
    "refund": "refund",
    "refund_reversal": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
    "payout": "payout",
    "payout_reversal": "payout",
}
_ALL: Final[tuple[LineType, ...]] = (
    "payment", "refund", "refund_reversal", "dispute", "dispute_reversal", "fee", "tax", "reserve_hold",
    "reserve_release", "payout", "payout_reversal", "conversion", "transfer", "adjustment", "unknown",
)  # fmt: skip

IDENTITIES: Final[dict[LineType, frozenset[str]]] = {
    kind: frozenset({"transaction", _OWN[kind]} if kind in _OWN else {"transaction"}) for kind in _ALL
}
"""The ids that name a movement of a type, and nothing else of that type."""

_CARRIERS: Final = frozenset({"payout", "bank"})
"""What thousands of lines share: the payout they came with."""


CARRIERS: Final[dict[LineType, frozenset[str]]] = {kind: _CARRIERS - IDENTITIES[kind] for kind in _ALL}
"""References that say nothing about a movement of a type."""


def telling(kind: LineType, ref: tuple[str, str]) -> bool:
    """Whether a reference says anything about a movement of this type."""
    return bool(ref[1]) and ref[0] not in CARRIERS[kind]


def contradict(line: StatementLine, move: Expected) -> bool:
    """Whether both carry an id of the movement itself, and not the same: a long id may be damaged, a short one is
    another's.
    """
    own = IDENTITIES[line.type]
    for name, value in line.refs:
        if name in own:
            for other, theirs in move.refs:
                if name == other and value != theirs and not near(value, theirs):
                    return True
    return False


def near(one: str, other: str) -> bool:
    return len(one) >= LONG and len(other) >= LONG and within(one, other) is not None


def resembles(line: StatementLine, move: Expected) -> bool:
    """Whether an id of the line looks like a damaged one of the movement, and none is clearly another's. This accepts
    nothing: it says that the ids of the line are no reason against a match that stands without them.
    """
    damaged = False
    for kind, value in line.refs:
        theirs = [other for name, other in move.refs if name == kind]
        if not theirs or not telling(line.type, (kind, value)):
            continue
        distances = [within(value, other) for other in theirs]
        if all(distance is None for distance in distances):
            return False
        damaged = damaged or any(near(value, other) for other in theirs)
    return damaged


def named(refs: Refs, kinds: Iterable[str]) -> list[str]:
    """The kinds of id, of those asked for, that are present."""
    return [name for name, value in refs if name in kinds and value]
