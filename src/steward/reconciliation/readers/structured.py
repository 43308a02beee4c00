"""JSON without floats: decimals stay the text they are. Duplicate keys, depth and size are bounded."""

from __future__ import annotations

import json
from typing import Any, cast

from steward.contracts.base import JsonObject
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import bounded


class Number(str):
    """A number with a fraction or an exponent, as it stands in the file."""

    __slots__ = ()


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"the key {twice[:40]!r} comes twice in one object")
    return made


def _no_constant(text: str) -> Any:
    raise BadInput(f"{text} is no number")


def parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Number, parse_constant=_no_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", where=f"line {error.lineno}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"not JSON: {error}") from None


def word(row: JsonObject, name: str, default: str | None = None) -> str:
    """A text, or an id written as a number. Null and absent are `default`, where there is one."""
    value = row.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        return str(bounded(value))
    if not isinstance(value, str) or isinstance(value, Number):
        raise BadInput(f"{name!r} is no text")
    return value.strip()


def integer(row: JsonObject, name: str) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"{name!r} is no whole number")
    return bounded(value)


def amount(row: JsonObject, name: str) -> str:
    """A decimal of major units, written as a text or as a number."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInput(f"{name!r} is no amount")
    return str(value).strip()


def as_object(value: Any) -> JsonObject | None:
    """The value, if it is an object."""
    return cast("JsonObject", value) if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """The value, if it is a list."""
    return cast("list[Any]", value) if isinstance(value, list) else None


def child(row: JsonObject, name: str) -> JsonObject:
    value = as_object(row.get(name))
    if value is None:
        raise BadInput(f"{name!r} is no object")
    return value
