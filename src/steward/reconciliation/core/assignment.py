"""The cheapest one-to-one assignment of a small block, and by how much the next one is dearer. Integers, exact.

Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957; the O(n^3) form of Jonker and Volgenant 1987). The
next best assignment differs by an alternating cycle, and a cycle costs the sum of its reduced costs: the least of them
is found by shortest paths between all rows (Floyd 1962).
"""

from __future__ import annotations

from collections.abc import Sequence

FAR = 1 << 60
"""The cost of an edge that is not there."""


def cheapest(costs: Sequence[Sequence[int]]) -> tuple[list[int], int, int] | None:
    """(column of each row, cost, how much dearer the next assignment is; FAR if there is none). Square; None if every
    assignment uses an edge that is not there.
    """
    size = len(costs)
    rows, columns = [0] * (size + 1), [0] * (size + 1)  # potentials; place 0 is a helper
    owner = [0] * (size + 1)
    for i in range(1, size + 1):
        owner[0] = i
        _augment(costs, rows, columns, owner)
    chosen = [0] * size
    for j in range(1, size + 1):
        chosen[owner[j] - 1] = j - 1
    total = sum(costs[i][chosen[i]] for i in range(size))
    if total >= FAR:
        return None
    return chosen, total, _next(costs, rows, columns, chosen)


def _augment(costs: Sequence[Sequence[int]], rows: list[int], columns: list[int], owner: list[int]) -> None:
    """Give the row in `owner[0]` a column, moving others where that is cheaper."""
    size = len(costs)
    least = [FAR * 4] * (size + 1)
    back = [0] * (size + 1)
    used = [False] * (size + 1)
    at = 0
    while owner[at]:
        used[at] = True
        row, delta, best = owner[at], FAR * 8, 0
        for j in range(1, size + 1):
            if used[j]:
                continue
            cost = costs[row - 1][j - 1] - rows[row] - columns[j]
            if cost < least[j]:
                least[j], back[j] = cost, at
            if least[j] < delta:
                delta, best = least[j], j
        for j in range(size + 1):
            if used[j]:
                rows[owner[j]] += delta
                columns[j] -= delta
            else:
                least[j] -= delta
        at = best
    while at:
        owner[at] = owner[back[at]]
        at = back[at]


def _next(costs: Sequence[Sequence[int]], rows: list[int], columns: list[int], chosen: list[int]) -> int:
    """The least cost of an alternating cycle: row i takes the column of row j, and so on back to i."""
    size = len(costs)
    way = [
        [
            FAR if i == j or costs[i][chosen[j]] >= FAR else costs[i][chosen[j]] - rows[i + 1] - columns[chosen[j] + 1]
            for j in range(size)
        ]
        for i in range(size)
    ]
    for k in range(size):
        for i in range(size):
            via = way[i][k]
            if via < FAR:
                row, through = way[i], way[k]
                for j in range(size):
                    row[j] = min(row[j], via + through[j])
    return min((way[i][i] for i in range(size)), default=FAR)
