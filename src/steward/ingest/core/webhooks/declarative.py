"""A home-grown platform's webhooks as data: JSONPath (RFC 9535) to the fields of an event. No code runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from steward.contracts.event import Envelope
from steward.contracts.payloads import CURRENT, VERSIONS
from steward.ingest.core.webhooks.model import Ignored, Mapped, Missing, Part, envelope, guarded
from steward.ingest.core.webhooks.signatures import STANDARD, Scheme, hmac_scheme
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant
from steward.kernel.money import is_currency

if TYPE_CHECKING:
    from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathQuery

_RATIO = re.compile(r"-?\d{1,40}(\.\d{1,40}|/\d{1,40})?", re.ASCII)
_RULE_KEYS = {"when", "event", "version", "id", "subject", "time", "story", "data"}


def _boolean(part: Part) -> bool:
    if not isinstance(part.value, bool):
        raise Missing(part.path, "is neither true nor false")
    return part.value


def _ratio(part: Part) -> str:
    text = str(part.value)
    if isinstance(part.value, bool) or not _RATIO.fullmatch(text):
        raise Missing(part.path, "is no exact ratio")
    return text


_KINDS: dict[str, Callable[[Part], Any]] = {
    "text": Part.text,
    "id": Part.name,
    "integer": Part.whole,
    "minor": Part.whole,  # read with its currency
    "currency": Part.currency,
    "time": Part.time,
    "boolean": _boolean,
    "ratio": _ratio,
}
"""What `as` may say, and how each is read."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a value comes from: a path with a kind, a fixed value, an object of fields, or a list of objects at
    `path`.
    """

    path: JSONPathQuery | None
    text: str
    kind: str
    fixed: Any
    is_optional: bool
    currency: str | JSONPathQuery | None
    each: dict[str, Field] | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One event out of one kind of delivery."""

    when: dict[str, tuple[JSONPathQuery, Any]]
    event: str
    version: int
    id: list[Field]
    subject: list[Field]
    time: Field
    story: list[Field] | None
    data: dict[str, Field]


@dataclass(frozen=True, slots=True)
class CompiledMapping:
    """A platform's mapping, checked: its signature scheme and its rules in order."""

    name: str
    source: str
    scheme: Scheme
    rules: tuple[Rule, ...]


def compile_mapping(document: Any, name: str) -> CompiledMapping:
    """Check a mapping as YAML gave it. Everything wrong is `BadInput` with its place and what to do."""
    whole = _object(document, name, {"source", "signature", "rules"})
    rules = whole.get("rules")
    if not isinstance(rules, list) or not rules:
        raise BadInput("`rules` is no list", where=name, fix="list at least one rule")
    return CompiledMapping(
        name,
        _text(whole.get("source"), f"{name}.source"),
        _scheme(whole.get("signature"), f"{name}.signature"),
        tuple(_rule(rule, f"{name}.rules[{i}]") for i, rule in enumerate(rules)),  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    )


