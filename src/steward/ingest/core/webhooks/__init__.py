"""Webhooks, the pure part: whether a delivery is the provider's, and which facts it states."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steward.ingest.core.webhooks import helpdesk, paypal, plain, shipping, shopify, stripe
from steward.ingest.core.webhooks.certificates import Roots, certificate_url, paypal_scheme
from steward.ingest.core.webhooks.declarative import CompiledMapping, apply_mapping, compile_mapping
from steward.ingest.core.webhooks.model import Ignored, Mapped, RawDelivery, Unreadable, body_key, parse_document
from steward.ingest.core.webhooks.signatures import (
    EASYPOST,
    SECRET_PATH,
    SHOPIFY,
    STANDARD,
    STRIPE,
    TIKTOK_SHOP,
    ZENDESK,
    Scheme,
    Unverified,
    Verified,
    verify,
)
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

MAPPINGS: dict[str, Callable[[JsonObject, Mapping[str, str]], Mapped]] = {
    "stripe": stripe.map_delivery,
    "shopify": shopify.map_delivery,
    "paypal": paypal.map_delivery,
    "tiktok_shop": plain.map_tiktok_shop,
    "easypost": shipping.map_easypost,
    "shipbob": shipping.map_shipbob,
    "zendesk": helpdesk.map_zendesk,
    "gorgias": helpdesk.map_gorgias,
    "standard": plain.map_standard,
}


def schemes(roots: Roots) -> dict[str, Scheme]:
    """How each provider signs. `roots` are the public authorities that PayPal's certificate must chain to."""
    return {
        "stripe": STRIPE,
        "shopify": SHOPIFY,
        "paypal": paypal_scheme(roots),
        "tiktok_shop": TIKTOK_SHOP,
        "easypost": EASYPOST,
        "shipbob": STANDARD,
        "zendesk": ZENDESK,
        "gorgias": SECRET_PATH,
        "standard": STANDARD,
    }


_KEY_HEADERS = {
    "shopify": ("x-shopify-event-id", "x-shopify-webhook-id"),
    "shipbob": ("webhook-id",),
    "standard": ("webhook-id", "svix-id"),
}
_KEY_FIELDS = {"stripe": "id", "paypal": "id", "easypost": "id", "zendesk": "id", "tiktok_shop": "tts_notification_id"}
# One event of Shopify may be told under several topics, with the same id and body.
_TOPIC_HEADERS = {"shopify": "x-shopify-topic", "shipbob": "x-webhook-topic"}


def delivery_key(provider: str, delivery: RawDelivery) -> str:
    """The provider's own name of a delivery: the same on every attempt. Without one, the digest of the body."""
    topic = delivery.headers.get(_TOPIC_HEADERS.get(provider, ""), "")
    for name in _KEY_HEADERS.get(provider, ()):
        if value := delivery.headers.get(name):
            return _short(f"{topic}:{value}" if topic else value)
    if provider in _KEY_FIELDS:
        try:
            own = parse_document(delivery.body).get(_KEY_FIELDS[provider])
        except BadInput:
            own = None
        if isinstance(own, str) and own:
            return _short(own)
    return body_key(f"{topic}\n".encode("utf-8", "replace") + delivery.body if topic else delivery.body)


def _short(key: str) -> str:
    """A key that can be stored: what is longer, or holds what is not printed, is its digest."""
    return key if len(key) <= 256 and key.isprintable() else body_key(key.encode("utf-8", "surrogatepass"))


__all__ = [
    "MAPPINGS",
    "CompiledMapping",
    "Ignored",
    "Mapped",
    "RawDelivery",
    "Roots",
    "Scheme",
    "Unreadable",
    "Unverified",
    "Verified",
    "apply_mapping",
    "certificate_url",
    "compile_mapping",
    "delivery_key",
    "parse_document",
    "schemes",
    "verify",
]
