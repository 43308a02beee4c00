"""The types of the invariant language, and how the catalog writes them.

A type is what a value measures, so that pounds cannot be added to a count and a time cannot be compared with
a duration. `int` is a decimal that happens to be whole; an `enum` is text of which every word is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

from steward.kernel.errors import BadInput

SCALARS = ("bool", "int", "decimal", "text", "money", "time", "duration")
NUMERIC = ("int", "decimal", "money", "duration")
_SHAPE = "write one of bool int decimal text money time duration, enum: [..], set: TYPE or list: {field: TYPE}"
_DEPTH_MAX = 6


@dataclass(frozen=True, slots=True)
class Type:
    """`currency` only for money literals, `words` for enum, `item` for set and list, `fields` for records."""

    name: str
    currency: str = ""
    words: tuple[str, ...] = ()
    item: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()

    def __str__(self) -> str:
        if self.name == "enum":
            return "enum{" + ", ".join(self.words) + "}"
        if self.name == "record":
            return "{" + ", ".join(f"{name}: {kind}" for name, kind in self.fields) + "}"
        if self.item is not None:
            inner = str(self.item)
            return f"{self.name}{inner}" if self.item.name == "record" else f"{self.name}{{{inner}}}"
        return f"money in {self.currency}" if self.currency else self.name

    def field(self, name: str) -> Type | None:
        return dict(self.fields).get(name)


BOOL, INT, DECIMAL, TEXT, MONEY, TIME, DURATION = (Type(name) for name in SCALARS)


def _record(spec: dict[Any, Any], where: str, depth: int) -> Type:
    if not spec or not all(isinstance(name, str) and name.isidentifier() for name in spec):
        raise BadInput("a list needs named fields", where=where, fix=_SHAPE)
    fields = tuple((str(name), read_type(kind, f"{where}.{name}", depth + 1)) for name, kind in spec.items())
    return Type("record", fields=fields)


def _built(head: str, body: Any, where: str, depth: int) -> Type:
    if head == "enum":
        words = cast("list[Any]", body) if isinstance(body, list) else []
        if not words or not all(isinstance(word, str) for word in words) or len(set(words)) < len(words):
            raise BadInput("an enum needs distinct words", where=where, fix="quote words such as yes, no, on, off")
        return Type("enum", words=tuple(words))
    if head == "set":
        item = read_type(body, where, depth + 1)
        if item.item is not None:
            raise BadInput("a set holds single values", where=where, fix=_SHAPE)
        return Type("set", item=item)
    if isinstance(body, dict):
        return Type("list", item=_record(cast("dict[Any, Any]", body), where, depth))
    return Type("list", item=read_type(body, where, depth + 1))


def _from_text(spec: str, where: str, depth: int) -> Type:
    if spec in SCALARS:
        return Type(spec)
    match = re.fullmatch(r"\s*(enum|set|list)\s*\{(.*)\}\s*", spec, re.DOTALL)
    if match is None:
        raise BadInput(f"{spec!r} is not a type", where=where, fix=_SHAPE)
    head, body = match[1], match[2].strip()
    parts = [part.strip() for part in re.split(r",(?![^{]*\})", body)]
    if head == "enum":
        return _built("enum", [part.strip("\"'") for part in parts], where, depth)
    if head == "list" and all(re.match(r"\w+\s*:?\s*\w", part) and " " in part.replace(":", " ") for part in parts):
        pairs = [re.split(r"\s*:\s*|\s+", part, maxsplit=1) for part in parts]
        return _built("list", {pair[0]: pair[1] for pair in pairs}, where, depth)
    return _built(head, body, where, depth)


def read_type(spec: Any, where: str = "", depth: int = 0) -> Type:
    """A type as YAML writes it: `money`, `enum{a, b}`, `{set: text}`, `{list: {sku: text}}`; else `BadInput`."""
    if depth > _DEPTH_MAX:
        raise BadInput("a type nested too deep", where=where)
    if isinstance(spec, str):
        return _from_text(spec.strip(), where, depth)
    if isinstance(spec, dict):
        pairs = list(cast("dict[Any, Any]", spec).items())
        if len(pairs) == 1 and pairs[0][0] in ("enum", "set", "list"):
            return _built(pairs[0][0], pairs[0][1], where, depth)
    raise BadInput(f"{spec!r} is not a type", where=where, fix=_SHAPE)


def type_json(kind: Type) -> Any:
    """The one JSON form of a type, for the catalog digest."""
    if kind.name == "enum":
        return {"enum": list(kind.words)}
    if kind.name == "record":
        return {name: type_json(item) for name, item in kind.fields}
    if kind.item is not None:
        return {kind.name: type_json(kind.item)}
    return kind.name
