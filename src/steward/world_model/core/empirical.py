"""Intervals from the past alone: order statistics of what happened on earlier days. Integers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor


def order_interval(past: Sequence[int], level: Fraction) -> tuple[int, int, int]:
    """(low, mid, high): order statistics of `past` that cover a further exchangeable value with at least
    probability `level` where enough is known (n + 1 >= 2 / (1 - level)); the whole range otherwise; zeros for none.
    """
    if not past:
        return 0, 0, 0
    ordered = sorted(past)
    count = len(ordered)
    tail = (1 - level) / 2
    low = max(floor(tail * (count + 1)), 1)
    high = min(ceil((1 - tail) * (count + 1)), count)
    return ordered[low - 1], ordered[(count - 1) // 2], ordered[high - 1]
