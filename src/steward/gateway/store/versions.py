"""Versions of the catalog and what people signed. Every method runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection

from steward.infra import sql

Row = dict[str, Any]
_BYTES = ("digest", "previous", "rules_digest", "theorem_digest")


def _plain(row: Row) -> Row:
    """Digests as hex."""
    return {name: bytes(v).hex() if name in _BYTES and v is not None else v for name, v in row.items()}


class VersionStore:
    """SQL of catalog_version and catalog_approval."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def in_force(self, connection: Connection[Row]) -> Row | None:
        row = connection.execute(self._sql["catalog_in_force"]).fetchone()
        return None if row is None else _plain(row)

    def all(self, connection: Connection[Row]) -> list[Row]:
        return [_plain(row) for row in connection.execute(self._sql["catalog_versions"])]

    def document(self, connection: Connection[Row], number: int) -> str:
        row = connection.execute(self._sql["catalog_document"], {"number": number}).fetchone()
        return "" if row is None else str(row["document"])

    def add(self, connection: Connection[Row], version: Row) -> bool:
        """Whether it was added; not where its number is taken."""
        return connection.execute(self._sql["add_catalog_version"], version).fetchone() is not None

    def approve(self, connection: Connection[Row], approval: Row) -> None:
        connection.execute(self._sql["add_catalog_approval"], approval)

    def approvals(self, connection: Connection[Row], digest: str, previous: str) -> list[Row]:
        values = {"digest": digest, "previous": previous}
        return connection.execute(self._sql["catalog_approvals"], values).fetchall()

    def under_way(self, connection: Connection[Row], now: datetime) -> list[Row]:
        return connection.execute(self._sql["under_way"], {"now": now}).fetchall()
