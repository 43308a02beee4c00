"""Conservation: per currency and side, every item that came in stands in exactly one match or one break, or is open.

The check shares nothing with the cascade but its result: it counts items and money anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from steward.contracts.settlement import Break, Match, MatchItem
from steward.kernel.errors import StewardError

Account = dict[tuple[str, str], int]


class NotConserved(StewardError):
    """A minor unit is in no match and no break, or in two: the matcher is wrong, and nothing of the run may be kept."""

    code = "not_conserved"
    exit_code = 3


def check(
    came_in: Iterable[tuple[str, str, str, int]],
    matches: Sequence[Match],
    breaks: Sequence[Break],
    open_items: Sequence[MatchItem],
) -> None:
    """Raise `NotConserved` unless the items of `came_in` (side, key, currency, minor units) are each told of once."""
    seen: dict[tuple[str, str], tuple[str, int]] = {}
    for match in matches:
        _once(seen, match.items, match.currency)
        _whole(match)
    for one in breaks:
        _once(seen, one.keys, one.currency)
    _once(seen, open_items, "")
    for side, key, currency, amount in came_in:
        told = seen.pop((side, key), None)
        if told is None:
            raise NotConserved(f"{currency} {amount} of {side} is in no match and no break", where=key)
        if told != (currency, amount):
            raise NotConserved(f"{currency} {amount} of {side} became {told[0]} {told[1]}", where=key)
    if seen:
        side, key = next(iter(seen))
        raise NotConserved(f"something that did not come in was told of on the side of {side}", where=key)


def _once(seen: dict[tuple[str, str], tuple[str, int]], items: Iterable[MatchItem], currency: str) -> None:
    for item in items:
        place = item.side, item.key
        if place in seen:
            raise NotConserved(f"an item of {item.side} is told of twice", where=item.key)
        seen[place] = item.currency or currency, item.amount_minor


def _whole(match: Match) -> None:
    """Both sides of a match are the same money, but for the rounding it tells."""
    difference, outside = 0, 0
    for item in match.items:
        if item.currency and item.currency != match.currency:
            raise NotConserved("a match of two currencies", where=item.key)
        if item.side == "books":
            difference -= item.amount_minor
        else:
            difference += item.amount_minor
            outside += 1
    if difference != match.rounding_minor or abs(difference) > outside:
        raise NotConserved(f"a match by {match.rule} is out by {difference} minor units", where=match.items[0].key)


def totals(items: Iterable[tuple[str, str, str, int]]) -> Account:
    """Minor units by side and currency."""
    made: Account = {}
    for side, _, currency, amount in items:
        made[side, currency] = made.get((side, currency), 0) + amount
    return made
