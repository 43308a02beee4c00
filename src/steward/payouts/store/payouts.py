"""Payouts with their lines, and who they are for. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from steward.infra import sql
from steward.payouts.core.bills import Bill, allot
from steward.payouts.core.owed import Line
from steward.payouts.core.recipients import Who

Row = dict[str, Any]


class PayoutStore:
    """SQL of payout, payout_line and payee_name."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.payouts")

    def take_turn(self, connection: Connection[Row]) -> None:
        """Wait until nobody else prepares payouts; held to the end of the caller's transaction."""
        connection.execute(self._sql["payout_turn"])

    def commissions(self, connection: Connection[Row], creator_id: str | None, now: datetime) -> list[Row]:
        """Every commission with what was reversed of it and what payouts hold of it."""
        return connection.execute(self._sql["commissions"], {"creator_id": creator_id, "now": now}).fetchall()

    def elsewhere(self, connection: Connection[Row], creator_id: str | None) -> dict[tuple[str, str], int]:
        """What was paid past these payouts and is in none of them, by creator and currency."""
        rows = connection.execute(self._sql["paid_elsewhere"], {"creator_id": creator_id})
        return {(row["creator_id"], row["currency"]): int(row["amount_minor"]) for row in rows}

    def open(self, connection: Connection[Row]) -> set[tuple[Who, str, str]]:
        """Creators and currencies with a payout on its way, and suppliers and bills with a payment."""
        return {
            ("creator", row["creator_id"], row["currency"])
            if row["supplier_id"] is None
            else ("supplier", row["supplier_id"], row["invoice_id"])
            for row in connection.execute(self._sql["open_payouts"])
        }

    def open_minor(self, connection: Connection[Row], currency: str, wallets: Collection[str]) -> int:
        """What payouts on their way will take from the bank; those from `wallets` take nothing of it."""
        values = {"currency": currency, "wallets": sorted(wallets)}
        row = connection.execute(self._sql["open_minor"], values).fetchone()
        return int(row["amount_minor"]) if row else 0

    def bills(self, connection: Connection[Row], supplier_id: str | None, now: datetime) -> list[Bill]:
        """Bills that are open, and what was paid without a word of which bill is paid on the longest due."""
        values = {"supplier_id": supplier_id, "now": now}
        unnamed = {
            (row["supplier_id"], row["currency"]): int(row["amount_minor"])
            for row in connection.execute(self._sql["paid_unnamed"], values)
        }
        return allot((Bill(**row) for row in connection.execute(self._sql["bills"], values)), unnamed)

    def add(self, connection: Connection[Row], values: Row, lines: Sequence[Line]) -> None:
        connection.execute(self._sql["add_payout"], {**values, "screening": Jsonb(values["screening"])})
        rows = [{"kind": line.kind, "ref": line.ref, "amount_minor": line.amount_minor} for line in lines]
        connection.execute(self._sql["add_lines"], {"payout_id": values["payout_id"], "lines": Jsonb(rows)})

    def unasked(self, connection: Connection[Row]) -> list[Row]:
        """Payouts that were prepared and not proposed: whoever did was interrupted."""
        return connection.execute(self._sql["unasked_payouts"]).fetchall()

    def asked(self, connection: Connection[Row], payout_id: str, action_id: str) -> None:
        connection.execute(self._sql["payout_asked"], {"payout_id": payout_id, "action_id": action_id})

    def end(
        self,
        connection: Connection[Row],
        payout_id: str,
        state: str,
        why: str,
        now: datetime,
        landed_ref: str | None = None,
    ) -> bool:
        """Move a payout on; whether it was not there already."""
        values = {"payout_id": payout_id, "state": state, "why": why[:500], "now": now, "landed_ref": landed_ref}
        return connection.execute(self._sql["end_payout"], values).fetchone() is not None

    def one(self, connection: Connection[Row], payout_id: str) -> Row | None:
        return connection.execute(self._sql["payout"], {"payout_id": payout_id}).fetchone()

    def listed(
        self,
        connection: Connection[Row],
        state: str | None,
        who: Who | None,
        party: str | None,
        limit: int,
        offset: int,
    ) -> list[Row]:
        values = {"state": state, "who": who, "party": party, "limit": limit, "offset": offset}
        return connection.execute(self._sql["payouts"], values).fetchall()

    def lines(self, connection: Connection[Row], payout_id: str) -> list[Line]:
        rows = connection.execute(self._sql["payout_lines"], {"payout_id": payout_id})
        return [Line(row["kind"], row["ref"], row["amount_minor"]) for row in rows]

    def on_the_way(self, connection: Connection[Row]) -> list[Row]:
        """Payouts that were sent and that no statement showed yet."""
        return connection.execute(self._sql["sent_payouts"]).fetchall()

    def put_name(self, connection: Connection[Row], values: Row) -> None:
        connection.execute(self._sql["put_name"], values)

    def names(self, connection: Connection[Row], changes: Sequence[str]) -> dict[str, str]:
        """Names of payees by the change they were let in with."""
        rows = connection.execute(self._sql["payee_names"], {"changes": list(changes)})
        return {row["change_id"]: row["name"] for row in rows}

    def payees(self, connection: Connection[Row]) -> list[Row]:
        """Addresses in force by party, each since when, as the log tells."""
        return connection.execute(self._sql["payees"]).fetchall()
