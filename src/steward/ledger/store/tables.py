"""The ledger's tables, written only through their functions. Every method runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from steward.contracts.ledger import Finish, Hold, Leg, Transfer
from steward.infra import arrays, sql
from steward.ledger.core.transfer import (
    digest_of,
    digest_of_finish,
    digest_of_hold,
    key_bytes,
    legs_text,
    microseconds,
    transfer_body,
)

Row = dict[str, Any]
AccountIds = dict[tuple[str, str], int]
UNKNOWN = 0
"""Stands for an account that these books do not have; ids begin at one."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a writing function did: `batch_id` is None where it wrote nothing; `refused` are (line, code)."""

    batch_id: int | None
    recorded_at: datetime | None
    rows: int
    digest: str
    refused: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account holds, and what open holds would add on each side; debits are positive."""

    amount_minor: int
    pending_debit_minor: int
    pending_credit_minor: int


@dataclass(frozen=True, slots=True)
class Packed:
    """Parameters of a writing function, ready to be sent: made before locks are taken."""

    parameters: Row


def _legs(all_legs: Sequence[Sequence[Leg]], ids: AccountIds) -> Row:
    entries: list[int] = []
    lines: list[int] = []
    accounts: list[int] = []
    amounts: list[int] = []
    for entry, legs in enumerate(all_legs, start=1):
        for line, leg in enumerate(legs, start=1):
            entries.append(entry)
            lines.append(line)
            accounts.append(ids.get((leg.account, leg.currency), UNKNOWN))
            amounts.append(leg.amount_minor)
    return {
        "leg_entry": arrays.int4_array(entries),
        "leg_line": arrays.int2_array(lines),
        "leg_account": arrays.int4_array(accounts),
        "leg_amount": arrays.int8_array(amounts),
    }


def pack_transfers(transfers: Sequence[Transfer], ids: AccountIds) -> Packed:
    """Raises `OverflowError` on an amount beyond 64 bits."""
    reverses = [None if t.reverses is None else key_bytes(t.reverses) for t in transfers]
    keys = [key_bytes(t.key) for t in transfers]
    bodies = [digest_of(t) for t in transfers]
    return Packed(
        {
            "content": b"".join([part for pair in zip(keys, bodies, strict=True) for part in pair]),
            "keys": arrays.uuid_array(keys),
            "kinds": arrays.text_array([t.kind for t in transfers]),
            "sources": arrays.text_array([t.source for t in transfers]),
            "effective": arrays.timestamptz_array([microseconds(t.effective_at) for t in transfers]),
            "bodies": arrays.bytea_array(bodies),
            "reverses": arrays.uuid_array(reverses),
            "parties": arrays.text_array([t.party for t in transfers]),
            **_legs([t.legs for t in transfers], ids),
        }
    )


def pack_holds(holds: Sequence[Hold], ids: AccountIds) -> Packed:
    return Packed(
        {
            "keys": arrays.uuid_array([key_bytes(h.key) for h in holds]),
            "kinds": arrays.text_array([h.kind for h in holds]),
            "sources": arrays.text_array([h.source for h in holds]),
            "expires": arrays.timestamptz_array([microseconds(h.expires_at) for h in holds]),
            "bodies": arrays.bytea_array([digest_of_hold(h) for h in holds]),
            "parties": arrays.text_array([h.party for h in holds]),
            **_legs([h.legs for h in holds], ids),
        }
    )


def pack_finishes(finishes: Sequence[Finish], held: dict[str, Hold], ids: AccountIds) -> Packed:
    """`held` are the stored holds by key: without legs of its own, a finish posts all of its hold's."""
    legs = [_legs_of(finish, held) for finish in finishes]
    return Packed(
        {
            "keys": arrays.uuid_array([key_bytes(f.key) for f in finishes]),
            "holds": arrays.uuid_array([key_bytes(f.hold) for f in finishes]),
            "hows": arrays.text_array([f.how for f in finishes]),
            "effective": arrays.timestamptz_array([microseconds(f.effective_at) for f in finishes]),
            "end_bodies": arrays.bytea_array([digest_of_finish(f) for f in finishes]),
            "bodies": arrays.bytea_array([_body_of(f, held, own) for f, own in zip(finishes, legs, strict=True)]),
            **_legs(legs, ids),
        }
    )


def _legs_of(finish: Finish, held: dict[str, Hold]) -> Sequence[Leg]:
    if finish.how == "void":
        return ()
    if finish.legs is not None:
        return finish.legs
    return held[finish.hold].legs if finish.hold in held else ()


def _body_of(finish: Finish, held: dict[str, Hold], legs: Sequence[Leg]) -> bytes | None:
    """The body digest of the transfer that posting makes; the store asks for none where there will be none."""
    if finish.how == "void" or finish.hold not in held:
        return None
    hold = held[finish.hold]
    effective = microseconds(finish.effective_at)
    return transfer_body(hold.kind, hold.source, effective, None, hold.party, legs_text(legs))


