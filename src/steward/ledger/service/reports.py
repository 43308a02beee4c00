"""Reports from the books: statements, contribution, ageing, forecast, runway, what stock cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Literal

from steward.contracts.event import RecordedEvent
from steward.contracts.ledger import Span, Total
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import seeded_draws
from steward.ledger.core import statements
from steward.ledger.core.ageing import Aged, aged
from steward.ledger.core.costing import STOCK_TYPES, Method, Movement, Valuation, movements_of, value
from steward.ledger.core.forecast import Runway, WeekAhead, forecast, runway, weekly
from steward.ledger.core.margin import Attribution, Contribution, Dimension, add_leg
from steward.ledger.core.statements import Statement
from steward.ledger.service.books import Bookkeeping
from steward.ledger.service.postings import MoneyEvents
from steward.ledger.store import ReportReader

StatementName = Literal["trial-balance", "profit", "balance-sheet", "cash-flow"]
RECEIVABLES = ("assets:receivable", "assets:disputes", "assets:clearing", "assets:reserve", "assets:in_transit")
PAYABLES = ("liabilities:payable",)
STALE_DAYS = 7
LANDING_DAYS = 7
_PAGE = 5000


@dataclass(frozen=True, slots=True)
class StockValue:
    """What one SKU's stock is worth by a costing method."""

    sku: str
    currency: str
    valuation: Valuation


class Reports:
    """Everything is computed when it is asked for; nothing is stored."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        books: Bookkeeping,
        money: MoneyEvents,
        cash: Sequence[str],
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._books = books
        self._money = money
        self._cash = list(cash)
        self._reader = ReportReader()

    def statement(self, name: StatementName, span: Span, compare: Span | None = None) -> Statement:
        """A statement of a span, with another span's beside it. The trial balance and the balance sheet are of
        everything before the span's end.
        """
        with self._db.snapshot():
            own = self._statement(name, span)
            return own if compare is None else statements.beside(own, self._statement(name, compare))

    def _statement(self, name: StatementName, span: Span) -> Statement:
        if name == "profit":
            return statements.profit(self._books.span(span.since, span.until, span.known))
        closing = self._books.span(None, span.until, span.known)
        if name == "trial-balance":
            return statements.trial_balance(closing)
        if name == "balance-sheet":
            return statements.balance_sheet(closing)
        with self._db.transaction() as connection:
            moved = self._reader.cash_counterparts(connection, self._cash, span.since, span.until, span.known)
        opening: list[Total] = [] if span.since is None else self._books.span(None, span.since, span.known)
        return statements.cash_flow(opening, moved, closing, self._cash)

    def margin(self, dimension: Dimension, span: Span) -> dict[tuple[str, str], Contribution]:
        """Contribution by (value, currency); what nothing is known of is under the empty value. Adds up to the profit
        and loss account of the same span.
        """
        attribution = Attribution()
        for event in self._all({"OrderPlaced", *self._money.types}):
            envelope = event.envelope
            if envelope.type == "OrderPlaced":
                attribution.order(envelope.data)
            else:
                attribution.money(f"{envelope.source} {envelope.id}", envelope.data)
        found: dict[tuple[str, str], Contribution] = {}
        with self._db.transaction() as connection:
            for leg in self._reader.result_legs(connection, span.since, span.until, span.known):
                shares = attribution.shares(leg["source"], dimension)
                add_leg(found, shares, leg["code"], leg["currency"], leg["amount_minor"])
        return found

    def ageing(self, kind: Literal["receivable", "payable"], as_of: date, known: date | None = None) -> list[Aged]:
        """What is owed to us, or by us, before the day `as_of`, by account, party and age."""
        codes, sign = (RECEIVABLES, 1) if kind == "receivable" else (PAYABLES, -1)
        with self._db.transaction() as connection:
            return aged(self._reader.party_days(connection, codes, as_of, known), sign, as_of)

    # Cash

    def forecast(self, as_of: date, seed: int = 1) -> dict[str, tuple[int, list[int], list[WeekAhead]]]:
        """By currency: cash before the day `as_of`, the net flows of the full weeks before it, and thirteen weeks
        ahead; without weeks ahead where the history is too short.
        """
        with self._db.transaction() as connection:
            flows = self._reader.cash_days(connection, self._cash, as_of)
        found: dict[str, tuple[int, list[int], list[WeekAhead]]] = {}
        for currency, days in flows.items():
            cash, weeks = sum(flow.amount_minor for flow in days), weekly(days, as_of)
            found[currency] = (cash, weeks, forecast(cash, weeks, as_of, seeded_draws(seed)))
        return found

    def runway(self, as_of: date | None = None, seed: int = 1) -> dict[str, Runway]:
        """By currency, how long the cash that is free lasts. Free is what is in the bank less what open holds may take;
        what is on its way does not count.
        """
        day = as_of or self._today()
        with self._db.snapshot() as connection:
            flows = self._reader.cash_days(connection, self._cash, day)
            general = self._doubts(day)
            held = self._held()
            found: dict[str, Runway] = {}
            for currency, days in flows.items():
                weeks = weekly(days, day)
                free = sum(flow.amount_minor for flow in days) - held.get(currency, 0)
                doubts = [*general]
                if (age := (day - days[-1].on).days) > STALE_DAYS:
                    doubts.append(f"the newest movement of cash is {age} days old, of {days[-1].on}")
                found[currency] = runway(free, weeks, forecast(free, weeks, day, seeded_draws(seed)), doubts)
        return found

    def _today(self) -> date:
        return self._clock.now().astimezone(UTC).date() + timedelta(days=1)

    def _held(self) -> dict[str, int]:
        """What open holds may take from cash, by currency."""
        held: dict[str, int] = {}
        for account in self._books.books().accounts:
            if account["code"] in self._cash:
                held[account["currency"]] = held.get(account["currency"], 0) + account["pending_credit_minor"]
        return held

    def _doubts(self, day: date) -> list[str]:
        """Why the books may not say what is in the bank."""
        doubts: list[str] = []
        if unposted := len(self._money.unposted()):
            doubts.append(f"{unposted} money events are not posted; see `steward ledger unposted`")
        if behind := self._money.behind():
            doubts.append(f"{behind} money events have not been read yet")
        with self._db.transaction() as connection:
            transit = self._reader.party_days(connection, ["assets:in_transit"], day, None)
        for entry in aged(transit, 1, day):
            if entry.oldest is not None and (day - entry.oldest).days > LANDING_DAYS:
                doubts.append(f"a payout of {entry.oldest} has not landed ({entry.currency})")
            elif entry.open_minor < 0:
                doubts.append(f"more landed than was sent ({entry.currency})")
        return doubts

    # Stock

    def stock(self, method: Method) -> list[StockValue]:
        """Every SKU's stock by a costing method, from the goods events of the log in the order they happened. Goods
        whose event names no cost come in for nothing.
        """
        movements: dict[str, list[Movement]] = {}
        currencies: dict[str, str] = {}
        for event in sorted(self._all(set(STOCK_TYPES)), key=lambda e: (e.envelope.time, e.position)):
            data = event.envelope.data
            for sku, movement in movements_of(event.envelope.type, data):
                movements.setdefault(sku, []).append(movement)
                if data.get("currency"):
                    currencies.setdefault(sku, data["currency"])
        return [
            StockValue(sku, currencies.get(sku, ""), value(rows, method)) for sku, rows in sorted(movements.items())
        ]

    def _all(self, types: set[str]) -> Iterable[RecordedEvent]:
        after = 0
        while page := self._events.read(after, sorted(types), limit=_PAGE):
            after = page[-1].position
            yield from page
