"""Stripe: itemised reports (payout reconciliation, balance change from activity, payouts) and lists of balance
transactions. Amounts are major units in CSV and Stripe's minor units in JSON. Times of CSV are UTC, the default of
Stripe's reports, unless the column says otherwise.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor
from steward.reconciliation.readers.draft import Draft, Gathering, held, refs, stem
from steward.reconciliation.readers.moments import instant, local, unix
from steward.reconciliation.readers.refusing import no_settlement
from steward.reconciliation.readers.structured import as_list, as_object, integer, parsed, word
from steward.reconciliation.readers.tables import Header, header_of, rows, text_of

TYPES: dict[str, LineType] = {
    "charge": "payment", "charge_failure": "adjustment", "refund": "refund", "refund_failure": "refund_reversal",
    "partial_capture_reversal": "refund", "dispute": "dispute", "dispute_reversal": "dispute_reversal", "fee": "fee",
    "network_cost": "fee", "contribution": "fee", "tax": "tax", "payout": "payout",
    "payout_reversal": "payout_reversal",
    "payout_minimum_balance_hold": "reserve_hold", "payout_minimum_balance_release": "reserve_release",
    "topup": "transfer", "topup_reversal": "transfer", "transfer": "transfer", "transfer_reversal": "transfer",
    "connect_collection_transfer": "transfer", "platform_earning": "transfer", "platform_earning_refund": "transfer",
    "currency_conversion": "conversion", "other_adjustment": "adjustment",
}  # fmt: skip
_SIGNED = {"risk_reserved_funds", "connect_reserved_funds", "reserved_funds"}
_BY_PREFIX = {
    "ch": "payment", "py": "payment", "re": "refund", "pyr": "refund", "dp": "dispute", "du": "dispute", "po": "payout",
}  # fmt: skip
_HUNDREDFOLD = {"ISK", "UGX"}
"""Stripe's API states these in hundredths although their currencies have none."""


def read(content: bytes, name: str) -> Reading:
    text = text_of(content)
    if text.lstrip()[:1] in {"{", "["}:
        return _balance_transactions(parsed(text), name)
    return _itemised(text, name)


def line_type(category: str, net: int) -> LineType:
    if category in _SIGNED:
        return "reserve_hold" if net < 0 else "reserve_release"
    return TYPES.get(category, "unknown")


def _source(source: str) -> tuple[str, str]:
    return (_BY_PREFIX.get(source.partition("_")[0], "reference"), source)


class _Itemised:
    """The columns of an itemised report, and one row's reading."""

    def __init__(self, header: Header) -> None:
        need, maybe = header.need, header.maybe
        self.header = header
        self.key = need("balance_transaction_id", "payout_id")
        self.currency, self.gross, self.fee, self.net = need("currency"), need("gross"), need("fee"), need("net")
        self.category = need("reporting_category")
        self.created = need("created_utc", "created", "effective_at_utc", "effective_at")
        self.available = maybe("available_on_utc", "available_on")
        self.payout = maybe("automatic_payout_id")
        self.own_payout = maybe("payout_id")
        self.source, self.charge = maybe("source_id"), maybe("charge_id")
        self.intent, self.refund = maybe("payment_intent_id"), maybe("refund_id")
        self.account = maybe("connected_account")
        self.orders = [place for column, place in header.places.items() if _is_order(column)]

    def add(self, draft: Draft, number: int, cells: list[str], fallback: str) -> Gathering:
        row = self.header.row(cells)
        currency = currency_code(row[self.currency])
        gross, net = minor(row[self.gross], currency), minor(row[self.net], currency)
        fee = row[self.fee]
        amounts = held(gross, minor(fee, currency) if fee else 0, net)
        category, key, source = row[self.category], row[self.key], row[self.source]
        if not key:
            raise BadInput("no balance transaction id")
        kind = line_type(category, net)
        payout = row[self.payout] or (source if kind == "payout" and self.payout >= 0 else "")
        sent = payout or row[self.own_payout] or (source if kind == "payout" else "")
        at = instant(row[self.created])
        available = row[self.available]
        outside = [
            ("transaction", key), ("payment", row[self.charge]), _source(source),
            ("refund", row[self.refund]), ("payout", sent), ("reference", row[self.intent]),
        ]  # fmt: skip
        if self.orders:
            outside += [("order", row[place]) for place in self.orders]
        gathering = draft.of_payout(payout, fallback, "", currency)
        gathering.account = gathering.account or row[self.account]
        gathering.add(number, key, kind, category, amounts, at, _day(available, at), refs(outside))
        return gathering


