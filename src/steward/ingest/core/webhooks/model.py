"""What every provider's module speaks: a delivery as it came, and what a mapping makes of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from steward.contracts.event import Envelope
from steward.contracts.payloads import VERSIONS
from steward.kernel.canonical import JsonObject, canonical_bytes
from steward.kernel.errors import BadInput
from steward.kernel.money import exponent, is_currency

_DEPTH = 64
_MOST_MINOR = 10**15
_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,18})(?:\.(?P<part>\d{1,18}))?", re.ASCII)
# PostgreSQL stores neither; both read as the replacement character, and the delivery itself is kept as it came.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RawDelivery:
    """One HTTP request as it came; header names in lower case. `certificate` is what the provider's certificate
    address gave, for schemes that sign with one.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    certificate: bytes = b""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and no event of ours. `refetch` names the object, kind and id, that says more than the delivery."""

    reason: str
    refetch: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not what the provider documents; kept until the mapping is mended."""

    path: str
    reason: str


Mapped = tuple[Envelope, ...] | Ignored | Unreadable
Mapping_ = Callable[[JsonObject, Mapping[str, str]], tuple[Envelope, ...] | Ignored]


class Missing(Exception):
    """A place of the document that does not hold what it should."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class Part:
    """A JSON value with its path: reads fields strictly and says where something is wrong."""

    def __init__(self, value: Any, path: str = "$") -> None:
        self.value = value
        self.path = path

    def at(self, key: str) -> Part:
        """A field of an object; absent is a part that holds None."""
        if not isinstance(self.value, dict):
            raise Missing(self.path, "is no object")
        return Part(self.value.get(key), f"{self.path}.{key}")  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]

    def maybe(self, key: str) -> Part | None:
        """A field that holds something, or None; also None where this is no object."""
        if not isinstance(self.value, dict) or self.value.get(key) is None:  # pyright: ignore[reportUnknownMemberType]
            return None
        return self.at(key)

    def items(self) -> list[Part]:
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise Missing(self.path, "is no list")
        listed: list[Any] = self.value  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return [Part(item, f"{self.path}[{i}]") for i, item in enumerate(listed)]

    def name(self) -> str:
        """A text or whole number as an id of at most 256 characters."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise Missing(self.path, "is no id")
        if not 0 < len(str(self.value)) <= 256:
            raise Missing(self.path, "is no id of 1 to 256 characters")
        return str(self.value)

    def text(self, most: int = 500) -> str:
        if not isinstance(self.value, str):
            raise Missing(self.path, "is no text")
        return self.value[:most]

    def whole(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or abs(self.value) > _MOST_MINOR:
            raise Missing(self.path, "is no whole number")
        return self.value

    def currency(self) -> str:
        code = self.text().upper()
        if not is_currency(code):
            raise Missing(self.path, f"{code[:8]!r} is no currency")
        return code

    def minor(self, currency: str) -> int:
        """A decimal amount such as "12.50" in minor units of its currency, exactly."""
        text = str(self.value) if isinstance(self.value, str | int) and not isinstance(self.value, bool) else ""
        found, digits = _DECIMAL.fullmatch(text), exponent(currency)
        part = (found["part"] or "") if found else ""
        if not found or part[digits:].strip("0"):
            raise Missing(self.path, f"is no amount of {currency}")
        amount = int(found["sign"] + found["whole"] + part[:digits].ljust(digits, "0"))
        if abs(amount) > _MOST_MINOR:
            raise Missing(self.path, f"is more {currency} than anything costs")
        return amount

    def time(self) -> datetime:
        """RFC 3339 with an offset, or whole seconds since 1970."""
        try:
            if isinstance(self.value, int) and not isinstance(self.value, bool):
                return datetime.fromtimestamp(self.value, UTC)
            at = datetime.fromisoformat(self.text())
            if at.tzinfo is None:
                raise Missing(self.path, "has no UTC offset")
            return at.astimezone(UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise Missing(self.path, "is no time") from error


def guarded(mapping: Mapping_) -> Callable[[JsonObject, Mapping[str, str]], Mapped]:
    """A mapping whose stumbles are answers: what is missing, and what makes no event, is `Unreadable`."""

    def mapped(document: JsonObject, headers: Mapping[str, str]) -> Mapped:
        try:
            return mapping(document, headers)
        except Missing as missing:
            return Unreadable(missing.path, missing.reason)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            return Unreadable("$", f"makes no {error.title}: {place}: {first['msg']}")
        except (BadInput, ValueError) as error:
            return Unreadable("$", f"makes no event: {str(error).splitlines()[0][:300]}")

    return mapped


def parse_document(body: bytes) -> JsonObject:
    """The delivery's JSON object. Decimals are kept as text, exactly; NaN, repeated keys and depth are `BadInput`."""

    def unique(pairs: list[tuple[str, Any]]) -> JsonObject:
        made: JsonObject = {}
        for key, value in pairs:
            if key in made:
                raise BadInput(f"key {key!r} appears twice in one object")
            made[_storable(key)] = _storable(value)
        return made

    def refuse(literal: str) -> Any:
        raise BadInput(f"{literal} is no number")

    try:
        document = json.loads(body, parse_float=str, parse_constant=refuse, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadInput("is no JSON object")
    if _depth(document) > _DEPTH:
        raise BadInput(f"is nested deeper than {_DEPTH}")
    return document  # pyright: ignore[reportUnknownVariableType]


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    return [_storable(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def _depth(value: Any) -> int:
    """How deep objects and lists are nested, without recursion."""
    deepest, level = 0, [value]
    while level and deepest <= _DEPTH:
        deepest += 1
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            elif isinstance(item, list):
                inner.extend(item)  # pyright: ignore[reportUnknownArgumentType]
        level = inner
    return deepest


def envelope(
    event_type: str,
    key: str,
    source: str,
    subject: str,
    time: datetime,
    data: JsonObject,
    version: int = 1,
    story: str | None = None,
) -> Envelope:
    """An envelope whose id names the fact, not the delivery. Absent fields are left out, and the payload's contract
    holds: what a mapping makes is never refused later for its form.
    """
    kept = {name: value for name, value in data.items() if value is not None}
    model = VERSIONS.get((event_type, version))
    if model is None:
        raise Missing("$", f"{event_type[:80]} version {version} is not in the event catalog")
    model.model_validate_json(canonical_bytes(kept))
    return Envelope(
        id=key, source=source, type=event_type, subject=subject, time=time, data=kept, schemaversion=version,
        correlationid=story,
    )  # fmt: skip


def body_key(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def person(
    name: str | None = None, email: str | None = None, phone: str | None = None, address: JsonObject | None = None
) -> JsonObject | None:
    """Personal fields, or None where there are none."""
    fields = {"name": name, "email": email, "phone": phone, "address": address or None}
    kept = {key: value for key, value in fields.items() if value}
    return kept or None


def optional_text(part: Part | None, most: int = 256) -> str | None:
    """The text of a part that may be absent or empty."""
    if part is None or not isinstance(part.value, str) or not part.value.strip():
        return None
    return part.value[:most]
