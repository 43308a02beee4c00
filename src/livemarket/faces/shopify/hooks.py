"""Webhooks: subscriptions by REST and GraphQL, and what is told to them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from livemarket.faces.business import Happened, iso
from livemarket.faces.numbers import hashed
from livemarket.faces.shopify import ids
from livemarket.faces.webhooks import Endpoint, Notice, Post

if TYPE_CHECKING:
    from livemarket.faces.faults import Faults
    from livemarket.faces.shopify.face import Shopify

TOPICS = ("orders/create", "refunds/create", "products/update", "fulfillments/create", "inventory_levels/update")
VERSION = "2025-10"


def signed(secret: str, body: bytes) -> str:
    """Base64 of HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Hooks:
    """One topic a subscription. Everything is signed with the app's own secret."""

    def __init__(self, face: Shopify, faults: Faults, secret: str) -> None:
        self.face = face
        self.secret = secret
        self.post = Post(face.name, self._headers, faults)

    def _headers(self, endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
        notice = name.rpartition("-")[0]  # the last part counts tries; a delivery keeps its id
        return {
            "x-shopify-hmac-sha256": signed(self.secret, body), "x-shopify-topic": endpoint.types[0],
            "x-shopify-webhook-id": hashlib.sha256(f"{endpoint.id}/{notice}".encode()).hexdigest()[:32],
            "x-shopify-event-id": hashlib.sha256(notice.encode()).hexdigest()[:32],
            "x-shopify-shop-domain": self.face.domain, "x-shopify-api-version": VERSION,
            "x-shopify-triggered-at": iso(self.face.view.now),
        }  # fmt: skip

    def subscribe(self, topic: str, url: str) -> Endpoint | str:
        """A new subscription, or why there is none."""
        if topic not in TOPICS:
            return "topic is not one of this world's: " + ", ".join(TOPICS)
        if not url.startswith(("http://", "https://")):
            return "address must be a URL"
        if any(e.url == url and e.types == (topic,) for e in self.post.endpoints.values()):
            return "address for this topic has already been taken"
        number = hashed(f"webhook/{topic}/{url}")
        made = Endpoint(str(number), url, self.secret, (topic,), self.face.view.now)
        self.post.endpoints[made.id] = made
        return made

    def rest(self, endpoint: Endpoint) -> dict[str, Any]:
        born = iso(endpoint.born)
        return {
            "id": int(endpoint.id), "address": endpoint.url, "topic": endpoint.types[0], "format": "json",
            "created_at": born, "updated_at": born, "fields": [], "metafield_namespaces": [],
            "api_version": VERSION, "private_metafield_namespaces": [],
        }  # fmt: skip

    def numbers(self) -> list[int]:
        return [int(key) for key in self.post.endpoints]

    def node(self, number: int) -> dict[str, Any] | None:
        endpoint = self.post.endpoints.get(str(number))
        if endpoint is None:
            return None
        return {
            "__typename": "WebhookSubscription", "id": ids.gid("WebhookSubscription", number),
            "topic": endpoint.types[0].replace("/", "_").upper(), "uri": endpoint.url, "format": "JSON",
            "createdAt": iso(endpoint.born),
        }  # fmt: skip

    def created(self, _: Any, *, topic: str, webhookSubscription: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - its name there
        url = webhookSubscription.get("uri") or webhookSubscription.get("callbackUrl") or ""
        known = {name.replace("/", "_").upper(): name for name in TOPICS}
        made = self.subscribe(known[topic], url)
        if isinstance(made, str):
            error = {"field": ["webhookSubscription", "callbackUrl"], "message": made}
            return {"webhookSubscription": None, "userErrors": [error]}
        return {"webhookSubscription": self.node(int(made.id)), "userErrors": []}

    def deleted(self, _: Any, **named: str) -> dict[str, Any]:
        gid = named["id"]
        number = ids.number_of("WebhookSubscription", gid)
        if number is None or self.post.endpoints.pop(str(number), None) is None:
            error = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [error]}
        return {"deletedWebhookSubscriptionId": gid, "userErrors": []}

    def notices(self, happened: Happened) -> list[Notice]:
        """What one fact is to Shopify."""
        at, columns = happened.moment, happened.columns
        objects, goods, view = self.face.objects, self.face.goods, self.face.view
        if happened.kind in {"price", "adjusted"}:
            sku = columns["sku"]
            goods.changed[sku] = at
            available = goods.available()[sku]
            made = [Notice(f"p{sku}.{at}", "products/update", goods.product(sku, at, available))]
            if happened.kind == "adjusted":
                made.append(Notice(f"l{sku}.{at}", "inventory_levels/update", goods.level(sku, available)))
            return made
        row = columns.get("order", -1)
        if happened.kind not in {"captured", "refund", "shipped"} or not objects.sales.here(row):
            return []
        name = view.order_name(row)
        if happened.kind == "captured":
            return [Notice(f"o{name}", "orders/create", objects.order(row, at))]
        if happened.kind == "shipped":
            return [Notice(f"f{name}", "fulfillments/create", objects.fulfillments(row, at)[0])]
        refund = view.refunds_of(row, at)[columns["number"]]
        return [Notice(f"r{name}.{columns['number']}", "refunds/create", objects.refund(refund, at))]