class LedgerStore:
    """The writing functions."""

    def __init__(self) -> None:
        self._sql = sql.load("steward.ledger")

    def account_ids(self, connection: Connection[Row], names: Sequence[tuple[str, str]]) -> AccountIds:
        """Ids by (code, currency) of those that exist."""
        rows = connection.execute(
            self._sql["account_ids"],
            {"codes": [code for code, _ in names], "currencies": [currency for _, currency in names]},
        )
        return {(row["code"], row["currency"]): row["account_id"] for row in rows}

    def standings(
        self, connection: Connection[Row], accounts: Sequence[int], *, for_update: bool
    ) -> Callable[[], dict[int, Standing]]:
        """Asks now, tells when called: by account; locked in their order where `for_update`."""
        rows = connection.execute(self._sql["locked" if for_update else "standings"], {"accounts": list(accounts)})
        return lambda: {
            row["o_account"]: Standing(row["o_amount"], row["o_pending_debit"], row["o_pending_credit"]) for row in rows
        }

    def budgets(self, connection: Connection[Row], like: str) -> list[Row]:
        return connection.execute(self._sql["budgets"], {"like": like}).fetchall()

    def open_accounts(
        self, connection: Connection[Row], accounts: Sequence[tuple[str, str, str]], now: datetime
    ) -> int | None:
        """Open those of (code, currency, normal side) that do not exist; the batch, if any was new."""
        row = connection.execute(
            self._sql["open_accounts"],
            {
                "codes": [code for code, _, _ in accounts],
                "currencies": [currency for _, currency, _ in accounts],
                "normals": [normal for _, _, normal in accounts],
                "now": now,
            },
        ).fetchone()
        return row["batch_id"] if row else None

    def post(self, connection: Connection[Row], packed: Packed, now: datetime) -> Written:
        return self._write(connection, "post", packed, now)

    def hold(self, connection: Connection[Row], packed: Packed, now: datetime) -> Written:
        return self._write(connection, "hold", packed, now)

    def finish(self, connection: Connection[Row], packed: Packed, now: datetime) -> Written:
        return self._write(connection, "finish", packed, now)

    def _write(self, connection: Connection[Row], query: str, packed: Packed, now: datetime) -> Written:
        row = connection.execute(self._sql[query], {**packed.parameters, "now": now}, prepare=True).fetchone()
        if row is None:
            raise AssertionError("a function with OUT parameters returns one row")
        refused = list(zip(row["o_lines"], row["o_codes"], strict=True))
        digest = bytes(row["o_digest"]).hex() if row["o_digest"] is not None else ""
        return Written(row["o_batch_id"], row["o_recorded_at"], row["o_posted"], digest, refused)

    def batch(self, connection: Connection[Row], batch_id: int) -> Written:
        """A batch as it was sealed."""
        row = connection.execute(self._sql["batch"], {"batch_id": batch_id}).fetchone()
        if row is None:
            raise AssertionError(f"batch {batch_id} was sealed in this transaction")
        return Written(row["batch_id"], row["recorded_at"], row["rows"], bytes(row["digest"]).hex(), [])

    def release(self, connection: Connection[Row], now: datetime, most: int) -> tuple[int | None, int]:
        """Release expired holds; the batch, and how many."""
        row = connection.execute(self._sql["release"], {"now": now, "most": most}).fetchone()
        return (row["o_batch_id"], row["o_released"]) if row else (None, 0)

    def change_account(self, connection: Connection[Row], parameters: Row) -> int:
        return self._batch_of(connection, "change_account", parameters)

    def set_period(self, connection: Connection[Row], parameters: Row) -> int:
        return self._batch_of(connection, "set_period", parameters)

    def set_rate(self, connection: Connection[Row], parameters: Row) -> int:
        return self._batch_of(connection, "set_rate", parameters)

    def _batch_of(self, connection: Connection[Row], query: str, parameters: Row) -> int:
        row = connection.execute(self._sql[query], parameters).fetchone()
        if row is None:
            raise AssertionError("a function that returns its batch returned nothing")
        return int(row["batch_id"])

    def fold(self, connection: Connection[Row], least: int) -> int:
        """Fold accounts with at least this many postings since their last fold; how many were."""
        row = connection.execute(self._sql["fold"], {"least": least}).fetchone()
        return int(row["folded"]) if row else 0

    def holds(self, connection: Connection[Row], keys: Sequence[str]) -> dict[str, Hold]:
        """Stored holds by key."""
        names = {UUID(bytes=key_bytes(key)): key for key in keys}
        found: dict[str, Hold] = {}
        legs: dict[str, list[Leg]] = {}
        for row in connection.execute(self._sql["holds"], {"keys": list(names)}):
            key = names[row["key"]]
            legs.setdefault(key, []).append(
                Leg(account=row["code"], currency=row["currency"], amount_minor=row["amount_minor"])
            )
            found[key] = Hold(
                key=key,
                kind=row["kind"],
                expires_at=row["expires_at"],
                source=row["source"],
                legs=tuple(legs[key]),
                party=row["party"],
            )
        return found

    def put_unposted(
        self, connection: Connection[Row], position: int, event_type: str, source: str, reason: str, now: datetime
    ) -> None:
        values = {"position": position, "event_type": event_type, "source": source, "reason": reason, "now": now}
        connection.execute(self._sql["put_unposted"], values)

    def drop_unposted(self, connection: Connection[Row], positions: Sequence[int]) -> None:
        connection.execute(self._sql["drop_unposted"], {"positions": list(positions)})

    def unposted(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["unposted"]).fetchall()

    def periods(self, connection: Connection[Row]) -> list[Row]:
        return connection.execute(self._sql["periods"]).fetchall()

    def rate(self, connection: Connection[Row], base: str, quote: str, on: date) -> Row | None:
        """The newest rate on or before a day."""
        return connection.execute(self._sql["rate"], {"base": base, "quote": quote, "on": on}).fetchone()
