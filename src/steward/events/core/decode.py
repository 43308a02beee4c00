"""CloudEvents in JSON, read in C: each event prepared for the log, or refused with its place and reason.

Nothing a sender wrote disappears in silence: unknown attributes, floats, repeated keys and texts PostgreSQL cannot
store are refused by name; one bad event does not spoil the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ValidationError

from steward.events.core.entry import Prepared, decoded_bytes, digest_of, event_key
from steward.events.core.structs import holds_instants, payload_decoder
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

Versions = Mapping[tuple[str, int], type[BaseModel]]

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_ARRAY = "send a JSON array of CloudEvents"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class CloudEvent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The structured form of CloudEvents 1.0 with our extensions. `dataschema` is read and not kept: the catalog
    knows the schema of a type and version.
    """

    id: Text
    source: Text
    type: Text
    subject: Text
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: msgspec.Raw
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    schemaversion: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    correlationid: Text | None = None
    causationid: Text | None = None
    expectedversion: Annotated[int, msgspec.Meta(ge=0)] | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """One event that was not taken: its place in the request, the JSON path inside it, a code and what to mend."""

    index: int
    path: str
    code: str
    detail: str

    def to_json(self) -> JsonObject:
        return {"index": self.index, "path": self.path, "code": self.code, "detail": self.detail}


@dataclass(slots=True)
class Decoded:
    """What a request held, in its order; every index is in exactly one of the two."""

    events: list[tuple[int, Prepared]]
    rejected: list[Rejected]


def _no_float(literal: str) -> Any:
    raise ValueError(f"{literal} is not an integer; write ratios as text, money in minor units")


_ONE = msgspec.json.Decoder(CloudEvent)
_MANY = msgspec.json.Decoder(list[CloudEvent])
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_DATA = msgspec.json.Decoder(dict[str, Any], float_hook=_no_float)
_insertion_order = msgspec.json.Encoder().encode


