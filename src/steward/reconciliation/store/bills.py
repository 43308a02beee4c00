"""Bills, their lines, and what happened that they may bill. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from steward.contracts.invoice import BillableFact, Billed, Invoice, InvoiceLine, Settled
from steward.infra import sql
from steward.infra.copying import copy_rows
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant
from steward.reconciliation.store.statements import Row


class BillStore:
    """SQL of invoice_file, invoice, invoice_line, invoice_fact and invoice_audited."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.reconciliation", "invoices.sql")

    def known(self, connection: Connection[Row], digest: bytes) -> Row | None:
        return connection.execute(self._sql["known_bill"], {"digest": digest}).fetchone()

    def add_file(self, connection: Connection[Row], values: Row) -> None:
        made = {**values, "controls": Jsonb(values["controls"]), "rejected": Jsonb(values["rejected"])}
        connection.execute(self._sql["add_bill_file"], made)

    def in_force(self, connection: Connection[Row], vendor: str, number: str) -> Row | None:
        values = {"vendor": vendor, "number": number}
        return connection.execute(self._sql["invoice_in_force"], values).fetchone()

    def add(self, connection: Connection[Row], values: Row, invoice: Invoice) -> None:
        """A version of an invoice with its lines."""
        connection.execute(self._sql["add_invoice"], {**values, "totals": Jsonb(values["totals"])})
        own = values["invoice_id"]
        copy_rows(
            connection,
            self._sql["copy_invoice_lines"],
            (
                (
                    own, one.number, one.service, one.subject, one.sku, one.day, one.at, one.quantity, one.unit_minor,
                    one.amount_minor, one.currency,
                )
                for one in invoice.lines
            ),
        )  # fmt: skip

    def supersede(self, connection: Connection[Row], invoice_id: str, by: str, now: datetime) -> None:
        connection.execute(self._sql["supersede_invoice"], {"invoice_id": invoice_id, "by": by, "now": now})

    def lines(self, connection: Connection[Row]) -> list[Billed]:
        """Every line in force. A key names the version, so that a corrected line is another one."""
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._sql["invoice_lines"])
            return [
                Billed(line_key(vendor, number, version, line[0]), vendor, number, issued, InvoiceLine(*line))
                for vendor, number, version, issued, *line in cursor
            ]

    def put_facts(self, connection: Connection[Row], facts: Sequence[tuple[int, BillableFact]]) -> None:
        """Facts with the position of their event."""
        rows = [_fact_row(position, fact) for position, fact in facts]
        connection.execute(self._sql["put_invoice_facts"], {"rows": Jsonb(rows)})

    def facts(self, connection: Connection[Row], as_of: datetime) -> list[BillableFact]:
        with connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(self._sql["invoice_facts"], {"as_of": as_of})
            return [BillableFact(*row) for row in cursor]

    def listed(self, connection: Connection[Row], vendor: str | None, limit: int) -> list[Row]:
        return connection.execute(self._sql["invoices"], {"vendor": vendor, "limit": limit}).fetchall()

    def refused(self, connection: Connection[Row], limit: int) -> list[Row]:
        return connection.execute(self._sql["refused_bills"], {"limit": limit}).fetchall()

    def mark_audited(self, connection: Connection[Row], run_id: str, now: datetime) -> None:
        """Every bill in force was judged by this run."""
        connection.execute(self._sql["mark_audited"], {"run_id": run_id, "now": now})

    def open_claims(self, connection: Connection[Row], vendor: str | None = None) -> list[Row]:
        return connection.execute(self._sql["open_claims"], {"vendor": vendor}).fetchall()

    def settled(self, connection: Connection[Row]) -> list[Settled]:
        """What people resolved; a credit took nothing of an invoice's own lines."""
        return [
            Settled(
                row["key"], row["provider"], row["evidence"]["invoice"], row["ended_how"],
                0 if row["type"] == "invoice_credit" else int(row["evidence"]["posts_minor"]),
            )
            for row in connection.execute(self._sql["settled_claims"])
        ]  # fmt: skip


def line_key(vendor: str, number: str, version: int, line: int) -> str:
    """What a line is called: `vendor/invoice/line`, with its version where it was corrected."""
    return f"{vendor}/{number}/{line}" if version == 1 else f"{vendor}/{number}~{version}/{line}"


def _fact_row(position: int, fact: BillableFact) -> JsonObject:
    return {
        "kind": fact.kind, "key": fact.key, "subject": fact.subject, "sku": fact.sku, "party": fact.party,
        "at": format_instant(fact.at), "quantity": fact.quantity, "amount_minor": fact.amount_minor,
        "currency": fact.currency, "position": position,
    }  # fmt: skip
