"""Conservation: per currency and side, every item that came in stands in exactly one match or one break, or is open.

The check shares nothing with the cascade but its result: it counts items and money anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steward.contracts.settlement import Break, Match, MatchItem
from steward.kernel.errors import BadInput, StewardError

CameIn = dict[str, dict[str, tuple[str, int]]]
"""By side and key: currency and minor units."""

_NOTHING: dict[str, tuple[str, int]] = {}


class NotConserved(StewardError):
    """A minor unit is in no match and no break, or in two: the matcher is wrong, and nothing of the run may be kept."""

    code = "not_conserved"
    exit_code = 3


def together(parts: Iterable[CameIn]) -> CameIn:
    """What came in over all providers. Raises `BadInput` for a key that two of them have."""
    made: CameIn = {}
    for part in parts:
        for side, own in part.items():
            whole = made.setdefault(side, {})
            both = whole.keys() & own.keys()
            if both:
                raise BadInput("two lines or two movements have the same key", where=min(both))
            whole.update(own)
    return made


def check(came_in: CameIn, matches: Sequence[Match], breaks: Sequence[Break], waiting: Sequence[MatchItem]) -> None:
    """Raise `NotConserved` unless every item of `came_in` is told of once, with its own money."""
    left = {side: dict(own) for side, own in came_in.items()}
    for match in matches:
        difference = outside = 0
        for item in match.items:
            amount = item.amount_minor
            told = left.get(item.side, _NOTHING).pop(item.key, None)
            if told != (match.currency, amount):  # a match is of one currency
                raise NotConserved(_trouble(came_in, item, match.currency, told), where=item.key)
            if item.side == "books":
                difference -= amount
            else:
                difference += amount
                outside += 1
        if difference != match.rounding_minor or abs(difference) > outside:
            raise NotConserved(f"a match by {match.rule} is out by {difference} minor units", where=match.items[0].key)
    for one in breaks:
        for item in one.keys:
            _strike(left, came_in, item, one.currency)
    for item in waiting:
        _strike(left, came_in, item, "")
    for side, own in left.items():
        for key, (currency, amount) in own.items():
            raise NotConserved(f"{currency} {amount} of {side} is in no match and no break", where=key)


def _strike(left: CameIn, came_in: CameIn, item: MatchItem, currency: str) -> None:
    told = left.get(item.side, _NOTHING).pop(item.key, None)
    if told != (item.currency or currency, item.amount_minor):
        raise NotConserved(_trouble(came_in, item, currency, told), where=item.key)


def _trouble(came_in: CameIn, item: MatchItem, currency: str, told: tuple[str, int] | None) -> str:
    if told is None:
        known = item.key in came_in.get(item.side, _NOTHING)
        return f"an item of {item.side} " + ("is told of twice" if known else "was told of and did not come in")
    return f"{told[0]} {told[1]} of {item.side} became {item.currency or currency} {item.amount_minor}"
