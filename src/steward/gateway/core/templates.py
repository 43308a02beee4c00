"""Templates: JSON whose texts hold marks such as `{charge}` or `{amount_minor|major:currency}`.

A text that is one mark alone becomes the value, whatever its type; inside a longer text the value is written as text. A
key or an element whose mark names nothing that was given is left out, and so is an object that loses every key by that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast

from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.money import exponent

_MARK = re.compile(r"\{([a-z_][A-Za-z0-9_.]*)((?:\|[a-z_0-9]+(?::[^|{}]*)?)*)\}")
_CURRENCY = re.compile(r"[A-Z]{3}")


class Absent:
    """Stands for what was not given."""


ABSENT = Absent()


def fill(template: Mapping[str, Any], values: Mapping[str, Any]) -> JsonObject:
    """An object from its template. `BadInput` where a filter does not fit its value."""
    return {key: value for key, part in template.items() if not isinstance(value := fill_any(part, values), Absent)}


def fill_any(template: Any, values: Mapping[str, Any]) -> Any:
    """Any JSON from its template; `ABSENT` where it names what was not given."""
    if isinstance(template, str):
        return _text(template, values)
    if isinstance(template, Mapping):
        given = cast("Mapping[str, Any]", template)
        made = fill(given, values)
        return ABSENT if given and not made else made
    if isinstance(template, list):
        parts = [fill_any(part, values) for part in cast("list[Any]", template)]
        kept = [part for part in parts if not isinstance(part, Absent)]
        return ABSENT if parts and not kept else kept
    return template


def names_in(template: Any) -> Iterator[str]:
    """The first part of every name a template asks for, with those its filters ask for."""
    if isinstance(template, str):
        for mark in _MARK.finditer(template):
            yield mark[1].split(".")[0]
            for name, argument in _filters(mark[2]):
                if name.startswith("major") and argument and not _CURRENCY.fullmatch(argument):
                    yield argument.split(".")[0]
    elif isinstance(template, Mapping):
        for part in cast("Mapping[str, Any]", template).values():
            yield from names_in(part)
    elif isinstance(template, list):
        for part in cast("list[Any]", template):
            yield from names_in(part)


def at(values: Mapping[str, Any], path: str) -> Any:
    """The value at `name.part`; `ABSENT` where there is none."""
    value: Any = values
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = cast("Mapping[str, Any]", value)[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(part)]
        else:
            return ABSENT
    return ABSENT if value is None else value


def as_text(value: Any) -> str:
    """A value inside a longer text, a path or a query: truth values as JSON writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal | int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _MARK.fullmatch(template)
    if whole is not None:
        return _value(whole, values)
    parts: list[str] = []
    end = 0
    for mark in _MARK.finditer(template):
        value = _value(mark, values)
        if isinstance(value, Absent):
            return ABSENT
        parts += [template[end : mark.start()], as_text(value)]
        end = mark.end()
    return "".join([*parts, template[end:]])


def _value(mark: re.Match[str], values: Mapping[str, Any]) -> Any:
    value = at(values, mark[1])
    for name, argument in _filters(mark[2]):
        if isinstance(value, Absent):
            return ABSENT
        value = _filtered(name, argument, value, values, mark[0])
    return value


def _filters(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split("|")[1:]:
        name, _, argument = part.partition(":")
        yield name, argument


def _filtered(name: str, argument: str, value: Any, values: Mapping[str, Any], where: str) -> Any:
    if name == "text":
        return as_text(value)
    if name == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if name == "base64":
        return base64.b64encode(as_text(value).encode()).decode()
    if name == "join" and isinstance(value, list):
        return argument.join(as_text(part) for part in cast("list[Any]", value))
    if name == "major":
        return _major(value, argument, values, where)
    if name == "number":
        return _number(value, where)
    if name == "uuid":
        return _dashed(as_text(value), where)
    if name == "minus" and type(value) is int:
        return -value
    if name == "after":
        return _after(as_text(value), argument, where)
    if name in ("upper", "lower"):
        return as_text(value).upper() if name == "upper" else as_text(value).lower()
    raise BadInput(f"{where}: there is no filter {name!r} for this value")


def _dashed(value: str, where: str) -> str:
    """An id of ours as a UUID is written."""
    digits = re.sub(r"^[a-z]{3}_", "", value)
    if not re.fullmatch(r"[0-9a-f]{32}", digits):
        raise BadInput(f"{where}: {value!r} is no id of ours")
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _after(value: str, mark: str, where: str) -> str:
    """What stands behind the first mark."""
    head, found, tail = value.partition(mark) if mark else ("", "", "")
    if not found or not head:
        raise BadInput(f"{where}: {value!r} holds no {mark!r}")
    return tail


def _major(value: Any, argument: str, values: Mapping[str, Any], where: str) -> str:
    """An amount in minor units as an exact decimal text in major units of a currency: given, or an argument's value."""
    currency = argument if _CURRENCY.fullmatch(argument) else at(values, argument) if argument else ABSENT
    if type(value) is not int or not isinstance(currency, str) or not _CURRENCY.fullmatch(currency.upper()):
        raise BadInput(f"{where}: needs a whole number of minor units and a currency")
    digits = exponent(currency.upper())
    return str(Decimal(value).scaleb(-digits).quantize(Decimal(1).scaleb(-digits))) if digits else str(value)


def _number(value: Any, where: str) -> int | Decimal:
    """A text of digits as a JSON number, exactly."""
    if type(value) is int:
        return value
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,40}(\.\d{1,40})?", value):
        return Decimal(value) if "." in value else int(value)
    raise BadInput(f"{where}: {value!r} is no number")
