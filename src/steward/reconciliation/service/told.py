"""What reconciliation says to the log: a break found, a break resolved by a posting, a statement done with."""

from __future__ import annotations

from datetime import datetime

from steward.contracts.event import Envelope
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant
from steward.reconciliation.service.files import SOURCE
from steward.reconciliation.store import Row


def adjusted(one: Row, posting: JsonObject, by: str, why: str, now: datetime) -> Envelope:
    """The posting that resolves a break."""
    data = {
        "adjustment_id": one["break_id"],
        **posting,
        "reason": f"{one['type']}: {why}"[:500],
        "approver": by[:200],
        "corrects": one["break_id"],
    }
    return Envelope(
        id=f"AccountAdjusted:{one['break_id']}",
        source=SOURCE,
        type="AccountAdjusted",
        subject=f"break/{one['break_id']}",
        time=now,
        data=data,
    )


def mismatch(row: JsonObject, now: datetime) -> Envelope:
    """A break that is new, or open again."""
    amount = int(row["amount_minor"])
    data: JsonObject = {
        "mismatch_id": row["break_id"],
        "settlement_id": row["statement"],
        "code": row["type"],
        "currency": row["currency"],
        "expected_minor": 0,
        "actual_minor": amount,
        "reason": str(row["suggestion"])[:500],
    }
    return Envelope(
        id=f"ReconciliationMismatch:{row['break_id']}:{format_instant(now)}",
        source=SOURCE,
        type="ReconciliationMismatch",
        subject=f"break/{row['break_id']}",
        time=now,
        data=data,
    )


def reconciled(row: Row, run_id: str, now: datetime) -> Envelope:
    """Every line of a statement is matched, settled by a person, or stands in an open break (`mismatches`)."""
    names = ("settlement_id", "provider", "currency", "net_minor", "matched", "mismatches")
    return Envelope(
        id=f"SettlementReconciled:{row['settlement_id']}:{run_id}",
        source=SOURCE,
        type="SettlementReconciled",
        subject=f"settlement/{row['settlement_id']}",
        time=now,
        data={name: row[name] for name in names},
    )
