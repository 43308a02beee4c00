"""What became of payouts: agreed to, sent, refused, and at last shown by a statement; all from log and matches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from steward.contracts.base import Json
from steward.contracts.event import Envelope, RecordedEvent
from steward.gateway import ActionRecord
from steward.kernel.canonical import JsonObject
from steward.payouts.core.recipients import CREATOR, RECIPIENTS, Recipient, recipient_of
from steward.payouts.service.doors import Doors
from steward.payouts.store import PayoutStore, Row

SOURCE = "payouts"
_READER = "payouts"
_BATCH = 500
_ENDS = ("ActionRejected", "ActionExpired", "ActionFailed", "ActionCancelled")
_TYPES = ("ActionApproved", "ActionExecuted", "ActionSettled", *_ENDS)
_BY_KIND = {one.kind: one for one in RECIPIENTS}
WALLETS = frozenset({"paypal"})
"""Systems that pay from money a processor holds for us: creators alone are paid by them."""


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
            if action is not None and action.kind in _BY_KIND:
                self._one(event.envelope, action, _BY_KIND[action.kind])

    def _one(self, told: Envelope, action: ActionRecord, to: Recipient) -> None:
        outcome = told.data.get("outcome")
        if told.type == "ActionApproved":
            if to is CREATOR:
                self._approved(action, told.time)
        elif told.type == "ActionExecuted" or (told.type == "ActionSettled" and outcome == "executed"):
            self._sent(action, told, to)
        elif told.type in _ENDS or (told.type == "ActionSettled" and outcome == "failed"):
            why = f"{told.type}: {told.data.get('reason') or told.data.get('evidence') or ''}".strip(": ")
            self._end(action, to, "dropped", why)

    def _approved(self, action: ActionRecord, at: datetime) -> None:
        shown = self._doors.approvals.show(action.id)
        said = [one["person"] for one in shown["decisions"] if one["decision"] == "approve"] if shown else []
        if shown is None or len(said) < int(shown["quorum"]):
            return
        more: JsonObject = {"approvers": sorted(said), "action_id": action.id}
        self._doors.events.put([fact("PayoutApproved", CREATOR, at, _of_action(action, CREATOR, more))])

    def _sent(self, action: ActionRecord, told: Envelope, to: Recipient) -> None:
        """The money left: the debt is gone from the books."""
        view = self._doors.control.effects.state(action.id)
        if view is None:
            raise AssertionError(f"{action.id} was executed without an effect")
        params = action.proposal["params"]
        data: JsonObject = {"reference": params["reference"]}
        if to is CREATOR:
            data["processor"] = view.tool if view.tool in WALLETS else "bank"
        else:
            data |= {"invoice_id": params["invoice_id"], "action_id": action.id}
        if view.remote_ref:
            data["remote_ref"] = view.remote_ref
        self._doors.events.put([fact(to.sent, to, told.time, _of_action(action, to, data))])
        self._end(action, to, "sent", f"{view.tool}.{view.verb}")

    def _end(self, action: ActionRecord, to: Recipient, state: str, why: str) -> None:
        """Move on the payout that this action carries; one that only names it is another's."""
        payout_id = str(action.proposal["params"][to.number])
        with self._doors.database.transaction() as connection:
            if action.key == f"{to.kind}:{payout_id}":
                self._store.end(connection, payout_id, state, why, self._doors.clock.now())

    def land(self) -> int:
        """Payouts that a statement shows by now; how many are new."""
        with self._doors.database.transaction() as connection:
            rows = self._store.on_the_way(connection)
        places = ("bank", *WALLETS)
        keys = {f"{one}/{recipient_of(row).number}/{row['payout_id']}": row for row in rows for one in places}
        shown = self._doors.settled.shown(sorted(keys)) if keys else {}
        for key, line in shown.items():
            self._landed(keys[key], key.partition("/")[0], line[:500])
        return len(shown)

    def _landed(self, row: Row, processor: str, line: str) -> None:
        to = recipient_of(row)
        view = self._doors.control.effects.state(row["action_id"]) if row["action_id"] else None
        now = self._doors.clock.now()
        data: JsonObject = {
            to.number: row["payout_id"],
            to.party: row[to.party],
            "currency": row["currency"],
            "amount_minor": row["amount_minor"],
            **({"processor": processor} if to is CREATOR else {"invoice_id": row["invoice_id"]}),
            "remote_ref": (view.remote_ref if view else None) or row["reference"],
            "statement_ref": line,
        }
        with self._doors.database.transaction() as connection:
            if self._store.end(connection, row["payout_id"], "landed", row["why"], now, line):
                self._doors.events.put([fact(to.landed, to, now, data)])


def _of_action(action: ActionRecord, to: Recipient, more: Mapping[str, Json]) -> JsonObject:
    params = action.proposal["params"]
    return {
        to.number: params[to.number],
        to.party: params[to.party],
        "currency": params["amount"]["currency"],
        "amount_minor": params["amount"]["amount_minor"],
        **more,
    }


def fact(name: str, to: Recipient, at: datetime, data: JsonObject) -> Envelope:
    """A fact of a payout, once for each payout."""
    payout_id = str(data[to.number])
    return Envelope(
        id=f"{name}:{payout_id}",
        source=SOURCE,
        type=name,
        subject=f"{to.who}/{data[to.party]}",
        time=at,
        correlationid=payout_id,
        data=data,
    )
