"""Rows in PostgreSQL's text COPY format, made a column of some thousands at a time: psycopg formats a value at a time
and takes longer for that than the server for storing it. The format is in PostgreSQL's documentation of COPY, "Text
Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import islice
from typing import Any, cast

from psycopg import Connection
from psycopg.abc import Query

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]").search
_CHUNK = 5000


def copy_rows(connection: Connection[Any], statement: Query, rows: Iterable[Sequence[Any]]) -> None:
    """Run a COPY ... FROM STDIN with these rows: texts, integers, booleans, dates, times and nothing."""
    waiting = iter(rows)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        while chunk := list(islice(waiting, _CHUNK)):
            columns = [_column(values) for values in zip(*chunk, strict=True)]
            copy.write("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n")


def _column(values: tuple[Any, ...]) -> Iterable[str]:
    """One column of a chunk. Most have one type, and few distinct values or none that needs escaping."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return [value.translate(_ESCAPED) for value in values] if _SPECIAL("".join(values)) else values
    if kinds == {int}:
        return map(str, values)
    if int in kinds:  # true is 1, so that a table of distinct values would mix them up
        return map(_text, values)
    told = {value: _text(value) for value in set(values)}
    return map(told.__getitem__, values)


def _text(value: Any) -> str:
    kind = cast("type[Any]", type(value))
    if kind is str:
        return value.translate(_ESCAPED) if _SPECIAL(value) else value
    if kind is int:
        return str(value)
    if value is None:
        return "\\N"
    if kind is bool:
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, date) else str(value)
