"""Random numbers that are looked up, not drawn: a word is a function of seed, entity, day and purpose.

Nothing is consumed in order, so an action moves only the words of what it touches. The function is Philox4x32-10
(Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), written over whole arrays.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from livemarket.core.arrays import Floats, Ints

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10

Words = NDArray[np.uint64]


class Purpose(IntEnum):
    """What a word is for; two purposes never share one."""

    PRODUCT = 1
    CREATOR = 2
    SUPPLIER = 3
    SHOW = 4
    SLOT = 5
    RUN_OF_SHOW = 6
    STOREFRONT = 7
    AD = 8
    ORDER = 9
    COMPETITOR = 10
    STOCK = 11
    PURCHASE = 12
    OPERATOR = 13
    LISTING = 14
    TICKET = 15
    FAULT = 16
    OPPONENT = 17
    EVENT = 18


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Ten rounds over arrays of 32-bit words kept in 64 bits."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        first, second = c0 * _MULTIPLY[0], c2 * _MULTIPLY[1]
        c0, c2 = (second >> _SHIFT) ^ c1 ^ np.uint64(k0), (first >> _SHIFT) ^ c3 ^ np.uint64(k1)
        c1, c3 = second & _LOW, first & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return c0, c1, c2, c3


def words(seed: int, entity: Ints, day: int, purpose: Purpose, count: int) -> Words:
    """`count` words of 32 bits for each entity: an array of shape (entities, count)."""
    blocks = -(-count // 4)
    entities = entity.astype(np.uint64)[:, None]
    block = np.arange(blocks, dtype=np.uint64)[None, :] + np.uint64(int(purpose) << 8)
    shape = (len(entity), blocks)
    counter = (
        np.broadcast_to(entities & _LOW, shape),
        np.broadcast_to(entities >> _SHIFT, shape),
        np.full(shape, day, dtype=np.uint64),
        np.broadcast_to(block, shape),
    )
    made = philox(counter, (seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF))
    return np.stack(made, axis=-1).reshape(len(entity), 4 * blocks)[:, :count]


def uniforms(seed: int, entity: Ints, day: int, purpose: Purpose, count: int) -> Floats:
    """The same words as numbers strictly between 0 and 1 (each an exact multiple of 2^-33)."""
    return unit(words(seed, entity, day, purpose, count))


def unit(values: NDArray[np.uint64] | NDArray[np.uint32]) -> Floats:
    """A 32-bit word as a number strictly between 0 and 1."""
    return (values.astype(np.float64) + 0.5) * 2.0**-32
