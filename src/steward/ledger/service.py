"""Post money events by rule, read balances, audit, export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation

from steward.contracts.event import Envelope, RecordedEvent
from steward.contracts.ledger import Account, BatchDigest, PostingRule, Transfer, Violation
from steward.contracts.payloads import PAYLOADS
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.kernel.errors import Conflict
from steward.kernel.ids import derived_id, idempotency_key
from steward.kernel.instants import unix_ms
from steward.ledger.core.audit import (
    StoredBooks,
    audit_batches,
    audit_chains,
    audit_sources,
    audit_transfers,
)
from steward.ledger.core.journal import hledger_lines
from steward.ledger.core.rules import legs_of
from steward.ledger.core.transfer import batch_digest, digest_of, row_digest
from steward.ledger.store import LedgerStore, PostingBatch, Row

_READER = "ledger"
_BATCH = 5000
_OWN_SOURCE = "steward/ledger"


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


class Ledger:
    """Double-entry books of one business."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        chart: tuple[Account, ...],
        rules: Mapping[str, PostingRule],
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._normal = {account.code.split("{")[0]: account.normal for account in chart}
        self._rules = dict(rules)
        self._store = LedgerStore()

    def post_pending(self, progress: Callable[[int], None] = lambda _n: None) -> int:
        """Post every money event not yet posted, in batches; each batch, its checkpoint and its anchor event are
        one transaction. Returns how many events were read.
        """
        total = 0
        while read := self._events.follow(_READER, sorted(self._rules), _BATCH, self._post_events):
            total += read
            progress(read)
        return total

    def _post_events(self, events: list[RecordedEvent]) -> None:
        transfers = [t for event in events if (t := self.transfer_of(event.envelope))]
        if transfers:
            self.post(transfers, f"{events[0].position:012d}")

    def transfer_of(self, envelope: Envelope) -> Transfer | None:
        """The transfer this event's rule makes; None where every leg is zero."""
        rule = self._rules[envelope.type]
        legs = legs_of(rule, envelope, _defaults(envelope.type))
        if not legs:
            return None
        key = idempotency_key(rule.kind, envelope.source, envelope.id)
        return Transfer(
            id=derived_id("tfr", unix_ms(envelope.time), key),
            key=key,
            kind=rule.kind,
            effective_at=envelope.time,
            source=f"{envelope.source} {envelope.id}",
            legs=legs,
        )

    def post(self, transfers: list[Transfer], batch: str) -> list[tuple[int, str]]:
        """Post a batch and anchor its digest in the log. Duplicates are no-ops; anything else refused raises
        `Conflict` and posts nothing. Returns the duplicates as (line, code).
        """
        now = self._clock.now()
        bodies = [digest_of(transfer) for transfer in transfers]
        rows = [
            row_digest(transfer.id, body, now, batch, line)
            for line, (transfer, body) in enumerate(zip(transfers, bodies, strict=True), start=1)
        ]
        with self._db.transaction() as connection:
            ids = self._store.open_accounts(connection, sorted(self._accounts_of(transfers)))
            try:
                refused = self._store.post(connection, PostingBatch(batch, now, transfers, bodies, rows), ids)
            except UniqueViolation as error:
                raise Conflict(
                    "another transaction posted one of these keys just now", where=f"batch {batch}"
                ) from error
            wrong = [(transfers[line - 1].key, code) for line, code in refused if code != "duplicate"]
            if wrong:
                raise Conflict(f"the ledger refused {len(wrong)} transfers, first {wrong[0]}", where=f"batch {batch}")
            skipped = {line for line, _ in refused}
            posted = [i for i in range(len(transfers)) if i + 1 not in skipped]
            if posted:
                first, last = transfers[posted[0]], transfers[posted[-1]]
                self._events.put(
                    [
                        Envelope(
                            id=f"batch:{batch}",
                            source=_OWN_SOURCE,
                            type="LedgerTransferPosted",
                            subject="ledger",
                            time=max(transfers[i].effective_at for i in posted),
                            data={
                                "transfers": len(posted),
                                "first_source": first.source,
                                "last_source": last.source,
                                "digest": batch_digest(rows[i] for i in posted),
                            },
                        )
                    ]
                )
        return refused

    def _accounts_of(self, transfers: list[Transfer]) -> set[tuple[str, str, str]]:
        return {
            (leg.account, leg.currency, self._normal_of(leg.account)) for transfer in transfers for leg in transfer.legs
        }

    def _normal_of(self, code: str) -> str:
        return self._normal.get(code) or self._normal[code.rsplit(":", 1)[0] + ":"]

    def books(self, as_of: datetime | None = None) -> Books:
        with self._db.transaction() as connection:
            accounts = self._store.balances(connection, as_of)
        trial: dict[str, int] = {}
        for account in accounts:
            trial[account["currency"]] = trial.get(account["currency"], 0) + account["amount_minor"]
        return Books(accounts, trial)

    def totals(self) -> tuple[int, dict[str, int]]:
        """Transfers posted, and the trial balance from the balance rows."""
        with self._db.transaction() as connection:
            return self._store.transfer_count(connection), self._store.trial_balance(connection)

    def check(self) -> LedgerReport:
        """Audit every row: chains, sums, digests, anchors in the log, and the events that explain each transfer."""
        with self._db.transaction() as connection:
            books = StoredBooks(
                self._store.stored_balances(connection),
                self._store.postings(connection),
                self._store.transfers(connection),
            )
            report = LedgerReport(len(books.transfers), len(books.postings), self._store.trial_balance(connection))
        report.violations += [*audit_chains(books), *audit_transfers(books)]
        report.violations += audit_batches(books, self._anchors())
        report.violations += audit_sources(books, self._expected())
        return report

    def _anchors(self) -> dict[str, BatchDigest]:
        anchors: dict[str, BatchDigest] = {}
        for event in _pages(self._events, ["LedgerTransferPosted"]):
            data = event.envelope.data
            anchors[event.envelope.id.removeprefix("batch:")] = BatchDigest(
                transfers=data["transfers"], digest=data["digest"]
            )
        return anchors

    def _expected(self) -> Iterator[Transfer]:
        reached = self._events.reached(_READER)
        for event in _pages(self._events, sorted(self._rules)):
            if event.position <= reached and (transfer := self.transfer_of(event.envelope)):
                yield transfer

    def hledger(self) -> Iterator[str]:
        """The whole books as journal lines, in posted order."""
        with self._db.transaction() as connection:
            accounts = [(row["code"], row["currency"]) for row in self._store.stored_balances(connection)]
            yield from hledger_lines(accounts, self._store.journal(connection))


def _pages(events: EventLog, types: list[str]) -> Iterator[RecordedEvent]:
    after = 0
    while page := events.read(after, types, limit=5000):
        yield from page
        after = page[-1].position


def _defaults(event_type: str) -> dict[str, Any]:
    """Values of the payload's optional fields, as its model declares them."""
    fields = PAYLOADS[event_type].model_fields
    return {name: info.default for name, info in fields.items() if not info.is_required()}
