"""Proofs from stored subtrees against the recursive definitions of RFC 9162, for every small tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.events.core import merkle

SIZES = 40
LEAVES = [merkle.leaf_hash(b"%d" % n) for n in range(SIZES + 1)]
ROOTS = [merkle.root_of_leaves(LEAVES[:n]) for n in range(SIZES + 1)]


def subtree_of(leaves):
    """The root of a perfect subtree, taken from the leaves each time: a store without a store. A subtree that is not
    whole is never to be asked for.
    """

    def subtree(level, index):
        part = leaves[index << level : (index + 1) << level]
        assert len(part) == 1 << level
        return merkle.root_of_leaves(part)

    return subtree


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_an_inclusion_proof_is_the_one_of_the_definition(size):
    for index in range(size):
        path = merkle.stored_inclusion(index, size, subtree_of(LEAVES[:size]))
        assert path == merkle.inclusion_proof(LEAVES[:size], index)
        assert merkle.verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])
        assert not merkle.verify_inclusion(LEAVES[index + 1], index, size, path, ROOTS[size])
        assert not merkle.verify_inclusion(LEAVES[index], index, size, path, ROOTS[size - 1])


@pytest.mark.parametrize("size", range(1, SIZES + 1))
def test_a_consistency_proof_is_the_one_of_the_definition(size):
    for first in range(1, size + 1):
        path = merkle.stored_consistency(first, size, subtree_of(LEAVES[:size]))
        assert path == merkle.consistency_proof(LEAVES[:size], first)
        assert merkle.verify_consistency(first, size, ROOTS[first], ROOTS[size], path)
        assert not merkle.verify_consistency(first, size, ROOTS[first - 1], ROOTS[size], path)


def test_a_proof_of_a_tree_in_the_past_needs_nothing_that_came_later():
    for size in range(1, SIZES):
        subtree = subtree_of(LEAVES)
        assert merkle.stored_inclusion(size - 1, size, subtree) == merkle.inclusion_proof(LEAVES[:size], size - 1)
        assert merkle.stored_consistency(1, size, subtree) == merkle.consistency_proof(LEAVES[:size], 1)


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (1, 1), (7, 3)])
def test_a_leaf_that_is_not_in_the_tree_has_no_proof(index, size):
    with pytest.raises(IndexError):
        merkle.stored_inclusion(index, size, subtree_of(LEAVES))


@pytest.mark.parametrize(("first", "size"), [(0, 1), (-1, 3), (4, 3), (0, 0)])
def test_a_tree_that_is_no_prefix_has_no_proof(first, size):
    with pytest.raises(IndexError):
        merkle.stored_consistency(first, size, subtree_of(LEAVES))


@given(st.integers(1, 2**40), st.data())
@settings(max_examples=100)
def test_a_proof_asks_for_few_subtrees_and_only_whole_ones(size, data):
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    asked = []

    def subtree(level, at):
        assert (at + 1) << level <= size
        asked.append((level, at))
        return merkle.leaf_hash(b"%d %d" % (level, at))

    merkle.stored_inclusion(index, size, subtree)
    merkle.stored_consistency(first, size, subtree)
    assert len(asked) <= 4 * size.bit_length()


# Stored subtrees


MANY = [merkle.leaf_hash(b"leaf %d" % n) for n in range(66_000)]


@pytest.fixture(scope="module")
def grown():
    return merkle.grow(0, [], MANY)


def test_growing_emits_exactly_the_perfect_subtrees_of_powers_of_256(grown):
    size, frontier, nodes = grown
    assert size == len(MANY)
    assert merkle.root_of_frontier(frontier) == merkle.root_of_leaves(MANY)
    expected = {(8, index) for index in range(len(MANY) // 256)} | {(16, index) for index in range(len(MANY) // 65_536)}
    assert [(level, index) for level, index, _ in nodes if level == 8] == [(8, i) for i in range(len(MANY) // 256)]
    assert {(level, index) for level, index, _ in nodes} == expected
    assert len(nodes) == len(expected)


def test_every_node_is_the_root_of_its_leaves(grown):
    for level, index, node in grown[2]:
        if level == 16 or index % 16 == 0:
            assert node == merkle.root_of_leaves(MANY[index << level : (index + 1) << level])


def test_a_small_tree_has_no_nodes():
    for size in (0, 1, 255):
        assert merkle.grow(0, [], MANY[:size])[2] == []
    assert [(level, index) for level, index, _ in merkle.grow(0, [], MANY[:256])[2]] == [(8, 0)]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 700), max_size=8))
def test_growing_in_pieces_emits_what_growing_at_once_emits(pieces):
    size, frontier, nodes = 0, [], []
    for piece in pieces:
        size, frontier, made = merkle.grow(size, frontier, MANY[size : size + piece])
        nodes += made
    assert (size, frontier, nodes) == merkle.grow(0, [], MANY[: sum(pieces)])
    assert (size, frontier) == merkle.extend(0, [], MANY[: sum(pieces)])
