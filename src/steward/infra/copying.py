"""Rows in PostgreSQL's text COPY format, made in one go: psycopg formats a row at a time and takes longer for that
than the server for storing it. The format is in PostgreSQL's documentation of COPY, "Text Format".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, cast

from psycopg import Connection
from psycopg.abc import Query

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_SPECIAL = re.compile(r"[\\\t\n\r]").search
_CHUNK = 5000


def copy_rows(connection: Connection[Any], statement: Query, rows: Iterable[Sequence[Any]]) -> None:
    """Run a COPY ... FROM STDIN with these rows: texts, integers, booleans, dates, times and nothing."""
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        chunk: list[str] = []
        for row in rows:
            chunk.append("\t".join([_text(value) for value in row]))
            if len(chunk) >= _CHUNK:
                copy.write("\n".join(chunk) + "\n")
                chunk.clear()
        if chunk:
            copy.write("\n".join(chunk) + "\n")


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
