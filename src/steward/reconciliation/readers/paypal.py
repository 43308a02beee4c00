"""PayPal's settlement report (STL) and transaction detail report (TRR): amounts in minor units, sides in words.

A report comes in a frame: RH and FH open the file, SH a section, SF and SC close it with its totals and its number
of rows, RF and RC the report, FF the file. A frame that was opened must be closed and its totals must hold. Bare
rows under their header (CH), as some exports make, carry no totals.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, whole
from steward.reconciliation.readers.draft import Draft, Gathering, refs, stem
from steward.reconciliation.readers.moments import local
from steward.reconciliation.readers.refusing import no_settlement
from steward.reconciliation.readers.tables import Header, cell, rows, text_of

Sums = dict[str, list[int]]
"""By currency: gross credits, gross debits, fee credits, fee debits, rows."""

_TYPES: dict[str, LineType] = {
    "T01": "fee", "T02": "conversion", "T03": "transfer", "T04": "payout", "T05": "transfer", "T06": "transfer",
    "T07": "transfer", "T08": "adjustment", "T09": "adjustment", "T10": "transfer", "T14": "adjustment",
    "T16": "transfer", "T17": "payout", "T18": "transfer", "T19": "adjustment", "T20": "transfer", "T22": "transfer",
    "T1101": "payout_reversal", "T1104": "transfer", "T1106": "dispute", "T1107": "refund", "T1108": "fee",
    "T1109": "fee", "T1113": "transfer", "T1114": "transfer", "T1115": "transfer", "T1116": "dispute",
    "T1119": "tax", "T1200": "adjustment", "T1201": "dispute", "T1202": "dispute_reversal", "T1203": "adjustment",
    "T1204": "adjustment", "T1205": "dispute_reversal", "T1207": "dispute", "T1208": "dispute_reversal",
}  # fmt: skip
_HOLDS = {"T1105", "T1110", "T1111", "T15", "T21"}
_NOTHING = {"T13": "an authorisation moves no money", "T98": "shown only: it moves no money"}
_STATUS = {"D": "denied", "P": "pending"}
_OTHER_REPORTS = {
    "Subscription ID": "a subscription agreement report (SAR)",
    "Case ID": "a case report (CAR, DDR)",
    "Agreement ID": "an agreement report (PPA)",
}


def read(content: bytes, name: str) -> Reading:
    reading = _Report(stem(name))
    for number, cells in rows(text_of(content)):
        kind = cell(cells, 0)
        if kind == "CH":
            header = Header(cells, number)
            other = next((what for column, what in _OTHER_REPORTS.items() if header.has(column)), "")
            if other:
                return no_settlement("paypal", other, number)
        try:
            reading.row(kind, number, cells)
        except BadInput as error:
            reading.draft.take(number, error)
    return reading.done()


def line_type(code: str, credit: bool) -> LineType:
    """By PayPal's transaction event code; T00 codes are payments when they come in."""
    if code in _HOLDS or code[:3] in _HOLDS:
        return "reserve_release" if credit else "reserve_hold"
    if code[:3] == "T00":
        return "payment" if credit else "transfer"
    return _TYPES.get(code) or _TYPES.get(code[:3], "unknown")


def _signed(side: str, amount: str) -> int:
    if not amount.isascii() or not amount.isdigit():
        raise BadInput(f"{amount[:24]!r} is no amount of minor units")
    if side not in {"CR", "DR"}:
        raise BadInput(f"{side[:12]!r} is neither CR nor DR")
    return whole(amount) if side == "CR" else -whole(amount)


class _Columns:
    def __init__(self, header: Header) -> None:
        need, maybe = header.need, header.maybe
        self.header = header
        self.transaction, self.invoice = need("Transaction ID"), need("Invoice ID")
        self.reference, self.code = need("PayPal Reference ID"), need("Transaction Event Code")
        self.done = need("Transaction Completion Date")
        self.side, self.gross = need("Transaction Debit or Credit"), need("Gross Transaction Amount")
        self.currency = need("Gross Transaction Currency")
        self.fee_side, self.fee = need("Fee Debit or Credit"), need("Fee Amount")
        self.fee_currency = need("Fee Currency")
        self.custom, self.bank = maybe("Custom Field"), maybe("Bank Reference ID")
        self.tracking, self.status = maybe("Payment Tracking ID"), maybe("Transactional Status")


