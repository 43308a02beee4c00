"""What the system says at the end, held against what the world knows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steward.kernel.canonical import JsonObject

BREAK_OF = {"wrong_fee": "fee", "lost_order": "missing"}
"""How a fault of the world has to appear, and nothing else may."""
NOT_TOLD = frozenset({"liabilities:tax"})
"""Which part of a payment is tax, Stripe and PayPal do not say; so the tax owed is not compared."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`unexplained` breaks have no fault behind them; `unseen` faults have no break, though their line was told."""

    explained: tuple[JsonObject, ...]
    unexplained: tuple[JsonObject, ...]
    unseen: tuple[JsonObject, ...]
    differences: dict[str, tuple[int, int]]

    @property
    def holds(self) -> bool:
        return not (self.unexplained or self.unseen or self.differences)


def judged(breaks: Sequence[JsonObject], moved: JsonObject, balances: dict[str, int], told: frozenset[str]) -> Verdict:
    """`balances` are the books' accounts, debits positive; `told` are payouts whose statement was brought in."""
    wrong: list[JsonObject] = moved["wrong"]
    explained: list[JsonObject] = []
    unexplained: list[JsonObject] = []
    seen: set[str] = set()
    for one in breaks:
        fault = next((f for f in wrong if BREAK_OF[f["fault"]] == one["type"] and _is_about(one, f)), None)
        (unexplained if fault is None or _name(fault) in seen else explained).append(one)
        if fault is not None:
            seen.add(_name(fault))
    paid = {line["order"]: line["payout"] for line in moved["lines"] if line["kind"] == "charge"}
    unseen = [f for f in wrong if _name(f) not in seen and paid.get(f["order_id"]) in told]
    return Verdict(tuple(explained), tuple(unexplained), tuple(unseen), differences(moved, balances))


def _name(fault: JsonObject) -> str:
    return f"{fault['fault']} {fault['payment_id']}"


def _is_about(one: JsonObject, fault: JsonObject) -> bool:
    """Whether an item of a break is the payment's: the books call it by its payment, a statement by its order too."""
    return any(name in item["key"] for item in one["items"] for name in (fault["payment_id"], fault["order_id"]))


def differences(moved: JsonObject, balances: dict[str, int]) -> dict[str, tuple[int, int]]:
    """Accounts whose balance is not what the world owns or owes: (books, world). A payment that was lost to the books,
    and a fee beyond the contract, are no error of the books until somebody resolves their break.
    """
    position: dict[str, int] = dict(moved["position"] or {})
    for fault in moved["wrong"]:
        account = f"assets:clearing:{fault['provider']}"
        line = next(n for n in moved["lines"] if n["order"] == fault["order_id"] and n["kind"] == "charge")
        if account in position:
            kept = line["gross_minor"] - line["fee_minor"]
            position[account] += fault["amount_minor"] if fault["fault"] == "wrong_fee" else -kept
    return {
        account: (balances.get(account, 0), amount)
        for account, amount in sorted(position.items())
        if account not in NOT_TOLD and balances.get(account, 0) != amount
    }
