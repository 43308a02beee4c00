"""People apart from the log: personal fields are taken out of events before they are stored, and can be erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg import Connection

from steward.contracts.event import EventSpec
from steward.events import Prepared
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.infra.signing import secret_file
from steward.ingest.core.personal import alias, names_of, person_digest, shop_name, split
from steward.ingest.store import PeopleStore, PersonRow
from steward.kernel.canonical import JsonObject, parse_json
from steward.kernel.errors import BadInput

Row = dict[str, Any]


class People:
    """`key_file` holds the key of the digests people are looked up by: outside the database, like every key."""

    def __init__(self, database: Database, clock: Clock, specs: Sequence[EventSpec], key_file: Path) -> None:
        self._db = database
        self._clock = clock
        self._store = PeopleStore()
        self._key_file = key_file
        self._specs: Mapping[str, EventSpec] = {spec.type: spec for spec in specs if spec.personal}
        self._marks = {name: tuple(f'"{key}":'.encode() for key in spec.personal) for name, spec in self._specs.items()}

    def concerned(self, events: Sequence[Prepared]) -> list[int]:
        """Indexes of events that may hold personal fields. A cheap look at the bytes; a false yes costs only time."""
        marks = self._marks
        found: list[int] = []
        for index, event in enumerate(events):
            for mark in marks.get(event.type, ()):
                if mark in event.data_text:
                    found.append(index)
                    break
        return found

    def take_out(self, events: list[Prepared], concerned: Sequence[int]) -> list[Prepared]:
        """The events as the log may hold them; personal fields are stored apart first, in their own transaction, so a
        crash leaves at most fields that a redelivery finds again.
        """
        if not concerned:
            return events
        taken = list(events)
        with self._db.transaction() as connection:
            self._store.lock(connection)
            for index in concerned:
                taken[index] = self._without(connection, events[index])
        return taken

    def _without(self, connection: Connection[Row], event: Prepared) -> Prepared:
        spec = self._specs[event.type]
        rest, fields = split(parse_json(event.data_text), spec.personal)
        if not fields:
            return event.with_data(rest)
        seen = self._store.by_event(connection, [event.key]).get(event.key)
        if seen is not None:
            person, digest = seen
            if person.salt is not None:
                digest = person_digest(person.salt, fields)
        else:
            person = self._person(connection, event, rest, fields, spec.identity)
            digest = person_digest(person.salt or b"", fields)
            self._store.keep(connection, event.key, person.person_id, fields, digest)
        return event.with_data({**rest, "person_id": person.person_id, "person_digest": digest})

    def _person(
        self, connection: Connection[Row], event: Prepared, rest: JsonObject, fields: JsonObject, identity: str | None
    ) -> PersonRow:
        key = secret_file(self._key_file)
        names = names_of(event.source, rest, fields, identity) or [f"event:{event.key.hex()}"]
        aliases = [alias(key, name) for name in names]
        known = self._store.by_alias(connection, aliases)
        person = next((known[a] for a in aliases if a in known), None)
        if person is None:
            person = PersonRow(f"psn_{random_bytes(16).hex()}", random_bytes(32))
            self._store.add(connection, person, aliases, self._clock.now())
        elif len(known) < len(aliases):
            self._store.name(connection, person.person_id, aliases)
        return person

    def find(self, *, customer: str | None = None, source: str = "", email: str | None = None) -> str | None:
        """The person behind a shop's customer id (of a source) or an address; None where nobody is known by it."""
        name = shop_name(source, customer) if customer is not None else f"email:{(email or '').strip().lower()}"
        with self._db.transaction() as connection:
            found = self._store.by_alias(connection, [alias(secret_file(self._key_file), name)])
        return next((person.person_id for person in found.values()), None)

    def show(self, person_id: str) -> JsonObject:
        """Everything kept about a person: what the law calls a subject access request."""
        with self._db.transaction() as connection:
            person = self._existing(connection, person_id)
            rows = self._store.fields(connection, person_id)
        return {
            "person_id": person_id,
            "erased": person["erased_at"] is not None,
            "events": [{"event_key": row["event_key"].hex, "fields": row["fields"]} for row in rows],
        }

    def erase(self, person_id: str) -> JsonObject:
        """Forget a person. The log is untouched and stays provable: it never held more than an id and a digest."""
        with self._db.transaction() as connection:
            self._store.lock(connection)  # nobody adds to the person meanwhile
            self._existing(connection, person_id)
            return dict(self._store.erase(connection, person_id, self._clock.now()))

    def _existing(self, connection: Connection[Row], person_id: str) -> Row:
        person = self._store.find(connection, person_id)
        if person is None:
            raise BadInput(f"nobody has the id {person_id!r}", fix="find it by --customer or --email")
        return person