@dataclass(slots=True)
class _Section:
    account: str = ""
    starts: date | None = None
    ends: date | None = None
    framed: bool = False
    sums: Sums = field(default_factory=dict[str, list[int]])
    rows: int = 0
    last: int = 0
    ended: bool = False


class _Report:
    def __init__(self, fallback: str) -> None:
        self.fallback = fallback
        self.draft = Draft("paypal", "paypal settlement report (STL)")
        self.columns: _Columns | None = None
        self.settlement = True
        self.sections: list[_Section] = []
        self.opened: dict[str, int] = {}  # the line of RH and FH
        self.closed: set[str] = set()
        self.footed: set[tuple[str, str, int]] = set()

    def row(self, kind: str, number: int, cells: list[str]) -> None:
        if kind == "SB":
            self._body(number, cells)
        elif kind == "CH":
            self._header(number, cells)
        elif kind == "SH":
            starts, ends = local(cell(cells, 1)), local(cell(cells, 2))
            self.sections.append(_Section(cell(cells, 3), starts.date(), ends.date(), framed=True, last=number))
        elif kind in {"RH", "FH"}:
            self.opened[kind] = number
        elif kind in {"SF", "RF"}:
            self._footer(kind, number, cells)
        elif kind in {"SC", "RC"}:
            self._count(kind, number, cells)
        elif kind == "FF":
            self.closed.add(kind)
        else:
            raise BadInput(f"{kind[:12]!r} is no row of a PayPal report")

    def _header(self, number: int, cells: list[str]) -> None:
        header = Header(cells, number)
        columns = _Columns(header)
        self.settlement = not header.maybe("Insurance Amount", "Sales Tax Amount", "Transaction Subject") >= 0
        if self.settlement != (columns.status < 0):
            raise BadInput("the header is neither an STL's nor a TRR's: the transactional status tells them apart")
        if not self.settlement:
            self.draft.format = "paypal transaction detail report (TRR)"
        self.columns = columns
        if not self.sections:
            self.sections.append(_Section())

    def _body(self, number: int, cells: list[str]) -> None:
        columns = self.columns
        if columns is None:
            raise BadInput("a row before the header (CH)")
        section = self.sections[-1]
        if section.ended or {"RF", "RC", "FF"} & self.closed:
            raise BadInput("a row after the totals of its section")
        section.rows, section.last = section.rows + 1, number
        if len(cells) <= columns.fee_currency or any(map(str.strip, cells[columns.header.width :])):
            raise BadInput(f"{len(cells)} cells where the header has {columns.header.width}: the row is cut or joined")
        currency, code = currency_code(cell(cells, columns.currency)), cell(cells, columns.code)
        gross = _signed(cell(cells, columns.side), cell(cells, columns.gross))
        fee_side, fee_amount = cell(cells, columns.fee_side), cell(cells, columns.fee)
        fee = -_signed(fee_side, fee_amount) if fee_amount or fee_side else 0
        if fee and currency_code(cell(cells, columns.fee_currency)) != currency:
            raise BadInput("the fee is in another currency than the amount")
        at = local(cell(cells, columns.done), None)
        _tally(section.sums, currency, gross, fee)
        status = _STATUS.get(cell(cells, columns.status), "")
        reason = _NOTHING.get(code[:3]) or (f"{status}: it moved no money" if status else "")
        if self.settlement:
            reason = ""  # every row of an STL is in its totals, so it moved money
        if reason:
            self.draft.moved_nothing(number, reason)
            return
        transaction = cell(cells, columns.transaction)
        if not transaction or not code:
            raise BadInput("no transaction id" if code else "no transaction event code")
        kind = line_type(code, gross >= 0)
        self._gathering(section, currency).add(
            number, f"{transaction} {code}", kind, code, (gross, fee, gross - fee), at.astimezone(UTC), at.date(),
            _refs(columns, cells, kind),
        )  # fmt: skip

    def _gathering(self, section: _Section, currency: str) -> Gathering:
        if not section.account:
            return self.draft.of_payout("", self.fallback, "", currency)
        period = f"{section.starts}..{section.ends}"
        key = (section.account, period, currency)
        report = "" if self.settlement else " TRR"
        named = f"{section.account} {period} {currency}{report}"
        made = self.draft.gathering(key, named, section.account, currency)
        made.starts, made.ends = section.starts, section.ends
        return made

    def _footer(self, kind: str, number: int, cells: list[str]) -> None:
        """SF and RF: the sums of one currency. A TRR has only the number of rows there."""
        if not self.settlement:
            self._count(kind, number, cells)
            return
        currency = currency_code(cell(cells, 1))
        if kind == "SF" and self.sections:
            self.sections[-1].ended = True
        once = (kind, currency, len(self.sections))
        if once in self.footed:
            raise BadInput(f"a second {kind} of {currency}")
        self.footed.add(once)
        self.closed.add(kind)
        found = self._sums(kind).get(currency, [0, 0, 0, 0, 0])
        if len(cells) < 19:
            raise BadInput(f"{kind} has {len(cells)} cells, not 19: the row is cut")
        stated = [whole(cell(cells, place)) for place in (2, 3, 4, 5)]
        words = ("gross credits", "gross debits", "fee credits", "fee debits")
        for what, says, makes in zip(words, stated, found, strict=False):
            self.draft.total(says == makes, f"{kind} {currency} {what}", number, currency, says, makes)
        self.draft.count(f"{kind} {currency} number of rows", number, whole(cell(cells, 18)), found[4])

    def _count(self, kind: str, number: int, cells: list[str]) -> None:
        if kind in {"SF", "SC"}:
            if not self.sections:
                raise BadInput(f"{kind} without a section")
            found, self.sections[-1].ended = self.sections[-1].rows, True
        else:
            found = sum(section.rows for section in self.sections)
        self.closed.add(kind)
        self.draft.count(f"{kind} number of rows", number, whole(cell(cells, 1)), found)

    def _sums(self, kind: str) -> Sums:
        if kind == "SF":
            return self.sections[-1].sums if self.sections else {}
        total: Sums = {}
        for section in self.sections:
            for currency, sums in section.sums.items():
                total[currency] = [a + b for a, b in zip(total.get(currency, [0] * 5), sums, strict=True)]
        return total

    def done(self) -> Reading:
        if self.columns is None:
            why = f": {self.draft.bad[0].reason}" if self.draft.bad else ""
            raise BadInput(f"no header (CH) of a PayPal report{why}")
        last = max((section.last for section in self.sections), default=0)
        for opened, what, closings in (("RH", "report", {"RF", "RC"}), ("FH", "file", {"FF"})):
            if opened in self.opened and not closings & self.closed:
                self.draft.refuse(last, f"the {what} was opened ({opened}) and never closed: the file is cut")
        for place, section in enumerate(self.sections, start=1):
            if section.framed:
                self._closed(place, section)
        for gathering in self.draft.ordered():
            sent = {value for line in gathering.lines for name, value in line.refs if name == "payout"}
            gathering.payout_id = sent.pop() if len(sent) == 1 else None
        return self.draft.reading()

    def _closed(self, place: int, section: _Section) -> None:
        """A section that was opened has its totals: of each currency in an STL, its number of rows in a TRR."""
        everywhere = len(self.sections)
        if not self.settlement and not {"SF", "SC", "RF", "RC"} & self.closed:
            self.draft.refuse(section.last, "the section has no number of rows (SF, SC): the file is cut")
        without = [
            currency for currency in section.sums
            if self.settlement and not {("SF", currency, place), ("RF", currency, everywhere)} & self.footed
        ]  # fmt: skip
        if without or (self.settlement and not section.sums and not self.closed):
            what = ", ".join(without) or "the section"
            self.draft.refuse(section.last, f"no totals (SF, RF) of {what}: the file is cut")


def _tally(sums: Sums, currency: str, gross: int, fee: int) -> None:
    parts = (max(gross, 0), max(-gross, 0), max(-fee, 0), max(fee, 0), 1)
    sums[currency] = [a + b for a, b in zip(sums.get(currency, [0] * 5), parts, strict=True)]


_OF_A_PAYMENT = {"refund", "refund_reversal", "dispute", "dispute_reversal", "fee"}


def _refs(columns: _Columns, cells: list[str], kind: LineType) -> tuple[tuple[str, str], ...]:
    transaction, reference = cell(cells, columns.transaction), cell(cells, columns.reference)
    own = {"payment": "payment", "refund": "refund", "dispute": "dispute"}.get(kind, "transaction")
    bank = cell(cells, columns.bank)
    return refs([
        ("transaction", transaction), (own, transaction), ("order", cell(cells, columns.invoice)),
        ("payment" if kind in _OF_A_PAYMENT else "reference", reference), ("bank", bank),
        ("payout", (bank or transaction) if kind == "payout" else ""), ("reference", cell(cells, columns.custom)),
        ("reference", cell(cells, columns.tracking)),
    ])  # fmt: skip
