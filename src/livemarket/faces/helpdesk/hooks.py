"""Webhooks of tickets: who listens, their secrets, and what an event looks like."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from livemarket.faces.business import Happened, iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.helpdesk.refusals import Action, absent, document, invalid
from livemarket.faces.shapes import texts
from livemarket.faces.webhooks import Endpoint, Notice

if TYPE_CHECKING:
    from livemarket.faces.helpdesk.face import HelpDesk

KINDS = {"ticket": "created", "ticket_reply": "comment_added", "ticket_solved": "status_changed"}
TYPES = tuple(f"zen:event-type:ticket.{what}" for what in KINDS.values())
ACCOUNT = 1


def signature(endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
    """base64 of HMAC-SHA256 over timestamp and body."""
    time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = hmac.new(endpoint.secret.encode(), time.encode() + body, hashlib.sha256).digest()
    return {
        "x-zendesk-account-id": str(ACCOUNT), "x-zendesk-webhook-id": endpoint.id,
        "x-zendesk-webhook-invocation-id": name, "x-zendesk-webhook-signature": base64.b64encode(made).decode(),
        "x-zendesk-webhook-signature-timestamp": time,
    }  # fmt: skip


def table(face: HelpDesk) -> list[tuple[str, str, Action]]:
    """Method, path without .json, action."""
    return [
        ("POST", "/webhooks", lambda call: _listen(face, call)),
        ("GET", "/webhooks", lambda _: answered(200, {"webhooks": [shown(e) for e in face.post.endpoints.values()]})),
        ("GET", "/webhooks/{id}", lambda call: answered(200, {"webhook": shown(_found(face, call))})),
        ("DELETE", "/webhooks/{id}", lambda call: _forget(face, call)),
        ("GET", "/webhooks/{id}/signing_secret", lambda call: answered(
            200, {"signing_secret": {"algorithm": "SHA256", "secret": _found(face, call).secret}})),
    ]  # fmt: skip


def shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id, "name": endpoint.id, "status": "active", "endpoint": endpoint.url, "http_method": "POST",
        "request_format": "json", "subscriptions": list(endpoint.types), "created_at": iso(endpoint.born),
    }  # fmt: skip


def _found(face: HelpDesk, call: Call) -> Endpoint:
    if call.found["id"] not in face.post.endpoints:
        raise absent()
    return face.post.endpoints[call.found["id"]]


def _listen(face: HelpDesk, call: Call) -> Answer:
    given = document(call, "webhook")
    url, types = given.get("endpoint"), texts(given.get("subscriptions"))
    if not isinstance(url, str) or not url.startswith("http"):
        raise invalid("endpoint", "Endpoint: is an address")
    if not types or not set(types) <= set(TYPES):
        raise invalid("subscriptions", f"Subscriptions: of {', '.join(TYPES)}")
    if given.get("http_method", "POST") != "POST" or given.get("request_format", "json") != "json":
        raise invalid("http_method", "this world sends JSON by POST")
    made = hashlib.sha256(f"{face.token}/{url}/{len(face.post.endpoints)}".encode()).hexdigest()
    key, secret = made[:26].upper(), base64.b64encode(bytes.fromhex(made)).decode()
    face.post.endpoints[key] = Endpoint(key, url, secret, tuple(types), face.view.now)
    return answered(201, {"webhook": shown(face.post.endpoints[key])})


def _forget(face: HelpDesk, call: Call) -> Answer:
    del face.post.endpoints[_found(face, call).id]
    return Answer(204, b"")


def notice(face: HelpDesk, happened: Happened) -> Notice | None:
    """The event of a fact about a ticket."""
    what = KINDS.get(happened.kind)
    if what is None:
        return None
    row, at = happened.columns["ticket"], happened.moment
    ticket = face.desk.ticket(row, at, face.base)
    kind = f"zen:event-type:ticket.{what}"
    key = hashlib.sha256(f"{kind}/{ticket['id']}/{at}".encode()).hexdigest()[:32]
    names = ("created_at", "description", "external_id", "priority", "status", "subject", "tags", "type", "updated_at")
    detail = {name: ticket[name] for name in names} | {
        "id": str(ticket["id"]), "requester_id": str(ticket["requester_id"]), "status": ticket["status"].upper(),
        "via": {"channel": "email"}, "is_public": True,
    }  # fmt: skip
    changes: dict[str, Any] = {"meta": {"sequence": {"id": key[:26].upper(), "position": 1, "total": 1}}}
    if what == "status_changed":
        changes |= {"current": "SOLVED", "previous": "OPEN"}
    if what == "comment_added":
        changes["comment"] = {"author": {"id": "1", "is_staff": True, "name": "Agent"}, "is_public": True}
    return Notice(key, kind, {
        "account_id": ACCOUNT, "id": key, "type": kind, "time": iso(at), "zendesk_event_version": "2022-11-06",
        "subject": f"zen:ticket:{ticket['id']}", "detail": detail, "event": changes,
    })  # fmt: skip
