"""The books' door for those who move money: post, hold, finish, limit, close."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Literal

from psycopg import Connection
from psycopg.errors import NumericValueOutOfRange, UniqueViolation

from steward.contracts.event import Envelope
from steward.contracts.ledger import Account, Finish, Hold, Leg, NotPosted, Transfer
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database, Row
from steward.kernel.errors import BadInput, Conflict
from steward.kernel.instants import format_instant
from steward.ledger.core.codes import MEANING
from steward.ledger.store import (
    AccountIds,
    LedgerStore,
    Packed,
    Standing,
    Written,
    pack_finishes,
    pack_holds,
    pack_transfers,
)

MOST_IN_A_BATCH = 5000
SOURCE = "steward/ledger"
BUDGET = "equity:appropriated:{budget}"
_PART = r"[A-Za-z0-9._-]+"
_ATTEMPTS = 4
_RELEASE_AT_ONCE = 1000
State = Literal["open", "soft", "closed"]


class Chart:
    """The chart of accounts: which codes there may be, and their normal side."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._exact = {account.code: account for account in accounts if "{" not in account.code}
        self._patterns = [
            (re.compile(re.sub(r"\\\{[a-z_]+\\\}", _PART, re.escape(account.code))), account)
            for account in accounts
            if "{" in account.code
        ]
        self.cash = sorted(account.code for account in accounts if account.cash)

    def account(self, code: str) -> Account | None:
        """The chart's entry for a code; None where it has none."""
        if (exact := self._exact.get(code)) is not None:
            return exact
        return next((account for pattern, account in self._patterns if pattern.fullmatch(code)), None)

    def normal(self, code: str) -> Literal["debit", "credit"] | None:
        account = self.account(code)
        return None if account is None else account.normal


class Ledger:
    """Double-entry books of one business. Every method is one transaction, and joins one that is open already."""

    def __init__(self, database: Database, clock: Clock, events: EventLog, chart: Sequence[Account]) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._store = LedgerStore()
        self._ids: AccountIds = {}
        self._next = threading.Lock()
        self.chart = Chart(chart)

    def post(self, transfers: Sequence[Transfer]) -> list[NotPosted]:
        """Post up to 5,000 transfers as if one after another; what changed nothing comes back with its code. Raises
        `BadInput` on what no transfer can be (a text too long, an amount beyond 64 bits).
        """
        _check_sizes(transfers)
        if not transfers:
            return []
        legs = [leg for transfer in transfers for leg in transfer.legs]
        written = self._write(
            lambda ids: pack_transfers(transfers, ids), legs, self._store.post, self._anchor_post(transfers)
        )
        return _not_posted(written, [transfer.key for transfer in transfers])

    def hold(self, holds: Sequence[Hold]) -> list[NotPosted]:
        """Set money aside, one hold after another."""
        _check_sizes(holds)
        if not holds:
            return []
        legs = [leg for hold in holds for leg in hold.legs]
        written = self._write(lambda ids: pack_holds(holds, ids), legs, self._store.hold, self._anchor("holds"))
        return _not_posted(written, [hold.key for hold in holds])

    def finish(self, finishes: Sequence[Finish]) -> list[NotPosted]:
        """Post or void holds, one after another."""
        _check_sizes(finishes)
        if not finishes:
            return []
        with self._db.transaction() as connection:
            held = self._store.holds(connection, sorted({finish.hold for finish in finishes}))
            legs = [leg for hold in held.values() for leg in hold.legs]
            legs += [leg for finish in finishes for leg in finish.legs or ()]
        written = self._write(
            lambda ids: pack_finishes(finishes, held, ids), legs, self._store.finish, self._anchor("finishes")
        )
        return _not_posted(written, [finish.key for finish in finishes])

    def acquaint(self, names: Sequence[tuple[str, str]]) -> None:
        """Look up accounts that are open before a transaction that asks for them, and remember them for good."""
        unknown = sorted(name for name in names if name not in self._ids)
        if unknown and not self._db.is_in_transaction:
            with self._db.transaction() as connection:
                ids = self._store.account_ids(connection, unknown)
            self._ids = {**self._ids, **ids}

    def locked(
        self, names: Sequence[tuple[str, str]], *, for_update: bool = True
    ) -> Callable[[], dict[tuple[str, str], Standing]]:
        """Asks now, tells when called: balances and pending amounts of accounts, by (code, currency), locked to the
        end of the caller's transaction in the order every hold and posting locks them; an account that is not open is
        left out. Without `for_update` they are only read.
        """
        with self._db.transaction() as connection:
            ids = {name: self._ids[name] for name in names if name in self._ids}
            if len(ids) < len(names):
                ids = self._store.account_ids(connection, sorted(names))
            rows = self._store.standings(connection, sorted(ids.values()), for_update=for_update)

        def told() -> dict[tuple[str, str], Standing]:
            found = rows()
            return {name: found[number] for name, number in ids.items()}

        return told

    def grant(self, budget: str, currency: str, amount_minor: int, key: str, by: str, reason: str) -> list[NotPosted]:
        """Appropriate equity to a budget: what may be set aside from it. Once a key. The account's ceiling of zero
        keeps the budget from being overdrawn, whoever posts or holds.
        """
        _check_trace(by, reason)
        code = BUDGET.format(budget=budget)
        if self.chart.account(code) is None or amount_minor <= 0:
            what = f"cannot grant {amount_minor} to {budget!r}"
            raise BadInput(what, fix="give a name of letters, digits, dots and dashes, and more than nothing")
        legs = (
            Leg(account="equity:retained", currency=currency, amount_minor=amount_minor),
            Leg(account=code, currency=currency, amount_minor=-amount_minor),
        )
        transfer = Transfer(
            key=f"budget.grant:{key}",
            kind="budget.grant",
            effective_at=self._clock.now(),
            source=f"{SOURCE}/grant/{key}",
            legs=legs,
            party=by,
        )
        with self._db.transaction():
            refused = self.post([transfer])
            if not refused:
                self.set_limits(code, currency, None, 0, by, reason)
        return refused

    def budgets(self) -> list[Row]:
        """Every budget: what is granted, what is set aside of it, and what may still be."""
        with self._db.transaction() as connection:
            return self._store.budgets(connection, BUDGET.format(budget="%"))

    def release_expired(self) -> int:
        """Release every hold whose time is over; how many."""
        total = 0
        while True:
            now = self._clock.now()
            with self._db.transaction() as connection:
                batch, released = self._store.release(connection, now, _RELEASE_AT_ONCE)
                if batch is not None:
                    self._anchor_batch(connection, batch, "releases")
            total += released
            if released < _RELEASE_AT_ONCE:
                return total

    def set_limits(
        self, code: str, currency: str, floor: int | None, ceiling: int | None, by: str, reason: str
    ) -> None:
        """Where an account must stay, in minor units, debits positive; None is no limit. Opens the account."""
        if floor is not None and ceiling is not None and floor > ceiling:
            raise BadInput(f"the floor {floor} is above the ceiling {ceiling}", where=f"{code} {currency}")
        self._change(code, currency, {"limits": True, "floor": floor, "ceiling": ceiling, "closed": None}, by, reason)

    def set_closed(self, code: str, currency: str, closed: bool, by: str, reason: str) -> None:
        """Close an account to every posting and hold, or open it again."""
        self._change(code, currency, {"limits": False, "floor": None, "ceiling": None, "closed": closed}, by, reason)

    def _change(self, code: str, currency: str, change: Row, by: str, reason: str) -> None:
        _check_trace(by, reason)
        with self._db.transaction() as connection:
            ids = self._account_ids(connection, {(code, currency)})
            if (code, currency) not in ids:
                raise BadInput(f"the chart has no account {code!r}", where=currency, fix="see catalog/accounts.yaml")
            parameters = {**change, "account_id": ids[code, currency], "by": by, "reason": reason}
            batch = self._store.change_account(connection, {**parameters, "now": self._clock.now()})
            self._anchor_batch(connection, batch, "account")

    def set_period(self, name: str, starts_on: date, ends_on: date, state: State, by: str, reason: str) -> None:
        """Open, softly close, close or reopen the days from `starts_on` up to, not including, `ends_on`. A period's
        days never change and no two periods share one: `BadInput`.
        """
        _check_trace(by, reason)
        if not starts_on < ends_on:
            raise BadInput(f"a period starts before it ends, not {starts_on} to {ends_on}", where=name)
        with self._db.transaction() as connection:
            for row in self._store.periods(connection):
                keeps_its_days = (row["starts_on"], row["ends_on"]) == (starts_on, ends_on)
                overlaps = row["starts_on"] < ends_on and starts_on < row["ends_on"]
                if (not keeps_its_days) if row["name"] == name else overlaps:
                    raise BadInput(
                        f"period {row['name']} is {row['starts_on']} to {row['ends_on']}, exclusive",
                        where=name,
                        fix="periods keep their days and share none",
                    )
            parameters = {
                "name": name,
                "starts": starts_on,
                "ends": ends_on,
                "state": state,
                "by": by,
                "reason": reason,
            }
            batch = self._store.set_period(connection, {**parameters, "now": self._clock.now()})
            self._anchor_batch(connection, batch, "period")

    def set_rate(self, base: str, quote: str, on: date, rate: Fraction, source: str) -> None:
        """From `on`, one major unit of `base` is `rate` of `quote`, until a later one is written down."""
        if base == quote or rate <= 0:
            raise BadInput(f"no rate between {base} and {quote} can be {rate}")
        with self._db.transaction() as connection:
            parameters = {"base": base, "quote": quote, "on": on, "source": source, "now": self._clock.now()}
            parameters |= {"numerator": rate.numerator, "denominator": rate.denominator}
            self._anchor_batch(connection, self._store.set_rate(connection, parameters), "rate")

    def rate(self, base: str, quote: str, on: date) -> Fraction | None:
        """The newest rate written down for a day on or before `on`; None where there is none."""
        with self._db.transaction() as connection:
            row = self._store.rate(connection, base, quote, on)
        return None if row is None else Fraction(row["numerator"], row["denominator"])

    def fold(self, least: int = 100) -> int:
        """Add up accounts with at least `least` postings since they were last, so that balances at any date stay
        cheap; how many accounts were.
        """
        with self._db.transaction() as connection:
            return self._store.fold(connection, least)

    def first_open(self, at: datetime) -> datetime:
        """When what happened at `at` may be effective: then, or at the first instant after what is shut."""
        with self._db.transaction() as connection:
            shut = [row for row in self._store.periods(connection) if row["state"] != "open"]
        for period in shut:  # in order of their days
            if period["starts_on"] <= at.astimezone(UTC).date() < period["ends_on"]:
                at = datetime.combine(period["ends_on"], time(), tzinfo=UTC)
        return at

    # How a batch is written

    def _write(
        self,
        pack: Callable[[AccountIds], Packed],
        legs: Sequence[Leg],
        write: Callable[[Connection[Row], Packed, datetime], Written],
        anchor: Callable[[Connection[Row], Written], None],
    ) -> Written:
        """Two batches at once can hold one new key: the later one is written again and finds a duplicate."""
        names = {(leg.account, leg.currency) for leg in legs}
        is_joined = self._db.is_in_transaction
        for attempt in range(_ATTEMPTS):
            try:
                # Accounts are opened, and the batch packed, before anybody's turn is taken: while one batch is posted
                # the next is made ready. In somebody's transaction an account opened here is part of it.
                ready = None if is_joined else pack(self._opened(names))
                # Who writes next waits here and not for the locks of the database, each account one after another.
                # Inside somebody's transaction, which may hold such locks, waiting here could be for each other.
                with nullcontext() if is_joined else self._next, self._db.transaction() as connection:
                    packed = ready or pack(self._account_ids(connection, names))
                    written = write(connection, packed, self._clock.now())
                    if written.batch_id is not None:
                        anchor(connection, written)
                    return written
            except UniqueViolation as error:
                if self._db.is_in_transaction or attempt == _ATTEMPTS - 1:
                    raise Conflict("another transaction posted one of these keys just now", fix="try again") from error
            except (OverflowError, NumericValueOutOfRange) as error:
                raise BadInput("an amount or a balance does not fit 64 bits", fix="amounts go up to 10^15") from error
        raise AssertionError("unreachable")

    def _opened(self, names: set[tuple[str, str]]) -> AccountIds:
        """Ids of these accounts, opened and committed where only the chart knew them, and remembered."""
        if not names <= self._ids.keys():
            with self._next, self._db.transaction() as connection:
                ids = self._account_ids(connection, names)
            self._ids = {**self._ids, **ids}
        return self._ids

    def _account_ids(self, connection: Connection[Row], names: set[tuple[str, str]]) -> AccountIds:
        """Ids of these accounts, opening those that only the chart knows; what it does not know is left out. Nothing
        is remembered: in a transaction that was open before, an account may be its own.
        """
        if names <= self._ids.keys():
            return self._ids
        wanted = sorted(names)
        ids = self._store.account_ids(connection, wanted)
        new = [
            (code, currency, normal)
            for code, currency in wanted
            if (code, currency) not in ids and (normal := self.chart.normal(code)) is not None
        ]
        if new:
            batch = self._store.open_accounts(connection, new, self._clock.now())
            if batch is not None:
                self._anchor_batch(connection, batch, "accounts")
            return self._store.account_ids(connection, wanted)
        return ids

    # What the log says of a batch

    def _anchor_post(self, transfers: Sequence[Transfer]) -> Callable[[Connection[Row], Written], None]:
        def anchor(_connection: Connection[Row], written: Written) -> None:
            refused = {line for line, _ in written.refused}
            first = next(line for line in range(1, len(transfers) + 1) if line not in refused)
            last = next(line for line in range(len(transfers), 0, -1) if line not in refused)
            sources = transfers[first - 1].source, transfers[last - 1].source
            data = {"transfers": written.rows, "first_source": sources[0], "last_source": sources[1]}
            self._put("LedgerTransferPosted", written, data)

        return anchor

    def _anchor(self, what: str) -> Callable[[Connection[Row], Written], None]:
        return lambda _connection, written: self._put("LedgerChanged", written, {"what": what})

    def _anchor_batch(self, connection: Connection[Row], batch_id: int, what: str) -> None:
        self._put("LedgerChanged", self._store.batch(connection, batch_id), {"what": what})

    def _put(self, event_type: str, written: Written, data: Row) -> None:
        if written.recorded_at is None:
            raise AssertionError("a batch that was written has its time")
        stamp = format_instant(written.recorded_at)
        self._events.put(
            [
                Envelope(
                    id=f"batch:{written.batch_id}",
                    source=SOURCE,
                    type=event_type,
                    subject="ledger",
                    time=written.recorded_at,
                    data={
                        **data,
                        "batch_id": written.batch_id,
                        "rows": written.rows,
                        "recorded_at": stamp,
                        "digest": written.digest,
                    },
                )
            ]
        )


def _not_posted(written: Written, keys: Sequence[str]) -> list[NotPosted]:
    return [NotPosted(line=line, key=keys[line - 1], code=code, detail=MEANING[code]) for line, code in written.refused]


def _check_sizes(entries: Sequence[Transfer] | Sequence[Hold] | Sequence[Finish]) -> None:
    if len(entries) > MOST_IN_A_BATCH:
        raise BadInput(f"a batch has at most {MOST_IN_A_BATCH} entries, not {len(entries)}", fix="send several")
    for line, entry in enumerate(entries, start=1):
        if not isinstance(entry, Finish) and not _is_short(entry):
            raise BadInput(
                "kind has 1 to 64 characters, source up to 1100, party up to 256, none of them zero",
                where=f"entry {line}, {entry.key!r}",
            )
        if entry.legs is not None and len(entry.legs) > 1000:
            raise BadInput("an entry has at most 1000 legs", where=f"entry {line}, {entry.key!r}")


def _is_short(entry: Transfer | Hold) -> bool:
    kind, source, party = entry.kind, entry.source, entry.party or ""
    is_short = 0 < len(kind) <= 64 and len(source) <= 1100 and len(party) <= 256
    return is_short and "\0" not in kind and "\0" not in source and "\0" not in party


def _check_trace(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise BadInput("a change to the books says who made it and why", fix="give both")
