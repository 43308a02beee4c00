"""The ledger's tables, reached only through its two functions and plain reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from steward.contracts.ledger import Transfer
from steward.infra import sql
from steward.ledger.core.journal import JournalEntry, JournalPosting

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PostingBatch:
    """Transfers with everything the posting function takes."""

    name: str
    recorded_at: datetime
    transfers: Sequence[Transfer]
    body_digests: Sequence[bytes]
    row_digests: Sequence[bytes]


def to_uuid(own_id: str) -> UUID:
    """`tfr_<32 hex>` as the uuid SQL stores."""
    return UUID(own_id[4:])


class LedgerStore:
    """SQL of the ledger; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ledger")

    def open_accounts(
        self, connection: Connection[Row], accounts: Sequence[tuple[str, str, str]]
    ) -> dict[tuple[str, str], int]:
        """Ids by (code, currency) of (code, currency, normal side), opening what is new."""
        rows = connection.execute(
            self._sql["open_accounts"],
            {
                "codes": [code for code, _, _ in accounts],
                "currencies": [currency for _, currency, _ in accounts],
                "normals": [normal for _, _, normal in accounts],
            },
        )
        return {(row["o_code"], row["o_currency"]): row["o_account_id"] for row in rows}

    def post(
        self, connection: Connection[Row], batch: PostingBatch, account_ids: dict[tuple[str, str], int]
    ) -> list[tuple[int, str]]:
        """Post; returns (line from 1, result code) of what was not posted."""
        transfers = batch.transfers
        legs = [(i, leg) for i, transfer in enumerate(transfers, start=1) for leg in transfer.legs]
        rows = connection.execute(
            self._sql["post"],
            {
                "ids": [to_uuid(t.id) for t in transfers],
                "keys": [t.key for t in transfers],
                "kinds": [t.kind for t in transfers],
                "sources": [t.source for t in transfers],
                "effective": [t.effective_at for t in transfers],
                "bodies": list(batch.body_digests),
                "rows": list(batch.row_digests),
                "recorded": batch.recorded_at,
                "batch": batch.name,
                "leg_transfer": [i for i, _ in legs],
                "leg_account": [account_ids[leg.account, leg.currency] for _, leg in legs],
                "leg_amount": [leg.amount_minor for _, leg in legs],
            },
        )
        return [(row["o_line"], row["o_code"]) for row in rows]

    def balances(self, connection: Connection[Row], as_of: datetime | None) -> list[Row]:
        return connection.execute(self._sql["balances"], {"as_of": as_of}).fetchall()

    def trial_balance(self, connection: Connection[Row]) -> dict[str, int]:
        return {row["currency"]: row["amount_minor"] for row in connection.execute(self._sql["trial_balance"])}

    def transfer_count(self, connection: Connection[Row]) -> int:
        row = connection.execute(self._sql["transfer_count"]).fetchone()
        return int(row["transfers"]) if row else 0

    def stored_balances(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["stored_balances"]).fetchall()

    def postings(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["postings"]).fetchall()

    def transfers(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["transfers"]).fetchall()

    def journal(self, connection: Connection[Row]) -> Iterator[JournalEntry]:
        """Transfers in posted order, each with its postings in line order."""
        current: list[Row] = []
        for row in connection.execute(self._sql["journal"]):
            if current and current[0]["transfer_id"] != row["transfer_id"]:
                yield _entry(current)
                current = []
            current.append(row)
        if current:
            yield _entry(current)


def _entry(rows: list[Row]) -> JournalEntry:
    first = rows[0]
    return JournalEntry(
        on=first["effective_at"].date(),
        transfer_id=f"tfr_{first['transfer_id'].hex}",
        kind=first["kind"],
        source=first["source"],
        postings=tuple(
            JournalPosting(row["code"], row["currency"], row["amount_minor"], row["balance_after"]) for row in rows
        ),
    )
