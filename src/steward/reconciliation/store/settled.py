"""Questions to matches and expectations. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection

from steward.contracts.base import Json
from steward.infra import sql
from steward.reconciliation.store.statements import Row


class SettledStore:
    """SQL that reads recon_item, expectation and audited bills."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.reconciliation", "facts.sql")

    def creator_settled(self, connection: Connection[Row], creator_id: str, currency: str) -> Json:
        values = {"creator_id": creator_id, "currency": currency}
        row = connection.execute(self._sql["creator_settled"], values).fetchone()
        return None if row is None else row["value"]

    def invoice_audited(self, connection: Connection[Row], supplier_id: str, invoice_id: str) -> tuple[bool, bool]:
        """Whether the books know a bill, and whether an audit judged it as it stands."""
        values = {"supplier_id": supplier_id, "invoice_id": invoice_id}
        row = connection.execute(self._sql["invoice_audited"], values).fetchone()
        return (False, False) if row is None else (row["is_known"], row["is_audited"])

    def invoice_disputed(self, connection: Connection[Row], supplier_id: str, invoice_id: str) -> Json:
        values = {"supplier_id": supplier_id, "invoice_id": invoice_id}
        row = connection.execute(self._sql["invoice_disputed"], values).fetchone()
        return None if row is None else row["value"]

    def settled_orders(self, connection: Connection[Row], orders: Sequence[str]) -> set[str]:
        rows = connection.execute(self._sql["settled_orders"], {"orders": list(orders)})
        return {row["order_id"] for row in rows}

    def shown_by(self, connection: Connection[Row], keys: Sequence[str]) -> dict[str, str]:
        rows = connection.execute(self._sql["shown_by"], {"keys": list(keys)})
        return {row["key"]: row["shown"] for row in rows}
