"""Conservation: per currency and side, every item that came in stands in exactly one match or one break, or is open.

The check shares nothing with the cascade but its result: it counts items and money anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steward.contracts.settlement import Break, Match, MatchItem
from steward.kernel.errors import BadInput, StewardError

CameIn = dict[str, dict[str, dict[str, int]]]
"""By side, currency and key: minor units."""


class NotConserved(StewardError):
    """A minor unit is in no match and no break, or in two: the matcher is wrong, and nothing of the run may be kept."""

    code = "not_conserved"
    exit_code = 3


def add(came_in: CameIn, side: str, currency: str, items: Iterable[tuple[str, int]], count: int) -> None:
    """Write down `count` keys with their minor units. Raises `BadInput` for a key that the side has twice."""
    held = came_in.setdefault(side, {}).setdefault(currency, {})
    before = len(held)
    held.update(items)
    if len(held) != before + count:
        raise BadInput("two lines or two movements have the same key", where=side)


def check(came_in: CameIn, matches: Sequence[Match], breaks: Sequence[Break], waiting: Sequence[MatchItem]) -> None:
    """Raise `NotConserved` unless every item of `came_in` is told of once, with its own money."""
    left = {side: {currency: dict(own) for currency, own in held.items()} for side, held in came_in.items()}
    for match in matches:
        _whole(match, came_in, left)
    told = [(item, item.currency or one.currency) for one in breaks for item in one.keys]
    told += [(item, item.currency) for item in waiting]
    for item, currency in told:
        if _take(left, item, currency) != item.amount_minor:
            raise NotConserved(_trouble(came_in, left, item, currency), where=item.key)
    for side, held in left.items():
        for currency, own in held.items():
            for key, amount in own.items():
                raise NotConserved(f"{currency} {amount} of {side} is in no match and no break", where=key)


def _whole(match: Match, came_in: CameIn, left: CameIn) -> None:
    """Strike a match off: one currency, and both sides the same money but for the rounding it tells."""
    difference = outside = 0
    for item in match.items:
        amount = item.amount_minor
        try:
            held = left[item.side][match.currency].pop(item.key, None)
        except KeyError:
            held = None
        if held != amount or item.currency not in ("", match.currency):
            raise NotConserved(_trouble(came_in, left, item, match.currency), where=item.key)
        if item.side == "books":
            difference -= amount
        else:
            difference += amount
            outside += 1
    if difference != match.rounding_minor or abs(difference) > outside:
        raise NotConserved(f"a match by {match.rule} is out by {difference} minor units", where=match.items[0].key)


def _take(left: CameIn, item: MatchItem, currency: str) -> int | None:
    """Strike an item off what is left; None if it is not there."""
    try:
        return left[item.side][currency].pop(item.key, None)
    except KeyError:
        return None


def _trouble(came_in: CameIn, left: CameIn, item: MatchItem, currency: str) -> str:
    told = {name: own[item.key] for name, own in came_in.get(item.side, {}).items() if item.key in own}
    became = f"{item.currency or currency} {item.amount_minor}"
    if not told:
        return f"an item of {item.side} was told of and did not come in"
    if told == {currency: item.amount_minor} and item.key not in left[item.side][currency]:
        return f"an item of {item.side} is told of twice"
    return f"{told} of {item.side} became {became}"
