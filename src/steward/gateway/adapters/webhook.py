"""An alert as an HTTP request, signed as Standard Webhooks 1.0 says: HMAC-SHA256 over id, timestamp and body."""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any

from steward.kernel.canonical import canonical_bytes
from steward.kernel.errors import BadInput

_SECONDS = 10.0


class WebhookChannel:
    """Posts to one address. Any answer from 200 to 299 is delivered."""

    name = "webhook"

    def __init__(self, address: str, secret: str) -> None:
        self._address = address
        try:
            self._key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadInput("the secret of the alert webhook is not base64", fix="see docs/concepts/gate.md") from error
        if not self._key or not address.startswith(("http://", "https://")):
            raise BadInput("the alert webhook needs an address and a secret", fix="see docs/concepts/gate.md")

    def send(self, message_id: str, body: dict[str, Any], at: datetime) -> tuple[bool, str]:
        """Whether it was delivered, and what was answered."""
        import httpx

        content = canonical_bytes(body)
        number, stamp = hashlib.sha256(message_id.encode()).hexdigest()[:32], str(int(at.timestamp()))
        signed = hmac.new(self._key, f"msg_{number}.{stamp}.".encode() + content, hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "webhook-id": f"msg_{number}",
            "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{b64encode(signed).decode()}",
        }
        try:
            answer = httpx.post(
                self._address, content=content, headers=headers, timeout=_SECONDS, follow_redirects=False
            )
        except httpx.HTTPError as error:
            return False, f"no answer: {type(error).__name__}"
        return answer.is_success, f"HTTP {answer.status_code}"
