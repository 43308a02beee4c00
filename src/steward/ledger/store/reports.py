"""What reports are made of, read in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from psycopg import Connection

from steward.contracts.ledger import Total
from steward.infra import sql
from steward.ledger.core.ageing import PartyDay
from steward.ledger.core.forecast import Flow
from steward.ledger.store.reading import total_of
from steward.ledger.store.tables import Row

_PAGE = 5000


class ReportReader:
    """Reads only."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ledger")
        self._facts = sql.load("steward.ledger", "facts.sql")

    def account_now(self, connection: Connection[Row], code: str, currency: str) -> Row | None:
        """Balance, floor and ceiling of one account; None where it was never opened."""
        return connection.execute(self._facts["account_now"], {"code": code, "currency": currency}).fetchone()

    def held_on(self, connection: Connection[Row], code: str, currency: str) -> list[int]:
        """What each open hold would add to an account."""
        query = {"code": code, "currency": currency}
        return [row["amount_minor"] for row in connection.execute(self._facts["account_held"], query)]

    def cash_counterparts(
        self,
        connection: Connection[Row],
        cash: Sequence[str],
        since: date | None,
        until: date | None,
        known: date | None,
    ) -> list[Total]:
        query = {"cash": list(cash), "since": since, "until": until, "known": known}
        return [total_of(row) for row in connection.execute(self._sql["cash_counterparts"], query)]

    def party_days(
        self, connection: Connection[Row], codes: Sequence[str], until: date, known: date | None
    ) -> list[PartyDay]:
        """Movements up to, not including, a day on these accounts and those below them."""
        query = {"codes": list(codes), "until": until, "known": known}
        return [
            PartyDay(row["code"], row["currency"], row["party"], row["effective_on"], row["amount_minor"])
            for row in connection.execute(self._sql["party_days"], query)
        ]

    def cash_days(self, connection: Connection[Row], cash: Sequence[str], until: date) -> dict[str, list[Flow]]:
        """Net flows by currency, a day each, in order."""
        found: dict[str, list[Flow]] = {}
        for row in connection.execute(self._sql["cash_days"], {"cash": list(cash), "until": until}):
            found.setdefault(row["currency"], []).append(Flow(row["effective_on"], row["amount_minor"]))
        return found

    def result_legs(
        self, connection: Connection[Row], since: date | None, until: date | None, known: date | None
    ) -> Iterator[Row]:
        """Source, code, currency and amount of every leg of the profit and loss account, a page in memory at a time."""
        with connection.cursor(name="result_legs") as cursor:
            cursor.itersize = _PAGE
            yield from cursor.execute(self._sql["result_legs"], {"since": since, "until": until, "known": known})

    def open_holds(self, connection: Connection[Row], now: datetime) -> tuple[int, int]:
        """Holds that have not ended, and how many of them are past their time."""
        row = connection.execute(self._sql["open_holds"], {"now": now}).fetchone()
        return (row["open"], row["expired"]) if row else (0, 0)
