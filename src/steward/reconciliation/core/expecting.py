"""What a fact of the log lets a provider or the bank be expected to tell: a movement, signed as its balance moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from steward.contracts.base import JsonObject
from steward.contracts.event import RecordedEvent
from steward.contracts.settlement import Expected, Statement
from steward.kernel.instants import format_instant

TYPES = (
    "PaymentCaptured",
    "RefundProcessed",
    "DisputeOpened",
    "DisputeResolved",
    "FeeCharged",
    "TaxWithheld",
    "ReserveHeld",
    "ReserveReleased",
    "PayoutSent",
    "PayoutProcessed",
    "SupplierPaid",
    "AccountAdjusted",
)
NOT_OUTSIDE = frozenset({"store_credit", "unnamed", "bank"})
"""Processors that send no statements."""
WALLETS = frozenset({"paypal"})
"""Processors we pay others from."""
BANK_ACCOUNT = "assets:bank"
FEES_APART = frozenset({"paypal"})
"""Processors that tell a dispute and its fee in two lines (PayPal's T1201 and T0106, T1205 and T0108)."""


def payment_key(processor: str, payment_id: str) -> str:
    """What a payment is called: ids are a provider's own."""
    return f"{processor}/payment/{payment_id}"


def expected_of(event: RecordedEvent) -> list[JsonObject]:
    """The movements of one event; none where nobody outside tells of it. `side` says who does."""
    data, kind = event.envelope.data, event.envelope.type
    if kind in ("SupplierPaid", "PayoutProcessed"):
        return [_paid(event, data, "payment_id" if kind == "SupplierPaid" else "payout_id")]
    if kind == "AccountAdjusted":
        return _adjusted(event, data)
    processor = str(data.get("processor", "unnamed"))
    if processor in NOT_OUTSIDE or (kind == "RefundProcessed" and data.get("method", "original") == "store_credit"):
        return []
    found = _moved(kind, data)
    if found is None:
        return []
    name, line_type, gross, fee = found
    if line_type in ("dispute", "dispute_reversal") and processor in FEES_APART and fee:
        apart = _row(event, "statement", f"{processor}/{name}/fee", processor, "fee", 0, fee)
        row = _row(event, "statement", f"{processor}/{name}", processor, line_type, gross, 0)
        return [row, apart] if gross else [apart]
    row = _row(event, "statement", f"{processor}/{name}", processor, line_type, gross, fee)
    if kind != "PayoutSent":
        return [row]
    return [row, _row(event, "bank", f"{processor}/{name}", processor, "payout", gross, 0)]


def fee_of(event: RecordedEvent) -> JsonObject | None:
    """A fee that belongs to a payment's own line; None where it stands for itself."""
    data = event.envelope.data
    if event.envelope.type != "FeeCharged" or data.get("kind") == "dispute" or not data.get("payment_id"):
        return None
    key = payment_key(str(data["processor"]), str(data["payment_id"]))
    return {"key": key, "currency": data["currency"], "amount_minor": data["amount_minor"]}


def alone(event: RecordedEvent) -> JsonObject:
    """A fee as a line of its own."""
    data = event.envelope.data
    processor = str(data["processor"])
    return _row(event, "statement", f"{processor}/fee/{data['fee_id']}", processor, "fee", 0, int(data["amount_minor"]))


def comparable(statements: Sequence[Statement], moves: Sequence[Expected]) -> list[Expected]:
    """The movements without ids of a kind that this provider uses for ids of its own: where not one id of that kind is
    known to both sides (a shop's refund numbers, a processor's), two different ones do not contradict each other.
    """
    told: dict[str, dict[str, set[str]]] = {}  # by provider and kind: ids of lines, of the kinds the books have
    for move in moves:
        own = told.setdefault(move.provider, {})
        for kind, _ in move.refs:
            if kind not in own:
                own[kind] = set()
    for statement in statements:
        own = told.get(statement.provider, {})
        for line in statement.lines:
            for kind, value in line.refs:
                if kind in own:
                    own[kind].add(value)
    apart = {provider: set(kinds) for provider, kinds in told.items()}  # kinds no id of which is known to both sides
    for move in moves:
        own, strange = told[move.provider], apart[move.provider]
        for kind, value in move.refs if strange else ():
            if kind in strange and value in own[kind]:
                strange.remove(kind)
    return [_without(move, strange) if (strange := apart[move.provider]) else move for move in moves]


def _without(move: Expected, kinds: set[str]) -> Expected:
    """The movement without ids of these kinds."""
    refs = tuple(ref for ref in move.refs if ref[0] not in kinds)
    return move if len(refs) == len(move.refs) else structs.replace(move, refs=refs)


def _moved(kind: str, data: dict[str, Any]) -> tuple[str, str, int, int | None] | None:
    """(name, type of line, gross, fee) of a movement of a provider's balance."""
    amount = int(data.get("amount_minor", 0))
    if kind == "PaymentCaptured":
        return f"payment/{data['payment_id']}", "payment", amount, None
    if kind == "RefundProcessed":
        return f"refund/{data['refund_id']}", "refund", -amount, -int(data.get("fee_returned_minor", 0))
    if kind == "DisputeOpened":
        return f"dispute/{data['dispute_id']}", "dispute", -amount, int(data.get("fee_minor", 0))
    if kind == "DisputeResolved":
        back = int(data.get("fee_returned_minor", 0))
        won = data["outcome"] == "won"
        return (
            (f"dispute_won/{data['dispute_id']}", "dispute_reversal", amount if won else 0, -back)
            if won or back
            else None
        )
    if kind == "FeeCharged":
        return f"fee/{data['fee_id']}", "fee", 0, amount
    if kind == "TaxWithheld":
        return f"tax/{data['withholding_id']}", "tax", 0, amount
    if kind == "ReserveHeld":
        return f"reserve/{data['reserve_id']}", "reserve_hold", -amount, 0
    if kind == "ReserveReleased":
        return f"release/{data['reserve_id']}", "reserve_release", amount, 0
    return f"payout/{data['payout_id']}", "payout", -amount, 0


def _paid(event: RecordedEvent, data: dict[str, Any], name: str) -> JsonObject:
    """Money we sent, from the bank or from a wallet whose statements tell of it."""
    processor = str(data.get("processor", "bank"))
    if processor in WALLETS:
        key = f"{processor}/{name}/{data[name]}"
        return _row(event, "statement", key, processor, "transfer", -int(data["amount_minor"]), 0)
    return _row(event, "bank", f"bank/{name}/{data[name]}", "bank", "transfer", -int(data["amount_minor"]), 0)


def _adjusted(event: RecordedEvent, data: dict[str, Any]) -> list[JsonObject]:
    """An entry by hand that moves the bank account (a tax paid, say) is expected there; what resolving a break posted
    is not, because the bank told of that already.
    """
    sides = [data["debit"] == BANK_ACCOUNT, data["credit"] == BANK_ACCOUNT]
    if sides[0] == sides[1] or str(data.get("corrects", "")).startswith("brk_"):
        return []
    amount = int(data["amount_minor"]) * (1 if sides[0] else -1)
    row = _row(event, "bank", f"bank/adjustment/{data['adjustment_id']}", "bank", "transfer", amount, 0)
    return [row | {"refs": [["reference", str(data["adjustment_id"])]]}]


_REFS = (
    ("payment", "payment_id"),
    ("order", "order_id"),
    ("refund", "refund_id"),
    ("dispute", "dispute_id"),
    ("payout", "payout_id"),
    ("reference", "reference"),
    ("reference", "reserve_id"),
    ("reference", "fee_id"),
    ("bank", "remote_ref"),
)


def _row(
    event: RecordedEvent, side: str, key: str, provider: str, line_type: str, gross: int, fee: int | None
) -> JsonObject:
    data = event.envelope.data
    refs = [[kind, str(data[name])] for kind, name in _REFS if data.get(name)]
    if side == "bank" and event.envelope.type == "SupplierPaid":
        told = [("reference", "payment_id"), ("reference", "reference"), ("bank", "remote_ref")]
        refs = [[kind, str(data[name])] for kind, name in told if data.get(name)]
    return {
        "side": side,
        "key": key,
        "provider": provider,
        "type": line_type,
        "currency": data["currency"],
        "gross_minor": gross,
        "fee_minor": fee,
        "at": format_instant(event.envelope.time),
        "refs": refs,
        "position": event.position,
    }
