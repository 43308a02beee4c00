"""Arrays in PostgreSQL's binary form, made in one go: psycopg walks a list element by element in both directions.

The layout is that of `array_send` (src/backend/utils/adt/arrayfuncs.c): dimensions, a null flag, the element type's
oid, then for the one dimension its length and lower bound, then each element as its length and its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_INT2, _INT4, _INT8, _TEXT, _BYTEA, _UUID, _TIMESTAMPTZ = 21, 23, 20, 25, 17, 2950, 1184
_ARRAY_OF = {_INT2: 1005, _INT4: 1007, _INT8: 1016, _TEXT: 1009, _BYTEA: 1001, _UUID: 2951, _TIMESTAMPTZ: 1185}
_NULL = b"\xff\xff\xff\xff"
_LENGTH = struct.Struct(">i")
POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL counts from."""


@dataclass(frozen=True, slots=True)
class _Array:
    oid: int
    body: bytes


class _ArrayDumper(Dumper):
    """Sends an array as it is. One class each element type: psycopg asks the class for its oid."""

    format = Format.BINARY

    def dump(self, obj: _Array) -> Buffer:
        return obj.body


def _class_for(oid: int) -> type[_Array]:
    kind = type(f"Array{oid}", (_Array,), {"__slots__": ()})
    dumper = type(f"Dumper{oid}", (_ArrayDumper,), {"oid": _ARRAY_OF[oid]})
    psycopg.adapters.register_dumper(kind, dumper)
    return kind


_CLASSES = {oid: _class_for(oid) for oid in _ARRAY_OF}


def _array(oid: int, count: int, elements: bytes, *, has_nulls: bool = False) -> _Array:
    head = struct.pack(">iii", 1 if count else 0, has_nulls, oid)
    if count:
        head += struct.pack(">ii", count, 1)
    return _CLASSES[oid](oid, head + elements)


def _numbers(oid: int, size: int, values: Sequence[int]) -> _Array:
    import numpy as np

    cells: Any = np.empty(len(values), dtype=[("length", ">i4"), ("value", f">i{size}")])
    cells["length"] = size
    cells["value"] = values
    return _array(oid, len(values), cells.tobytes())


def int2_array(values: Sequence[int]) -> _Array:
    return _numbers(_INT2, 2, values)


def int4_array(values: Sequence[int]) -> _Array:
    return _numbers(_INT4, 4, values)


def int8_array(values: Sequence[int]) -> _Array:
    """Raises `OverflowError` beyond 64 bits."""
    return _numbers(_INT8, 8, values)


def timestamptz_array(microseconds: Sequence[int]) -> _Array:
    """Instants as microseconds since 1970."""
    return _numbers(_TIMESTAMPTZ, 8, [at - POSTGRES_EPOCH_MICROSECONDS for at in microseconds])


def _blobs(oid: int, values: Sequence[bytes | None]) -> _Array:
    pack = _LENGTH.pack
    elements = b"".join(_NULL if value is None else pack(len(value)) + value for value in values)
    return _array(oid, len(values), elements, has_nulls=None in values)


def bytea_array(values: Sequence[bytes | None]) -> _Array:
    return _blobs(_BYTEA, values)


def uuid_array(values: Sequence[bytes | None]) -> _Array:
    """UUIDs as their sixteen bytes."""
    return _blobs(_UUID, values)


def text_array(values: Sequence[str | None]) -> _Array:
    return _blobs(_TEXT, [None if value is None else value.encode() for value in values])
