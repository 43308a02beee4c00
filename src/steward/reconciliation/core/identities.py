"""Which outside ids name a movement itself, and which only something it belongs to."""

from __future__ import annotations

from typing import Final

from steward.contracts.settlement import Expected, LineType, StatementLine
from steward.reconciliation.core.edits import LONG, NEAR, within

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

DOUBT: Final = 2 * NEAR
"""Slips between two ids that were damaged apart, or between a damaged one and its neighbour."""

_CARRIERS: Final = frozenset({"payout", "bank"})
"""What thousands of lines share: the payout they came with."""


CARRIERS: Final[dict[LineType, frozenset[str]]] = {kind: _CARRIERS - IDENTITIES[kind] for kind in _ALL}
"""References that say nothing about a movement of a type."""


def telling(kind: LineType, ref: tuple[str, str]) -> bool:
    """Whether a reference says anything about a movement of this type."""
    return bool(ref[1]) and ref[0] not in CARRIERS[kind]


def contradict(line: StatementLine, move: Expected) -> bool:
    """Whether both carry an id of the movement itself, and not the same."""
    own = IDENTITIES[line.type]
    for name, value in line.refs:
        if name in own:
            for other, theirs in move.refs:
                if name == other and value != theirs:
                    return True
    return False


def doubtful(line: StatementLine, move: Expected) -> bool:
    """Whether some reference of both is almost the same: one id was damaged, and the equal one may be too, into that of
    a neighbour. References that are far apart are different names of the same thing.
    """
    refs, carriers = move.refs, CARRIERS[line.type]
    for kind, value in line.refs:
        for other, theirs in refs:
            if kind != other or value == theirs or len(theirs) < LONG or other in carriers:
                continue
            if (kind, value) not in refs and within(value, theirs, DOUBT) is not None:
                return True
    return False


def near(one: str, other: str) -> bool:
    return len(one) >= LONG and len(other) >= LONG and within(one, other) is not None


def likeness(line: StatementLine, move: Expected) -> int | None:
    """How many slips the ids of the line are from the movement's; None if one is clearly another's, or none is long
    enough to tell. This accepts nothing: it says that the ids of the line are no reason against a match that stands
    without them.
    """
    slips, damaged = 0, False
    for kind, value in line.refs:
        theirs = [other for name, other in move.refs if name == kind]
        if not theirs or not telling(line.type, (kind, value)):
            continue
        distances = [distance for other in theirs if (distance := within(value, other)) is not None]
        if not distances:
            return None
        slips += min(distances)
        damaged = damaged or any(near(value, other) for other in theirs)
    return slips if damaged else None
