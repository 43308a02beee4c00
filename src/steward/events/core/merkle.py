"""RFC 9162 Merkle tree (section 2.1): roots, inclusion proofs, consistency proofs.

A tree of n leaves is kept as its frontier: the roots of the perfect subtrees that n's binary digits name,
largest first. Appending is O(log n) hashes, and the root folds the frontier from the right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Node = tuple[int, int, bytes]
"""Level (a power of two of leaves), index among its level, hash."""

Subtree = Callable[[int, int], bytes]
"""The root of the perfect subtree at (level, index), from wherever it is stored."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """HASH(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """HASH(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def extend(size: int, frontier: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[int, list[bytes]]:
    """The frontier after appending `leaves` (leaf hashes) to a tree of `size` leaves."""
    stack = list(frontier)
    for leaf in leaves:
        carry, index = leaf, size
        while index & 1:
            carry = node_hash(stack.pop(), carry)
            index >>= 1
        stack.append(carry)
        size += 1
    return size, stack


def grow(size: int, frontier: Sequence[bytes], leaves: Iterable[bytes]) -> tuple[int, list[bytes], list[Node]]:
    """As `extend`, and the roots of the subtrees of 256, 65,536, ... leaves that became perfect on the way."""
    stack = list(frontier)
    nodes: list[Node] = []
    for leaf in leaves:
        carry, index, level = leaf, size, 0
        while index & 1:
            carry = node_hash(stack.pop(), carry)
            index >>= 1
            level += 1
            if not level & 7:
                nodes.append((level, index, carry))
        stack.append(carry)
        size += 1
    return size, stack, nodes


def root_of_frontier(frontier: Sequence[bytes]) -> bytes:
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for subtree in reversed(frontier[:-1]):
        root = node_hash(subtree, root)
    return root


def root_of_leaves(leaves: Sequence[bytes]) -> bytes:
    return root_of_frontier(extend(0, [], leaves)[1])


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def range_root(low: int, high: int, subtree: Subtree) -> bytes:
    """MTH(D[low:high]) where `low` is a split point of the tree, so that the range starts on a perfect subtree."""
    count = high - low
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return subtree(level, low >> level)
    k = _split(count)
    return node_hash(range_root(low, low + k, subtree), range_root(low + k, high, subtree))


def stored_inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """PATH(m, D_n) from stored subtrees: O(log n) ranges, none of them walked leaf by leaf."""
    if not 0 <= index < size:
        raise IndexError(f"leaf {index} of {size}")
    low, high = 0, size
    path: list[bytes] = []
    while high - low > 1:
        k = _split(high - low)
        if index < low + k:
            path.append(range_root(low + k, high, subtree))
            high = low + k
        else:
            path.append(range_root(low, low + k, subtree))
            low += k
    return path[::-1]


def stored_consistency(first: int, size: int, subtree: Subtree) -> list[bytes]:
    """PROOF(m, D_n) from stored subtrees."""
    if not 0 < first <= size:
        raise IndexError(f"tree of {first} in {size}")
    low, high, whole = 0, size, True
    path: list[bytes] = []
    while first != high:
        k = _split(high - low)
        if first <= low + k:
            path.append(range_root(low + k, high, subtree))
            high = low + k
        else:
            path.append(range_root(low, low + k, subtree))
            low += k
            whole = False
    return [*([] if whole else [range_root(low, high, subtree)]), *path[::-1]]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(m, D_n), section 2.1.3.1: sibling hashes from leaf `index` (from 0) to the root."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*inclusion_proof(leaves[:k], index), root_of_leaves(leaves[k:])]
    return [*inclusion_proof(leaves[k:], index - k), root_of_leaves(leaves[:k])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Section 2.1.3.2: whether `proof` shows `leaf` at `index` in the tree of `size` with this `root`."""
    if not 0 <= index < size:
        return False
    fn, sn, current = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            current = node_hash(sibling, current)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            current = node_hash(current, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and current == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """PROOF(m, D_n), section 2.1.4.1: shows that the tree of `first` leaves is a prefix of this one."""
    if not 0 < first <= len(leaves):
        raise IndexError(f"tree of {first} in {len(leaves)}")
    return _subproof(leaves, first, whole=True)


def _subproof(leaves: Sequence[bytes], first: int, *, whole: bool) -> list[bytes]:
    if first == len(leaves):
        return [] if whole else [root_of_leaves(leaves)]
    k = _split(len(leaves))
    if first <= k:
        return [*_subproof(leaves[:k], first, whole=whole), root_of_leaves(leaves[k:])]
    return [*_subproof(leaves[k:], first - k, whole=False), root_of_leaves(leaves[:k])]


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Section 2.1.4.2: whether the tree of size `second` extends the tree of size `first`."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == first_root and new == second_root
