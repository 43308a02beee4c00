"""Matchings, assignments and sums beside every permutation and every subset."""

from itertools import chain, combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from steward.reconciliation.core.assignment import FAR, cheapest
from steward.reconciliation.core.matching import blocks, components, lone_edges, perfect
from steward.reconciliation.core.sums import CANDIDATES_MAX, only_subset

GRAPHS = st.integers(1, 5).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True), min_size=size, max_size=size
    )
)


def every_matching(graph):
    return [
        chosen
        for chosen in permutations(range(len(graph)))
        if all(column in graph[row] for row, column in enumerate(chosen))
    ]


@given(GRAPHS)
def test_a_perfect_matching_is_found_if_there_is_one_and_blocks_are_what_may_change(graph):
    edges = dict(enumerate(graph))
    found = every_matching(graph)
    mate = perfect(list(edges), edges)
    assert (mate is None) == (not found)
    if mate is None:
        return
    assert tuple(mate[row] for row in range(len(graph))) in found
    union = {row: sorted({chosen[row] for chosen in found}) for row in edges}
    wanted = {frozenset(rows) for rows, _ in components(union)}
    assert {frozenset(block) for block in blocks(list(edges), edges, mate)} == wanted
    alone = lone_edges(edges)
    assert all(union[row] == [column] for row, column in alone.items())


@given(st.lists(st.lists(st.integers(0, 7), max_size=4, unique=True), max_size=7))
def test_components_are_those_of_a_graph_search(graph):
    edges = dict(enumerate(graph))
    found = components(edges)
    rows = [row for rows, _ in found for row in rows]
    columns = [column for _, columns in found for column in columns]
    assert sorted(rows) == [row for row, held in edges.items() if held]
    assert sorted(columns) == sorted(set(chain.from_iterable(graph)))
    for rows, columns in found:
        assert {column for row in rows for column in edges[row]} == set(columns)
        reached = {rows[0]}
        while True:
            more = {r for r in rows if any(set(edges[r]) & set(edges[s]) for s in reached)} - reached
            if not more:
                break
            reached |= more
        assert reached == set(rows)


COSTS = st.integers(1, 5).flatmap(
    lambda size: st.lists(
        st.lists(st.one_of(st.integers(0, 9), st.integers(0, 10**6), st.just(FAR)), min_size=size, max_size=size),
        min_size=size,
        max_size=size,
    )
)


@given(COSTS)
def test_the_cheapest_assignment_and_the_next(costs):
    size = len(costs)
    sums = sorted(sum(costs[row][column] for row, column in enumerate(p)) for p in permutations(range(size)))
    found = cheapest(costs)
    if sums[0] >= FAR:
        assert found is None
        return
    assert found is not None
    chosen, total, more = found
    assert sorted(chosen) == list(range(size))
    assert total == sum(costs[row][column] for row, column in enumerate(chosen)) == sums[0]
    if len(sums) == 1 or sums[1] >= FAR:
        assert more >= FAR // 2
    else:
        assert more == sums[1] - sums[0]


@given(st.lists(st.integers(-6, 9).filter(bool), max_size=7), st.integers(-9, 20))
def test_a_subset_is_given_only_if_no_other_adds_up(amounts, target):
    hits = [
        subset
        for size in range(1, len(amounts) + 1)
        for subset in combinations(range(len(amounts)), size)
        if sum(amounts[place] for place in subset) == target
    ]
    wanted = hits[0] if len(hits) == 1 and target else None
    assert only_subset(amounts, target) == wanted


def test_more_than_fourteen_candidates_prove_nothing():
    amounts = [2**n for n in range(CANDIDATES_MAX + 1)]
    assert only_subset(amounts[:-1], 5) == (0, 2)
    assert only_subset(amounts, 5) is None
