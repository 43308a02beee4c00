"""Exact values: how JSON facts and parameters become numbers, money and text, and are shown again.

Numbers are exact: whole ones Python's integers, others Fractions (the annotations say Fraction for both), and nothing
divides an integer but through Fraction. Money is an exact number of minor units; a zero whose currency nobody knows
(the sum of an empty list) fits every currency. Times are seconds since 1970 UTC, durations seconds. Null is never a
value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, cast

from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant, parse_instant
from steward.kernel.money import Money, exponent, is_currency
from steward.verifier.core.formula import SECONDS
from steward.verifier.core.polynomials import exact
from steward.verifier.core.types import NUMERIC, Type

ITEMS_MAX = 1_000
TEXT_MAX = 100_000
_MOST = 10**40
_ZERO = exact(0)
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40}|/[0-9]{1,40})?")
_DURATION = re.compile(r"(-?)((?:[0-9]{1,12}[smhdw])+)")
_ISO_DURATION = re.compile(r"(-?)P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units, exact; `currency` is empty only for a zero that fits any."""

    minor: Fraction
    currency: str


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A fact known only within bounds, or as the sum of any subset of `parts` (what is in flight)."""

    kind: Type
    low: Fraction
    high: Fraction
    parts: tuple[Fraction, ...] = ()
    currency: str = ""
    is_subset: bool = False


Value = Any
"""bool, an exact number, str, Amount, tuple (list of dict or scalar), frozenset, or Uncertain."""


def _wrong(value: Any, kind: Type) -> BadInput:
    shown = "null is never a value" if value is None else f"{str(value)[:60]!r} is not {kind}"
    return BadInput(shown)


def _duration(text: str) -> Fraction | None:
    if match := _DURATION.fullmatch(text):
        total = sum(int(part[:-1]) * SECONDS[part[-1]] for part in re.findall(r"[0-9]+[smhdw]", match[2]))
    elif (match := _ISO_DURATION.fullmatch(text)) and any(match.groups()[1:]):
        total = sum(int(part or 0) * SECONDS[unit] for part, unit in zip(match.groups()[1:], "wdhms", strict=True))
    else:
        return None
    return exact(-total if match[1] else total)


def _number(value: Any, kind: Type) -> Fraction:
    if type(value) is int and -_MOST < value < _MOST:
        return exact(value)
    if kind.name == "decimal" and isinstance(value, str) and _DECIMAL.fullmatch(value):
        parts = value.split("/")
        if len(parts) == 1 or int(parts[1]) != 0:
            return exact(Fraction(value))
    raise _wrong(value, kind)


def _amount(value: Any, kind: Type) -> Amount:
    if isinstance(value, dict):
        entry = cast("dict[str, Any]", value)
        minor, currency = entry.get("amount_minor"), entry.get("currency")
        known = type(minor) is int and -_MOST < minor < _MOST and isinstance(currency, str) and is_currency(currency)
        if len(entry) == 2 and known:
            return Amount(cast("Fraction", minor), cast("str", currency))
    raise _wrong(value, kind)


def _time(value: Any, kind: Type) -> Fraction:
    if not isinstance(value, str):
        raise _wrong(value, kind)
    try:
        elapsed = parse_instant(value) - _EPOCH
    except OverflowError:
        raise _wrong(value, kind) from None
    return exact(Fraction(elapsed // timedelta(microseconds=1), 1_000_000))


def _many(value: Any, kind: Type) -> Value:
    if not isinstance(value, list | tuple):
        raise _wrong(value, kind)
    entries = cast("list[Any]", value)
    if len(entries) > ITEMS_MAX:
        raise BadInput(f"more than {ITEMS_MAX} items")
    item = cast("Type", kind.item)
    found: list[Value] = []
    for index, entry in enumerate(entries):
        try:
            found.append(read_value(entry, item))
        except BadInput as error:
            raise BadInput(f"item {index}: {error.what}") from None
    return frozenset(found) if kind.name == "set" else tuple(found)


def _record(value: Any, kind: Type) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise _wrong(value, kind)
    entry = cast("dict[str, Any]", value)
    found: dict[str, Value] = {}
    for name, field in kind.fields:
        if name not in entry:
            raise BadInput(f"{name} is missing")
        try:
            found[name] = read_value(entry[name], field)
        except BadInput as error:
            raise BadInput(f"{name}: {error.what}") from None
    return found


def read_value(value: Any, kind: Type) -> Value:
    """The exact value of JSON `value` as `kind`; `BadInput` for null, a float, or another type."""
    match kind.name:
        case "bool" if isinstance(value, bool):
            return value
        case "int" | "decimal":
            return _number(value, kind)
        case "text" | "enum" if isinstance(value, str) and len(value) <= TEXT_MAX:
            if kind.name == "enum" and value not in kind.words:
                raise _wrong(value, kind)
            return value
        case "money":
            return _amount(value, kind)
        case "time":
            return _time(value, kind)
        case "duration" if isinstance(value, str) and (seconds := _duration(value)) is not None:
            return seconds
        case "list" | "set":
            return _many(value, kind)
        case "record":
            return _record(value, kind)
        case _:
            raise _wrong(value, kind)


def _magnitude(value: Value) -> tuple[Fraction, str]:
    return (value.minor, value.currency) if isinstance(value, Amount) else (value, "")


def read_fact(value: Any, kind: Type) -> Value:
    """Like `read_value`, and `Uncertain` for {"low", "high"} and {"any_subset_of"} of a numeric type."""
    if not isinstance(value, dict) or kind.name not in NUMERIC:
        return read_value(value, kind)
    entry = cast("dict[str, Any]", value)
    if set(entry) == {"low", "high"}:
        (low, unit), (high, other) = (_magnitude(read_value(entry[end], kind)) for end in ("low", "high"))
        if unit != other or low > high:
            raise BadInput("an interval needs low <= high in one currency")
        return read_value(entry["low"], kind) if low == high else Uncertain(kind, low, high, currency=unit)
    if set(entry) == {"any_subset_of"} and isinstance(entry["any_subset_of"], list):
        read = [_magnitude(part) for part in _many(entry["any_subset_of"], Type("list", item=kind))]
        units = {unit for _, unit in read}
        if len(units) > 1:
            raise BadInput("a subset of amounts in different currencies has no sum")
        parts = tuple(part for part, _ in read if part != 0)
        low = sum((part for part in parts if part < 0), _ZERO)
        high = sum((part for part in parts if part > 0), _ZERO)
        unit = next(iter(units), "")
        if not parts:
            return Amount(_ZERO, unit) if kind.name == "money" else _ZERO
        return Uncertain(kind, low, high, parts, unit, is_subset=True)
    return read_value(value, kind)


def certain(fact: Uncertain, value: Fraction) -> Value:
    """The ground value of an uncertain fact that turned out to be `value`."""
    return Amount(value, fact.currency) if fact.kind.name == "money" else value


def plain_number(value: Fraction) -> str:
    """A ratio as JSON text: "0.15" where that is exact within 12 places, else "3/20"."""
    scaled = value * 10**12
    if scaled.denominator != 1:
        return str(value)
    digits = str(abs(int(scaled))).rjust(13, "0")
    text = f"{digits[:-12]}.{digits[-12:]}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text


def duration_text(seconds: Fraction) -> str:
    if seconds.denominator != 1:
        return f"{plain_number(seconds)}s"
    whole = abs(int(seconds))
    unit = next(u for u in "dhms" if whole % SECONDS[u] == 0)
    return f"{'-' if seconds < 0 else ''}{whole // SECONDS[unit]}{unit}"


def instant_text(seconds: Fraction) -> str:
    return format_instant(_EPOCH + timedelta(microseconds=int(seconds * 1_000_000)))


def value_json(value: Value, kind: Type) -> Any:
    """The JSON form of an exact value, the inverse of `read_value` for whole amounts."""
    match kind.name:
        case "int" | "decimal":
            return int(value) if kind.name == "int" and value.denominator == 1 else plain_number(value)
        case "money":
            minor = int(value.minor) if value.minor.denominator == 1 else plain_number(value.minor)
            return {"amount_minor": minor, "currency": value.currency}
        case "time":
            return instant_text(value)
        case "duration":
            return duration_text(value)
        case "set":
            return sorted((value_json(item, cast("Type", kind.item)) for item in value), key=str)
        case "list":
            return [value_json(item, cast("Type", kind.item)) for item in value]
        case "record":
            return {name: value_json(value[name], field) for name, field in kind.fields}
        case _:
            return value


def value_text(value: Value, kind: Type) -> str:
    """The value as a person reads it: GBP 55.00, 24h, 0.15."""
    if kind.name == "money" and not isinstance(value, Amount):
        return plain_number(value)  # the sum of an empty list of money has no currency
    if kind.name == "money":
        amount = value
        if amount.minor.denominator == 1 and amount.currency:
            return str(Money(int(amount.minor), amount.currency))
        major = plain_number(Fraction(amount.minor) / 10 ** exponent(amount.currency))
        return f"{amount.currency} {major}".strip()
    shown = value_json(value, kind)
    if kind.name in ("set", "list", "record"):
        return str(shown)
    return f'"{shown}"' if kind.name in ("text", "enum") else str(shown).lower() if kind.name == "bool" else str(shown)
