"""Webhooks, the pure part: whether a delivery is the provider's, and which facts it states."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

from cryptography import x509

from steward.ingest.core.webhooks import helpdesk, paypal, plain, shipping, shopify, stripe
from steward.ingest.core.webhooks.certificates import certificate_url, paypal_scheme
from steward.ingest.core.webhooks.declarative import CompiledMapping, apply_mapping, compile_mapping
from steward.ingest.core.webhooks.model import Ignored, Mapped, RawDelivery, Unreadable, parse_document
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


def schemes(roots: Callable[[], Sequence[x509.Certificate]]) -> dict[str, Scheme]:
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
    "paypal": (),
}


def delivery_key(provider: str, delivery: RawDelivery) -> str:
    """The provider's own name of a delivery: the same on every attempt. Without one, the digest of the body."""
    for name in _KEY_HEADERS.get(provider, ()):
        if value := delivery.headers.get(name):
            return value[:256]
    if provider in {"stripe", "paypal", "easypost", "zendesk"}:
        try:
            own = parse_document(delivery.body).get("id")
        except BadInput:
            own = None
        if isinstance(own, str) and own:
            return own[:256]
    return "sha256:" + hashlib.sha256(delivery.body).hexdigest()


__all__ = [
    "MAPPINGS",
    "CompiledMapping",
    "Ignored",
    "Mapped",
    "RawDelivery",
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