def _object(value: Any, where: str, keys: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput("is no object", where=where, fix=f"keys are {', '.join(sorted(keys))}")
    unknown = sorted(str(key) for key in value if key not in keys)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if unknown:
        raise BadInput(f"unknown keys {', '.join(unknown)}", where=where, fix=f"keys are {', '.join(sorted(keys))}")
    return value  # pyright: ignore[reportUnknownVariableType]


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadInput("is no text", where=where, fix="write a text")
    return value


def _scheme(value: Any, where: str) -> Scheme:
    if value == "standard":
        return STANDARD
    parts = _object(value, where, {"header", "encoding", "prefix", "time_header", "template"})
    encoding = parts.get("encoding", "hex")
    if encoding not in {"hex", "base64"}:
        raise BadInput(f"encoding {encoding!r} is not known", where=where, fix="write hex or base64")
    stamp, template = parts.get("time_header"), parts.get("template")
    try:
        return hmac_scheme(
            _text(parts.get("header"), f"{where}.header").lower(),
            encoding,
            str(parts.get("prefix", "")),
            None if stamp is None else _text(stamp, f"{where}.time_header").lower(),
            None if template is None else _text(template, f"{where}.template"),
        )
    except BadInput as error:
        place = error.where.removeprefix(f"{where}.")
        raise BadInput(error.what, where=f"{where}.{place}", fix=error.fix) from error


@cache
def _environment() -> JSONPathEnvironment:
    from jsonpath_rfc9535 import JSONPathEnvironment

    return JSONPathEnvironment()


def _path(text: Any, where: str) -> JSONPathQuery:
    from jsonpath_rfc9535 import JSONPathError

    try:
        return _environment().compile(_text(text, where))
    except JSONPathError as error:
        raise BadInput(f"{text!r} is no JSONPath: {error}", where=where, fix="see RFC 9535") from error


def _rule(value: Any, where: str) -> Rule:
    rule = _object(value, where, _RULE_KEYS)
    event = _text(rule.get("event"), f"{where}.event")
    if event not in CURRENT:
        raise BadInput(
            f"{event!r} is no event of the catalog", where=f"{where}.event", fix="see docs/reference/events.md"
        )
    version: Any = rule.get("version", CURRENT[event])
    if type(version) is not int or (event, version) not in VERSIONS:
        known = ", ".join(str(number) for name, number in sorted(VERSIONS) if name == event)
        raise BadInput(f"{event} has no version {version!r}", where=f"{where}.version", fix=f"one of {known}")
    when: Any = rule.get("when") or {}
    number = _template(rule.get("id"), f"{where}.id")
    if all(field.path is None for field in number):
        raise BadInput("every event would have the same id", where=f"{where}.id", fix="put a {$.path} into it")
    return Rule(
        when={
            str(path): (_path(path, f"{where}.when"), wanted)
            for path, wanted in _object(when, f"{where}.when", set(when)).items()
        },
        event=event,
        version=version,
        id=number,
        subject=_template(rule.get("subject"), f"{where}.subject"),
        time=_field({"path": rule.get("time"), "as": "time"}, f"{where}.time"),
        story=_template(rule["story"], f"{where}.story") if "story" in rule else None,
        data=_fields(rule.get("data"), f"{where}.data"),
    )


def _template(value: Any, where: str) -> list[Field]:
    """`order/{$.id}`: text with JSONPaths in braces."""
    text, fields = _text(value, where), list[Field]()
    while text:
        fixed, brace, rest = text.partition("{")
        if fixed:
            fields.append(Field(None, "", "text", fixed, False, None, None))
        if brace:
            path, closing, rest = rest.partition("}")
            if not closing:
                raise BadInput("a brace is not closed", where=where, fix="write {$.path}")
            fields.append(Field(_path(path, where), path, "id", None, False, None, None))
        text = rest
    return fields


def _field(value: Any, where: str) -> Field:
    if not isinstance(value, dict):
        return Field(None, "", "text", value, False, None, None)  # a fixed value
    if "object" in value:
        fields = _object(value, where, {"object"})["object"]  # pyright: ignore[reportUnknownArgumentType]
        return Field(None, "", "text", None, True, None, _fields(fields, f"{where}.object"))
    parts = _object(value, where, {"path", "as", "optional", "currency", "each"})  # pyright: ignore[reportUnknownArgumentType]
    each, kind = parts.get("each"), parts.get("as", "text")
    if each is None and kind not in _KINDS:
        raise BadInput(f"`as: {kind}` is not known", where=where, fix=f"one of {', '.join(sorted(_KINDS))}")
    if kind == "minor" and not parts.get("currency"):
        raise BadInput("an amount needs `currency`", where=where, fix="a code such as GBP, or a JSONPath to one")
    inner = None if each is None else _fields(each, f"{where}.each")
    return Field(
        _path(parts.get("path"), where),
        str(parts.get("path")),
        str(kind),
        None,
        parts.get("optional") is True,
        _code(parts.get("currency"), f"{where}.currency"),
        inner,
    )


def _fields(value: Any, where: str) -> dict[str, Field]:
    if not isinstance(value, dict) or not value:
        raise BadInput("is no object of fields", where=where, fix="name at least one field")
    return {str(key): _field(item, f"{where}.{key}") for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _code(value: Any, where: str) -> str | JSONPathQuery | None:
    """A currency: a code, or a path to one."""
    if isinstance(value, str) and value.startswith("$"):
        return _path(value, where)
    if value is not None and not is_currency(str(value)):
        raise BadInput(f"{value!r} is no currency", where=where, fix="a code such as GBP, or a JSONPath to one")
    return value


def apply_mapping(compiled: CompiledMapping, document: JsonObject) -> Mapped:
    """The events of one delivery: of every rule whose `when` holds."""
    from jsonpath_rfc9535 import JSONPathError

    @guarded
    def mapped(whole: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
        try:
            rules = [rule for rule in compiled.rules if _holds(rule, whole)]
            if not rules:
                return Ignored("no rule of the mapping speaks of it")
            return tuple(_made(rule, whole, compiled.source) for rule in rules)
        except JSONPathError as error:
            raise Missing("$", f"no path leads through it: {error}") from error

    return mapped(document, {})


def _holds(rule: Rule, document: JsonObject) -> bool:
    found = ((path.find(document).values(), wanted) for path, wanted in rule.when.values())
    return all(values == [wanted] and type(values[0]) is type(wanted) for values, wanted in found)


def _made(rule: Rule, document: JsonObject, source: str) -> Envelope:
    at = _value(rule.time, document, document)
    if not isinstance(at, datetime):
        raise Missing(rule.time.text, "is no time")
    return envelope(
        rule.event,
        _filled(rule.id, document),
        source,
        _filled(rule.subject, document),
        at,
        _object_of(rule.data, document, document),
        rule.version,
        _filled(rule.story, document) if rule.story else None,
    )


def _filled(template: list[Field], document: JsonObject) -> str:
    return "".join(str(_value(field, document, document)) for field in template)


def _json(value: Any) -> Any:
    return format_instant(value) if isinstance(value, datetime) else value


def _value(field: Field, here: Any, document: JsonObject) -> Any:
    """The field's value, or None where it is optional and absent. In a list, `here` is the item; else the document."""
    if field.path is None:
        return field.fixed if field.each is None else _object_of(field.each, here, document) or None
    found = field.path.find(here).values()
    if field.each is not None:
        inner: Any = found[0] if len(found) == 1 else None
        items: list[Any] = inner if isinstance(inner, list) else list(found)  # pyright: ignore[reportUnknownVariableType]
        return [_object_of(field.each, item, document) for item in items]
    if len(found) != 1 or found[0] is None:
        if field.is_optional and len(found) <= 1:
            return None
        raise Missing(field.text, f"finds {len(found)} values, not one")
    part = Part(found[0], field.text)
    return part.minor(_currency(field.currency, document)) if field.kind == "minor" else _KINDS[field.kind](part)


def _object_of(fields: Mapping[str, Field], here: Any, document: JsonObject) -> JsonObject:
    made = {name: _json(_value(field, here, document)) for name, field in fields.items()}
    return {name: value for name, value in made.items() if value is not None}


def _currency(code: str | JSONPathQuery | None, document: JsonObject) -> str:
    if code is None or isinstance(code, str):
        return Part(code, "currency").currency()
    found = code.find(document).values()
    return Part(found[0] if len(found) == 1 else None, str(code)).currency()
