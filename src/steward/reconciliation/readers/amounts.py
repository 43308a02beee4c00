"""Amounts and currencies as files write them -> integers of minor units. No float is made on the way."""

from __future__ import annotations

import re
from functools import lru_cache

from steward.kernel.errors import BadInput
from steward.kernel.money import exponent

LARGEST = 10**16
"""No amount of a file may reach this many minor units: it is a damaged digit, not money."""

_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
    "GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
    "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP "
    "PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP "
    "TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ATS BEF "
    "CYP DEM EEK ESP FIM FRF GRD HRK IEP ITL LTL LUF LVL MTL NLG PTE SIT SKK BYR CUC MRO ROL SLL STD VEF ZMK ZWL"
)
CODES = frozenset(_CODES.split())
"""ISO 4217, with what it gave up since 1999: old statements are read too. One wrong letter is not another currency."""

_PLAIN = re.compile(r"([+-]?)([0-9]{1,20})(?:\.([0-9]{0,20}))?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)


@lru_cache(maxsize=1024)
def currency_code(text: str) -> str:
    code = text.strip().upper()
    if code not in CODES:
        raise BadInput(f"{text[:12]!r} is no currency code")
    return code


def bounded(amount: int) -> int:
    if not -LARGEST < amount < LARGEST:
        raise BadInput(f"the amount {str(amount)[:24]} is beyond any money")
    return amount


@lru_cache(maxsize=65536)
def minor(text: str, currency: str) -> int:
    """A decimal of major units ("12.30") as minor units. What is no whole minor unit is refused, never rounded. Prices
    and fees come again and again, so they are remembered.
    """
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