class Refusal(Exception):
    """One reason to refuse the event at hand."""

    def __init__(self, code: str, path: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.path, self.detail = code, path, detail


class Decoder:
    """Decodes by the payload contracts of `versions`, by event type and schema version."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._payloads = {key: payload_decoder(model) for key, model in versions.items()}
        self._slow = {key for key, model in versions.items() if holds_instants(model)}
        self._types = {event_type for event_type, _version in versions}

    def batch(self, body: bytes) -> Decoded:
        """A JSON array of events. A body that is no array raises `BadInput`."""
        decoded = Decoded([], [])
        try:
            found: Sequence[CloudEvent] = _MANY.decode(body)
            may_repeat = _may_repeat_keys(body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            may_repeat, found = True, []
        if may_repeat:
            for index, raw in enumerate(_items(body)):
                self._one(index, raw, decoded)
            return decoded
        for index, event in enumerate(found):
            self._keep(index, event, decoded)
        return decoded

    def single(self, body: bytes, index: int = 0) -> Decoded:
        """One event."""
        decoded = Decoded([], [])
        self._one(index, body, decoded)
        return decoded

    def _one(self, index: int, body: bytes, decoded: Decoded) -> None:
        try:
            event = _ONE.decode(body)
            if _may_repeat_keys(b"[" + body + b"]"):
                _refuse_repeated_attributes(body)
        except Refusal as refusal:
            decoded.rejected.append(Rejected(index, "$", refusal.code, refusal.detail))
            return
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            path, detail = _explain(error)
            decoded.rejected.append(Rejected(index, path, "malformed", _mended(detail)))
            return
        self._keep(index, event, decoded)

    def _keep(self, index: int, event: CloudEvent, decoded: Decoded) -> None:
        try:
            decoded.events.append((index, self.prepared(event)))
        except Refusal as refusal:
            decoded.rejected.append(Rejected(index, refusal.path, refusal.code, refusal.detail))
        except BadInput as error:
            decoded.rejected.append(Rejected(index, "$.data", "no_canonical_form", str(error)))

    def prepared(self, event: CloudEvent) -> Prepared:
        """Judge the payload and compute what the log stores."""
        version = event.schemaversion
        payload = self._payloads.get((event.type, version))
        raw = bytes(event.data)
        if payload is None:
            raise self._unknown(event.type, version)
        try:
            payload.decode(raw)
            data = _DATA.decode(raw)
            if (event.type, version) in self._slow:
                self._versions[event.type, version].model_validate_json(raw)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as error:
            raise self._payload_refusal(event.type, version, raw, error) from error
        # No control characters in names. `isprintable` is fast and too strict, so it only decides when to look closer.
        names = f"{event.id}{event.source}{event.subject}{event.correlationid}{event.causationid}"
        if not names.isprintable() and _CONTROL.search(names):
            raise Refusal("malformed", "$", "an attribute holds a control character")
        text = decoded_bytes(data, event.id)
        # The decoder keeps the last of two equal keys. Where the compact form of what came differs in length from
        # the compact form of what was read, look for them with a parser that sees both.
        if len(text) != len(raw) and len(text) != len(msgspec.json.format(raw, indent=-1)):
            _refuse_repeated_keys(raw)
        time = event.time if event.time.tzinfo is UTC else _utc(event.time)
        return Prepared(
            event.id,
            event.source,
            event.type,
            event.subject,
            time,
            version,
            event.correlationid,
            event.causationid,
            text,
            digest_of(event.type, event.subject, time, text),
            event_key(event.source, event.id),
            event.expectedversion,
        )

    def _unknown(self, event_type: str, version: int) -> Refusal:
        if event_type not in self._types:
            return Refusal("unknown_type", "$.type", f"{event_type!r} is not in the event catalog")
        known = sorted(v for t, v in self._versions if t == event_type)
        return Refusal("unknown_version", "$.schemaversion", f"{event_type} has versions {known}, not {version}")

    def _payload_refusal(self, event_type: str, version: int, raw: bytes, error: Exception) -> Refusal:
        """The model's own words where it refuses too; else the decoder's."""
        try:
            self._versions[event_type, version].model_validate_json(raw)
        except ValidationError as refused:
            first = refused.errors(include_url=False, include_context=False)[0]
            place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"])
            return Refusal("invalid_data", f"$.data{place}", first["msg"])
        path, detail = _explain(error)
        return Refusal("invalid_data", "$.data" + path[1:], detail)


def _may_repeat_keys(body: bytes) -> bool:
    """Whether an event's own attributes may repeat a key. A dictionary keeps the last of two, so what is written back
    is shorter than what came; white space and escapes are taken out of the comparison where it fails at first.
    """
    if len(_insertion_order(_OBJECTS.decode(body))) == len(body):
        return False
    compact = msgspec.json.format(body, indent=-1)
    return len(_insertion_order(_OBJECTS.decode(compact))) != len(compact)


def _utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise Refusal("malformed", "$.time", f"{time} is outside the calendar in UTC") from error


def _items(body: bytes) -> list[bytes]:
    """The elements of a JSON array, each for itself. One that no decoder accepts must not spoil the others, so where
    the whole cannot be decoded it is cut at the commas of its outermost level.
    """
    try:
        return [bytes(item) for item in _RAWS.decode(body)]
    except msgspec.ValidationError as error:
        raise BadInput(f"not a JSON array: {error}", fix=_ARRAY) from error
    except (msgspec.DecodeError, RecursionError) as error:
        items = _cut(body.strip(b" \t\r\n"))
        if items is None:
            raise BadInput(f"not JSON: {error}", fix=_ARRAY) from error
        return items


def _cut(body: bytes) -> list[bytes] | None:
    """Between the outermost commas; None where brackets do not close. What a piece holds is judged later."""
    if body[:1] != b"[" or body[-1:] != b"]":
        return None
    items: list[bytes] = []
    depth, start = 0, 1
    for token in _TOKEN.finditer(body):
        mark = token[0][:1]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
            if depth < 0 or (depth == 0 and token.end() != len(body)):
                return None
        elif mark == b"," and depth == 1:
            items.append(body[start : token.start()])
            start = token.end()
    return [*items, body[start:-1]] if depth == 0 else None


def _explain(error: Exception) -> tuple[str, str]:
    """Path and reason from msgspec's message, `what - at `$.path``."""
    what, _, place = str(error).partition(" - at `")
    return (place.rstrip("`") or "$"), what


def _mended(detail: str) -> str:
    if "unknown field" in detail:
        return (
            detail + "; attributes are id, source, type, subject, time, data, schemaversion, correlationid, causationid"
        )
    return detail


def _refuse_repeated_attributes(body: bytes) -> None:
    """The event's own attributes only: its data is looked at when it is prepared."""
    outermost: list[tuple[str, Any]] = []

    def remember(pairs: list[tuple[str, Any]]) -> JsonObject:
        outermost[:] = pairs
        return {}

    json.loads(body, object_pairs_hook=remember)
    keys = [key for key, _ in outermost]
    for key in keys:
        if keys.count(key) > 1:
            raise Refusal("repeated_key", "$", f"attribute {key!r} appears twice")


def _refuse_repeated_keys(raw: bytes) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> JsonObject:
        keys = [key for key, _ in pairs]
        for key in keys:
            if keys.count(key) > 1:
                raise Refusal("repeated_key", "$.data", f"key {key!r} appears twice in one object")
        return dict(pairs)

    json.loads(raw, object_pairs_hook=unique)
