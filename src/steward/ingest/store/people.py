"""SQL of people: person, person_alias, person_field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as stored; `salt` is None once erased."""

    person_id: str
    salt: bytes | None


class PeopleStore:
    """Every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ingest")

    def by_alias(self, connection: Connection[Row], aliases: Sequence[bytes]) -> dict[bytes, PersonRow]:
        rows = connection.execute(self._sql["people_by_alias"], {"aliases": list(aliases)})
        return {bytes(row["alias"]): _person(row) for row in rows}

    def by_event(self, connection: Connection[Row], keys: Sequence[bytes]) -> dict[bytes, tuple[PersonRow, str]]:
        """Who an event was about and the digest the log holds, by event key."""
        rows = connection.execute(self._sql["people_by_event"], {"keys": [UUID(bytes=key) for key in keys]})
        return {row["event_key"].bytes: (_person(row), row["digest"]) for row in rows}

    def add(self, connection: Connection[Row], person: PersonRow, aliases: Sequence[bytes], at: datetime) -> None:
        connection.execute(
            self._sql["insert_person"], {"person_id": person.person_id, "salt": person.salt, "created_at": at}
        )
        self.name(connection, person.person_id, aliases)

    def name(self, connection: Connection[Row], person_id: str, aliases: Sequence[bytes]) -> None:
        connection.execute(self._sql["insert_aliases"], {"person_id": person_id, "aliases": list(aliases)})

    def keep(self, connection: Connection[Row], key: bytes, person_id: str, fields: JsonObject, digest: str) -> None:
        connection.execute(
            self._sql["insert_fields"],
            {"key": UUID(bytes=key), "person_id": person_id, "fields": Jsonb(fields), "digest": digest},
        )

    def lock(self, connection: Connection[Row]) -> None:
        """One at a time may make new people, so that nobody is made twice."""
        connection.execute(self._sql["lock_people"])

    def fields(self, connection: Connection[Row], person_id: str) -> list[Row]:
        return connection.execute(self._sql["fields_of"], {"person_id": person_id}).fetchall()

    def find(self, connection: Connection[Row], person_id: str) -> Row | None:
        return connection.execute(self._sql["get_person"], {"person_id": person_id}).fetchone()

    def erase(self, connection: Connection[Row], person_id: str, at: datetime) -> Row:
        """Forget everything; returns how many rows each table lost."""
        found = connection.execute(self._sql["erase_person"], {"person_id": person_id, "at": at}).fetchone()
        return found or {}


def _person(row: Row) -> PersonRow:
    return PersonRow(row["person_id"], bytes(row["salt"]) if row["salt"] is not None else None)