def _is_order(column: str) -> bool:
    if not column.startswith("payment_metadata["):
        return False
    return column[17:-1] in {"external_identifier", "order", "order_id", "order_number"}


def _day(available: str, at: datetime) -> date:
    return local(available).date() if available else at.date()


def _itemised(text: str, name: str) -> Reading:
    table = rows(text)
    header = header_of(table)
    if header.has("reporting_category", "count") and not header.has("balance_transaction_id"):
        return no_settlement("stripe", "a summary by category without its lines")
    columns = _Itemised(header)
    form = _format(header)
    draft = Draft("stripe", form, verified=form != "stripe payouts itemised")
    fallback = stem(name)
    ends: dict[int, int] = {}
    for number, cells in table:
        try:
            gathering = columns.add(draft, number, cells, fallback)
        except BadInput as error:
            draft.take(number, error)
            continue
        if gathering.lines[-1].type == "payout":
            ends[id(gathering)] = number
    for gathering in draft.ordered():
        line = ends.get(id(gathering), 0)
        if line and gathering.payout_id and len(gathering.lines) > 1:
            rest, sent = _split(gathering)
            draft.total(rest == -sent, f"payout {gathering.payout_id} is the sum of its lines", line,
                        gathering.currency, -sent, rest)  # fmt: skip
    return draft.reading()


def _split(gathering: Gathering) -> tuple[int, int]:
    sent = sum(line.net_minor for line in gathering.lines if line.type == "payout")
    return gathering.net() - sent, sent


def _format(header: Header) -> str:
    if header.has("automatic_payout_id"):
        return "stripe payout reconciliation itemised"
    if header.has("payout_id"):
        return "stripe payouts itemised"
    return "stripe balance change itemised"


def _balance_transactions(document: Any, name: str) -> Reading:
    top = as_object(document)
    items = as_list(top.get("data") if top and top.get("object") == "list" else document)
    if items is None:
        return no_settlement("stripe", "a JSON document without a list of balance transactions")
    if top and top.get("has_more") is not False:
        return no_settlement("stripe", "one page of a longer list (has_more)")
    draft = Draft("stripe", "stripe balance transactions list")
    for number, item in enumerate(items, start=1):
        try:
            _transaction(draft, number, item, stem(name))
        except BadInput as error:
            draft.take(number, error)
    return draft.reading()


def _transaction(draft: Draft, number: int, item: Any, fallback: str) -> None:
    row = as_object(item)
    if row is None or row.get("object") != "balance_transaction":
        raise BadInput("this item is no balance transaction")
    currency = currency_code(word(row, "currency"))
    parts = [integer(row, part) for part in ("amount", "fee", "net")]
    if currency in _HUNDREDFOLD:
        if any(part % 100 for part in parts):
            raise BadInput(f"{parts[0]} hundredths of {currency} are no whole amount")
        parts = [part // 100 for part in parts]
    amounts = held(parts[0], parts[1], parts[2])
    category = word(row, "reporting_category", "") or word(row, "type")
    expanded = as_object(row.get("source"))
    origin = word(expanded, "id") if expanded else word(row, "source", "")
    key, at, available = word(row, "id"), unix(integer(row, "created")), unix(integer(row, "available_on"))
    more: list[tuple[str, str]] = []
    if expanded:
        more = [("payment", word(expanded, "charge", "")), ("reference", word(expanded, "payment_intent", ""))]
    gathering = draft.of_payout("", fallback, "", currency)
    gathering.add(
        number, key, line_type(category, amounts[2]), category, amounts, at, available.date(),
        refs([("transaction", key), _source(origin), *more]),
    )  # fmt: skip
