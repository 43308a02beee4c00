"""How fast cash burns, as an interval of past paces. Integers throughout, rounded outwards."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCK = 4
_DAYS = 7


def burn_interval(weeks: Sequence[int]) -> tuple[int, int]:
    """Net cash that leaves a day, from the pace of all `weeks` to that of their worst four in a row; nothing where cash
    grows. `weeks` are net flows of whole weeks, oldest first, at least one.
    """
    average = -sum(weeks)
    size = min(_BLOCK, len(weeks))
    worst = max(-sum(weeks[start : start + size]) for start in range(len(weeks) - size + 1))
    low = max(0, average // (_DAYS * len(weeks)))
    return low, max(low, -(-worst // (_DAYS * size)))
