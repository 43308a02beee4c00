"""Creators and what they are owed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steward.demonstration.callers import Caller
from steward.kernel.canonical import JsonObject

if TYPE_CHECKING:
    from steward.bootstrap import App

OWED = "liabilities:payable:creators"


def pay_creators(app: App, founder: Caller) -> JsonObject:
    """Called after the papers of each business day, and at the end: where payouts are prepared, approved under the
    founder's key, sent, and seen to land. As long as the system prepares none, the shop's own people pay, and this
    says what the books owe, in minor units. It may be called again for a day.
    """
    rows = app.books.books().accounts
    waiting = founder.get("/v1/approvals", role="founder", limit=200)["items"]
    return {
        "owed_minor": -sum(row["amount_minor"] for row in rows if row["code"] == OWED),
        "payouts_waiting": sum(item["kind"] == "payout.creator" for item in waiting),
    }
