"""Actions as stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from steward.gateway.store import Row
from steward.kernel.canonical import JsonObject


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """An action as stored."""

    id: str
    key: str
    kind: str
    at: datetime
    proposer: str
    snapshot_id: str
    proposal: JsonObject
    outcome: str
    risk: str
    amount_minor: int | None
    result: JsonObject


def record_of(row: Row) -> ActionRecord:
    return ActionRecord(
        id=f"act_{row['action_id'].hex}",
        key=row["idempotency_key"],
        kind=row["kind"],
        at=row["proposed_at"],
        proposer=row["proposer"],
        snapshot_id=f"snp_{row['snapshot_id'].hex}",
        proposal=row["proposal"],
        outcome=row["outcome"],
        risk=row["risk"],
        amount_minor=row["amount_minor"],
        result=row["result"],
    )
