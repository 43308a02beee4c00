"""RFC 9162 against a slow twin written from its recursive definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.events.core import merkle


def twin(entries):
    """MTH, section 2.1.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + twin(entries[:k]) + twin(entries[k:])).digest()


ENTRIES = [bytes([i]) * (i % 5) for i in range(80)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
ROOTS = [merkle.root_of_leaves(LEAVES[:n]) for n in range(len(LEAVES) + 1)]


@pytest.mark.parametrize("size", range(80))
def test_the_root_is_the_twins(size):
    assert ROOTS[size] == twin(ENTRIES[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 70])
def test_every_inclusion_proof_verifies_and_no_other_leaf_does(size):
    for index in range(size):
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        assert merkle.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
        assert not merkle.verify_inclusion(LEAVES[index + 1], index, size, proof, ROOTS[size])
        assert not merkle.verify_inclusion(
            LEAVES[index], index, size, [*proof, proof[0] if proof else LEAVES[0]], ROOTS[size]
        )


@pytest.mark.parametrize("second", [1, 2, 3, 8, 13, 40])
def test_every_consistency_proof_verifies_and_no_other_root_does(second):
    for first in range(1, second + 1):
        proof = merkle.consistency_proof(LEAVES[:second], first)
        assert merkle.verify_consistency(first, second, ROOTS[first], ROOTS[second], proof)
        assert not merkle.verify_consistency(first, second, ROOTS[first - 1], ROOTS[second], proof)


@given(st.lists(st.integers(0, 9), max_size=9))
def test_appending_in_pieces_is_appending_at_once(pieces):
    size, frontier, at = 0, [], 0
    for piece in pieces:
        size, frontier = merkle.extend(size, frontier, LEAVES[at : at + piece])
        at += piece
    at = min(at, len(LEAVES))
    assert size == at
    assert merkle.root_of_frontier(frontier) == ROOTS[at]
