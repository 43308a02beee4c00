"""Bipartite blocks: components, a perfect matching, and the blocks inside which alone it could be another.

Rows are lines, columns movements, an edge says that both could be the same money. Where rows and columns are as many
and a perfect matching exists, an edge can be in one only if it lies inside a strongly connected block of the graph
that the matching directs (Dulmage and Mendelsohn 1958). Such a block is one pair, or a set whose pairings are
interchangeable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Edges = Mapping[int, Sequence[int]]


def lone_edges(edges: Edges) -> dict[int, int]:
    """Row -> column where neither has another edge."""
    uses: dict[int, int] = {}
    for columns in edges.values():
        for column in columns:
            uses[column] = uses.get(column, 0) + 1
    return {row: columns[0] for row, columns in edges.items() if len(columns) == 1 and uses[columns[0]] == 1}


def components(edges: Edges) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together; rows without an edge are in none."""
    rows_of: dict[int, list[int]] = {}
    for row, columns in edges.items():
        for column in columns:
            rows_of.setdefault(column, []).append(row)
    seen: set[int] = set()
    found: list[tuple[list[int], list[int]]] = []
    for start in edges:
        if start in seen or not edges[start]:
            continue
        rows, columns, queue = list[int](), dict[int, None](), [start]
        seen.add(start)
        while queue:
            row = queue.pop()
            rows.append(row)
            for column in edges[row]:
                if column not in columns:
                    columns[column] = None
                    fresh = [other for other in rows_of[column] if other not in seen]
                    seen.update(fresh)
                    queue.extend(fresh)
        found.append((rows, list(columns)))
    return found


def perfect(rows: Sequence[int], edges: Edges) -> dict[int, int] | None:
    """A column for every row, no column twice (augmenting paths, Kuhn 1955); None if there is no such choice."""
    owner: dict[int, int] = {}
    for row in rows:
        parent: dict[int, int] = {}  # column -> the row it was reached from
        queue, free = [row], None
        while queue and free is None:
            at = queue.pop()
            for column in edges[at]:
                if column in parent:
                    continue
                parent[column] = at
                if column not in owner:
                    free = column
                    break
                queue.append(owner[column])
        if free is None:
            return None
        mate = {held: column for column, held in owner.items()}
        while True:
            holder = parent[free]
            owner[free] = holder
            if holder == row:
                break
            free = mate[holder]
    return {row: column for column, row in owner.items()}


def blocks(rows: Sequence[int], edges: Edges, mate: Mapping[int, int]) -> list[list[int]]:
    """Rows grouped so that no perfect matching pairs a row with the mate of a row of another group (Tarjan 1972)."""
    owner = {column: row for row, column in mate.items()}
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    held: set[int] = set()
    found: list[list[int]] = []
    for root in rows:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        held.add(root)
        while work:
            row, rest = work[-1]
            for column in rest:
                other = owner[column]
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    held.add(other)
                    work.append((other, iter(edges[other])))
                    break
                if other in held:
                    low[row] = min(low[row], order[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[row])
                if low[row] == order[row]:
                    cut = stack.index(row)
                    found.append(stack[cut:])
                    held.difference_update(stack[cut:])
                    del stack[cut:]
    return found
