"""The client: a method for each thing the API does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from steward_client.models import (
    Action,
    ActionLine,
    Budget,
    Cancelled,
    Decided,
    JsonObject,
    KillSwitch,
    Sent,
    Story,
    Waiting,
    record,
)
from steward_client.transport import Transport

_PAGE = 100


class Client:
    """Talks to one Steward with one API key. Use it as a context manager; it is for one thread at a time.

    `attempts` is how often a request is tried in all, where trying again is safe. Every method may raise `ApiError`
    (an answer that is a problem), `NotAllowed` and `NotFound` (kinds of it), and `Unreachable` (no answer).
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_seconds: float = 30.0,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = Transport(base_url, key, timeout_seconds, attempts, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # Actions

    def propose(
        self,
        kind: str,
        params: JsonObject,
        *,
        key: str | None = None,
        why: str = "",
        evidence: JsonObject | None = None,
        expires_at: str | None = None,
    ) -> Action:
        """Propose an action. `key` names the effect that is meant: the same key is the same action, once; without one
        this call is an effect of its own, and safe to lose and send again only inside this call.
        """
        own = key or secrets.token_hex(16)
        body = {"kind": kind, "params": params, "key": own, "why": why, "evidence": evidence or {}}
        body |= {"expires_at": expires_at} if expires_at else {}
        return record(Action, self._transport.ask("POST", "/v1/actions", body, secrets.token_hex(16)))

    def action(self, action_id: str) -> Story:
        return record(Story, self._transport.ask("GET", f"/v1/actions/{_part(action_id)}"))

    def actions(
        self, kind: str | None = None, outcome: str | None = None, state: str | None = None
    ) -> Iterator[ActionLine]:
        """Every action, newest first."""
        query = {"kind": kind, "outcome": outcome, "state": state}
        return (record(ActionLine, item) for item in self._items("/v1/actions", query))

    def bundle(self, action_id: str) -> JsonObject:
        """The evidence of a decision, for `steward verify check`."""
        return self._transport.ask("GET", f"/v1/decisions/{_part(action_id)}/bundle")

    def cancel(self, action_id: str, reason: str) -> Cancelled:
        path = f"/v1/actions/{_part(action_id)}:cancel"
        return record(Cancelled, self._transport.ask("POST", path, {"reason": reason}))

    # What people decide

    def waiting(self) -> Iterator[Waiting]:
        """What waits for a person whose role the key has, or any."""
        return (record(Waiting, item) for item in self._items("/v1/approvals", {}))

    def look(self, action_id: str) -> Waiting:
        """One that waits, in full. Large ones must be read a while before they can be approved."""
        return record(Waiting, self._transport.ask("GET", f"/v1/approvals/{_part(action_id)}"))

    def approve(self, action_id: str, reason: str = "", digest: str | None = None) -> Decided:
        path = f"/v1/approvals/{_part(action_id)}:approve"
        return record(Decided, self._transport.ask("POST", path, {"reason": reason, "digest": digest}))

    def reject(self, action_id: str, reason: str = "") -> Decided:
        path = f"/v1/approvals/{_part(action_id)}:reject"
        return record(Decided, self._transport.ask("POST", path, {"reason": reason}))

    def kill_switches(self) -> Iterator[KillSwitch]:
        return (record(KillSwitch, item) for item in self._items("/v1/kill-switches", {}))

    def set_kill_switch(self, scope: str, *, on: bool, reason: str) -> KillSwitch:
        path = f"/v1/kill-switches/{_part(scope)}"
        return record(KillSwitch, self._transport.ask("PUT", path, {"on": on, "reason": reason}))

    # The house

    def tools(self) -> Iterator[JsonObject]:
        return self._items("/v1/tools", {})

    def tool(self, name: str) -> JsonObject:
        return self._transport.ask("GET", f"/v1/tools/{_part(name)}")

    def balances(self, as_of: str | None = None) -> JsonObject:
        """Accounts with balances, trial balance, and whether the books balance."""
        return self._transport.ask("GET", "/v1/ledger/balances", query={"as_of": as_of})

    def transfers(self, after: int = 0) -> Iterator[JsonObject]:
        return self._items("/v1/ledger/transfers", {"after": after})

    def budgets(self) -> list[Budget]:
        return [record(Budget, item) for item in self._items("/v1/budgets", {})]

    def alerts(self) -> list[JsonObject]:
        return list(self._items("/v1/alerts", {}))

    def quarantines(self, *, every: bool = False) -> list[JsonObject]:
        return list(self._items("/v1/quarantines", {"every": every}))

    def catalog(self) -> JsonObject:
        return self._transport.ask("GET", "/v1/catalog")

    def checkpoint(self) -> JsonObject:
        return self._transport.ask("GET", "/v1/audit/checkpoint")

    # Events

    def send_events(self, events: Sequence[JsonObject], *, atomic: bool = False) -> Sent:
        """Send CloudEvents. Good ones are stored and bad ones are listed, unless `atomic`."""
        query = {"atomic": "true" if atomic else "false"}
        key = secrets.token_hex(16)
        answer = self._transport.ask("POST", "/v1/events:batch", list(events), key, query, may_be_partial=True)
        rejected = answer.get("rejected", answer.get("errors", []))
        counts = {"accepted": answer.get("accepted", 0), "duplicates": answer.get("duplicates", 0)}
        return Sent(**counts, rejected=rejected, raw=answer)

    def events(self, after: int = 0, event_type: str | None = None, subject: str | None = None) -> Iterator[JsonObject]:
        """Events after a position, oldest first, to the end of the log as it is then."""
        return self._items("/v1/events", {"after": after, "type": event_type, "subject": subject})

    # Keys

    def keys(self) -> list[JsonObject]:
        return list(self._items("/v1/keys", {}))

    def make_key(self, name: str, **wish: Any) -> JsonObject:
        """A new key; its text stands in the answer and nowhere else."""
        return self._transport.ask("POST", "/v1/keys", {"name": name, **wish})

    def rotate_key(self, key_id: str) -> JsonObject:
        return self._transport.ask("POST", f"/v1/keys/{_part(key_id)}:rotate", {})

    def revoke_key(self, key_id: str) -> JsonObject:
        return self._transport.ask("POST", f"/v1/keys/{_part(key_id)}:revoke", {})

    def _items(self, path: str, query: JsonObject) -> Iterator[JsonObject]:
        """Every item of a list, a page at a time."""
        given = {**query} if path in _WHOLE else {**query, "limit": _PAGE}
        while True:
            page = self._transport.ask("GET", path, query=given)
            yield from page["items"]
            if page["next"] is None:
                return
            given["after"] = page["next"]


_WHOLE = frozenset({"/v1/budgets", "/v1/quarantines", "/v1/keys", "/v1/kill-switches"})


def _part(text: str) -> str:
    """One part of a path, whatever stands in it."""
    return quote(text, safe=":")
