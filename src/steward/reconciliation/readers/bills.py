"""Bills of vendors, CSV or XLSX, by a declared mapping: each row a line of an invoice, with totals where there are any.

A bill is taken whole or not at all: a row that cannot be read is money nobody would audit.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import ValidationError

from steward.contracts.base import JsonObject
from steward.contracts.invoice import BillMapping, BillReading, Invoice, InvoiceLine
from steward.contracts.settlement import Rejected
from steward.kernel.errors import BadInput
from steward.kernel.money import Money
from steward.reconciliation.readers.amounts import currency_code, minor, plain, whole
from steward.reconciliation.readers.draft import MOST_LISTED, stem
from steward.reconciliation.readers.mapping import moment
from steward.reconciliation.readers.tables import Header, Rows, cell, rows, text_of
from steward.reconciliation.readers.workbook import is_workbook, sheet_rows

FORMAT = "bill by mapping"
_LONGEST_NAME = 200


def bill_mapping(told: JsonObject) -> BillMapping:
    """A mapping that a person wrote, or `BadInput` with what does not fit."""
    try:
        return BillMapping.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where="the mapping") from None


def read_bill(content: bytes, name: str, mapping: BillMapping, vendor: str) -> BillReading:
    """What a bill says. `vendor` sends it unless a column says who does; `name` is the invoice's where no column is."""
    if not content:
        raise BadInput("the file is empty", where=name)
    table = sheet_rows(content, mapping.sheet) if is_workbook(content) else rows(text_of(content), mapping.delimiter)
    reader = _Bill(mapping, _header(table, mapping.header_row), vendor, stem(name))
    for number, cells in table:
        try:
            reader.header.check(cells)
            reader.row(number, cells)
        except BadInput as error:
            reader.bad.append(Rejected(number, str(error)))
    return reader.reading()


def _header(table: Rows, wanted: int) -> Header:
    for number, cells in table:
        if number >= wanted:
            return Header(cells, number)
    raise BadInput(f"no row {wanted} with the names of the columns")


class _Gathering:
    """One invoice while its lines come."""

    def __init__(self, issued: datetime | None, due: datetime | None) -> None:
        self.issued = issued.date() if issued else None
        self.due = due.date() if due else None
        self.lines: list[InvoiceLine] = []


class _Bill:
    def __init__(self, mapping: BillMapping, header: Header, vendor: str, fallback: str) -> None:
        self.mapping = mapping
        self.header = header
        self.vendor = vendor
        self.fallback = fallback
        columns = mapping.columns.model_dump()
        self.places = {name: header.need(column) for name, column in columns.items() if column is not None}
        self.skips = [(header.need(column), set(values)) for column, values in mapping.skip.items()]
        self.total = header.need(mapping.total.column) if mapping.total else -1
        self.found: dict[tuple[str, str], _Gathering] = {}
        self.stated: list[tuple[int, tuple[str, str], str, int]] = []
        self.skipped: list[Rejected] = []
        self.bad: list[Rejected] = []
        self.controls: list[str] = []
        self.is_broken = False

    def _cell(self, cells: list[str], name: str) -> str:
        return cell(cells, self.places.get(name, -1))

    def _name(self, cells: list[str], name: str) -> str:
        text = self._cell(cells, name)
        if len(text) > _LONGEST_NAME:
            raise BadInput(f"{name} has {len(text)} characters, at most {_LONGEST_NAME}")
        return text

    def _plain(self, text: str) -> str:
        return plain(text, self.mapping.decimal, self.mapping.grouping)

    def _minor(self, text: str, currency: str) -> int:
        return whole(self._plain(text)) if self.mapping.units == "minor" else minor(self._plain(text), currency)

    def _moment(self, cells: list[str], name: str, form: str) -> datetime | None:
        text = self._cell(cells, name)
        return moment(text, form, self.mapping.time_zone) if text else None

    def row(self, number: int, cells: list[str]) -> None:
        for place, values in self.skips:
            if cell(cells, place) in values:
                self.skipped.append(Rejected(number, f"{cell(cells, place)[:40]}: the mapping says it bills nothing"))
                return
        currency = currency_code(self._cell(cells, "currency") or self.mapping.currency or "")
        key = (self._name(cells, "vendor") or self.vendor, self._name(cells, "invoice") or self.fallback)
        amount = self._minor(self._cell(cells, "amount"), currency)
        totals = self.mapping.total
        if totals and cell(cells, self.total) in totals.values:
            self.stated.append((number, key, currency, amount))
            return
        dates = self.mapping.date_format
        invoice = self.found.get(key)
        if invoice is None:
            invoice = self.found[key] = _Gathering(
                self._moment(cells, "issued", dates), self._moment(cells, "due", dates)
            )
        invoice.lines.append(self._line(number, cells, currency, amount))

    def _line(self, number: int, cells: list[str], currency: str, amount: int) -> InvoiceLine:
        day = self._moment(cells, "day", self.mapping.date_format)
        if day is None:
            raise BadInput("a line without a day")
        service = self._name(cells, "service") or self.mapping.service or ""
        if not service:
            raise BadInput("a line without a service")
        told, unit = self._cell(cells, "quantity"), self._cell(cells, "unit")
        quantity = whole(self._plain(told)) if told else 1
        if quantity < 1:
            raise BadInput(f"the quantity {quantity} is not positive; a credit is a negative amount")
        return InvoiceLine(
            number, service, self._name(cells, "subject"), self._name(cells, "sku"), day.date(),
            self._moment(cells, "at", self.mapping.time_format), quantity,
            self._minor(unit, currency) if unit else None, amount, currency,
        )  # fmt: skip

    def _totals(self) -> None:
        for number, key, currency, stated in self.stated:
            lines = self.found[key].lines if key in self.found else []
            makes = sum(line.amount_minor for line in lines if line.currency == currency)
            if makes == stated:
                self.controls.append(f"the lines of {key[1]} make its total in {currency}")
                continue
            self.is_broken = True
            says, is_ = Money(stated, currency), Money(makes, currency)
            self.bad.append(Rejected(number, f"the total of {key[1]} is {says}, its lines make {is_}"))

    def reading(self) -> BillReading:
        self._totals()
        if not self.bad and not self.found:
            self.bad.append(Rejected(0, "no line of this file bills anything"))
        ok = False if self.is_broken else True if self.controls else None
        if self.bad:
            return BillReading(FORMAT, (), ok, tuple(self.controls), refused=tuple(self.bad[:MOST_LISTED]))
        invoices = tuple(
            Invoice(vendor, number, one.issued, one.due, tuple(one.lines))
            for (vendor, number), one in self.found.items()
        )
        return BillReading(FORMAT, invoices, ok, tuple(self.controls), tuple(self.skipped))
