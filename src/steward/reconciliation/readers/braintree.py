"""Braintree: lists of settled transactions, refunds and disputes as its GraphQL API gives them, and the same flattened
to one object a payment. They carry no totals, and no fees: Braintree bills those apart.

What was disbursed is money: it counts on its disbursement date, in the currency disbursed. What is not disbursed
yet, or held, moved nothing and is listed. A dispute takes its amount once, on the first date it was disbursed
without being won, and gives back what was won on the date that was disbursed.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from steward.contracts.base import JsonObject
from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor
from steward.reconciliation.readers.draft import Draft, refs, stem
from steward.reconciliation.readers.moments import day, local
from steward.reconciliation.readers.refusing import no_settlement
from steward.reconciliation.readers.structured import amount, as_list, as_object, child, parsed, word
from steward.reconciliation.readers.tables import text_of

_STATUSES = {
    "AUTHORIZATION_EXPIRED", "AUTHORIZED", "AUTHORIZING", "FAILED", "GATEWAY_REJECTED", "PROCESSOR_DECLINED",
    "SETTLED", "SETTLEMENT_CONFIRMED", "SETTLEMENT_DECLINED", "SETTLEMENT_PENDING", "SETTLING",
    "SUBMITTED_FOR_SETTLEMENT", "VOIDED",
}  # fmt: skip
_FLAT: dict[str, LineType] = {"": "payment", "refund": "refund", "chargeback": "dispute"}


def read(content: bytes, name: str) -> Reading:
    items = as_list(parsed(text_of(content)))
    if items is None:
        return no_settlement("braintree", "a JSON document that is no list")
    first = as_object(items[0]) if items else None
    if first is None:
        return no_settlement("braintree", "a list without objects")
    kind, one = _form(first)
    draft = Draft("braintree", f"braintree {kind}")
    for number, item in enumerate(items, start=1):
        row = as_object(item)
        if row is None or _form(row)[0] != kind:
            draft.refuse(number, "this item is of another kind than the first")
            continue
        try:
            one(draft, number, row, stem(name))
        except BadInput as error:
            draft.take(number, error)
    return draft.reading()


def _form(row: JsonObject) -> tuple[str, Any]:
    if "amountDisputed" in row:
        return "disputes", _dispute
    if "refundedTransaction" in row:
        return "refunds", _disbursed
    if "disbursementDetails" in row:
        return "settled transactions", _disbursed
    if "gross" in row and ("gateway_txn_id" in row or "gateway_refund_id" in row):
        return "settlement batch, flattened", _flat
    return "list of an unknown kind", _unknown


def _unknown(draft: Draft, number: int, row: JsonObject, fallback: str) -> None:
    del draft, number, row, fallback
    raise BadInput("neither a transaction, a refund nor a dispute of Braintree")


def _money(row: JsonObject, name: str) -> tuple[int, str]:
    told = child(row, name)
    currency = currency_code(word(told, "currencyCode"))
    return minor(amount(told, "value"), currency), currency


def _history(row: JsonObject) -> list[JsonObject]:
    return [event for event in map(as_object, as_list(row.get("statusHistory")) or []) if event]


def _disbursed(draft: Draft, number: int, row: JsonObject, fallback: str) -> None:
    refunded = as_object(row.get("refundedTransaction"))
    status, key, merchant = word(row, "status"), word(row, "id"), word(row, "merchantAccountId", "")
    details = as_object(row.get("disbursementDetails"))
    if status not in _STATUSES or "disbursementDetails" not in row or (details and "date" not in details):
        raise BadInput("no known status, or no word of its disbursement")
    told = word(details, "date", "") if details else ""
    if status != "SETTLED" or details is None or not told:
        draft.moved_nothing(number, f"{status.lower()} and not disbursed yet")
        return
    held = details.get("fundsHeld")
    if not isinstance(held, bool):
        raise BadInput("fundsHeld is neither true nor false")
    if held:
        draft.moved_nothing(number, "its funds are held: not disbursed")
        return
    own, own_currency = _money(row, "amount")
    net, currency = _money(details, "amount")
    if own_currency == currency and net != (-own if refunded else own):
        raise BadInput(f"disbursed {net} of {own} (minor units) in the same currency")
    if (net < 0) != bool(refunded):
        raise BadInput("a refund is disbursed negative, a payment positive")
    kind: LineType = "refund" if refunded else "payment"
    batch = next((word(event, "settlementBatchId", "") for event in _history(row)), "")
    legacy = word(row, "legacyId", "")
    outside = refs([
        ("transaction", key), (kind, legacy), (kind, key), ("order", word(row, "orderId", "")), ("reference", batch),
        *([("payment", word(refunded, name, "")) for name in ("legacyId", "id")] if refunded else []),
    ])  # fmt: skip
    at = local(word(row, "createdAt"), None).astimezone(UTC)
    payout = f"{merchant} {told} {currency}".strip()  # Braintree disburses once a day for each merchant account
    named = f"{payout} {kind}s"
    gathering = draft.gathering((named,), named, merchant or fallback, currency)
    gathering.payout_id = payout
    gathering.add(number, key, kind, f"{kind} {status}", (net, 0, net), at, day(told), outside)


def _dispute(draft: Draft, number: int, row: JsonObject, fallback: str) -> None:
    taken, currency = _money(row, "amountDisputed")
    won, won_currency = _money(row, "amountWon")
    key, transaction = word(row, "id"), child(row, "transaction")
    if not all("disbursementDate" in event for event in _history(row)) or not _history(row):
        raise BadInput("a dispute without its history of disbursements")
    moved = sorted(
        (word(e, "timestamp"), word(e, "status"), word(e, "disbursementDate", ""))
        for e in _history(row)
        if word(e, "disbursementDate", "")
    )
    if not moved:
        draft.moved_nothing(number, f"a dispute ({word(row, 'status').lower()[:24]}) without a disbursement")
        return
    if currency != won_currency or taken < 0 or won < 0:
        raise BadInput("a dispute's amounts are of one currency and not negative")
    outside = refs([
        ("dispute", word(row, "legacyId", "")), ("dispute", key), ("payment", word(transaction, "legacyId", "")),
        ("payment", word(transaction, "id", "")), ("order", word(transaction, "orderId", "")),
    ])  # fmt: skip
    lost = next((event for event in moved if event[1] != "WON"), None)
    back = next((event for event in moved if event[1] == "WON"), None)
    gathering = draft.gathering((fallback, currency), f"{fallback} {currency}", "", currency)
    for event, kind, net in ((lost, "dispute", -taken), (back, "dispute_reversal", won)):
        if event:
            named: LineType = "dispute" if kind == "dispute" else "dispute_reversal"
            at = local(event[0], None).astimezone(UTC)
            gathering.add(number, f"{key} {kind}", named, event[1], (net, 0, net), at, day(event[2]), outside)


def _flat(draft: Draft, number: int, row: JsonObject, fallback: str) -> None:
    raw = word(row, "type", "")
    kind = _FLAT.get(raw)
    if kind is None:
        raise BadInput(f"the type {raw[:24]!r} is unknown, and so is its sign")
    currency = currency_code(word(row, "currency"))
    told = minor(amount(row, "gross"), currency)
    if told < 0:
        raise BadInput("an amount beside its type is negative")
    net = told if kind == "payment" else -told
    own = word(row, "gateway_refund_id", "") or word(row, "gateway_txn_id", "")
    at = local(word(row, "date"), None)
    outside = refs([
        ("transaction", own), ("payment", word(row, "gateway_parent_id", "") or word(row, "gateway_txn_id", "")),
        ("refund", word(row, "gateway_refund_id", "")), ("order", word(row, "invoice_id", "")),
    ])  # fmt: skip
    gathering = draft.gathering((fallback, currency), f"{fallback} {currency}", "", currency)
    gathering.add(
        number, f"{own} {kind}", kind, raw or "payment", (net, 0, net), at.astimezone(UTC), at.date(), outside
    )
