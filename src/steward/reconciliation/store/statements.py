"""Files, statements, their lines, and what the books expect. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from steward.contracts.settlement import BankLine, Expected, Refs, Statement, StatementLine
from steward.infra import sql
from steward.infra.copying import copy_rows
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]


class StatementStore:
    """SQL of settlement_file, settlement, settlement_line, bank_line and expectation."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.reconciliation")

    def known_file(self, connection: Connection[Row], digest: bytes) -> Row | None:
        return connection.execute(self._sql["known_file"], {"digest": digest}).fetchone()

    def add_file(self, connection: Connection[Row], values: Row) -> None:
        made = {**values, "controls": Jsonb(values["controls"]), "rejected": Jsonb(values["rejected"])}
        connection.execute(self._sql["add_file"], made)

    def current(self, connection: Connection[Row], provider: str, statements: Sequence[str]) -> dict[str, Row]:
        """Statements in force by name, locked."""
        values = {"provider": provider, "statements": list(statements)}
        return {row["statement"]: row for row in connection.execute(self._sql["current"], values)}

    def supersede(self, connection: Connection[Row], settlement_id: str, by: str, now: datetime) -> None:
        connection.execute(self._sql["supersede"], {"settlement_id": settlement_id, "by": by, "now": now})

    def add(self, connection: Connection[Row], values: Row, lines: Sequence[Sequence[Any]]) -> None:
        """A statement with its lines, each as `row_of` has it."""
        connection.execute(self._sql["add_settlement"], values)
        name = "copy_bank_lines" if values["is_bank"] else "copy_lines"
        settlement_id = values["settlement_id"]
        copy_rows(connection, self._sql[name], ((settlement_id, *line) for line in lines))

    def keys(self, connection: Connection[Row], settlement_id: str) -> list[str]:
        rows = connection.execute(self._sql["keys_of_statement"], {"settlement_id": settlement_id})
        return [row["key"] for row in rows]

    def listed(self, connection: Connection[Row], provider: str | None, limit: int) -> list[Row]:
        return connection.execute(self._sql["settlements"], {"provider": provider, "limit": limit}).fetchall()

    def refused(self, connection: Connection[Row], limit: int) -> list[Row]:
        return connection.execute(self._sql["refused_files"], {"limit": limit}).fetchall()

    def expect(self, connection: Connection[Row], rows: Sequence[JsonObject]) -> None:
        connection.execute(self._sql["put_expectations"], {"rows": Jsonb(list(rows))})

    def charge(self, connection: Connection[Row], rows: Sequence[JsonObject]) -> set[str]:
        """Add fees (key, currency, amount_minor) to payments; the keys of payments that are not known."""
        found = connection.execute(self._sql["add_fees"], {"rows": Jsonb(list(rows))})
        return {row["key"] for row in found}

    @contextmanager
    def whole_sets(self, connection: Connection[Row]) -> Generator[None]:
        """What is read inside is joined as sets. After a first large run the database knows nothing of its tables for a
        minute, takes them for empty, and would go through one for each row of another.
        """
        connection.execute(self._sql["join_by_loop"], {"value": "off"})
        yield
        connection.execute(self._sql["join_by_loop"], {"value": "on"})

    def pool(
        self, connection: Connection[Row], *, is_bank: bool, since: datetime, again: Sequence[int] = ()
    ) -> list[Statement]:
        """The lines a run is about, by statement: what is free, what the machine matched since then or in `again`."""
        found: dict[tuple[str, str], list[Any]] = {}
        make = _bank_line if is_bank else _statement_line
        query = "pool_bank_lines" if is_bank else "pool_lines"
        for provider, name, *row in self._tuples(connection, query, since=since, again=list(again)):
            found.setdefault((provider, name), []).append(make(row))
        return [
            Statement(name, provider, "", lines[0].currency, cast("Any", tuple(lines)))
            for (provider, name), lines in sorted(found.items())
        ]

    def tellers(self, connection: Connection[Row]) -> dict[str, bool]:
        """Providers that ever sent a statement, and whether they tell of their payouts there."""
        return {row["provider"]: row["tells_payouts"] for row in connection.execute(self._sql["tellers"])}

    def expected(
        self, connection: Connection[Row], side: str, as_of: datetime, since: datetime, again: Sequence[int] = ()
    ) -> list[Expected]:
        values = {"side": side, "as_of": as_of, "since": since, "again": list(again)}
        rows = self._tuples(connection, "pool_expected", **values)
        return [
            Expected(key, kind, currency, gross, fee, at, _refs(refs), provider)
            for key, provider, kind, currency, gross, fee, at, refs in rows
        ]

    def _tuples(self, connection: Connection[Row], query: str, **values: object) -> Generator[tuple[Any, ...]]:
        """Rows some thousands at a time: one at a time takes longer than what is done with them."""
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._sql[query], values)
            while rows := cursor.fetchmany(_FETCH):
                yield from rows


_FETCH = 5000
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def _refs(text: str) -> Refs:
    return _PAIRS.decode(text)


def row_of(line: StatementLine | BankLine) -> tuple[Any, ...]:
    """A line as its table has it, behind the settlement it belongs to."""
    refs = msgspec.json.encode(line.refs).decode()
    if isinstance(line, BankLine):
        return (
            line.key, line.number, line.currency, line.amount_minor, line.booked, line.value,
            line.pending, line.reversal, line.text, line.counterparty, refs,
        )  # fmt: skip
    return (
        line.key, line.number, line.type, line.raw_type, line.currency, line.gross_minor,
        line.fee_minor, line.net_minor, line.at, line.day, refs,
    )  # fmt: skip


def _bank_line(row: list[Any]) -> BankLine:
    row[-1] = _refs(row[-1])
    return BankLine(*row)


def _statement_line(row: list[Any]) -> StatementLine:
    row[-1] = _refs(row[-1])
    return StatementLine(*row)
