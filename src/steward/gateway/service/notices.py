"""Tells people what waits for them: once a channel when an action begins to wait, when the next role may decide it,
when nobody but a person can say what became of it, and when statements and books do not agree. The alerts carry it; the
link in it only shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from steward.contracts.event import RecordedEvent
from steward.events import EventLog
from steward.gateway.core.links import Link, make_link, read_link
from steward.gateway.store import AlarmStore, Row
from steward.gateway.store.approvals import ApprovalStore
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.signing import secret_file
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant
from steward.kernel.money import Money

_AT_ONCE = 100
_READER = "mismatch notices"
_LONGEST = timedelta(days=7)


class Notices:
    """`channels` are the alerts' channels, `address` is where the pages are reached, `key_file` signs links."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        events: EventLog,
        channels: Sequence[str],
        address: str,
        key_file: Path,
    ) -> None:
        self._db = database
        self._events = events
        self._clock = clock
        self._channels = list(channels)
        self._address = address.rstrip("/")
        self._key_file = key_file
        self._store = ApprovalStore()
        self._alarms = AlarmStore()

    def tell(self) -> int:
        """Hand what nobody was told yet to the alerts; how many messages that was. Nothing that is in shadow."""
        if not self._channels:
            return 0
        now = self._clock.now()
        with self._db.transaction() as connection:
            rows = self._store.untold(connection, self._channels, _AT_ONCE)
            for row in rows:
                self._alarms.put_alert(connection, row["channel"], row["message_id"], self._body(row, now), now)
        return len(rows)

    def tell_mismatches(self) -> int:
        """Hand new breaks of reconciliation to the alerts, in one message for all that are new; how many breaks."""
        return self._events.follow(_READER, ["ReconciliationMismatch"], _AT_ONCE * 100, self._mismatched)

    def _mismatched(self, events: list[RecordedEvent]) -> None:
        counted: dict[str, int] = {}
        money: dict[str, int] = {}
        for event in events:
            data = event.envelope.data
            counted[data["code"]] = counted.get(data["code"], 0) + 1
            difference = abs(int(data["actual_minor"]) - int(data["expected_minor"]))
            money[data["currency"]] = money.get(data["currency"], 0) + difference
        amounts = ", ".join(str(Money(minor, currency)) for currency, minor in sorted(money.items()))
        kinds = ", ".join(f"{count} {code}" for code, count in sorted(counted.items()))
        now = self._clock.now()
        told: JsonObject = {
            "title": f"{len(events)} new breaks, {amounts} in question",
            "reason": f"{kinds}\nsteward breaks lists them with the ways to resolve each",
            "breaks": len(events),
        }
        with self._db.transaction() as connection:
            for channel in self._channels:
                body = _message("ReconciliationMismatch", told, now)
                self._alarms.put_alert(connection, channel, f"mismatch:{events[0].position}", body, now)

    def token(self, action_id: str, digest: str, deadline: datetime | None) -> str:
        """The token of the link to an action, good until its deadline, or for a week."""
        ends = deadline or self._clock.now() + _LONGEST
        return make_link(secret_file(self._key_file), action_id, digest, ends)

    def read(self, token: str) -> Link | str:
        """What a token names, or `forged` or `over`."""
        return read_link(secret_file(self._key_file), token, self._clock.now())

    def _body(self, row: Row, now: datetime) -> JsonObject:
        action_id = f"act_{row['action_id'].hex}"
        digest = bytes(row["args_digest"]).hex()
        amount = "" if row["amount_minor"] is None else f" {Money(row['amount_minor'], row['currency'])}"
        data: JsonObject = {"action_id": action_id, "kind": row["kind"], "proposer": row["proposer"]}
        if row["what"] == "person":
            data["title"] = f"{row['kind']}{amount}: did it happen?"
            data["reason"] = (
                f"{row['needs_person']}\nLook at {row['tool']}, then: steward action resolve {action_id} --help"
            )
            return _message("ActionNeedsPerson", data, now)
        who = row["escalated_to"] if row["what"] == "escalated" else row["role"]
        data |= {"title": f"{row['kind']}{amount}: a {who} decides", "role": who, "args_digest": digest}
        until = f" before {format_instant(row['deadline'])}; silence is a no" if row["deadline"] else ""
        data["reason"] = f"{row['proposer']} asks: {row['why'] or 'no reason given'}\n{row['reason']}{until}"
        data["link"] = f"{self._address}/approvals/{self.token(action_id, digest, row['deadline'])}"
        return _message("ApprovalEscalated" if row["what"] == "escalated" else "ApprovalAsked", data, now)


def _message(kind: str, data: dict[str, Any], now: datetime) -> JsonObject:
    return {"type": kind, "time": format_instant(now), "data": data}
