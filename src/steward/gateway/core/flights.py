"""What the gate let through and the world has not confirmed: which actions count towards which fact, as data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from steward.contracts.base import Json
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import DAY, floor_day


@dataclass(frozen=True, slots=True)
class Happened:
    """An action is no longer in flight once an event of this type names, in `field`, what its parameter names."""

    event: str
    field: str
    param: str


@dataclass(frozen=True, slots=True)
class Flight:
    """Actions of `kinds` that count: those of the window that agree with the action on every key (a key is any of some
    parameters' names); with `until_settled` only until evidence of the effect came. Their `field` is listed (any of
    them may still happen) or summed (an amount, or units), or the actions are counted.
    """

    kinds: tuple[str, ...]
    form: Literal["any", "sum", "units", "count"]
    days: int | Literal["day", "month", "ever"]
    field: str = ""
    keys: tuple[tuple[str, ...], ...] = ()
    happened: tuple[Happened, ...] = ()
    until_settled: bool = False

    def since(self, at: datetime) -> datetime | None:
        if self.days == "ever":
            return None
        day = floor_day(at)
        if isinstance(self.days, int):
            return day - self.days * DAY
        return day if self.days == "day" else day.replace(day=1)

    def covers(self, ours: JsonObject, theirs: JsonObject) -> bool:
        """Whether an earlier action has to do with this one."""
        return all(_named(key, ours) is not None and _named(key, ours) == _named(key, theirs) for key in self.keys)

    def value(self, counted: Iterable[JsonObject], currency: str) -> Json:
        """The fact, from the parameters of what counts."""
        rows = list(counted)
        if self.form == "count":
            return len(rows)
        values: list[Any] = [params[self.field] for params in rows]
        if self.form == "any":
            return {"any_subset_of": values}
        return sum(values) if self.form == "units" else _total(values, currency)


def _named(key: tuple[str, ...], params: JsonObject) -> Any:
    return next((params[name] for name in key if name in params), None)


def _total(values: list[Any], currency: str) -> Json:
    """A sum of amounts; None for two currencies, which have none. No amounts are a zero of the business's currency."""
    currencies = {value["currency"] for value in values} or {currency}
    if len(currencies) > 1:
        return None
    return {"amount_minor": sum(value["amount_minor"] for value in values), "currency": currencies.pop()}


_WEEK, _MONTH = 7, 30
_PARTY = ("party", "supplier_id", "creator_id")
_PAID = (Happened("SupplierPaid", "payment_id", "payment_id"), Happened("PayoutProcessed", "payout_id", "payout_id"))

FLIGHTS: dict[str, Flight] = {
    "ads.in_flight": Flight(("ads.budget_set", "ads.scale"), "any", "day", "budget"),
    "ads.moves_today": Flight(("ads.budget_set", "ads.scale"), "count", "day", keys=(("campaign_id",),)),
    "orders.in_flight": Flight(
        ("po.create",),
        "any",
        _MONTH,
        "amount",
        happened=(Happened("PurchaseOrderPlaced", "purchase_order_id", "purchase_order_id"),),
    ),
    "invoice.in_flight": Flight(("supplier.pay",), "any", _MONTH, "amount", (("invoice_id",),), _PAID[:1]),
    "payouts.in_flight": Flight(("payout.creator",), "any", _MONTH, "amount", (("creator_id",),), _PAID[1:]),
    "payout.named": Flight(("payout.creator",), "count", "ever", keys=(("payout_id",),)),
    "payment.named": Flight(("supplier.pay",), "count", "ever", keys=(("payment_id",),)),
    "payment.in_flight": Flight(("payment.refund",), "any", "ever", "amount", (("payment_id",),), until_settled=True),
    "payee.pending": Flight(("supplier.pay", "payout.creator"), "any", _MONTH, "amount", (_PARTY,), _PAID),
    "samples.in_flight": Flight(
        ("sample.send",), "any", "month", "cost", happened=(Happened("SampleSent", "sample_id", "sample_id"),)
    ),
    "stock.in_flight": Flight(
        ("stock.reserve", "sample.send", "replacement.send"),
        "any",
        _WEEK,
        "quantity",
        (("sku",),),
        (Happened("SampleSent", "sample_id", "sample_id"),),
    ),
    "order.replaced": Flight(("replacement.send",), "units", "ever", "quantity", (("order_id",), ("sku",))),
    "cancels.today": Flight(("order.cancel",), "count", "day"),
    "pauses.today": Flight(("sku.pause",), "count", "day"),
    "adjusted.today": Flight(("stock.adjust",), "sum", "day", "value"),
}
"""Facts whose owner is the gate. What is held counts until it expires: a person may still say yes."""

REFUNDS = ("refund.issue", "refund.preempt")
"""The kinds behind refunds.in_flight, which history confirms by itself."""

HELD_IN_BOOKS = frozenset({"budget.available", "budget.in_flight", "reserved.today"})
"""Facts that the gate reads from the books while it holds them locked, for kinds that take effect."""

FACTS = frozenset({*FLIGHTS, "refunds.in_flight", *HELD_IN_BOOKS})
"""What the gate answers."""


def turns(kind: str, reads: Iterable[str]) -> list[str]:
    """What actions of a kind take turns by: the kind, and every fact of the gate that it reads or counts towards, so
    that two kinds under one cap cannot pass it together. In one order, so that nobody waits in a circle.
    """
    counts = {name for name, flight in FLIGHTS.items() if kind in flight.kinds}
    shared = {"refunds.in_flight"} if kind in REFUNDS else set[str]()
    return sorted({kind, *counts, *shared, *(name for name in reads if name in FACTS)})
