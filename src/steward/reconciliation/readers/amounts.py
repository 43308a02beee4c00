"""Amounts and currencies as files write them -> integers of minor units. No float is made on the way."""

from __future__ import annotations

import re

from steward.kernel.errors import BadInput
from steward.kernel.money import exponent, is_currency

LARGEST = 10**16
"""No amount of a file may reach this many minor units: it is a damaged digit, not money."""

_PLAIN = re.compile(r"([+-]?)([0-9]{1,20})(?:\.([0-9]{0,20}))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)


def currency_code(text: str) -> str:
    code = text.strip().upper()
    if not is_currency(code):
        raise BadInput(f"{text[:12]!r} is no currency code")
    return code


def bounded(amount: int) -> int:
    if not -LARGEST < amount < LARGEST:
        raise BadInput(f"the amount {str(amount)[:24]} is beyond any money")
    return amount


def minor(text: str, currency: str) -> int:
    """A decimal of major units ("12.30") as minor units. What is no whole minor unit is refused, never rounded."""
    found = _PLAIN.fullmatch(text)
    if not found:
        raise BadInput(f"{text[:24]!r} is no amount")
    sign, whole, fraction = found[1], found[2], found[3] or ""
    digits = exponent(currency)
    if len(fraction) > digits:
        if fraction[digits:].strip("0"):
            raise BadInput(f"{text[:24]} {currency} is no whole minor unit")
        fraction = fraction[:digits]
    amount = bounded(int(whole + fraction.ljust(digits, "0")))
    return -amount if sign == "-" else amount


def minor_or_zero(text: str, currency: str) -> int:
    """The same, where an empty cell means nothing was charged."""
    return minor(text, currency) if text else 0


def whole(text: str) -> int:
    """An integer of minor units, or a count, as it is."""
    if not _WHOLE.fullmatch(text):
        raise BadInput(f"{text[:24]!r} is no whole number")
    return bounded(int(text))


def plain(text: str, point: str, group: str) -> str:
    """A local decimal ("1.234,50") with a point and no grouping, for `minor`; grouping must be by three."""
    if group and group in text:
        head, *rest = text.partition(point)[0].lstrip("+-").split(group)
        if not 1 <= len(head) <= 3 or any(len(part) != 3 for part in rest):
            raise BadInput(f"{text[:24]!r} is not grouped by three digits")
        whole_part, mark, fraction = text.partition(point)
        text = whole_part.replace(group, "") + mark + fraction
    if point != ".":
        if "." in text:
            raise BadInput(f"{text[:24]!r} has a point where the decimal sign is {point!r}")
        text = text.replace(point, ".")
    return text
