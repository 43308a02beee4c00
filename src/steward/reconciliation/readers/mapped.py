"""Any other table, CSV or XLSX, by a declared mapping. What the mapping does not name is not read, and not guessed.

Totals where the mapping names them: rows that state a sum, and a bank's running balance.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

from steward.contracts.base import JsonObject
from steward.contracts.settlement import BankLine, LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, plain, whole
from steward.reconciliation.readers.draft import Draft, Gathering, digest_key, held, refs, stem
from steward.reconciliation.readers.mapping import Mapping, mapping_of, moment
from steward.reconciliation.readers.refusing import attempts, no_settlement
from steward.reconciliation.readers.tables import Header, Rows, cell, rows, text_of
from steward.reconciliation.readers.workbook import is_workbook, sheet_rows


def read(content: bytes, name: str, told: JsonObject | None) -> Reading:
    mapping = mapping_of(told)
    table = sheet_rows(content, mapping.sheet) if is_workbook(content) else rows(text_of(content), mapping.delimiter)
    header = _header(table, mapping.header_row)
    if attempts(header):
        return no_settlement(mapping.provider, "a list of payment attempts, without fees and payouts,", header.line)
    reader = _Table(Draft(mapping.provider, "table by mapping"), mapping, header, stem(name))
    for number, cells in table:
        try:
            header.check(cells)
            reader.row(number, cells)
        except BadInput as error:
            reader.draft.take(number, error)
    reader.totals()
    return reader.draft.reading()


def _header(table: Rows, wanted: int) -> Header:
    for number, cells in table:
        if number >= wanted:
            return Header(cells, number)
    raise BadInput(f"no row {wanted} with the names of the columns")


class _Table:
    def __init__(self, draft: Draft, mapping: Mapping, header: Header, fallback: str) -> None:
        self.draft = draft
        self.mapping = mapping
        self.header = header
        self.fallback = fallback
        self.places = {
            name: header.need(column) for name, column in mapping.columns.model_dump().items() if column is not None
        }
        self.refs = [(name, header.need(column)) for name, column in mapping.refs.items()]
        self.skips = [(header.need(column), set(values)) for column, values in mapping.skip.items()]
        self.total = header.need(mapping.total.column) if mapping.total else -1
        self.stated: list[tuple[int, Gathering, int]] = []
        self.balances: dict[int, list[tuple[int, int, int]]] = {}

    def _cell(self, cells: list[str], name: str) -> str:
        return cell(cells, self.places.get(name, -1))

    def _minor(self, text: str, currency: str) -> int:
        text = plain(text, self.mapping.decimal, self.mapping.grouping)
        return whole(text) if self.mapping.units == "minor" else minor(text, currency)

    def _moment(self, text: str) -> datetime:
        return moment(text, self.mapping.date_format, self.mapping.time_zone)

    def row(self, number: int, cells: list[str]) -> None:
        for column, values in self.skips:
            if cell(cells, column) in values:
                self.draft.moved_nothing(number, f"{cell(cells, column)[:40]}: the mapping says it moved no money")
                return
        currency = currency_code(self._cell(cells, "currency") or self.mapping.currency or "")
        gathering = self.draft.of_payout(self._cell(cells, "payout"), self.fallback, "", currency)
        gathering.account = gathering.account or self._cell(cells, "account")
        amounts = self._amounts(cells, currency)
        told = self._cell(cells, "at") or self._cell(cells, "day")
        at = self._moment(told)
        day = self._moment(self._cell(cells, "day")).date() if self._cell(cells, "day") else at.date()
        totals = self.mapping.total
        if totals and cell(cells, self.total) in totals.values:
            self.stated.append((number, gathering, amounts[2]))
            if not totals.payout:
                return
            amounts = (-amounts[0], -amounts[1], -amounts[2])
        if self.mapping.kind == "bank":
            self._bank(gathering, number, cells, amounts[2], day)
        else:
            self._line(gathering, number, cells, amounts, at if "at" in self.places else None, day)

    def _amounts(self, cells: list[str], currency: str) -> tuple[int, int, int]:
        fee_text = self._cell(cells, "fee")
        fee = self._minor(fee_text, currency) if fee_text else 0
        fee = -fee if self.mapping.fee_sign == "signed" else fee
        if "debit" in self.places and "credit" in self.places:
            debit, credit = self._cell(cells, "debit"), self._cell(cells, "credit")
            if bool(debit) == bool(credit):
                raise BadInput("a row has either a debit or a credit")
            gross = self._minor(credit or debit, currency)
            if gross < 0:
                raise BadInput("an amount in its own column of debits or credits is negative")
            gross = gross if credit else -gross
            return gross, fee, gross - fee
        if "gross" in self.places and "net" in self.places:
            gross, net = (self._minor(self._cell(cells, name), currency) for name in ("gross", "net"))
            return held(gross, fee if "fee" in self.places else gross - net, net)
        if "gross" in self.places:
            gross = self._minor(self._cell(cells, "gross"), currency)
            return gross, fee, gross - fee
        net = self._minor(self._cell(cells, "net"), currency)
        return net + fee, fee, net

    def _key(self, cells: list[str], amounts: object, on: date) -> str:
        own = self._cell(cells, "id")
        return own or digest_key(amounts, on, *(cell(cells, place) for place in range(self.header.width)))

    def _line(
        self, gathering: Gathering, number: int, cells: list[str], amounts: tuple[int, int, int], at: datetime | None,
        day: date,
    ) -> None:  # fmt: skip
        raw = self._cell(cells, "type")
        kind: LineType = self.mapping.types.get(raw, "unknown")
        outside = refs((name, cell(cells, place)) for name, place in self.refs)
        key = f"{self._key(cells, amounts, day)} {raw}".strip()
        gathering.add(number, key, kind, raw, amounts, at.astimezone(UTC) if at else None, day, outside)

    def _bank(self, gathering: Gathering, number: int, cells: list[str], amount: int, booked: date) -> None:
        value = self._cell(cells, "value")
        outside = refs((name, cell(cells, place)) for name, place in self.refs)
        gathering.entries.append(
            BankLine(
                number, gathering.key(self._key(cells, amount, booked)), gathering.currency, amount, booked,
                self._moment(value).date() if value else None, False, False, self._cell(cells, "text")[:1000],
                self._cell(cells, "counterparty")[:200], outside,
            )
        )  # fmt: skip
        if "balance" in self.places:
            balance = self._minor(self._cell(cells, "balance"), gathering.currency)
            self.balances.setdefault(id(gathering), []).append((number, amount, balance))

    def totals(self) -> None:
        for number, gathering, stated in self.stated:
            sent = sum(line.net_minor for line in gathering.lines if line.number == number)
            makes = gathering.net() - sent + sum(entry.amount_minor for entry in gathering.entries)
            self.draft.total(makes == stated, f"the rows of {gathering.id} make their total", number,
                             gathering.currency, stated, makes)  # fmt: skip
        for gathering in self.draft.ordered():
            self._running(gathering, self.balances.get(id(gathering), []))

    def _running(self, gathering: Gathering, told: list[tuple[int, int, int]]) -> None:
        """A running balance goes from row to row by each row's amount, oldest first or newest first."""
        if not told:
            return
        forward = [(a, b) for a, b in pairwise(told) if a[2] + b[1] != b[2]]
        backward = [(b, a) for a, b in pairwise(told) if b[2] + a[1] != a[2]]
        oldest_first = len(forward) <= len(backward)
        wrong = forward if oldest_first else backward
        if wrong:
            before, after = wrong[0]
            self.draft.total(False, "the balance goes on from the row before", after[0], gathering.currency, after[2],
                             before[2] + after[1])  # fmt: skip
            return
        first, last = (told[0], told[-1]) if oldest_first else (told[-1], told[0])
        gathering.opening_minor, gathering.closing_minor = first[2] - first[1], last[2]
        if len(told) > 1:
            self.draft.controls.append(f"the running balance of {gathering.id} holds from row to row")
