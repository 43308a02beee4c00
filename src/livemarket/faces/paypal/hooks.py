"""Webhooks: who listens, which events there were, and whether a signature is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.paypal.account import Account
from livemarket.faces.paypal.cases import whole
from livemarket.faces.paypal.objects import links
from livemarket.faces.paypal.payments import absent, document
from livemarket.faces.paypal.refusals import Refused
from livemarket.faces.paypal.signing import message
from livemarket.faces.shapes import objects
from livemarket.faces.webhooks import Endpoint, Notice

ROOT = "/v1/notifications"


def table(till: Account) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("POST", f"{ROOT}/webhooks", lambda call: _listen(till, call)),
        ("GET", f"{ROOT}/webhooks", lambda call: _list(till, call)),
        ("GET", f"{ROOT}/webhooks/{{id}}", lambda call: answered(200, _shown(_found(till, call), call.base))),
        ("DELETE", f"{ROOT}/webhooks/{{id}}", lambda call: _forget(till, call)),
        ("POST", f"{ROOT}/verify-webhook-signature", lambda call: _verify(till, call)),
        ("GET", f"{ROOT}/webhooks-events", lambda call: _events(till, call)),
        ("GET", f"{ROOT}/webhooks-events/{{id}}", lambda call: answered(200, _event(till, call))),
        ("POST", f"{ROOT}/webhooks-events/{{id}}/resend", lambda call: _again(till, call)),
    ]


def _shown(endpoint: Endpoint, base: str) -> dict[str, Any]:
    types = [{"name": name} for name in endpoint.types]
    path = f"{ROOT}/webhooks/{endpoint.id}"
    return {"id": endpoint.id, "url": endpoint.url, "event_types": types, "links": links(base, ("self", path, "GET"))}


def _found(till: Account, call: Call) -> Endpoint:
    if call.found["id"] not in till.post.endpoints:
        raise absent()
    return till.post.endpoints[call.found["id"]]


def _listen(till: Account, call: Call) -> Answer:
    body = document(call)
    url, asked = body.get("url"), objects(body.get("event_types"))
    if not isinstance(url, str) or not url.startswith("http") or not asked:
        raise Refused(400, "VALIDATION_ERROR", "url and event_types are needed.")
    if any(endpoint.url == url for endpoint in till.post.endpoints.values()):
        raise Refused(400, "WEBHOOK_URL_ALREADY_EXISTS", "This url listens already.", "url")
    types = tuple(str(one.get("name")) for one in asked)
    key = sha256(f"{till.secret}/{url}".encode()).hexdigest()[:17].upper()
    till.post.endpoints[key] = Endpoint(key, url, "", types, till.view.now)
    return answered(201, _shown(till.post.endpoints[key], call.base))


def _list(till: Account, call: Call) -> Answer:
    return answered(200, {"webhooks": [_shown(e, call.base) for e in till.post.endpoints.values()]})


def _forget(till: Account, call: Call) -> Answer:
    del till.post.endpoints[_found(till, call).id]
    return Answer(204, b"")


def _verify(till: Account, call: Call) -> Answer:
    """The body is made again from the event, with no spaces, as it was sent."""
    body = document(call)
    try:
        text = json.dumps(body["webhook_event"], separators=(",", ":")).encode()
        signed = message(body["transmission_id"], body["transmission_time"], body["webhook_id"], text)
        good = till.signer.verifies(signed, str(body["transmission_sig"]))
    except KeyError as error:
        raise Refused(400, "VALIDATION_ERROR", f"{error.args[0]} is needed.") from error
    good = good and body["webhook_id"] in till.post.endpoints
    return answered(200, {"verification_status": "SUCCESS" if good else "FAILURE"})


def _events(till: Account, call: Call) -> Answer:
    size, kind = whole(call, "page_size", 10, 300), call.asked("event_type")
    found = [event for event in till.events.values() if kind in {"", event["event_type"]}][::-1]
    return answered(200, {"events": found[:size], "count": len(found[:size]), "links": []})


def _event(till: Account, call: Call) -> dict[str, Any]:
    if call.found["id"] not in till.events:
        raise absent()
    return till.events[call.found["id"]]


def _again(till: Account, call: Call) -> Answer:
    event = _event(till, call)
    till.post.tell(Notice(event["id"], event["event_type"], event), till.view.now)
    return answered(202, event)
