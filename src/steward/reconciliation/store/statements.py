"""Files, statements, their lines, and what the books expect. Every method runs in the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, cast

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from steward.contracts.settlement import BankLine, Expected, Refs, Statement, StatementLine
from steward.infra import sql
from steward.infra.copying import CHUNK, Same, copy_columns
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]
Lines = Sequence[StatementLine] | Sequence[BankLine]
_Columns = Sequence[Sequence[Any]]


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

    def add(self, connection: Connection[Row], values: Row, lines: Lines) -> None:
        """A statement with its lines, which are digested on their way."""
        own, digest = Same(values["settlement_id"]), LinesDigest()
        name = "copy_bank_lines" if values["is_bank"] else "copy_lines"
        copy_columns(connection, self._sql[name], ((own, *columns) for columns in digest.of_each(_columns(lines))))
        connection.execute(self._sql["add_settlement"], {**values, "lines_digest": digest.whole()})

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
        make, query = (BankLine, "pool_bank_lines") if is_bank else (StatementLine, "pool_lines")
        with closing(self._columns_of(connection, query, since=since, again=list(again))) as chunks:
            for providers, names, *columns, refs in chunks:
                lines = map(make, *columns, _refs(refs))
                for name, part in groupby(zip(zip(providers, names, strict=True), lines, strict=True), _FIRST):
                    found.setdefault(name, []).extend(map(_SECOND, part))
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
        found: list[Expected] = []
        with closing(self._columns_of(connection, "pool_expected", **values)) as chunks:
            for *columns, refs, providers in chunks:
                found.extend(map(Expected, *columns, _refs(refs), providers))
        return found

    def _columns_of(
        self, connection: Connection[Row], query: str, **values: object
    ) -> Generator[Iterable[tuple[Any, ...]]]:
        """The columns of some hundreds of rows at a time, while the database finds the next. To be closed before
        anything else is asked of the connection, also after an error: until then it is held.
        """
        with connection.cursor(row_factory=tuple_row) as cursor:
            told = cast("Generator[tuple[Any, ...]]", cursor.stream(self._sql[query], values, binary=True, size=_FETCH))
            with closing(told):
                while rows := list(islice(told, _FETCH)):
                    yield zip(*rows, strict=True)


_FETCH = 500
_FIRST, _SECOND = itemgetter(0), itemgetter(1)
_JSON = msgspec.json.Encoder()
_PAIRS = msgspec.json.Decoder(tuple[tuple[str, str], ...])


def _refs(texts: Sequence[str]) -> list[Refs]:
    """References as the database tells them: JSON without a line's end in it."""
    return _PAIRS.decode_lines("\n".join(texts))


class LinesDigest:
    """SHA-256 over every line as its table has it: whether a statement says something new."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._before = b"["

    def of_each(self, chunks: Iterable[_Columns]) -> Generator[_Columns]:
        """The same chunks, each of them digested when it is taken: JSON of one list of rows."""
        for columns in chunks:
            rows = msgspec.json.encode(list(zip(*columns, strict=True)))
            self._digest.update(self._before + rows[1:-1])
            self._before = b","
            yield columns

    def whole(self) -> bytes:
        """The digest of all that was taken."""
        whole = self._digest.copy()
        whole.update(b"]" if self._before == b"," else b"[]")
        return whole.digest()


def lines_digest(lines: Lines) -> bytes:
    """The digest of a statement's lines."""
    digest = LinesDigest()
    for _ in digest.of_each(_columns(lines)):
        pass
    return digest.whole()


def _columns(lines: Lines) -> Generator[_Columns]:
    """Lines as their table has them, behind the settlement they belong to: the columns of some at a time."""
    for at in range(0, len(lines), CHUNK):
        part = lines[at : at + CHUNK]
        refs = _JSON.encode_lines([line.refs for line in part]).decode().split("\n")[: len(part)]
        yield _of_bank(part, refs) if isinstance(part[0], BankLine) else _of_provider(part, refs)


def _of_bank(part: Lines, refs: Sequence[str]) -> _Columns:
    lines = cast("Sequence[BankLine]", part)
    return (
        [n.key for n in lines], [n.number for n in lines], [n.currency for n in lines], [n.amount_minor for n in lines],
        [n.booked for n in lines], [n.value for n in lines], [n.pending for n in lines], [n.reversal for n in lines],
        [n.text for n in lines], [n.counterparty for n in lines], refs,
    )  # fmt: skip


def _of_provider(part: Lines, refs: Sequence[str]) -> _Columns:
    lines = cast("Sequence[StatementLine]", part)
    return (
        [n.key for n in lines], [n.number for n in lines], [n.type for n in lines], [n.raw_type for n in lines],
        [n.currency for n in lines], [n.gross_minor for n in lines], [n.fee_minor for n in lines],
        [n.net_minor for n in lines], [n.at for n in lines], [n.day for n in lines], refs,
    )  # fmt: skip
