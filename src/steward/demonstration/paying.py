"""Creators and what they are owed."""

from __future__ import annotations

from steward.kernel.canonical import JsonObject

OWED = "liabilities:payable:creators"


def pay_creators(balances: dict[str, int]) -> JsonObject:
    """Where payouts are prepared, approved, sent, and seen to land; as long as the system prepares none, what the books
    owe creators for the shop's own people to pay. Minor units.
    """
    return {"owed_minor": -balances.get(OWED, 0)}
