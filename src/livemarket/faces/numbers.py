"""Orders as whole numbers, for providers whose ids are numbers: a function of day and key, and back again.

An order's key is cell x 4096 + place (core/demand.py). The cell of a live order repeats its day, so that everything
fits into 45 bits; 64 children of an order fit into 51, which every JSON reader can hold.
"""

from __future__ import annotations

import hashlib

_KIND, _LOCAL = 52, 31  # where a key holds its kind of cell, and how many bits are left once the day is out
_LIVE = 1
_SHOWS = 256 * 32 * 4096  # keys of one day's shows
CHILDREN = 64


def packed(day: int, key: int) -> int:
    """The number of an order."""
    kind, local = key >> _KIND, key & ((1 << _KIND) - 1)
    if kind == _LIVE:
        local -= day * _SHOWS
    if not 0 <= local < 1 << _LOCAL:
        raise ValueError(f"order key {key:#x} of day {day} does not fit into {_LOCAL} bits")
    return ((day << 2 | kind) << _LOCAL) | local


def unpacked(number: int) -> tuple[int, int]:
    """Day and key of an order's number; they need not exist."""
    head, local = number >> _LOCAL, number & ((1 << _LOCAL) - 1)
    day, kind = head >> 2, head & 3
    if kind == _LIVE:
        local += day * _SHOWS
    return day, kind << _KIND | local


def hashed(name: str) -> int:
    """A number of 48 bits for what nobody looks up by number alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])
