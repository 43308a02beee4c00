"""What persons accepted of other people's MCP tools."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from steward.infra import sql

Row = dict[str, Any]


class PinStore:
    """SQL of pins; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.gateway")

    def accepted(self, connection: Connection[Row], server: str) -> dict[str, str]:
        """Tool to the digest accepted last."""
        rows = connection.execute(self._sql["accepted_pins"], {"server": server}).fetchall()
        return {row["tool"]: row["digest"] for row in rows}

    def accept(self, connection: Connection[Row], values: Row) -> None:
        connection.execute(self._sql["accept_pin"], values)
