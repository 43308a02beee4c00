"""The books' door for those who read: balances at any date, journals, exports, and the full audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from psycopg import Connection

from steward.contracts.ledger import Anchor, Total, Violation
from steward.events import EventLog
from steward.infra.db import Database, Row
from steward.kernel.instants import parse_instant
from steward.ledger.core.audit import Audit
from steward.ledger.core.journal import journal_lines
from steward.ledger.core.transfer import transfer_id
from steward.ledger.service.postings import MoneyEvents
from steward.ledger.store import LedgerReader, LedgerStore, total_of

_MOST_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Books:
    """Balances as of a time; `trial_balance` is per currency, in minor units."""

    accounts: list[Row]
    trial_balance: dict[str, int]

    @property
    def is_balanced(self) -> bool:
        return not any(self.trial_balance.values())


@dataclass(slots=True)
class LedgerReport:
    """What a full audit found."""

    transfers: int = 0
    postings: int = 0
    trial_balance: dict[str, int] = field(default_factory=dict[str, int])
    violations: list[Violation] = field(default_factory=list[Violation])

    @property
    def is_balanced(self) -> bool:
        return not self.violations and not any(self.trial_balance.values())


class Bookkeeping:
    """Everything that is read from the books."""

    def __init__(self, database: Database, events: EventLog, money: MoneyEvents) -> None:
        self._db = database
        self._events = events
        self._money = money
        self._reader = LedgerReader()
        self._store = LedgerStore()

    def books(self, as_of: datetime | None = None) -> Books:
        """Every account with its balance now, or from what happened before an instant."""
        with self._db.transaction() as connection:
            if as_of is None:
                accounts = [{**row, "postings": row["version"]} for row in self._reader.accounts(connection)]
            else:
                accounts = [
                    {**row, "amount_minor": row["debit_minor"] - row["credit_minor"]}
                    for row in self._reader.totals_before(connection, as_of)
                ]
        trial: dict[str, int] = {}
        for account in accounts:
            trial[account["currency"]] = trial.get(account["currency"], 0) + account["amount_minor"]
        return Books(accounts, trial)

    def totals(self) -> tuple[int, dict[str, int]]:
        """Transfers posted, and the trial balance from the balance rows."""
        with self._db.transaction() as connection:
            return int(self._reader.counts(connection)["transfers"]), self._reader.trial_balance(connection)

    def span(self, since: date | None, until: date | None, known: date | None = None) -> list[Total]:
        """Debits and credits by account, of what happened from `since` up to, not including, `until`, as it was known
        before the day `known`; None leaves an end open.
        """
        with self._db.transaction() as connection:
            return [total_of(row) for row in self._reader.totals(connection, since, until, known)]

    def journal(self, form: str) -> Iterator[str]:
        """The whole books for an outside tool, line by line, in posted order; `form` is a key of `FORMS`."""
        with self._db.transaction() as connection:
            accounts = [(row["code"], row["currency"]) for row in self._reader.accounts(connection)]
            yield from journal_lines(form, accounts, self._reader.journal(connection))

    def transfers(self, after: int, limit: int) -> list[Row]:
        """A page of transfers with their legs, in posted order; `transfer_no` is where the next page goes on."""
        with self._db.transaction() as connection:
            return self._reader.transfers(connection, after, limit)

    def transfer(self, own_id: str) -> Row | None:
        """One transfer with its legs, by its id."""
        with self._db.transaction() as connection:
            number = self._reader.number_of(connection, own_id)
            found = self._reader.transfers(connection, number - 1, 1) if number is not None else []
        return found[0] if found and found[0]["transfer_id"] == own_id else None

    def general_ledger(
        self, code: str | None, since: date | None, until: date | None, offset: int, limit: int
    ) -> list[Row]:
        """Postings of an account, or of all below a code, in chain order."""
        query = {"code": code, "since": since, "until": until, "offset": offset, "limit": limit}
        with self._db.transaction() as connection:
            rows = self._reader.general_ledger(connection, query)
        for row in rows:
            row["transfer_id"] = transfer_id(row["effective_at"], row.pop("key").bytes)
        return rows

    # The audit

    def check(self) -> LedgerReport:
        """Audit every row: chains, sums, limits' trace, derived sums, digests, anchors in the log, and the events that
        explain each transfer. Posting may go on meanwhile: what is audited is one snapshot.
        """
        report, audit = LedgerReport(), Audit()
        with self._db.snapshot() as connection:
            report.trial_balance = self._reader.trial_balance(connection)
            report.violations += self._sums(connection)
            for row in self._reader.audit(connection, "audit_transfers"):
                report.violations += audit.transfer(row)
            for row in self._reader.audit(connection, "audit_holds"):
                report.violations += audit.hold(row)
            for row in self._reader.audit(connection, "audit_rows"):
                audit.other(row)
            batches = list(self._reader.audit(connection, "audit_batches"))
            report.violations += self._sources(connection, audit)
        report.violations += self._batches(audit, batches)
        report.transfers, report.postings = audit.transfers, audit.postings
        del report.violations[_MOST_NAMED:]
        return report

    def _sources(self, connection: Connection[Row], audit: Audit) -> Iterator[Violation]:
        """Every money event that was read is posted as its rule says, or listed as one that cannot be."""
        ends = {datetime.combine(row["ends_on"], time(), tzinfo=UTC) for row in self._store.periods(connection)}
        listed = {row["position"] for row in self._store.unposted(connection)}
        for event, transfer, reason in self._money.expected():
            if event.position in listed:
                continue
            if transfer is not None:
                yield from audit.source(transfer, ends)
            elif reason:
                where = f"{event.envelope.source} {event.envelope.id}"
                yield Violation(where="ledger_unposted", row=where, what="is neither posted nor listed")

    def _batches(self, audit: Audit, batches: list[Row]) -> Iterator[Violation]:
        """Each batch beside its anchor. The newest anchors may wait in the outbox still; and what was posted since the
        snapshot was taken has an anchor, and a batch that the snapshot does not show.
        """
        self._events.sequence()
        anchors = self._anchors()
        with self._db.transaction() as connection:
            since = {row["batch_id"] for row in self._reader.audit(connection, "audit_batches")}
        since -= {row["batch_id"] for row in batches}
        yield from audit.batches(batches, {number: anchor for number, anchor in anchors.items() if number not in since})

    def _sums(self, connection: Connection[Row]) -> Iterator[Violation]:
        names = {row["account_id"]: f"{row['code']} {row['currency']}" for row in self._reader.accounts(connection)}
        for row in self._reader.audit(connection, "broken_chains"):
            name = f"{names.get(row['account_id'], row['account_id'])} version {row['version']}"
            what = f"should be version {row['place']} with balance {row['running']}, not {row['balance_after']}"
            yield Violation(where="posting", row=name, what=what)
        for row in self._reader.audit(connection, "wrong_balances"):
            name = names.get(row["account_id"], f"account {row['account_id']}")
            yield Violation(where="balance", row=name, what="is not what its postings and open holds make it")
        for row in self._reader.audit(connection, "orphans"):
            yield Violation(where=row["where_"], row=row["row_"], what=row["what"])
        for row in self._reader.audit(connection, "wrong_days"):
            yield Violation(where=row["where_"], row=row["row_"], what="is not the sum of the postings it folds")

    def _anchors(self) -> dict[int, Anchor]:
        """What the log says of each batch; events from before batches had numbers speak of books that are gone."""
        anchors: dict[int, Anchor] = {}
        after = 0
        while page := self._events.read(after, ["LedgerTransferPosted", "LedgerChanged"], limit=5000):
            after = page[-1].position
            for event in page:
                data = event.envelope.data
                if data.get("batch_id") is not None:
                    anchors[data["batch_id"]] = Anchor(
                        batch_id=data["batch_id"],
                        rows=data["rows"],
                        recorded_at=parse_instant(data["recorded_at"]),
                        digest=data["digest"],
                    )
        return anchors
