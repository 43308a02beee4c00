"""Rows in PostgreSQL's text COPY format, made a column of a thousand at a time: psycopg formats a value at a time and
takes longer for that than the server for storing it. The format is in PostgreSQL's documentation of COPY, "Text
Format". The server stores what it was sent while the next thousand are made.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, cast

from psycopg import Connection
from psycopg.abc import Query

_SPECIAL = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_ESCAPED = str.maketrans(_SPECIAL)
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Same:
    """A column that says the same in every row."""

    value: Any


Column = Sequence[Any] | Same


def copy_rows(connection: Connection[Any], statement: Query, rows: Iterable[Sequence[Any]]) -> None:
    """Run a COPY ... FROM STDIN with these rows: texts, integers, booleans, dates, times and nothing."""
    copy_columns(connection, statement, (list(zip(*chunk, strict=True)) for chunk in _chunks(rows)))


def copy_columns(connection: Connection[Any], statement: Query, chunks: Iterable[Sequence[Column]]) -> None:
    """The same with some rows at a time as their columns, of which one at least is no `Same`."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for columns in chunks:
            copy.write(_rows_of(columns))


def _chunks(rows: Iterable[Sequence[Any]]) -> Generator[list[Sequence[Any]]]:
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        yield chunk


def _rows_of(columns: Sequence[Column]) -> str:
    """A chunk as text: one form for all rows, filled with the columns that differ."""
    form: list[str] = []
    differing: list[Iterable[Any]] = []
    for column in columns:
        if isinstance(column, Same):
            form.append(_text(column.value).replace("%", "%%"))
        else:
            form.append("%s")
            differing.append(_column(column))
    row = "\t".join(form) + "\n"
    return "".join(map(row.__mod__, zip(*differing, strict=True)))


def _column(values: Sequence[Any]) -> Iterable[Any]:
    """One column of a chunk. Most have one type, and few distinct values or none that needs escaping."""
    kinds = set(map(type, values))
    if kinds == {str}:
        whole = "".join(values)
        return map(_text, values) if any(sign in whole for sign in _SPECIAL) else values
    if kinds == {int}:
        return values
    if int in kinds:  # true is 1, so that a table of distinct values would mix them up
        return map(_text, values)
    told = {value: _text(value) for value in set(values)}
    return map(told.__getitem__, values)


def _text(value: Any) -> str:
    kind = cast("type[Any]", type(value))
    if kind is str:
        return value.translate(_ESCAPED)
    if kind is int:
        return str(value)
    if value is None:
        return "\\N"
    if kind is bool:
        return "t" if value else "f"
    return value.isoformat() if isinstance(value, date) else str(value)
