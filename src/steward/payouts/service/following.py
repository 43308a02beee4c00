"""What became of payouts: agreed to, sent, refused, and at last shown by a statement; all from log and matches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from steward.contracts.base import Json
from steward.contracts.event import Envelope, RecordedEvent
from steward.gateway import ActionRecord
from steward.kernel.canonical import JsonObject
from steward.payouts.service.doors import Doors
from steward.payouts.store import PayoutStore

KIND = "payout.creator"
SOURCE = "payouts"
_READER = "payouts"
_BATCH = 500
_ENDS = ("ActionRejected", "ActionExpired", "ActionFailed", "ActionCancelled")
_TYPES = ("ActionApproved", "ActionExecuted", "ActionSettled", *_ENDS)
_WALLETS = frozenset({"paypal"})


class Following:
    """Reads what the gate says of payouts, whoever proposed them: money that left is in the books even where nobody
    prepared it here.
    """

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._store = PayoutStore()

    def follow(self) -> int:
        """Take in new facts, each once; how many were read."""
        total = 0
        while read := self._doors.events.follow(_READER, _TYPES, _BATCH, self._take):
            total += read
        return total

    def _take(self, events: list[RecordedEvent]) -> None:
        for event in events:
            action = self._doors.control.gateway.action(str(event.envelope.data["action_id"]))
            if action is not None and action.kind == KIND:
                self._one(event.envelope, action)

    def _one(self, told: Envelope, action: ActionRecord) -> None:
        outcome = told.data.get("outcome")
        if told.type == "ActionApproved":
            self._approved(action, told.time)
        elif told.type == "ActionExecuted" or (told.type == "ActionSettled" and outcome == "executed"):
            self._sent(action, told)
        elif told.type in _ENDS or (told.type == "ActionSettled" and outcome == "failed"):
            why = f"{told.type}: {told.data.get('reason') or told.data.get('evidence') or ''}".strip(": ")
            self._end(action, "dropped", why)

    def _approved(self, action: ActionRecord, at: datetime) -> None:
        shown = self._doors.approvals.show(action.id)
        said = [one["person"] for one in shown["decisions"] if one["decision"] == "approve"] if shown else []
        if shown is None or len(said) < int(shown["quorum"]):
            return
        self._put("PayoutApproved", action, at, {"approvers": sorted(said), "action_id": action.id})

    def _sent(self, action: ActionRecord, told: Envelope) -> None:
        """The money left: the debt is gone from the books."""
        view = self._doors.control.effects.state(action.id)
        if view is None:
            raise AssertionError(f"{action.id} was executed without an effect")
        params = action.proposal["params"]
        processor = view.tool if view.tool in _WALLETS else "bank"
        data: JsonObject = {"processor": processor, "reference": params["reference"]}
        if view.remote_ref:
            data["remote_ref"] = view.remote_ref
        self._put("PayoutProcessed", action, told.time, data)
        self._end(action, "sent", f"{view.tool}.{view.verb}")

    def _end(self, action: ActionRecord, state: str, why: str) -> None:
        """Move on the payout that this action carries; one that only names it is another's."""
        payout_id = str(action.proposal["params"]["payout_id"])
        with self._doors.database.transaction() as connection:
            if action.key == f"{KIND}:{payout_id}":
                self._store.end(connection, payout_id, state, why, self._doors.clock.now())

    def land(self) -> int:
        """Payouts that a statement shows by now; how many are new."""
        with self._doors.database.transaction() as connection:
            rows = self._store.on_the_way(connection)
        keys = {f"{place}/payout_id/{row['payout_id']}": row for row in rows for place in ("bank", *_WALLETS)}
        shown = self._doors.settled.shown(sorted(keys)) if keys else {}
        for key, line in shown.items():
            row = keys[key]
            view = self._doors.control.effects.state(row["action_id"]) if row["action_id"] else None
            now = self._doors.clock.now()
            data: JsonObject = {
                "payout_id": row["payout_id"],
                "creator_id": row["creator_id"],
                "currency": row["currency"],
                "amount_minor": row["amount_minor"],
                "processor": key.partition("/")[0],
                "remote_ref": (view.remote_ref if view else None) or row["reference"],
                "statement_ref": line[:500],
            }
            with self._doors.database.transaction() as connection:
                if self._store.end(connection, row["payout_id"], "landed", row["why"], now, line[:500]):
                    self._doors.events.put([fact("CreatorPayoutLanded", now, data)])
        return len(shown)

    def _put(self, name: str, action: ActionRecord, at: datetime, more: Mapping[str, Json]) -> None:
        params = action.proposal["params"]
        data: JsonObject = {
            "payout_id": params["payout_id"],
            "creator_id": params["creator_id"],
            "currency": params["amount"]["currency"],
            "amount_minor": params["amount"]["amount_minor"],
            **more,
        }
        self._doors.events.put([fact(name, at, data)])


def fact(name: str, at: datetime, data: JsonObject) -> Envelope:
    """A fact of a payout, once for each payout."""
    payout_id = str(data["payout_id"])
    return Envelope(
        id=f"{name}:{payout_id}",
        source=SOURCE,
        type=name,
        subject=f"creator/{data['creator_id']}",
        time=at,
        correlationid=payout_id,
        data=data,
    )
