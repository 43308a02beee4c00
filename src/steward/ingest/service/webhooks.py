"""Webhooks in: stored as they came, acknowledged, then understood; what is missing is polled for and compared.

Providers deliver at least once, in any order, and sometimes not at all. Duplicates and order are harmless because a
mapping names facts, not deliveries: the same fact is the same event however often and however it comes. What never
came is found by reading the provider's own list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.vault import Vault
from steward.ingest.adapters import Providers
from steward.ingest.core.webhooks import (
    MAPPINGS,
    CompiledMapping,
    Ignored,
    Mapped,
    RawDelivery,
    Roots,
    Scheme,
    Unreadable,
    Verified,
    apply_mapping,
    certificate_url,
    delivery_key,
    parse_document,
    schemes,
    verify,
)
from steward.ingest.service.ingestor import Ingestor
from steward.ingest.store import DeliveryStore, NewDelivery
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput, Busy, Infrastructure

Row = dict[str, Any]
MOST_ATTEMPTS = 8
_BATCH = 50
_KEEP_REFUSED = 10_000
_DROPPED_HEADERS = {"cookie", "proxy-authorization"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a delivery was answered: taken (again), or refused with a code."""

    state: Literal["taken", "known", "refused"]
    code: str = ""
    reason: str = ""


class Webhooks:
    """`mappings` are the shop's own declarative ones by name; `roots` the authorities that vouch for certificates."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        log: EventLog,
        ingestor: Ingestor,
        vault: Vault,
        providers: Providers,
        mappings: Mapping[str, CompiledMapping],
        roots: Roots,
    ) -> None:
        self._db = database
        self._clock = clock
        self._log = log
        self._ingestor = ingestor
        self._vault = vault
        self._providers = providers
        self._mappings = mappings
        self._schemes = schemes(roots) | {name: mapping.scheme for name, mapping in mappings.items()}
        self._store = DeliveryStore()

    def providers(self) -> list[JsonObject]:
        """Every provider there is a mapping for, its signature scheme and whether a secret is set."""
        return [
            {
                "provider": name,
                "scheme": scheme.name,
                "documented": scheme.documented,
                "signs_time": scheme.signs_time,
                "secrets": len(self._vault.webhooks.get(name, ())),
            }
            for name, scheme in sorted(self._schemes.items())
        ]

    def receive(self, provider: str, delivery: RawDelivery) -> Receipt:
        """Check the signature, store the delivery, and only then say it was taken. Closed by default: without a
        secret every delivery is refused. Raises `BadInput` for a provider there is no mapping for.
        """
        scheme = self._scheme(provider)
        now = self._clock.now()
        secrets = self._vault.webhooks.get(provider, ())
        address = certificate_url(delivery) if scheme.certificate_header and secrets else None
        if address:
            delivery = replace(delivery, certificate=self._providers.certificate(address))
        checked = verify(scheme, delivery, secrets, now)
        headers = {name: value for name, value in delivery.headers.items() if name not in _DROPPED_HEADERS}
        new = NewDelivery(
            provider,
            delivery_key(provider, delivery),
            headers,
            delivery.body,
            now,
            state="received" if isinstance(checked, Verified) else "refused",
            reason=None if isinstance(checked, Verified) else f"{checked.code}: {checked.reason}",
        )
        with self._db.transaction() as connection:
            number = self._store.add(connection, new)
        if not isinstance(checked, Verified):
            return Receipt("refused", checked.code, checked.reason)
        return Receipt("taken" if number is not None else "known")

    def normalise(self) -> int:
        """Understand what is stored: one batch of deliveries, each in a transaction of its own. How many there were."""
        done = 0
        while done < _BATCH and self._one():
            done += 1
        return done

    def _one(self) -> bool:
        with self._db.transaction() as connection:
            rows = self._store.open_ones(connection, MOST_ATTEMPTS, 1)
            if not rows:
                return False
            self._understand(connection, rows[0])
        return True

    def _understand(self, connection: Connection[Row], row: Row) -> None:
        """Map, ingest, and record what became of it. What cannot be read fails at once and stays listed; a database
        that does not answer leaves the delivery for later.
        """
        settle = self._settler(connection, row["delivery_id"])
        try:
            document = parse_document(bytes(row["body"]))
        except BadInput as error:
            settle("failed", str(error), (), MOST_ATTEMPTS)
            return
        if not self._scheme(row["provider"]).documented:
            try:
                document = self._providers.fetched(row["provider"], document)
            except (BadInput, Infrastructure) as error:
                settle("failed", f"not believed until fetched again: {error}", (), row["attempts"] + 1)
                return
        mapped = self._map(row["provider"], document, row["headers"])
        if isinstance(mapped, Ignored):
            settle("ignored", mapped.reason, (), row["attempts"] + 1)
        elif isinstance(mapped, Unreadable):
            settle("failed", f"{mapped.path}: {mapped.reason}", (), MOST_ATTEMPTS)
        else:
            self._ingest(mapped, settle, row["attempts"] + 1)

    def _settler(self, connection: Connection[Row], number: int) -> Callable[..., None]:
        def settle(state: Any, reason: str | None, keys: Sequence[bytes], attempts: int) -> None:
            self._store.settle(connection, number, state, reason, keys, attempts)

        return settle

    def _ingest(self, envelopes: Sequence[Envelope], settle: Callable[..., None], attempts: int) -> None:
        try:
            taken = self._ingestor.take(envelopes)
        except (Busy, Infrastructure) as error:
            settle("failed", str(error), (), attempts)
            return
        keys = [self._log.key_of(envelope) for envelope in envelopes]
        conflicts = [item for item in taken.rejected if item.code == "conflict"]
        others = [item for item in taken.rejected if item.code != "conflict"]
        if others:
            reasons = "; ".join(f"event {item.index} {item.code} {item.path}: {item.detail}" for item in others[:5])
            settle("failed", reasons, keys, MOST_ATTEMPTS)
        else:
            kept = (
                f"{len(conflicts)} events differ from what is stored and are kept as conflicts" if conflicts else None
            )
            settle("done", kept, keys, attempts)

    def _map(self, provider: str, document: JsonObject, headers: Mapping[str, str]) -> Mapped:
        own = self._mappings.get(provider)
        return apply_mapping(own, document) if own is not None else MAPPINGS[provider](document, headers)

    def _scheme(self, provider: str) -> Scheme:
        scheme = self._schemes.get(provider)
        if scheme is None:
            raise BadInput(f"there is no mapping for {provider!r}", fix="see docs/guides/webhooks.md")
        return scheme

    def compare(self, provider: str, since: datetime) -> JsonObject:
        """Poll and compare: what the provider lists since an instant against what the log holds. A listed object with
        a fact that is missing is stored as a polled delivery and understood like any other.
        """
        missing = listed = 0
        unread: list[str] = []
        for document, headers in self._providers.listed(provider, since):
            mapped = self._map(provider, document, headers)
            if isinstance(mapped, Unreadable):
                unread.append(f"{mapped.path}: {mapped.reason}")
            if isinstance(mapped, Ignored | Unreadable):
                continue
            listed += len(mapped)
            absent = self._log.absent(mapped)
            missing += len(absent)
            if absent:
                body = canonical_bytes(document)
                raw = RawDelivery("POST", "", headers, body)
                new = NewDelivery(
                    provider, delivery_key(provider, raw), headers, body, self._clock.now(), origin="poll"
                )
                with self._db.transaction() as connection:
                    self._store.add(connection, new)
        while self.normalise():
            pass
        return {"facts": listed, "missing": missing, "unreadable": unread}

    def deliveries(self, state: str | None, provider: str | None, limit: int) -> list[Row]:
        with self._db.transaction() as connection:
            return self._store.listed(connection, state, provider, limit)

    def retry(self, provider: str | None = None) -> int:
        """Try failed deliveries again, after a mapping or secret was mended."""
        with self._db.transaction() as connection:
            tried = self._store.retry(connection, provider)
        while self.normalise():
            pass
        return tried

    def forget_refused(self) -> int:
        """Keep only the newest refused deliveries."""
        with self._db.transaction() as connection:
            return self._store.forget_refused(connection, _KEEP_REFUSED)
