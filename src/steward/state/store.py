"""Tables of state: sale, sale_line, refund, refund_link, snapshot."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from steward.contracts.snapshot import Snapshot
from steward.infra import sql
from steward.kernel.instants import format_instant
from steward.state.core.link import Bought, Linked, Part, Purchase, Refund

Row = dict[str, Any]


class StateStore:
    """SQL of the read models; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.state")
        self._facts = sql.load("steward.state", "facts.sql")

    def one(self, connection: Connection[Row], query: str, **parameters: Any) -> Row:
        row = connection.execute(self._sql[query], parameters).fetchone()
        if row is None:
            raise LookupError(f"{query} returned nothing")
        return row

    def many(self, connection: Connection[Row], query: str, **parameters: Any) -> list[Row]:
        return connection.execute(self._sql[query], parameters).fetchall()

    def fact_names(self) -> list[str]:
        """The facts that are one query each: `order_captured` is order.captured."""
        return [name.replace("_", ".", 1) for name in self._facts.names()]

    def fact(self, connection: Connection[Row], name: str, parameters: Row) -> Any:
        """The value a fact's query gives; None where it gives none."""
        row = connection.execute(self._facts[name.replace(".", "_", 1)], parameters).fetchone()
        return None if row is None else row["value"]

    def project(self, connection: Connection[Row], after: int, until: int) -> None:
        for query in ("project_sales", "project_refunds"):
            connection.execute(self._sql[query], {"after": after, "until": until})

    def purchases(
        self, connection: Connection[Row], customer: str, skus: list[str], at: datetime, position: int
    ) -> dict[str, list[Purchase]]:
        """A customer's purchases before (at, position), newest first, by product."""
        found: dict[str, list[Purchase]] = defaultdict(list)
        parameters = {"customer": customer, "skus": skus, "at": at, "position": position}
        for row in connection.execute(self._sql["purchases"], parameters):
            found[row["sku"]].append(Purchase(**row))
        return found

    def bought(self, connection: Connection[Row], refunds: list[Refund]) -> list[Bought]:
        """What could have been refunded: every purchase of these customers of these products, newest first."""
        pairs = sorted({(refund.customer, line.sku) for refund in refunds for line in refund.lines})
        parameters = {"customers": [pair[0] for pair in pairs], "skus": [pair[1] for pair in pairs]}
        return [
            Bought(
                row["customer_id"],
                (row["occurred_at"], row["position"]),
                Purchase(row["order_id"], row["line"], row["sku"], row["quantity"], row["total_minor"], 0, 0),
            )
            for row in connection.execute(self._sql["bought"], parameters)
        ]

    def linked(self, connection: Connection[Row], bought: list[Bought]) -> list[Linked]:
        """What earlier batches of refunds took from these purchases."""
        parameters = {
            "orders": [item.purchase.order_id for item in bought],
            "lines": [item.purchase.line for item in bought],
        }
        return [
            Linked(
                row["order_id"],
                row["line"],
                (row["occurred_at"], row["position"]),
                row["quantity"],
                row["amount_minor"],
            )
            for row in connection.execute(self._sql["linked"], parameters)
        ]

    def add_links(self, connection: Connection[Row], made: list[tuple[Refund, list[Part]]]) -> None:
        rows = [
            {
                "refund_id": refund.refund_id,
                "part": i,
                "order_id": part.purchase.order_id,
                "line": part.purchase.line,
                "sku": part.purchase.sku,
                "quantity": part.quantity,
                "amount_minor": part.amount_minor,
                "occurred_at": format_instant(refund.at[0]),
                "position": refund.at[1],
            }
            for refund, parts in made
            for i, part in enumerate(parts, start=1)
        ]
        if rows:
            connection.execute(self._sql["insert_links"], {"rows": Jsonb(rows)})

    def add_snapshot(self, connection: Connection[Row], snapshot: Snapshot) -> bool:
        """Whether it is new."""
        row = connection.execute(
            self._sql["insert_snapshot"],
            {
                "snapshot_id": UUID(snapshot.id[4:]),
                "as_of": snapshot.as_of,
                "currency": snapshot.currency,
                "metrics": Jsonb(snapshot.metrics),
                "digest": bytes.fromhex(snapshot.digest),
            },
        ).fetchone()
        return row is not None

    def snapshots(self, connection: Connection[Row], as_of: datetime | None = None) -> list[Snapshot]:
        """All snapshots, or the one of an instant, as stored."""
        query, parameters = ("all_snapshots", {}) if as_of is None else ("get_snapshot", {"as_of": as_of})
        return [
            Snapshot(
                id=f"snp_{row['snapshot_id'].hex}",
                as_of=row["as_of"],
                currency=row["currency"],
                metrics=row["metrics"],
                digest=bytes(row["digest"]).hex(),
            )
            for row in connection.execute(self._sql[query], parameters)
        ]

    def fill(self, connection: Connection[Row], until: int) -> bool:
        """Fill emptied read models without indexes, then make those. Whether it worked: where an order stands in the
        log twice it does not, nothing is changed, and `wipe` with `project` is the way.
        """
        try:
            with connection.transaction():
                connection.execute(self._sql["bare"])
                for query in ("fill_sales", "fill_sale_lines"):
                    connection.execute(self._sql[query], {"until": until})
                connection.execute(self._sql["project_refunds"], {"after": 0, "until": until})
                connection.execute(self._sql["indexed"])
        except UniqueViolation:
            return False
        return True

    def wipe(self, connection: Connection[Row]) -> None:
        connection.execute(self._sql["wipe"])
