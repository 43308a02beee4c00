"""Takes files in: the content is kept whatever comes of it, read as a whole, and written down whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from psycopg import Connection

from steward.contracts.event import Envelope
from steward.contracts.settlement import BankLine, Reading, Statement
from steward.events import EventLog
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.entropy import random_bytes
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.ids import make_id
from steward.kernel.instants import format_instant, unix_ms
from steward.reconciliation.core.cascade import uncollected
from steward.reconciliation.readers import read
from steward.reconciliation.service.keeping import keep_file
from steward.reconciliation.store import ResultStore, Row, StatementStore
from steward.reconciliation.store.statements import lines_digest

SOURCE = "steward/reconciliation"
_MOST_BYTES = 256 << 20


class SettlementFiles:
    """`kept` is the folder of every file that ever came in, by digest."""

    def __init__(self, database: Database, clock: Clock, events: EventLog, kept: Path) -> None:
        self._db = database
        self._clock = clock
        self._events = events
        self._kept = kept
        self._store = StatementStore()
        self._results = ResultStore()

    def take(self, provider: str, name: str, content: bytes, by: str, mapping: JsonObject | None = None) -> JsonObject:
        """Read a file and keep its statements. The same content again is a no-op; a statement that is told otherwise
        takes the place of the one before, whose matches are undone. `outcome` is taken, known or refused; `BadInput`
        where it cannot be read at all.
        """
        if len(content) > _MOST_BYTES:
            raise BadInput(f"the file has {len(content)} bytes", where=name, fix=f"at most {_MOST_BYTES}")
        digest = hashlib.sha256(content).digest()
        with self._db.transaction() as connection:
            known = self._store.known_file(connection, digest)
        if known is not None:
            return {
                **_empty(name),
                "outcome": "known",
                "file": known["file_id"],
                "control_total_ok": known["control_total_ok"],
            }
        keep_file(self._kept, digest.hex(), content)
        with uncollected():
            reading = read(provider, content, name, mapping)
            now = self._clock.now()
            values = _file_row(reading, name, digest, len(content), by, now)
            with self._db.transaction() as connection:
                self._results.take_turn(connection)
                self._store.add_file(connection, values)
                written = [] if reading.refused else self._write(connection, reading, values["file_id"], by, now)
        return {**_told(reading, name), "file": values["file_id"], "settlements": written}

    def listed(self, provider: str | None = None, limit: int = 100) -> list[JsonObject]:
        """Statements in force, newest first."""
        with self._db.transaction() as connection:
            return [_plain(row) for row in self._store.listed(connection, provider, limit)]

    def refused(self, limit: int = 100) -> list[JsonObject]:
        """Files that were refused, newest first, with the reason."""
        with self._db.transaction() as connection:
            return [_plain(row) for row in self._store.refused(connection, limit)]

    def _write(
        self, connection: Connection[Row], reading: Reading, file_id: str, by: str, now: datetime
    ) -> list[JsonObject]:
        """Each statement that says something new, with its fact for the log."""
        names = [statement.id for statement in reading.statements]
        if len(set(names)) != len(names):
            raise BadInput("two statements of the file have one name", where=reading.format)
        before = self._store.current(connection, reading.provider, names)
        written: list[JsonObject] = []
        for statement in reading.statements:
            old = before.get(statement.id)
            if old is not None and bytes(old["lines_digest"]) == lines_digest(statement.lines):
                written.append({"id": old["settlement_id"], "statement": statement.id, "outcome": "known"})
                continue
            settlement_id = make_id("stl", unix_ms(now), random_bytes(10))
            if old is not None:
                self._replace(connection, old, settlement_id, by, now)
            self._add(connection, statement, settlement_id, file_id, now)
            said = "corrected" if old else "new"
            written.append(
                {"id": settlement_id, "statement": statement.id, "outcome": said, "lines": len(statement.lines)}
            )
        return written

    def _add(
        self, connection: Connection[Row], statement: Statement, settlement_id: str, file_id: str, now: datetime
    ) -> None:
        net = _net(statement)
        row = {
            "settlement_id": settlement_id,
            "file_id": file_id,
            "provider": statement.provider,
            "statement": statement.id,
            "account": statement.account,
            "currency": statement.currency,
            "is_bank": statement.bank,
            "opening_minor": statement.opening_minor,
            "closing_minor": statement.closing_minor,
            "net_minor": net,
            "lines": len(statement.lines),
            "payout_id": statement.payout_id,
            "starts": statement.starts,
            "ends": statement.ends,
            "now": now,
        }
        self._store.add(connection, row, statement.lines)
        data: JsonObject = {
            "settlement_id": settlement_id,
            "provider": statement.provider,
            "currency": statement.currency,
            "net_minor": net,
        }
        more = {"opening_minor": statement.opening_minor, "closing_minor": statement.closing_minor}
        data |= {key: value for key, value in {**more, "payout_id": statement.payout_id}.items() if value is not None}
        self._events.put([
            Envelope(
                id=f"SettlementReceived:{settlement_id}",
                source=SOURCE,
                type="SettlementReceived",
                subject=f"settlement/{settlement_id}",
                time=now,
                data=data,
            )
        ])  # fmt: skip

    def _replace(self, connection: Connection[Row], old: Row, settlement_id: str, by: str, now: datetime) -> None:
        """The one before gives way: whatever its lines were matched with is free again."""
        prefix = f"{old['provider']}/{old['statement']}/"
        keys = [prefix + key for key in self._store.keys(connection, old["settlement_id"])]
        numbers = self._results.matches_of(connection, "bank" if old["is_bank"] else "statement", keys)
        self._results.undo(connection, numbers, by, f"superseded by {settlement_id}", now)
        self._store.supersede(connection, old["settlement_id"], settlement_id, now)


def _file_row(reading: Reading, name: str, digest: bytes, size: int, by: str, now: datetime) -> Row:
    return {
        "file_id": make_id("fil", unix_ms(now), random_bytes(10)),
        "provider": reading.provider,
        "format": reading.format,
        "name": Path(name).name[:200],
        "digest": digest,
        "bytes": size,
        "now": now,
        "by": by,
        "control_total_ok": reading.control_total_ok,
        "controls": list(reading.controls)[:200],
        "rejected": [asdict(one) for one in reading.rejected][:1000],
        "is_verified": reading.verified,
        "refused": reading.refused.reason[:1000] if reading.refused else "",
        "refused_line": reading.refused.line if reading.refused else None,
    }


def _empty(name: str) -> JsonObject:
    return {"name": name, "lines": 0, "totals": {}, "rejected": [], "settlements": []}


def _told(reading: Reading, name: str) -> JsonObject:
    """What a person is told of a file: its lines and totals by currency, and what was rejected."""
    totals: dict[str, int] = {}
    for statement in reading.statements:
        totals[statement.currency] = totals.get(statement.currency, 0) + _net(statement)
    refused = [asdict(reading.refused)] if reading.refused else []
    return {
        "name": name,
        "format": reading.format,
        "outcome": "refused" if refused else "taken",
        "lines": sum(len(statement.lines) for statement in reading.statements),
        "totals": dict(sorted(totals.items())),
        "control_total_ok": reading.control_total_ok,
        "controls": list(reading.controls),
        "rejected": [*refused, *(asdict(one) for one in reading.rejected)],
        "verified": reading.verified,
    }


def _net(statement: Statement) -> int:
    return sum([line.amount_minor if isinstance(line, BankLine) else line.net_minor for line in statement.lines])


def _text(value: Any) -> Any:
    """A value as JSON has it: dates are text, pairs are lists."""
    if isinstance(value, tuple | list):
        return [_text(part) for part in cast("list[Any]", value)]
    return str(value) if isinstance(value, date | Decimal) else value


def _plain(row: Row) -> JsonObject:
    return {key: format_instant(v) if isinstance(v, datetime) else _text(v) for key, v in row.items()}


def texts(rows: Sequence[Row]) -> list[JsonObject]:
    """Rows as JSON has them."""
    return [_plain(row) for row in rows]
