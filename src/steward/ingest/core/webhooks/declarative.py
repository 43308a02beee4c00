"""A home-grown platform's webhooks as data: JSONPath (RFC 9535) to the fields of an event. No code runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathError, JSONPathQuery

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Mapped, Missing, Part, envelope, guarded
from steward.ingest.core.webhooks.signatures import STANDARD, Scheme, hmac_scheme
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

_ENVIRONMENT = JSONPathEnvironment()
_KINDS = {"text", "id", "integer", "minor", "currency", "time", "boolean"}
_RULE_KEYS = {"when", "event", "version", "id", "subject", "time", "story", "data"}


@dataclass(frozen=True, slots=True)
class Field:
    """Where a value comes from: a path with a kind, a fixed value, or a list of objects at `path`."""

    path: JSONPathQuery | None
    text: str
    kind: str
    fixed: Any
    is_optional: bool
    currency: str | None
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
    parts = _object(value, where, {"header", "encoding", "prefix", "time_header"})
    encoding = parts.get("encoding", "hex")
    if encoding not in {"hex", "base64"}:
        raise BadInput(f"encoding {encoding!r} is not known", where=where, fix="write hex or base64")
    stamp = parts.get("time_header")
    return hmac_scheme(
        _text(parts.get("header"), f"{where}.header").lower(),
        encoding,
        str(parts.get("prefix", "")),
        None if stamp is None else _text(stamp, f"{where}.time_header").lower(),
    )


def _path(text: Any, where: str) -> JSONPathQuery:
    try:
        return _ENVIRONMENT.compile(_text(text, where))
    except JSONPathError as error:
        raise BadInput(f"{text!r} is no JSONPath: {error}", where=where, fix="see RFC 9535") from error


def _rule(value: Any, where: str) -> Rule:
    rule = _object(value, where, _RULE_KEYS)
    data = rule.get("data")
    if not isinstance(data, dict) or not data:
        raise BadInput("`data` is no object", where=where, fix="name the event's fields")
    version = rule.get("version", 1)
    if type(version) is not int or version < 1:
        raise BadInput("`version` is no whole number from 1", where=where)
    when: Any = rule.get("when") or {}
    return Rule(
        when={
            str(path): (_path(path, f"{where}.when"), wanted)
            for path, wanted in _object(when, f"{where}.when", set(when)).items()
        },
        event=_text(rule.get("event"), f"{where}.event"),
        version=version,
        id=_template(rule.get("id"), f"{where}.id"),
        subject=_template(rule.get("subject"), f"{where}.subject"),
        time=_field({"path": rule.get("time"), "as": "time"}, f"{where}.time"),
        story=_template(rule["story"], f"{where}.story") if "story" in rule else None,
        data={str(key): _field(item, f"{where}.data.{key}") for key, item in data.items()},  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
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
    parts = _object(value, where, {"path", "as", "optional", "currency", "each"})  # pyright: ignore[reportUnknownArgumentType]
    each, kind = parts.get("each"), parts.get("as", "text")
    if each is None and kind not in _KINDS:
        raise BadInput(f"`as: {kind}` is not known", where=where, fix=f"one of {', '.join(sorted(_KINDS))}")
    if kind == "minor" and not parts.get("currency"):
        raise BadInput("an amount needs `currency`", where=where, fix="a code such as GBP, or a JSONPath to one")
    inner = {str(k): _field(item, f"{where}.each.{k}") for k, item in each.items()} if isinstance(each, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return Field(
        _path(parts.get("path"), where),
        str(parts.get("path")),
        str(kind),
        None,
        parts.get("optional") is True,
        parts.get("currency"),
        inner,
    )


def apply_mapping(compiled: CompiledMapping, document: JsonObject) -> Mapped:
    """The events of one delivery: of every rule whose `when` holds."""

    @guarded
    def mapped(whole: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
        rules = [rule for rule in compiled.rules if _holds(rule, whole)]
        if not rules:
            return Ignored("no rule of the mapping speaks of it")
        return tuple(_made(rule, whole, compiled.source) for rule in rules)

    return mapped(document, {})


def _holds(rule: Rule, document: JsonObject) -> bool:
    return all(path.find(document).values() == [wanted] for path, wanted in rule.when.values())


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
        {name: _json(_value(field, document, document)) for name, field in rule.data.items()},
        rule.version,
        _filled(rule.story, document) if rule.story else None,
    )


def _filled(template: list[Field], document: JsonObject) -> str:
    return "".join(str(_value(field, document, document)) for field in template)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _value(field: Field, here: Any, document: JsonObject) -> Any:
    """The field's value, or None where it is optional and absent."""
    if field.path is None:
        return field.fixed
    found = field.path.find(here).values()
    if field.each is not None:
        inner: Any = found[0] if len(found) == 1 else None
        items: list[Any] = inner if isinstance(inner, list) else list(found)  # pyright: ignore[reportUnknownVariableType]
        return [{name: _json(_value(part, item, document)) for name, part in field.each.items()} for item in items]
    if len(found) != 1 or found[0] is None:
        if field.is_optional and len(found) <= 1:
            return None
        raise Missing(field.text, f"finds {len(found)} values, not one")
    part = Part(found[0], field.text)
    match field.kind:
        case "integer":
            return part.whole()
        case "minor":
            return part.minor(_currency(str(field.currency), document))
        case "currency":
            return part.currency()
        case "time":
            return part.time()
        case "id":
            return part.name()
        case "boolean":
            if not isinstance(part.value, bool):
                raise Missing(field.text, "is neither true nor false")
            return part.value
        case _:
            return part.text()


def _currency(code: str, document: JsonObject) -> str:
    if not code.startswith("$"):
        return Part(code, "currency").currency()
    found = _path(code, "currency").find(document).values()
    return Part(found[0] if len(found) == 1 else None, code).currency()
