"""The scoreboard of a live demonstration: as JSON, and as text that a person reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from steward.demonstration.truth import Verdict
from steward.kernel.canonical import JsonObject, digest_hex
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App

CURRENCY = "USD"
_LINE = ("provider", "kind", "order", "gross_minor", "fee_minor", "payout")
REFUND = "payment.refund"
_UNDECIDED = frozenset({"awaiting_approval", "rejected", "expired", "cancelled"})
_MANY = 1_000_000
_OURS = re.compile(r"pay_[0-9a-f]{32}|PAY[0-9A-F]{32}")
"""What a payout is called is drawn anew in each run."""


def balances(app: App) -> dict[str, int]:
    """Every account of the books, debits positive."""
    return {row["code"]: row["amount_minor"] for row in app.books.books().accounts if row["currency"] == CURRENCY}


def scoreboard(app: App, verdict: Verdict, moved: JsonObject, deliveries: list[JsonObject]) -> JsonObject:
    """Counts and sums, whole numbers all."""
    events = app.events.counts()
    kept = app.webhooks.deliveries(None, None, _MANY)
    states, polled = Counter(row["state"] for row in kept), sum(row["origin"] == "poll" for row in kept)
    arrived = sum(one["state"] == "delivered" for one in deliveries)
    stored = len(kept) - polled - states["refused"]
    statements = app.settlement_files.listed(None, 1000)
    books = app.books.check()
    return {
        "orders": events.get("OrderPlaced", 0),
        "payments": events.get("PaymentCaptured", 0),
        "tickets": events.get("TicketOpened", 0),
        "refunds": {**_refunds(app), "told": events.get("RefundProcessed", 0)},
        "webhooks": {
            "delivered": arrived,
            "stored": stored,
            "duplicates": arrived - stored,
            "polled": polled,
            "failed": states["failed"],
            "refused": states["refused"],
        },
        "settlements": {
            "statements": len(statements),
            "lines": sum(one["lines"] for one in statements),
            "done": sum(one["done"] for one in statements),
        },
        "breaks": {
            "explained": [_brief(one) for one in verdict.explained],
            "unexplained": [_brief(one) for one in verdict.unexplained],
            "unseen": list(verdict.unseen),
        },
        "differences": {name: {"books": a, "world": b} for name, (a, b) in verdict.differences.items()},
        "accounts_compared": len(moved["position"] or {}),
        "trial_balance": books.trial_balance,
        "violations": len(books.violations),
        "events": app.events.head()["size"],
    }


def _refunds(app: App) -> JsonObject:
    """What became of the refunds that were asked for."""
    asked = [row for row in app.gateway.counts() if row["kind"] == REFUND]
    effects = app.effects.listed(None, REFUND, 1000)
    held = [one.state for one in effects if one.quorum]
    states = Counter(one.state for one in effects)
    return {
        "proposed": sum(row["actions"] for row in asked),
        "held": len(held),
        "approved": sum(state not in _UNDECIDED for state in held),
        "rejected": states["rejected"],
        "refused": sum(row["actions"] for row in asked if row["outcome"] == "refused"),
        "executed": states["succeeded"] + states["settled"],
        "open": sum(states[name] for name in ("awaiting_approval", "ready", "executing", "unknown", "probing")),
    }


def end_state(app: App, moved: JsonObject) -> JsonObject:
    """What the run came to, without when and under which number: equal for two runs that differ in nothing but what was
    killed in the middle. Digests by what they are of, beside what they count.
    """
    page = app.gateway.listing.page(REFUND, None, None, None, 1000)
    lines = [[one[name] for name in _LINE] for one in moved["lines"]]
    matches = [
        [one["rule"], sorted(_OURS.sub("pay", f"{item['side']} {item['key']}") for item in one["items"])]
        for one in app.reconciliation.matches(None, None, _MANY)
    ]
    parts: dict[str, Sequence[object]] = {
        "books": [[code, amount] for code, amount in sorted(balances(app).items())],
        "faces": sorted(lines, key=str),
        "matches": sorted(matches, key=str),
        "payouts": sorted(
            ([one["creator_id"], one["amount_minor"], one["state"]] for one in app.payouts.listed(limit=1000)), key=str
        ),
        "actions": sorted([[action.key, state] for action, state in page], key=str),
    }
    return {name: {"count": len(part), "sha256": digest_hex(part)} for name, part in parts.items()}


def _brief(one: JsonObject) -> JsonObject:
    items = [item["key"] for item in one["items"]]
    return {"type": one["type"], "amount_minor": one["amount_minor"], "currency": one["currency"], "items": items}


def shown(document: JsonObject) -> str:
    """For a terminal."""
    refunds, hooks, lines, breaks = (document[name] for name in ("refunds", "webhooks", "settlements", "breaks"))
    trial = ", ".join(str(Money(amount, code)) for code, amount in document["trial_balance"].items())
    ends = ", ".join(f"{refunds[name]:,} {name}" for name in ("held", "approved", "rejected", "refused", "executed"))
    came = ", ".join(f"{hooks[name]:,} {name}" for name in ("duplicates", "polled", "failed", "refused"))
    rows = [
        (document["orders"], f"orders, {document['payments']:,} payments, {document['tickets']:,} tickets"),
        (hooks["delivered"], f"webhooks delivered: {came}"),
        (refunds["proposed"], f"refunds proposed: {ends}"),
        (lines["lines"], f"lines in {lines['statements']:,} statements, {lines['done']:,} matched or resolved"),
        (_count(document["creators"]), f"payouts to creators: {_states(document['creators'])}"),
        (len(breaks["explained"]), "breaks that a fault of the world explains"),
        (len(breaks["unexplained"]), f"breaks unexplained; {len(breaks['unseen']):,} faults of the world unseen"),
        (len(document["differences"]), f"accounts of {document['accounts_compared']} that are not what the world says"),
        (document["events"], f"events in the log; trial balance {trial}"),
    ]
    made = ["", f"{document['days']} days of business, simulated", *(f"  {count:>7,} {what}" for count, what in rows)]
    made += [f"  {one['type']:<14} {_money(one)}  {one['items'][0]}" for one in breaks["explained"]]
    made += [f"  {one['type']:<14} {_money(one)}  {one['items'][0]}  UNEXPLAINED" for one in breaks["unexplained"]]
    for name, one in document["differences"].items():
        made.append(f"  {name}: books {Money(one['books'], CURRENCY)}, world {Money(one['world'], CURRENCY)}")
    if document["restarts"]:
        made.append("  started again: " + ", ".join(f"{name} {n}" for name, n in document["restarts"].items()))
    return "\n".join(made)


def _count(creators: JsonObject) -> int:
    return sum(one["count"] for one in creators["payouts"].values())


def _states(creators: JsonObject) -> str:
    made = [
        f"{one['count']:,} {state}, {Money(one['amount_minor'], CURRENCY)}"
        for state, one in creators["payouts"].items()
    ]
    return "; ".join([*made, f"{Money(creators['owed_minor'], CURRENCY)} still owed"])


def _money(one: JsonObject) -> Money:
    return Money(one["amount_minor"], one["currency"])
