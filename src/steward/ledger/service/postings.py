"""Money events become transfers: each by its rule, in order, exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from steward.contracts.event import Envelope, RecordedEvent
from steward.contracts.ledger import NotPosted, PostingRule, Transfer
from steward.contracts.payloads import PAYLOADS
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.ledger.core.rules import EventRules, Unpostable
from steward.ledger.service.ledger import Ledger
from steward.ledger.store import LedgerStore

READER = "ledger"
_BATCH = 2000
_DONE = {"duplicate"}


@dataclass(frozen=True, slots=True)
class Unposted:
    """A money event that no rule could post, and why."""

    position: int
    event_type: str
    source: str
    reason: str


class MoneyEvents:
    """The reader of the log that keeps the books."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        ledger: Ledger,
        rules: Sequence[PostingRule],
    ) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._ledger = ledger
        self._store = LedgerStore()
        self.types = sorted({rule.event for rule in rules})
        self._rules = {
            event: EventRules([rule for rule in rules if rule.event == event], _defaults(event)) for event in self.types
        }

    def post_pending(self, progress: Callable[[int], None] = lambda _n: None) -> int:
        """Post every money event not yet posted, in batches; each batch, its checkpoint and its anchor are one
        transaction. What cannot be posted is listed with its reason and does not hold up the rest. Returns how many
        events were read.
        """
        total = 0
        while read := self._events.follow(READER, self.types, _BATCH, self._post):
            total += read
            progress(read)
        return total

    def retry(self) -> list[Unposted]:
        """Try again what could not be posted; what still cannot be."""
        with self._db.transaction() as connection:
            rows = self._store.unposted(connection)
            for start in range(0, len(rows), _BATCH):
                positions = [row["position"] for row in rows[start : start + _BATCH]]
                self._store.drop_unposted(connection, positions)
                self._post([event for position in positions for event in self._events.read(position - 1, limit=1)])
        return self.unposted()

    def unposted(self) -> list[Unposted]:
        with self._db.transaction() as connection:
            rows = self._store.unposted(connection)
        return [Unposted(row["position"], row["event_type"], row["source"], row["reason"]) for row in rows]

    def behind(self) -> int:
        """How many money events are in the log and not read yet, counted up to a thousand."""
        return len(self._events.read(self._events.reached(READER), self.types, limit=1000))

    def transfer_of(self, envelope: Envelope) -> Transfer | None:
        """The transfer this event's rule makes; None where it moves no money. Raises `Unpostable`."""
        rule, legs = self._rules[envelope.type].apply(envelope)
        if not legs:
            return None
        party = envelope.data.get(rule.party) if rule.party is not None else None
        return Transfer(
            key=f"{rule.kind} {len(envelope.source)}:{envelope.source}{envelope.id}",
            kind=rule.kind,
            effective_at=envelope.time,
            source=f"{envelope.source} {envelope.id}",
            legs=legs,
            party=None if party is None else str(party),
        )

    def expected(self) -> Iterator[tuple[RecordedEvent, Transfer | None, str]]:
        """Every money event up to the reader's checkpoint, with its transfer or the reason why it has none."""
        reached, after = self._events.reached(READER), 0
        while page := self._events.read(after, self.types, limit=5000):
            after = page[-1].position
            for event in page:
                if event.position > reached:
                    return
                try:
                    yield event, self.transfer_of(event.envelope), ""
                except Unpostable as error:
                    yield event, None, str(error)

    def _post(self, events: list[RecordedEvent]) -> None:
        by_key: dict[str, tuple[RecordedEvent, Transfer]] = {}
        for event in events:
            try:
                transfer = self.transfer_of(event.envelope)
            except Unpostable as error:
                self._list(event, str(error))
                continue
            if transfer is not None:
                by_key[transfer.key] = (event, transfer)
        late: list[Transfer] = []
        for refused in self._post_all([transfer for _, transfer in by_key.values()]):
            event, transfer = by_key[refused.key]
            if refused.code == "period_closed":
                late.append(self._moved(transfer))
            else:
                self._list(event, f"{refused.code}: {refused.detail}")
        for refused in self._post_all(late):
            self._list(by_key[refused.key][0], f"{refused.code}: {refused.detail}")

    def _post_all(self, transfers: list[Transfer]) -> list[NotPosted]:
        """What was refused and is not posted already."""
        return [refused for refused in self._ledger.post(transfers) if refused.code not in _DONE] if transfers else []

    def _moved(self, transfer: Transfer) -> Transfer:
        """What happened in a closed period is posted at the first instant after it that is open."""
        return transfer.model_copy(update={"effective_at": self._ledger.first_open(transfer.effective_at)})

    def _list(self, event: RecordedEvent, reason: str) -> None:
        envelope = event.envelope
        with self._db.transaction() as connection:
            source = f"{envelope.source} {envelope.id}"
            self._store.put_unposted(connection, event.position, envelope.type, source, reason, self._clock.now())


def _defaults(event_type: str) -> Mapping[str, Any]:
    """Values of the payload's optional fields, as its model declares them."""
    fields = PAYLOADS[event_type].model_fields
    return {name: info.default for name, info in fields.items() if not info.is_required()}
