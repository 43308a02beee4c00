"""Webhooks of the warehouse, signed as Standard Webhooks says: HMAC-SHA256 over id, time and body, in base64."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from livemarket.core.state import Status
from livemarket.faces.business import Happened, iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.shapes import texts
from livemarket.faces.warehouse.refusals import Action, Refused, absent
from livemarket.faces.webhooks import Endpoint, Notice

if TYPE_CHECKING:
    from livemarket.faces.warehouse.face import Warehouse

TOPICS = ("order.shipped", "order.shipment.delivered", "order.shipment.exception", "order.shipment.cancelled")
ROOT = "/2026-01/webhook"


def signature(endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
    """The key is what stands behind whsec_, in base64. Every try has the same id; the topic has a header of its own."""
    name = name.rpartition("-")[0]
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    signed = f"v1,{base64.b64encode(made).decode()}"
    topic = name.partition("/")[0]
    return {
        "webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": signed, "x-webhook-topic": topic,
    }  # fmt: skip


def table(face: Warehouse) -> list[tuple[str, str, Action]]:
    """Method, path, action."""
    return [
        ("POST", ROOT, lambda call: _listen(face, call)),
        ("GET", ROOT, lambda _: answered(200, {"items": [shown(e) for e in face.post.endpoints.values()]})),
        ("DELETE", f"{ROOT}/{{id}}", lambda call: _forget(face, call)),
    ]


def shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": int(endpoint.id), "topics": list(endpoint.types), "subscription_url": endpoint.url, "enabled": True,
        "created_at": iso(endpoint.born),
    }  # fmt: skip


def _listen(face: Warehouse, call: Call) -> Answer:
    try:
        given: Any = call.document()
        url, topics = given["subscription_url"], texts(given["topics"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(400, "topics", "topics and subscription_url are needed") from error
    if not isinstance(url, str) or not url.startswith("http"):
        raise Refused(422, "subscription_url", "is an address")
    if not topics or not set(topics) <= set(TOPICS):
        raise Refused(422, "topics", f"are of {', '.join(TOPICS)}")
    number = str(1 + max((int(key) for key in face.post.endpoints), default=0))
    made = hashlib.sha256(f"{face.token}/{number}/{url}".encode()).digest()[:24]
    secret = f"whsec_{base64.b64encode(made).decode()}"
    face.post.endpoints[number] = Endpoint(number, url, secret, tuple(topics), face.view.now)
    return answered(201, shown(face.post.endpoints[number]) | {"secret": secret})


def _forget(face: Warehouse, call: Call) -> Answer:
    if call.found["id"] not in face.post.endpoints:
        raise absent()
    del face.post.endpoints[call.found["id"]]
    return Answer(204, b"")


def notice(face: Warehouse, happened: Happened) -> Notice | None:
    """The event of a fact about an order."""
    row, topic = happened.columns.get("order", -1), ""
    if happened.kind == "shipped":
        topic = TOPICS[0]
    elif happened.kind == "delivered":
        topic = TOPICS[1]
    elif happened.kind == "order" and face.view.order("status", row) == Status.OVERSOLD:
        topic = TOPICS[2]
    elif happened.kind == "cancelled" and happened.columns["by"]:
        topic = TOPICS[3]
    if not topic:
        return None
    shipment = face.objects.shipment(row, happened.moment)
    return Notice(f"{topic}/{shipment['reference_id']}", topic, shipment)
