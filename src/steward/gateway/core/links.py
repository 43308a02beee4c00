"""Signed links to what waits for people: whoever holds one may read that action until its time is over. A link decides
nothing: a decision asks for the person's own key.

    token = base64url(payload) "." base64url(HMAC-SHA256(key, payload))
    payload = "1" "." action (32 hex) "." first 16 hex of the arguments' digest "." end (Unix seconds)
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

_PAYLOAD = re.compile(rb"1\.([0-9a-f]{32})\.([0-9a-f]{16})\.([0-9]{1,12})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,200}\.[A-Za-z0-9_-]{43}")
_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is about: `digest` is the beginning of the arguments' digest it was made for."""

    action_id: str
    digest: str
    ends: datetime


def make_link(key: bytes, action_id: str, digest: str, ends: datetime) -> str:
    """The token of a link; `key` has 32 bytes, `digest` 64 hex digits."""
    payload = f"1.{action_id.removeprefix('act_')}.{digest[:_SHOWN]}.{int(ends.timestamp())}".encode()
    return f"{_text(payload)}.{_text(hmac.digest(key, payload, hashlib.sha256))}"


def read_link(key: bytes, token: str, now: datetime) -> Link | Literal["forged", "over"]:
    """What a token names, or why it is not believed."""
    if not _TOKEN.fullmatch(token):
        return "forged"
    said, _, signature = token.partition(".")
    payload = urlsafe_b64decode(said + "=" * (-len(said) % 4))
    if not hmac.compare_digest(_text(hmac.digest(key, payload, hashlib.sha256)), signature):
        return "forged"
    found = _PAYLOAD.fullmatch(payload)
    if found is None or _text(payload) != said:
        return "forged"
    ends = datetime.fromtimestamp(int(found[3]), UTC)
    return Link(f"act_{found[1].decode()}", found[2].decode(), ends) if now < ends else "over"


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
