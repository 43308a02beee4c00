"""What a finance team says about a table nobody publishes a format of: its columns, signs, dates and types, as data."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError

from steward.contracts.base import Contract, Currency, JsonObject
from steward.contracts.settlement import LineType
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.moments import day_of

Column = Annotated[str, Field(min_length=1, max_length=200)]
RefName = Literal["transaction", "payment", "order", "refund", "dispute", "payout", "reference", "bank"]

_PARTS = {
    "%Y": "(?P<Y>[0-9]{4})", "%m": "(?P<m>[0-9]{1,2})", "%d": "(?P<d>[0-9]{1,2})", "%H": "(?P<H>[0-9]{1,2})",
    "%M": "(?P<M>[0-9]{2})", "%S": "(?P<S>[0-9]{2})", "%f": "(?P<f>[0-9]{1,9})",
    "%z": "(?P<z>Z|[+-][0-9]{2}:?[0-9]{2})", "%%": "%",
}  # fmt: skip


class Columns(Contract):
    """Which column holds what. One of gross, net, or debit with credit is needed, and one of at and day."""

    id: Column | None = None
    type: Column | None = None
    currency: Column | None = None
    gross: Column | None = None
    fee: Column | None = None
    net: Column | None = None
    debit: Column | None = None
    credit: Column | None = None
    at: Column | None = None
    day: Column | None = None
    value: Column | None = None
    payout: Column | None = None
    account: Column | None = None
    text: Column | None = None
    counterparty: Column | None = None
    balance: Column | None = None


class Total(Contract):
    """Rows that state the sum of the others of their payout; as a payout they are a line too, with the other sign."""

    column: Column
    values: Annotated[list[str], Field(min_length=1)]
    payout: bool = False


class Mapping(Contract):
    """How to read one kind of table."""

    kind: Literal["provider", "bank"] = "provider"
    provider: Annotated[str, Field(pattern=r"^[a-z0-9_-]{2,32}$")] = "csv"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    sheet: Annotated[str, Field(max_length=100)] = ""
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    decimal: Literal[".", ","] = "."
    grouping: Literal["", ",", ".", " ", "'"] = ""
    units: Literal["major", "minor"] = "major"
    fee_sign: Literal["cost", "signed"] = "cost"
    date_format: Annotated[str, Field(min_length=4, max_length=60)] = "%Y-%m-%d"
    time_zone: Annotated[str, Field(max_length=60)] = "UTC"
    currency: Currency | None = None
    columns: Columns
    refs: dict[RefName, Column] = Field(default_factory=dict[RefName, Column])
    types: dict[str, LineType] = Field(default_factory=dict[str, LineType])
    skip: dict[Column, list[str]] = Field(default_factory=dict[Column, list[str]])
    total: Total | None = None


def mapping_of(told: JsonObject | None) -> Mapping:
    """A mapping that makes sense, or `BadInput` with what does not."""
    if told is None:
        raise BadInput("a table needs a mapping that says what its columns mean", fix="give one with --mapping")
    try:
        made = Mapping.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadInput(f"{where}: {first['msg']}", where="the mapping") from None
    columns = made.columns
    if not (columns.gross or columns.net or (columns.debit and columns.credit)):
        raise BadInput("no column for the amount: gross, net, or debit and credit", where="the mapping")
    if not (columns.at or columns.day):
        raise BadInput("no column for the time: at or day", where="the mapping")
    if not (columns.currency or made.currency):
        raise BadInput("no currency: a column, or one for all rows", where="the mapping")
    if made.decimal == made.grouping:
        raise BadInput("the decimal sign and the grouping are the same", where="the mapping")
    _pattern(made.date_format)
    place(made.time_zone)
    return made


@lru_cache(maxsize=64)
def _pattern(form: str) -> re.Pattern[str]:
    pieces = re.split(r"(%.)", form)
    made: list[str] = []
    for piece in pieces:
        if piece.startswith("%"):
            if piece not in _PARTS or _PARTS[piece] in made:
                raise BadInput(f"{piece} is not read in a date format, or comes twice", where="the mapping")
            made.append(_PARTS[piece])
        else:
            made.append(re.escape(piece))
    if not all(_PARTS[part] in made for part in ("%Y", "%m", "%d")):
        raise BadInput("a date format names %Y, %m and %d", where="the mapping")
    return re.compile("".join(made), re.ASCII)


@lru_cache(maxsize=64)
def place(name: str) -> tzinfo:
    """UTC, an IANA zone, or a fixed offset like +02:00."""
    fixed = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", name, re.ASCII)
    if fixed:
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        if minutes > 14 * 60 or int(fixed[3]) > 59:
            raise BadInput(f"{name} is no offset from UTC", where="the mapping")
        return timezone(timedelta(minutes=-minutes if fixed[1] == "-" else minutes))
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise BadInput(f"{name!r} is no time zone", where="the mapping") from None


@lru_cache(maxsize=65536)
def moment(text: str, form: str, zone: str) -> datetime:
    """An aware time by the mapping's format; a time without an offset is in the mapping's zone."""
    found = _pattern(form).fullmatch(text)
    if not found:
        raise BadInput(f"{text[:40]!r} is not written as {form}")
    parts = found.groupdict()
    on: date = day_of(int(parts["Y"]), int(parts["m"]), int(parts["d"]))
    hours, minutes, seconds = (int(parts.get(name) or 0) for name in "HMS")
    if hours > 23 or minutes > 59 or seconds > 59:
        raise BadInput(f"{text[:40]!r} is no time of a day")
    micros = int((parts.get("f") or "0")[:6].ljust(6, "0"))
    told = parts.get("z")
    zoned = (
        place(zone) if not told else UTC if told == "Z" else place(told if ":" in told else f"{told[:3]}:{told[3:]}")
    )
    return datetime(on.year, on.month, on.day, hours, minutes, seconds, micros, tzinfo=zoned)
