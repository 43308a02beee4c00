"""Months end and books begin: the checklist of a close, revaluation of currencies, opening balances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

from steward.contracts.event import Envelope
from steward.contracts.ledger import Leg, NotPosted, Transfer
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.canonical import digest_hex
from steward.kernel.errors import BadInput, Conflict
from steward.kernel.instants import format_instant
from steward.ledger.core.ageing import aged
from steward.ledger.core.opening import EQUITY, OpeningLine, RejectedLine, read_opening
from steward.ledger.core.revaluation import unbooked_result
from steward.ledger.service.books import Bookkeeping
from steward.ledger.service.ledger import SOURCE, Ledger
from steward.ledger.service.postings import MoneyEvents
from steward.ledger.store import LedgerStore, ReportReader

REVALUATION = "close.revaluation"
OPENING = "opening"
_LANDING_DAYS = 7


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist of a close."""

    name: str
    is_met: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Revalued:
    """What a revaluation posted: the loss (negative: a gain) in the own currency, and currencies without a rate."""

    loss_minor: int
    missing: list[str]
    refused: list[NotPosted]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a file of opening balances did: nothing at all where a line is rejected."""

    lines: list[OpeningLine]
    rejected: list[RejectedLine]
    refused: list[NotPosted]


class Closing:
    """The rarer moves of the books, each one transaction."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        ledger: Ledger,
        books: Bookkeeping,
        money: MoneyEvents,
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._ledger = ledger
        self._books = books
        self._money = money
        self._store = LedgerStore()
        self._reader = ReportReader()

    # Closing a period

    def checklist(self, starts_on: date, ends_on: date, own: str) -> list[Check]:
        """What must be so before the days up to, not including, `ends_on` are closed."""
        return list(self._checks(starts_on, ends_on, own))

    def _checks(self, starts_on: date, ends_on: date, own: str) -> Iterable[Check]:
        now = self._clock.now()
        yield Check("over", now.date() >= ends_on, f"the last day is {ends_on - timedelta(days=1)}")
        report = self._books.check()
        yield Check("audit", report.is_balanced, f"{len(report.violations)} violations in {report.transfers} transfers")
        unread, unposted = self._money.behind(), len(self._money.unposted())
        yield Check("posted", not unread + unposted, f"{unread} money events unread, {unposted} cannot be posted")
        with self._db.transaction() as connection:
            periods = self._store.periods(connection)
            transit = self._reader.party_days(connection, ["assets:in_transit"], ends_on, None)
            _, expired = self._reader.open_holds(connection, now)
        earlier = [row["name"] for row in periods if row["ends_on"] <= starts_on and row["state"] != "closed"]
        yield Check("earlier periods", not earlier, f"not closed: {', '.join(earlier)}" if earlier else "all closed")
        late = [a for a in aged(transit, 1, ends_on) if a.oldest and (ends_on - a.oldest).days > _LANDING_DAYS]
        detail = "; ".join(f"{a.open_minor} minor units of {a.currency} since {a.oldest}" for a in late)
        yield Check("payouts landed", not late, detail or "nothing on its way for more than a week")
        yield Check("holds", not expired, f"{expired} holds are past their time and not released")
        loss, missing = self._unbooked(ends_on, own)
        detail = f"no rate for {', '.join(missing)}" if missing else f"{loss} minor units of {own} not booked yet"
        yield Check("currencies revalued", not missing and not loss, detail)

    def close(
        self, name: str, starts_on: date, ends_on: date, own: str, by: str, reason: str, accepted: Sequence[str] = ()
    ) -> list[Check]:
        """Close a period whose checklist is met but for what is `accepted` by name; `Conflict` where it is not. The
        event of the close holds a digest over the trial balance.
        """
        checks = self.checklist(starts_on, ends_on, own)
        if unknown := set(accepted) - {check.name for check in checks}:
            raise BadInput(f"the checklist has no {sorted(unknown)}", fix=f"{[check.name for check in checks]}")
        failing = [check for check in checks if not check.is_met and check.name not in accepted]
        if failing:
            what = "; ".join(f"{check.name}: {check.detail}" for check in failing)
            raise Conflict(f"{name} cannot be closed: {what}", fix="mend it, or accept it by name with a reason")
        waived = [check.name for check in checks if not check.is_met]
        why = f"{reason} (accepted: {', '.join(waived)})" if waived else reason
        with self._db.transaction():
            self._ledger.set_period(name, starts_on, ends_on, "closed", by, why)
            self._events.put([self._closed(name, ends_on, by, len(waived))])
        return checks

    def _closed(self, name: str, ends_on: date, by: str, unreconciled: int) -> Envelope:
        rows = [
            {"account": t.code, "currency": t.currency, "debit_minor": t.debit_minor, "credit_minor": t.credit_minor}
            for t in self._books.span(None, ends_on)
            if t.debit_minor or t.credit_minor
        ]
        at = datetime.combine(ends_on, time(), tzinfo=UTC)
        now = self._clock.now()
        return Envelope(
            id=f"period:{name}:{format_instant(now)}",
            source=SOURCE,
            type="PeriodClosed",
            subject="ledger",
            time=now,
            data={
                "period": name,
                "closes_at": format_instant(at),
                "digest": digest_hex(rows),
                "closed_by": by,
                "unreconciled": unreconciled,
            },
        )

    # Currencies

    def revalue(self, ends_on: date, own: str) -> Revalued:
        """Book what positions in other currencies gained or lost by the day before `ends_on`, in the currency `own`."""
        with self._db.transaction():
            loss, missing = self._unbooked(ends_on, own)
            if missing or loss == 0:
                return Revalued(loss if not missing else 0, missing, [])
            at = datetime.combine(ends_on, time(), tzinfo=UTC) - timedelta(microseconds=1)
            versions = [a["version"] for a in self._books.books().accounts if a["code"] == f"fx:{own}"]
            transfer = Transfer(
                key=f"{REVALUATION} {own} {ends_on} {sum(versions)}",
                kind=REVALUATION,
                effective_at=at,
                source=f"{SOURCE} revaluation {own} {ends_on}",
                legs=(
                    Leg(account="expenses:fx", currency=own, amount_minor=loss),
                    Leg(account=f"fx:{own}", currency=own, amount_minor=-loss),
                ),
            )
            return Revalued(loss, [], self._ledger.post([transfer]))

    def _unbooked(self, ends_on: date, own: str) -> tuple[int, list[str]]:
        positions: dict[str, int] = {}
        for total in self._books.span(None, ends_on):
            if total.code.startswith("fx:"):
                positions[total.currency] = positions.get(total.currency, 0) + total.net_minor
        last = ends_on - timedelta(days=1)
        return unbooked_result(positions, own, lambda currency: self._rate(currency, own, last))

    def _rate(self, base: str, quote: str, on: date) -> Fraction | None:
        """The newer rate, in whichever direction it was written down."""
        direct = self._ledger.rate(base, quote, on)
        if direct is not None:
            return direct
        inverse = self._ledger.rate(quote, base, on)
        return None if inverse is None else 1 / inverse

    # Opening balances

    def open_books(self, text: str, on: date) -> Opened:
        """Post opening balances of a day from a CSV file, against `equity:opening`. All of it or nothing: where a line
        is rejected nothing is posted. The same file for the same day is posted once.
        """
        lines, rejected = read_opening(text, lambda code: self._ledger.chart.account(code) is not None)
        if rejected or not lines:
            return Opened(lines, rejected, [])
        sums: dict[str, int] = {}
        for line in lines:
            sums[line.currency] = sums.get(line.currency, 0) + line.amount_minor
        legs = [Leg(account=line.account, currency=line.currency, amount_minor=line.amount_minor) for line in lines]
        legs += [
            Leg(account=EQUITY, currency=currency, amount_minor=-amount) for currency, amount in sums.items() if amount
        ]
        rows = [{"account": leg.account, "currency": leg.currency, "amount_minor": leg.amount_minor} for leg in legs]
        digest = digest_hex(rows)
        transfer = Transfer(
            key=f"{OPENING} {on} {digest}",
            kind=OPENING,
            effective_at=datetime.combine(on, time(), tzinfo=UTC),
            source=f"{SOURCE} {OPENING} {digest}",
            legs=tuple(legs),
        )
        return Opened(lines, [], [refused for refused in self._ledger.post([transfer]) if refused.code != "duplicate"])
