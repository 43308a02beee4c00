"""The scoreboard of a live demonstration: as JSON, and as text that a person reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from steward.demonstration.paying import pay_creators
from steward.demonstration.truth import Verdict
from steward.kernel.canonical import JsonObject
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App

CURRENCY = "USD"
_MANY = 1_000_000


def balances(app: App) -> dict[str, int]:
    """Every account of the books, debits positive."""
    return {row["code"]: row["amount_minor"] for row in app.books.books().accounts if row["currency"] == CURRENCY}


def scoreboard(app: App, verdict: Verdict, deliveries: list[JsonObject]) -> JsonObject:
    """Counts and sums, whole numbers all."""
    events = app.events.counts()
    kinds = {row["kind"]: row for row in app.gateway.counts() if row["kind"] == "payment.refund"}
    effects: Counter[str] = Counter()
    for row in app.effects.counts():
        effects[row["state"]] += row["actions"]
    stored = Counter(row["state"] for row in app.webhooks.deliveries(None, None, _MANY))
    arrived = sum(one["state"] == "delivered" for one in deliveries)
    polled = sum(row["origin"] == "poll" for row in app.webhooks.deliveries(None, None, _MANY))
    statements = app.settlement_files.listed(None, 1000)
    books = app.books.check()
    del kinds
    return {
        "orders": events.get("OrderPlaced", 0),
        "payments": events.get("PaymentCaptured", 0),
        "tickets": events.get("TicketOpened", 0),
        "refunds": {
            "proposed": sum(row["actions"] for row in app.gateway.counts() if row["kind"] == "payment.refund"),
            "held": events.get("ActionHeld", 0),
            "approved": events.get("ActionApproved", 0),
            "rejected": events.get("ActionRejected", 0),
            "refused": events.get("ActionRefused", 0),
            "executed": effects["succeeded"] + effects["settled"],
            "open": sum(effects[name] for name in ("awaiting_approval", "ready", "executing", "unknown", "probing")),
            "told": events.get("RefundProcessed", 0),
        },
        "webhooks": {
            "delivered": arrived,
            "stored": sum(stored.values()) - polled,
            "duplicates": arrived - (sum(stored.values()) - polled),
            "polled": polled,
            "failed": stored.get("failed", 0),
            "refused": stored.get("refused", 0),
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
        "creators": pay_creators(balances(app)),
        "trial_balance": books.trial_balance,
        "violations": len(books.violations),
        "events": app.events.head()["size"],
    }


def _brief(one: JsonObject) -> JsonObject:
    items = [item["key"] for item in one["items"]]
    return {"type": one["type"], "amount_minor": one["amount_minor"], "currency": one["currency"], "items": items}


def shown(document: JsonObject) -> str:
    """For a terminal."""
    refunds, hooks, lines = document["refunds"], document["webhooks"], document["settlements"]
    breaks = document["breaks"]
    trial = ", ".join(str(Money(amount, code)) for code, amount in document["trial_balance"].items())
    counts = [
        f"  {document['orders']:>6,} orders, {document['payments']:,} payments, {document['tickets']:,} tickets",
        f"  {hooks['delivered']:>6,} webhooks delivered, {hooks['duplicates']:,} of them twice, {hooks['polled']:,} polled, "
        f"{hooks['failed']:,} not understood, {hooks['refused']:,} refused",
        f"  {refunds['proposed']:>6,} refunds proposed: {refunds['held']:,} held, {refunds['approved']:,} approved, "
        f"{refunds['rejected']:,} rejected, {refunds['refused']:,} refused, {refunds['executed']:,} executed",
        f"  {lines['lines']:>6,} lines in {lines['statements']:,} statements, {lines['done']:,} matched or resolved",
        f"  {len(breaks['explained']):>6,} breaks that a fault of the world explains, "
        f"{len(breaks['unexplained']):,} unexplained, {len(breaks['unseen']):,} faults unseen",
        f"  {document['events']:>6,} events in the log; trial balance {trial}",
    ]
    told = [f"  {one['type']:<16} {Money(one['amount_minor'], one['currency'])}  {'  '.join(one['items'][:2])}"
            for kind in ("explained", "unexplained") for one in breaks[kind]]  # fmt: skip
    off = [
        f"  {name:<34} books {Money(one['books'], CURRENCY)}, world {Money(one['world'], CURRENCY)}"
        for name, one in document["differences"].items()
    ]
    heads = (["", "Breaks", *told] if told else []) + (
        ["", "Accounts that are not what the world says", *off] if off else []
    )
    restarts = ", ".join(f"{name} {n}" for name, n in document.get("restarts", {}).items())
    tail = [f"  started again: {restarts}"] if restarts else []
    return "\n".join(
        ["", "Two days of business" if document.get("days") == 2 else "The business", *counts, *tail, *heads]
    )
