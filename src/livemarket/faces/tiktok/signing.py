"""TikTok Shop's signatures: of calls, and of what it tells."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

NOT_SIGNED = frozenset({"sign", "access_token"})


def sign(secret: str, path: str, pairs: Iterable[tuple[str, str]], body: bytes) -> str:
    """HMAC-SHA256 in hex of secret, path, sorted parameters as name and value, body, secret; the secret is the key."""
    parameters = "".join(f"{name}{value}" for name, value in sorted(pairs) if name not in NOT_SIGNED)
    text = f"{secret}{path}{parameters}".encode() + body + secret.encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def told(secret: str, app_key: str, body: bytes) -> str:
    """A webhook's `authorization`: HMAC-SHA256 in hex of the app's key and the body."""
    return hmac.new(secret.encode(), app_key.encode() + body, hashlib.sha256).hexdigest()
