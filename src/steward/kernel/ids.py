"""Typed, prefixed ids, `<prefix>_<32 hex digits of a UUID>`, and keys that name one intended effect."""

from __future__ import annotations

import hashlib
import re

PREFIXES = ("evt", "act", "apr", "tfr", "crt", "dcn", "run", "stl", "brk", "pay", "snp", "fct", "fil", "ivc")
_ID = re.compile(r"^(?P<prefix>[a-z]{3})_(?P<hex>[0-9a-f]{32})$")


def uuid7_hex(unix_ms: int, entropy: bytes) -> str:
    """RFC 9562 version 7 UUID as 32 hex digits: 48 bits of milliseconds, then 74 bits of `entropy`."""
    if len(entropy) < 10:
        raise ValueError("ten bytes of entropy are needed")
    value = (unix_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(entropy[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def make_id(prefix: str, unix_ms: int, entropy: bytes) -> str:
    if prefix not in PREFIXES:
        raise ValueError(f"unknown id prefix {prefix!r}")
    return f"{prefix}_{uuid7_hex(unix_ms, entropy)}"


def derived_id(prefix: str, unix_ms: int, key: str) -> str:
    """An id that is the same whenever the same effect is attempted again: its entropy is a digest of `key`."""
    return make_id(prefix, unix_ms, hashlib.sha256(key.encode()).digest())


def is_id(text: str, prefix: str) -> bool:
    match = _ID.match(text)
    return match is not None and match["prefix"] == prefix


def idempotency_key(*parts: str) -> str:
    """The name of one intended effect. Same parts, same key, on every attempt and after every crash."""
    return ":".join(parts)
