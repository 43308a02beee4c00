"""Amazon's settlement report, flat file V2: tab-separated, one row for each amount, the settlement's total in the
first.

Unverified: known from published field names. The amounts make the total. Marketplaces of Europe write a comma as the
decimal sign; one file writes one sign. Times are UTC, as the rows say.
"""

from __future__ import annotations

from datetime import datetime

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, plain
from steward.reconciliation.readers.draft import Draft, Gathering, digest_key, refs
from steward.reconciliation.readers.moments import day_of, instant
from steward.reconciliation.readers.tables import Header, cell, header_of, rows, text_of

_KINDS: dict[str, LineType] = {
    "previous reserve amount balance": "reserve_release", "current reserve amount": "reserve_hold",
    "reserve debit": "reserve_hold", "reserve credit": "reserve_release", "payable to amazon": "transfer",
    "transfer of funds unsuccessful: bank": "payout_reversal", "subscription fee": "fee",
}  # fmt: skip
_AMOUNT_TYPES: dict[str, LineType] = {
    "itemfees": "fee", "itemwithheldtax": "tax", "cost of advertising": "fee", "shipmentfees": "fee",
    "coupon redemption fee": "fee", "fba inventory reimbursement": "adjustment",
}  # fmt: skip
_TRANSACTIONS: dict[str, LineType] = {
    "order": "payment", "refund": "refund", "chargeback refund": "dispute", "a-to-z guarantee refund": "dispute",
    "servicefee": "fee", "order_retrocharge": "adjustment", "refund_retrocharge": "adjustment",
}  # fmt: skip


def read(content: bytes, name: str) -> Reading:
    del name  # a settlement has an id of its own
    table = rows(text_of(content), "\t")
    columns = _Columns(header_of(table))
    draft = Draft("amazon", "amazon settlement flat file v2", verified=False)
    report = _Report(draft, columns)
    for number, cells in table:
        try:
            columns.header.check(cells)
            report.row(number, cells)
        except BadInput as error:
            draft.take(number, error)
    report.total()
    return draft.reading()


class _Columns:
    def __init__(self, header: Header) -> None:
        need, maybe = header.need, header.maybe
        self.header = header
        self.settlement, self.starts, self.ends = (
            need("settlement-id"),
            need("settlement-start-date"),
            need("settlement-end-date"),
        )
        self.total, self.currency = need("total-amount"), need("currency")
        self.kind, self.order, self.merchant_order = (
            need("transaction-type"),
            need("order-id"),
            maybe("merchant-order-id"),
        )
        self.adjustment, self.shipment = maybe("adjustment-id"), maybe("shipment-id")
        self.amount_type, self.what, self.amount = need("amount-type"), need("amount-description"), need("amount")
        self.posted = need("posted-date-time", "posted-date")
        self.item, self.sku, self.promotion = maybe("order-item-code"), maybe("sku"), maybe("promotion-id")
        self.quantity, self.marketplace = maybe("quantity-purchased"), maybe("marketplace-name")


def _when(text: str) -> datetime:
    """ISO order, or days first with points as Europe writes them."""
    if len(text) > 9 and text[2:3] == "." and text[5:6] == ".":
        figures = text[:2], text[3:5], text[6:10]
        if not all(part.isascii() and part.isdigit() for part in figures):
            raise BadInput(f"{text[:32]!r} is no date")
        text = day_of(int(text[6:10]), int(text[3:5]), int(text[:2])).isoformat() + text[10:]
    return instant(text)


class _Report:
    def __init__(self, draft: Draft, columns: _Columns) -> None:
        self.draft = draft
        self.columns = columns
        self.stated: dict[int, tuple[Gathering, int, str]] = {}
        self.sign = ""

    def row(self, number: int, cells: list[str]) -> None:
        columns = self.columns
        settlement = cell(cells, columns.settlement)
        if not settlement:
            raise BadInput("no settlement id")
        stated = cell(cells, columns.total)
        if stated:
            self._head(number, cells, settlement, stated)
            return
        gathering = self.draft.gatherings.get((settlement,))
        if gathering is None:
            raise BadInput(f"an amount of settlement {settlement} before its total")
        told = cell(cells, columns.currency)
        if told and currency_code(told) != gathering.currency:
            raise BadInput(f"{told[:8]} in a settlement of {gathering.currency}")
        amount = minor(self._decimal(cell(cells, columns.amount)), gathering.currency)
        self._line(gathering, number, cells, amount)

    def _head(self, number: int, cells: list[str], settlement: str, stated: str) -> None:
        columns = self.columns
        if (settlement,) in self.draft.gatherings:
            raise BadInput(f"a second total of settlement {settlement}")
        currency = currency_code(cell(cells, columns.currency))
        gathering = self.draft.gathering((settlement,), settlement, "", currency)
        gathering.payout_id = settlement
        gathering.starts = _when(cell(cells, columns.starts)).date()
        gathering.ends = _when(cell(cells, columns.ends)).date()
        self.stated[number] = (gathering, minor(self._decimal(stated), currency), settlement)

    def _decimal(self, text: str) -> str:
        sign = "," if "," in text else "." if "." in text else ""
        if sign and self.sign and sign != self.sign:
            raise BadInput(f"{text[:24]!r} has another decimal sign than the rows before")
        self.sign = self.sign or sign
        return plain(text, sign or ".", "")

    def _line(self, gathering: Gathering, number: int, cells: list[str], amount: int) -> None:
        columns = self.columns
        raw = [cell(cells, place) for place in (columns.kind, columns.amount_type, columns.what)]
        at = _when(cell(cells, columns.posted))
        order = cell(cells, columns.order)
        key = digest_key(
            *raw, amount, at.isoformat(), order,
            *(cell(cells, place) for place in (columns.adjustment, columns.shipment, columns.item, columns.sku,
                                               columns.promotion, columns.quantity)),
        )  # fmt: skip
        outside = refs([
            ("order", order), ("order", cell(cells, columns.merchant_order)), ("payout", gathering.id),
            ("refund", cell(cells, columns.adjustment)), ("reference", cell(cells, columns.shipment)),
        ])  # fmt: skip
        gathering.add(
            number, key, _kind(*raw), " / ".join(part for part in raw if part), (amount, 0, amount), at, at.date(),
            outside,
        )  # fmt: skip

    def total(self) -> None:
        for number, (gathering, stated, settlement) in self.stated.items():
            makes = gathering.net()
            self.draft.total(makes == stated, f"the amounts of settlement {settlement} make its total-amount", number,
                             gathering.currency, stated, makes)  # fmt: skip


def _kind(transaction: str, amount_type: str, what: str) -> LineType:
    return (
        _KINDS.get(what.casefold())
        or _AMOUNT_TYPES.get(amount_type.casefold())
        or _TRANSACTIONS.get(transaction.casefold(), "unknown")
    )
