"""Delivers alerts: at least once, with the same message id, backing off, every attempt on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from steward.gateway.adapters import EmailChannel, SlackChannel, WebhookChannel
from steward.gateway.store import AlarmStore, Row
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.vault import Vault

ATTEMPTS = 10
_AT_ONCE = 20


class Channel(Protocol):
    """A way to tell somebody: whether it worked, and what was answered."""

    name: str

    def send(self, message_id: str, body: dict[str, Any], at: datetime) -> tuple[bool, str]: ...


def channels_of(vault: Vault) -> list[Channel]:
    """What is configured: `alert_webhook` and `alert_email` among the addresses, their secrets among the keys, where
    the address of `alert_slack` is as well, being one.
    """
    found: list[Channel] = []
    if address := vault.addresses.get("alert_webhook"):
        found.append(WebhookChannel(address, vault.keys.get("alert_webhook", "")))
    if address := vault.addresses.get("alert_email"):
        found.append(EmailChannel(address, vault.keys.get("alert_email", "")))
    if address := vault.keys.get("alert_slack"):
        found.append(SlackChannel(address))
    return found


class Alerts:
    """Any number of processes may deliver: each alert is claimed by one at a time."""

    def __init__(self, database: Database, clock: Clock, channels: Sequence[Channel]) -> None:
        self._db = database
        self._clock = clock
        self._channels = {channel.name: channel for channel in channels}
        self._store = AlarmStore()

    def deliver(self) -> int:
        """Send what is due; how many attempts were made. Nothing is locked while somebody else answers."""
        for made in range(_AT_ONCE):
            with self._db.transaction() as connection:
                alert = self._store.claim_alert(connection, list(self._channels), self._clock.now())
            if alert is None:
                return made
            is_sent, answer = self._channels[alert["channel"]].send(
                alert["message_id"], alert["body"], self._clock.now()
            )
            state = "delivered" if is_sent else "failed" if alert["attempts"] >= ATTEMPTS else None
            with self._db.transaction() as connection:
                self._store.attempted(connection, alert, self._clock.now(), answer, state)
        return _AT_ONCE

    def listed(self, limit: int) -> list[Row]:
        """Alerts, newest first, with the last answer."""
        with self._db.transaction() as connection:
            return self._store.alerts(connection, limit)
