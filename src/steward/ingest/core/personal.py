"""Which part of an event is about a person, and by what the person is known. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from steward.kernel.canonical import JsonObject, canonical_bytes


def split(data: JsonObject, personal: Sequence[str]) -> tuple[JsonObject, JsonObject]:
    """What may stay in the log, and the personal fields. Empty fields are nobody's."""
    fields = {key: data[key] for key in personal if data.get(key) not in (None, {}, [], "")}
    return {key: value for key, value in data.items() if key not in personal}, fields


def names_of(source: str, data: JsonObject, fields: JsonObject, identity: str | None) -> list[str]:
    """What a person is recognised by, strongest first: the shop's id (within its source), then the address."""
    names: list[str] = []
    own = data.get(identity) if identity else None
    if isinstance(own, str):
        names.append(shop_name(source, own))
    email = _email(fields)
    if email:
        names.append(f"email:{email}")
    return names


def shop_name(source: str, own: str) -> str:
    """The shop's id within its source; the length keeps two pairs from reading alike."""
    return f"id:{len(source)}:{source}:{own}"


def _email(fields: JsonObject) -> str | None:
    for value in fields.values():
        found: Any = value.get("email") if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(found, str) and found.strip():
            return found.strip().lower()
    return None


def alias(key: bytes, name: str) -> bytes:
    """The keyed digest a person is looked up by: without the key, nobody can try addresses against it."""
    return hmac.digest(key, name.encode(), hashlib.sha256)


def person_digest(salt: bytes, fields: JsonObject) -> str:
    """What stands in the log for the fields: HMAC-SHA256 under the person's own salt, 64 hex digits."""
    return hmac.digest(salt, canonical_bytes(fields), hashlib.sha256).hex()
