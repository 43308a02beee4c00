"""How far two ids are apart, in slips of the hand: one more, one less, another, or two neighbours swapped.

The restricted Damerau-Levenshtein distance (Damerau 1964; Levenshtein 1966), cut off where it no longer matters.
"""

from __future__ import annotations

NEAR = 2  # slips in a long id
LONG = 10  # characters; two shorter ids are easily near by chance


def within(one: str, other: str, limit: int = NEAR) -> int | None:
    """The distance if it is at most `limit`, else None."""
    one, other = _apart(one, other)
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > limit or not one:
        return len(other) if len(other) <= limit else None
    beyond = limit + 1
    last: dict[int, int] = {}
    row = {j: j for j in range(min(limit, len(other)) + 1)}  # cells of the band around the diagonal; the rest is beyond
    for i, a in enumerate(one, start=1):
        before, row = row, {0: i} if i <= limit else {}
        for j in range(max(1, i - limit), min(len(other), i + limit) + 1):
            b = other[j - 1]
            best = before.get(j - 1, beyond) + (a != b)
            if best and (near := min(before.get(j, beyond), row.get(j - 1, beyond)) + 1) < best:
                best = near
            if i > 1 < j and a == other[j - 2] and one[i - 2] == b:
                best = min(best, last.get(j - 2, beyond) + 1)
            row[j] = best
        if min(row.values()) > limit:
            return None
        last = before
    found = row.get(len(other), beyond)
    return found if found <= limit else None


def _apart(one: str, other: str) -> tuple[str, str]:
    """Both without what they begin and end with in common."""
    start, most = 0, min(len(one), len(other))
    while start < most and one[start] == other[start]:
        start += 1
    end = 0
    while end < most - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def pieces(text: str, limit: int = NEAR) -> list[tuple[int, str]]:
    """Pieces of a text with their places. Of two texts within `limit` slips, at least one piece of the one stands
    unhurt in the other, at most `limit` places away: a slip hurts two pieces at most, where it swaps neighbours.
    """
    count = 2 * limit + 1
    size = len(text) // count
    if size == 0:
        return []
    return [(k * size, text[k * size : (k + 1) * size]) for k in range(count)]
