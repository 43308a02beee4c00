"""What is read from the books: balances at any date, journals, pages, and whole tables for the audit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from steward.contracts.ledger import JournalEntry, JournalPosting, Total
from steward.infra import sql
from steward.ledger.core.transfer import key_range, transfer_id
from steward.ledger.store.tables import Row

_PAGE = 5000


class LedgerReader:
    """Reads only; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ledger")

    def accounts(self, connection: Connection[Row]) -> list[Row]:
        """Every account with its limits and its balance as it stands."""
        return connection.execute(self._sql["accounts_now"]).fetchall()

    def totals(
        self, connection: Connection[Row], since: date | None, until: date | None, known: date | None = None
    ) -> list[Row]:
        """Debits and credits by account of days from `since` up to, not including, `until`, as known before the day
        `known`.
        """
        return connection.execute(
            self._sql["totals"], {"since": since, "until": until, "known": known}, prepare=True
        ).fetchall()

    def totals_before(self, connection: Connection[Row], instant: datetime) -> list[Row]:
        """The same up to an instant, which may lie within a day."""
        at = instant.astimezone(UTC)
        midnight = datetime(at.year, at.month, at.day, tzinfo=UTC)
        rows = self.totals(connection, None, midnight.date())
        if at == midnight:
            return rows
        part = connection.execute(self._sql["part_of_day"], {"since": midnight, "until": at}).fetchall()
        by_name = {(row["code"], row["currency"]): row for row in part}
        none = {"debit_minor": 0, "credit_minor": 0, "postings": 0}
        for row in rows:
            more = by_name.get((row["code"], row["currency"]), none)
            for name in none:
                row[name] += more[name]
        return rows

    def counts(self, connection: Connection[Row]) -> Row:
        row = connection.execute(self._sql["counts"]).fetchone()
        return row or {}

    def trial_balance(self, connection: Connection[Row]) -> dict[str, int]:
        return {row["currency"]: row["amount_minor"] for row in connection.execute(self._sql["trial_balance"])}

    def journal(self, connection: Connection[Row]) -> Iterator[JournalEntry]:
        """Transfers in posted order, each with its postings in line order."""
        current: list[Row] = []
        for row in self._stream(connection, "journal"):
            if current and current[0]["transfer_no"] != row["transfer_no"]:
                yield _entry(current)
                current = []
            current.append(row)
        if current:
            yield _entry(current)

    def general_ledger(self, connection: Connection[Row], query: Row) -> list[Row]:
        return connection.execute(self._sql["general_ledger"], query).fetchall()

    def transfers(self, connection: Connection[Row], after: int, limit: int) -> list[Row]:
        """A page of transfers with their legs, ids of ours in place of keys."""
        rows = connection.execute(self._sql["transfers_page"], {"after": after, "limit": limit}).fetchall()
        for row in rows:
            row["transfer_id"] = transfer_id(row["effective_at"], row.pop("key").bytes)
            reversed_key, reversed_at = row.pop("reverses_key"), row.pop("reverses_at")
            row["reverses"] = transfer_id(reversed_at, reversed_key.bytes) if reversed_key is not None else None
        return rows

    def number_of(self, connection: Connection[Row], own_id: str) -> int | None:
        """The number of a transfer by its id; None where there is none."""
        low, high = key_range(own_id)
        query = {"low": UUID(bytes=low), "high": UUID(bytes=high)}
        row = connection.execute(self._sql["transfer_between"], query).fetchone()
        return row["transfer_no"] if row else None

    def audit(self, connection: Connection[Row], query: str) -> Iterator[Row]:
        """All rows of one of the audit's queries, a page in memory at a time."""
        return self._stream(connection, query)

    def _stream(self, connection: Connection[Row], query: str) -> Iterator[Row]:
        with connection.cursor(name=query) as cursor:
            cursor.itersize = _PAGE
            yield from cursor.execute(self._sql[query])


def total_of(row: Row) -> Total:
    return Total(
        code=row["code"],
        currency=row["currency"],
        normal=row["normal"],
        debit_minor=row["debit_minor"],
        credit_minor=row["credit_minor"],
    )


def _entry(rows: list[Row]) -> JournalEntry:
    first: dict[str, Any] = rows[0]
    return JournalEntry(
        on=first["effective_at"].astimezone(UTC).date(),
        transfer_id=transfer_id(first["effective_at"], first["key"].bytes),
        kind=first["kind"],
        source=first["source"],
        party=first["party"],
        postings=tuple(
            JournalPosting(
                account=row["code"],
                currency=row["currency"],
                amount_minor=row["amount_minor"],
                balance_after=row["balance_after"],
            )
            for row in rows
        ),
    )
