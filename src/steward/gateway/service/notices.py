"""Tells people what waits for them: once a channel when an action begins to wait, when the next role may decide it, and
when nobody but a person can say what became of it. The alerts carry it; the link in it only shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

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
_LONGEST = timedelta(days=7)


class Notices:
    """`channels` are the alerts' channels, `address` is where the pages are reached, `key_file` signs links."""

    def __init__(self, database: Database, clock: Clock, channels: Sequence[str], address: str, key_file: Path) -> None:
        self._db = database
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
