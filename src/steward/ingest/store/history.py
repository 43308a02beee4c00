"""Tables of ingestion: source_file and listed_line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql
from steward.ingest.core.classify import Listed
from steward.kernel.canonical import JsonObject

Row = dict[str, Any]


class HistoryStore:
    """SQL of ingestion; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ingest")

    def add_file(
        self,
        connection: Connection[Row],
        sha256: bytes,
        name: str,
        lines: int,
        summary: JsonObject,
        read_at: datetime,
    ) -> None:
        connection.execute(
            self._sql["insert_file"],
            {"sha256": sha256, "name": name, "lines": lines, "summary": Jsonb(summary), "read_at": read_at},
        )

    def add_listed(self, connection: Connection[Row], sha256: bytes, listed: list[Listed], currency: str) -> None:
        rows = [
            {
                "document": item.row.document,
                "line": item.line_in_document,
                "rule": item.rule,
                "value_minor": item.row.value_minor,
                "currency": currency,
                "file_line": item.row.file_line,
                "raw": {
                    "sku": item.row.sku,
                    "description": item.row.description,
                    "quantity": item.row.quantity,
                    "unit_price": str(item.row.unit_price),
                    "customer": item.row.customer,
                    "country": item.row.country,
                },
            }
            for item in listed
        ]
        connection.execute(self._sql["insert_listed"], {"rows": Jsonb(rows), "sha256": sha256})

    def by_rule(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["listed_by_rule"]).fetchall()
