"""Shopify Payments: lists of balance transactions and of payouts, as the REST API gives them.

A payout's amount is its summary's gross amounts less its fees. Where a payout's own line (type payout) is among its
transactions, they come to nothing together. Orders, refunds, tenders and disputes are no settlement.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from steward.contracts.base import JsonObject
from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor
from steward.reconciliation.readers.draft import Draft, Gathering, held, refs, stem
from steward.reconciliation.readers.moments import day, local
from steward.reconciliation.readers.refusing import no_settlement
from steward.reconciliation.readers.structured import amount, as_list, as_object, child, parsed, word
from steward.reconciliation.readers.tables import text_of

TYPES: dict[str, LineType] = {
    "charge": "payment", "refund": "refund", "refund_failure": "refund_reversal", "dispute": "dispute",
    "dispute_reversal": "dispute_reversal", "chargeback": "dispute", "chargeback_reversal": "dispute_reversal",
    "payout": "payout", "payout_failure": "payout_reversal", "payout_cancellation": "payout_reversal",
    "adjustment": "adjustment", "credit": "adjustment", "debit": "adjustment", "transfer": "transfer",
    "stripe_fee": "fee", "shopify_collective_debit": "adjustment", "tax_adjustment": "tax",
}  # fmt: skip
_OTHER = {
    "disputes": "a list of disputes", "dispute": "a dispute", "refund": "a refund of an order", "balance": "a balance",
    "tender_transactions": "a list of tenders", "refunds": "a list of refunds", "orders": "a list of orders",
}  # fmt: skip
_PAID = {"scheduled", "in_transit", "paid"}
_UNPAID = {"failed": "failed: no money left", "canceled": "canceled: no money left"}
_SUMMARY = ("adjustments", "charges", "refunds", "reserved_funds", "retried_payouts")


def read(content: bytes, name: str) -> Reading:
    document = parsed(text_of(content))
    top = as_object(document)
    if top is None:
        return no_settlement("shopify", "a list of an order's transactions")
    for key, what in _OTHER.items():
        if key in top:
            return no_settlement("shopify", what)
    transactions, payouts = as_list(top.get("transactions")), as_list(top.get("payouts"))
    if payouts is None and "payout" in top:
        payouts = [top["payout"]]
    if transactions is not None:
        return _transactions(transactions, stem(name))
    if payouts is not None:
        return _payouts(payouts, stem(name))
    return no_settlement("shopify", "a JSON document without payouts or balance transactions")


def _transactions(items: list[Any], fallback: str) -> Reading:
    draft = Draft("shopify", "shopify payments balance transactions")
    payouts: dict[int, int] = {}
    for number, item in enumerate(items, start=1):
        try:
            gathering = _transaction(draft, number, item, fallback)
        except BadInput as error:
            draft.take(number, error)
            continue
        if gathering and gathering.lines[-1].type == "payout":
            payouts[id(gathering)] = number
    for gathering in draft.ordered():
        line = payouts.get(id(gathering), 0)
        if line:
            rest = sum(entry.net_minor for entry in gathering.lines if entry.type != "payout")
            sent = rest - gathering.net()
            draft.total(rest == sent, f"payout {gathering.payout_id} is the sum of its transactions", line,
                        gathering.currency, sent, rest)  # fmt: skip
    return draft.reading()


def line_type(raw: str, net: int) -> LineType:
    if raw in {"reserve", "reserved_funds"}:
        return "reserve_hold" if net < 0 else "reserve_release"
    return TYPES.get(raw, "unknown")


def _transaction(draft: Draft, number: int, item: Any, fallback: str) -> Gathering | None:
    row = as_object(item)
    if row is None:
        raise BadInput("this item is no object")
    test = row.get("test")
    if not isinstance(test, bool):
        raise BadInput("'test' is neither true nor false")
    if test:
        draft.moved_nothing(number, "a test transaction moves no money")
        return None
    currency = currency_code(word(row, "currency"))
    amounts = held(*(minor(amount(row, part), currency) for part in ("amount", "fee", "net")))
    raw, key, payout = word(row, "type"), word(row, "id"), word(row, "payout_id", "")
    kind = line_type(raw, amounts[2])
    at = local(word(row, "processed_at"), None)
    source = word(row, "source_id", "")
    named = {"refund": "refund", "dispute": "dispute", "payment": "payment"}.get(kind, "reference")
    outside = refs([
        ("transaction", key), (named, source), ("order", word(row, "source_order_id", "")),
        ("payment" if kind in {"payment", "refund", "dispute"} else "reference",
         word(row, "source_order_transaction_id", "")), ("payout", payout),
    ])  # fmt: skip
    gathering = draft.of_payout(payout, fallback, "", currency)
    gathering.add(number, key, kind, raw, amounts, at.astimezone(UTC), at.date(), outside)
    return gathering


def _payouts(items: list[Any], fallback: str) -> Reading:
    draft = Draft("shopify", "shopify payments payouts")
    for number, item in enumerate(items, start=1):
        try:
            _payout(draft, number, item, fallback)
        except BadInput as error:
            draft.take(number, error)
    return draft.reading()


def _payout(draft: Draft, number: int, item: Any, fallback: str) -> None:
    row = as_object(item)
    if row is None:
        raise BadInput("this item is no object")
    currency, key, status = currency_code(word(row, "currency")), word(row, "id"), word(row, "status")
    paid = minor(amount(row, "amount"), currency)
    makes = _summed(child(row, "summary"), currency)
    draft.total(makes == paid, f"payout {key} is its summary's gross less its fees", number, currency, paid, makes)
    if status in _UNPAID:
        draft.moved_nothing(number, _UNPAID[status])
        return
    if status not in _PAID:
        raise BadInput(f"the status {status[:24]!r} is unknown")
    gathering = draft.of_payout("", fallback, "", currency)
    outside = refs([("payout", key), ("transaction", key)])
    kind: LineType = "payout" if paid >= 0 else "payout_reversal"
    gathering.add(number, key, kind, f"payout {status}", (-paid, 0, -paid), None, day(word(row, "date")), outside)


def _summed(summary: JsonObject, currency: str) -> int:
    parts = {name: minor(amount(summary, name), currency) for name in summary}
    if {f"{part}_{side}_amount" for part in _SUMMARY for side in ("gross", "fee")} - set(parts):
        raise BadInput("the summary lacks one of its amounts")
    unknown = [name for name in parts if not name.endswith(("_gross_amount", "_fee_amount"))]
    if unknown:
        raise BadInput(f"the summary's {unknown[0][:40]!r} is unknown")
    return sum(-value if name.endswith("_fee_amount") else value for name, value in parts.items())
