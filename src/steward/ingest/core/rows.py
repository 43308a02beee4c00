"""Rows of the Online Retail columns, read strictly: a field that is not what its column says is an error."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from io import StringIO

from steward.kernel.errors import BadInput
from steward.kernel.money import round_half_even

MAX_ERRORS = 20
# A thousand million pounds: no line of a shop; ten thousand of them in one document still fit a payload.
MAX_LINE_MINOR = 10**11
_DOCUMENT = re.compile(r"[A-Za-z]{0,4}\d{1,12}")
_QUANTITY = re.compile(r"[+-]?\d{1,9}")
_PRICE = re.compile(r"-?\d{1,9}(\.\d{1,6})?")
_CUSTOMER = re.compile(r"(\d{1,12})(\.0)?")
_ISO_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?")
_US_TIME = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One line of the file. `value_minor` is quantity x price in pence, rounded half-even."""

    file_line: int
    document: str
    sku: str
    description: str
    quantity: int
    at: datetime
    unit_price: Decimal
    customer: str | None
    country: str
    value_minor: int


class _RowProblem(Exception):
    pass


def read_rows(text: str, columns: Sequence[str], name: str) -> list[HistoryRow]:
    """All rows, or `BadInput` listing up to twenty lines that cannot be read. Nothing is skipped."""
    if not text.endswith(("\n", "\r")):
        last = text.count("\n") + 1
        raise BadInput(
            f"line {last} does not end in a newline: the file looks cut off",
            where=name,
            fix="fetch the file again; if it is complete, end it with a newline",
        )
    problems: list[str] = []
    rows: list[HistoryRow] = []
    for line, fields in _records(text, columns, name):
        try:
            rows.append(_row(line, fields, columns))
        except _RowProblem as problem:
            problems.append(f"line {line}: {problem}")
            if len(problems) == MAX_ERRORS:
                problems.append("further lines were not read")
                break
    if problems:
        raise BadInput("; ".join(problems), where=name, fix="nothing was changed; mend the lines and try again")
    if not rows:
        raise BadInput("the file has a header and no lines", where=name)
    return rows


def _records(text: str, columns: Sequence[str], name: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, list[str]())
        _check_header(header, columns, name)
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise BadInput(f"line {reader.line_num}: not CSV: {error}", where=name, fix="nothing was changed") from error


def _check_header(header: Iterable[str], columns: Sequence[str], name: str) -> None:
    found = [column.removeprefix("\ufeff").strip() for column in header]
    if found == list(columns):
        return
    missing = [column for column in columns if column not in found]
    extra = [column for column in found if column not in columns]
    what = "line 1: the columns are not those of Online Retail"
    if missing:
        what += f"; missing {', '.join(missing)}"
    if extra:
        what += f"; not expected {', '.join(repr(column[:40]) for column in extra[:8])}"
    if not missing and not extra:
        what += "; they are in another order"
    raise BadInput(what, where=name, fix=f"expected {','.join(columns)}")


def _row(line: int, fields: list[str], columns: Sequence[str]) -> HistoryRow:
    if len(fields) != len(columns):
        raise _RowProblem(f"{len(fields)} fields where {len(columns)} are expected")
    document, sku, description, quantity, at, price, customer, country = fields
    if not _DOCUMENT.fullmatch(document):
        raise _RowProblem(f"InvoiceNo {document[:40]!r} is not letters and digits")
    if not sku.strip() or len(sku) > 64 or len(description) > 512 or len(country) > 64:
        raise _RowProblem("StockCode is empty, or a text is longer than its column allows")
    if _CONTROL.search(f"{sku}{description}{country}"):
        raise _RowProblem("a text holds a control character")
    if not _QUANTITY.fullmatch(quantity):
        raise _RowProblem(f"Quantity {quantity[:40]!r} is not a whole number of at most nine digits")
    unit_price = _price(price)
    match = _CUSTOMER.fullmatch(customer) if customer else None
    if customer and not match:
        raise _RowProblem(f"CustomerID {customer[:40]!r} is not a number")
    value_minor = round_half_even(unit_price * int(quantity) * 100)
    if abs(value_minor) > MAX_LINE_MINOR:
        raise _RowProblem(f"its value of {value_minor} pence is beyond any sale")
    return HistoryRow(
        file_line=line,
        document=document,
        sku=sku,
        description=description,
        quantity=int(quantity),
        at=_time(at),
        unit_price=unit_price,
        customer=match[1] if match else None,
        country=country,
        value_minor=value_minor,
    )


@lru_cache(maxsize=4096)  # a file holds a hundred lines for each price it knows
def _price(text: str) -> Decimal:
    if not _PRICE.fullmatch(text):
        raise _RowProblem(f"UnitPrice {text[:40]!r} is not a plain decimal")
    return Decimal(text)


@lru_cache(maxsize=4096)  # the lines of a document share their time
def _time(text: str) -> datetime:
    if match := _ISO_TIME.fullmatch(text):
        year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
        second = int(match[6] or 0)
    elif match := _US_TIME.fullmatch(text):
        month, day, year, hour, minute = (int(part) for part in match.groups())
        second = 0
    else:
        raise _RowProblem(f"InvoiceDate {text[:40]!r} is neither YYYY-MM-DD HH:MM:SS nor M/D/YYYY H:MM")
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise _RowProblem(f"InvoiceDate {text[:40]!r}: {error}") from None
