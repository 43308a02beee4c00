"""Webhook signatures by RSA over time and body; the public key is fetched from the face as a JSON web key set.

The key is made when the face opens and is part of no world.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from livemarket.faces.webhooks import Endpoint

KEY = "simulated-1"


def _number(value: int) -> str:
    raw = value.to_bytes((value.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Signer:
    """One key for all endpoints."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def keys(self) -> dict[str, Any]:
        public = self._key.public_key().public_numbers()
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY}
        return {"keys": [key | {"n": _number(public.n), "e": _number(public.e)}]}

    def headers(self, endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
        time = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        made = self._key.sign(time.encode() + b"." + body, padding.PKCS1v15(), hashes.SHA256())
        return {
            "x-shipengine-rsa-sha256-key-id": KEY, "x-shipengine-timestamp": time,
            "x-shipengine-rsa-sha256-signature": base64.b64encode(made).decode(),
        }  # fmt: skip
