"""How far two ids are apart, in slips of the hand: one more, one less, another, or two neighbours swapped.

The restricted Damerau-Levenshtein distance (Damerau 1964; Levenshtein 1966), cut off where it no longer matters.
"""

from __future__ import annotations

NEAR = 2  # slips in a long id
LONG = 10  # characters; two shorter ids are easily near by chance


def within(one: str, other: str, limit: int = NEAR) -> int | None:
    """The distance if it is at most `limit`, else None."""
    if one == other:
        return 0
    if abs(len(one) - len(other)) > limit:
        return None
    beyond = limit + 1
    before: list[int] = []
    row = [min(j, beyond) for j in range(len(other) + 1)]
    for i, a in enumerate(one, start=1):
        last, row, before = before, [min(i, beyond)] + [beyond] * len(other), row
        for j in range(max(1, i - limit), min(len(other), i + limit) + 1):
            b = other[j - 1]
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, last[j - 2] + 1)
            row[j] = min(best, beyond)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None


def pieces(text: str, limit: int = NEAR) -> list[tuple[int, str]]:
    """Pieces of a text with their places. Of two texts within `limit` slips, at least one piece of the one stands
    unhurt in the other, at most `limit` places away: a slip hurts two pieces at most, where it swaps neighbours.
    """
    count = 2 * limit + 1
    size = len(text) // count
    if size == 0:
        return []
    return [(k * size, text[k * size : (k + 1) * size]) for k in range(count)]
