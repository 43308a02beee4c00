"""TikTok Shop's settlement statement, as CSV or as the workbook sellers download.

Unverified: known from published field names, not from a real file. It carries no total; each row must add up
(settlement = revenue + fees + adjustment; fees are negative). Times are UTC, as the columns' names say.
"""

from __future__ import annotations

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, minor_or_zero
from steward.reconciliation.readers.draft import Draft, held, refs, stem
from steward.reconciliation.readers.moments import instant
from steward.reconciliation.readers.tables import Header, Rows, header_of, rows, text_of
from steward.reconciliation.readers.workbook import is_workbook, sheet_rows

TYPES: dict[str, LineType] = {
    "order": "payment", "refund": "refund", "reserve hold": "reserve_hold", "reserve release": "reserve_release",
    "gmv payment for tiktok ads": "fee", "logistics reimbursement": "adjustment",
    "platform reimbursement": "adjustment",
    "chargeback": "dispute", "chargeback reversal": "dispute_reversal",
}  # fmt: skip


def read(content: bytes, name: str) -> Reading:
    table = sheet_rows(content, "Order details") if is_workbook(content) else rows(text_of(content))
    columns = _Columns(header_of(table))
    draft = Draft("tiktok", "tiktok shop settlement statement", verified=False)
    _fill(draft, columns, table, stem(name))
    return draft.reading()


class _Columns:
    def __init__(self, header: Header) -> None:
        need, maybe = header.need, header.maybe
        self.header = header
        self.key, self.kind = need("Order/adjustment ID"), need("Type")
        self.settled = need("Order settled time(UTC)", "Order settled time", "Statement date")
        self.currency, self.net = need("Currency"), need("Total settlement amount")
        self.revenue, self.fees = need("Total revenue"), need("Total fees")
        self.adjusted = maybe("Adjustment amount")
        self.order, self.statement = maybe("Related order ID"), maybe("Statement ID")
        self.payout = maybe("Payment ID")


def _fill(draft: Draft, columns: _Columns, table: Rows, fallback: str) -> None:
    for number, cells in table:
        try:
            _line(draft, columns, number, cells, fallback)
        except BadInput as error:
            draft.take(number, error)


def _line(draft: Draft, columns: _Columns, number: int, cells: list[str], fallback: str) -> None:
    row = columns.header.row(cells)
    currency = currency_code(row[columns.currency])
    gross = minor(row[columns.revenue], currency) + minor_or_zero(row[columns.adjusted], currency)
    fee, net = -minor(row[columns.fees], currency), minor(row[columns.net], currency)
    amounts = held(gross, fee, net)
    key, raw, order = row[columns.key], row[columns.kind], row[columns.order].strip("/")
    if not key:
        raise BadInput("no order or adjustment id")
    kind = TYPES.get(raw.casefold(), "unknown")
    settled = instant(row[columns.settled])
    statement = row[columns.statement]
    payout = row[columns.payout] or statement
    gathering = draft.of_payout(statement, fallback, "", currency)
    gathering.payout_id = payout or None
    is_reserve = kind in {"reserve_hold", "reserve_release"}
    outside = refs([
        ("transaction", key), ("order", order or (key if kind == "payment" else "")), ("payout", payout),
        ("reference", key if is_reserve else statement), ("refund", key if kind == "refund" else ""),
    ])  # fmt: skip
    gathering.add(number, f"{key} {raw.casefold()}", kind, raw, amounts, settled, settled.date(), outside)
