"""Keep read models up to date, take snapshots, answer facts as of an instant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg.types.json import Jsonb

from steward.contracts.base import Json
from steward.contracts.event import Envelope, RecordedEvent
from steward.contracts.snapshot import Snapshot
from steward.events import EventLog
from steward.infra.db import Database
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import DAY, WEEK, floor_day, format_instant
from steward.state.core.build import build
from steward.state.core.link import Part, Purchase, Refund, Wanted, link, link_all
from steward.state.store import Row, StateStore

_READER = "state"
_TYPES = ("OrderPlaced", "RefundProcessed")
_BATCH = 1000
_LINK_BATCH = 20_000
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_PRICE_WEEKS = 4


@dataclass(frozen=True, slots=True)
class WeeklySales:
    """One product in one whole week before an instant (week -1 is the last). Price in minor units."""

    sku: str
    week: int
    units: int
    lines: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class PriceSpread:
    """Deciles of what a unit of a product cost, in minor units, over `lines` order lines; the middle one is usual."""

    sku: str
    low_minor: int
    mid_minor: int
    high_minor: int
    lines: int


@dataclass(frozen=True, slots=True)
class SalesHistory:
    """What an outsider can recompute from the file."""

    orders: int
    units: int
    order_value_minor: int
    refunds: int
    refund_value_minor: int


FACTS = frozenset(StateStore().fact_names()) | {
    "purchases",
    "refunds.today",
    "refund.orders",
    "customer.refunds_in_window",
    "price.current",
    "show.slots",
}
"""What `State.fact` answers."""


class State:
    """Read models over the log, and the facts computed from them."""

    def __init__(
        self, database: Database, events: EventLog, currency: str, limits: Mapping[str, Json] | None = None
    ) -> None:
        """`limits` are the catalog's: facts about a window read how long it is from them."""
        self._db = database
        self._events = events
        self._currency = currency
        self._windows = {name: value for name, value in (limits or {}).items() if type(value) is int}
        self._store = StateStore()
        self._queried = frozenset(self._store.fact_names())

    def catch_up(self, progress: Callable[[int], None] = lambda _n: None) -> int:
        """Derive from every event not yet seen; each batch and its checkpoint are one transaction."""
        total = 0
        while read := self._events.follow(_READER, _TYPES, _BATCH, self._derive):
            total += read
            progress(read)
        return total

    def _derive(self, events: list[RecordedEvent]) -> None:
        after, until = events[0].position - 1, events[-1].position
        with self._db.transaction() as connection:
            self._store.project(connection, after, until)
        self._link_refunds(after, until)

    def _link_refunds(self, after: int, until: int, progress: Callable[[int], None] = lambda _n: None) -> None:
        """Link the refunds of a range of positions, batch by batch, oldest first."""
        last: tuple[datetime, int] = (_BEFORE_ALL, 0)
        with self._db.transaction() as connection:
            while rows := self._store.many(
                connection,
                "unlinked_refunds",
                after=after,
                until=until,
                last_at=last[0],
                last_position=last[1],
                limit=_LINK_BATCH,
            ):
                refunds = [_refund(row) for row in rows]
                bought = self._store.bought(connection, refunds)
                linked = self._store.linked(connection, bought)
                self._store.add_links(connection, link_all(refunds, bought, linked))
                last = refunds[-1].at
                progress(len(rows))

    def _link(self, customer: str, lines: list[JsonObject], at: datetime, position: int) -> list[Part]:
        wanted = [Wanted(line["sku"], line["quantity"], line["total_minor"]) for line in lines]
        skus = sorted({line.sku for line in wanted})
        with self._db.transaction() as connection:
            purchases = self._store.purchases(connection, customer, skus, at, position)
        return link(wanted, purchases)

    def rebuild(self, progress: Callable[[int], None] = lambda _n: None) -> None:
        """Forget the read models and derive them again from the log, set-based, in one transaction: until it commits
        everybody sees the old ones. What is appended meanwhile is caught up with afterwards.
        """
        with self._db.transaction() as connection:
            self._events.rewind(_READER)
            head = self._events.head()["size"]
            if not self._store.fill(connection, head):
                self._store.wipe(connection)
                self._store.project(connection, 0, head)
            self._link_refunds(0, head, progress)
            self._events.rewind(_READER, head)
        self.catch_up()

    def snapshot(self, at: datetime) -> Snapshot:
        """The business as of `at`, taken once; SnapshotTaken goes to the log in the same transaction."""
        with self._db.transaction() as connection:
            stored = self._store.snapshots(connection, at)
            if stored:
                return stored[0]
            metrics = self._store.one(connection, "metrics", at=at, day=floor_day(at), week=at - WEEK)
            snapshot = build(at, self._currency, metrics)
            if not self._store.add_snapshot(connection, snapshot):  # another took it meanwhile: its is the one
                snapshot = self._store.snapshots(connection, at)[0]
            else:
                self._events.put(
                    [
                        Envelope(
                            id=f"snapshot:{format_instant(at)}",
                            source="steward/state",
                            type="SnapshotTaken",
                            subject="snapshot",
                            time=at,
                            data={"snapshot_id": snapshot.id, "digest": snapshot.digest},
                        )
                    ]
                )
        return snapshot

    def snapshots(self) -> list[Snapshot]:
        with self._db.transaction() as connection:
            return self._store.snapshots(connection)

    def span(self) -> tuple[datetime, datetime] | None:
        """The first and last instant of the history; None where there is none."""
        with self._db.transaction() as connection:
            row = self._store.one(connection, "span")
        return None if row["first_at"] is None else (row["first_at"], row["last_at"])

    def totals(self) -> SalesHistory:
        with self._db.transaction() as connection:
            return SalesHistory(**self._store.one(connection, "totals"))

    def refunds_between(self, since: datetime, until: datetime) -> list[Row]:
        """Processed refunds of a span, oldest first."""
        with self._db.transaction() as connection:
            return self._store.many(connection, "refunds_between", since=since, until=until)

    def fact(self, name: str, params: JsonObject, evidence: JsonObject, at: datetime, snapshot: Snapshot) -> Json:
        """One named fact about a proposed action, from what happened before `at` and, in the same instant, before
        the place in the log that the proposal's evidence names.
        """
        position = int(evidence.get("position", 0))
        if name == "purchases":
            return self._purchases(params["customer_id"], evidence.get("lines", []), at, position)
        if name == "refunds.today":
            return self._money(snapshot.metrics["refunds_today_minor"])
        if name == "customer.refunds_in_window":
            return self._customer_refunds(params["customer_id"], at, position)
        if name == "refund.orders":
            return self._refund_orders(params["customer_id"], evidence.get("lines", []), at, position)
        if name == "show.slots":
            return self._show_slots(params, at)
        if name in self._queried:
            return self._queried_fact(name, params, at, position)
        if name == "price.current":
            spread = self.price_spreads(at, params["sku"]).get(params["sku"])
            return None if spread is None else self._money(spread.mid_minor)
        raise KeyError(f"state offers no fact {name!r}")

    def _money(self, amount_minor: int) -> JsonObject:
        return {"amount_minor": amount_minor, "currency": self._currency}

    def _customer_refunds(self, customer: str, at: datetime, position: int) -> int:
        with self._db.transaction() as connection:
            row = self._store.one(
                connection,
                "customer_refunds",
                customer=customer,
                since=at - self._windows["refund_window_days"] * DAY,
                at=at,
                position=position,
            )
        return int(row["refunds"])

    def _purchases(self, customer: str, lines: list[JsonObject], at: datetime, position: int) -> list[JsonObject]:
        """One entry a purchase, however many lines of the refund fall on it: the rules compare whole purchases."""
        amounts: dict[tuple[str, int], int] = {}
        purchases: dict[tuple[str, int], Purchase] = {}
        for part in self._link(customer, lines, at, position):
            key = (part.purchase.order_id, part.purchase.line)
            purchases[key] = part.purchase
            amounts[key] = amounts.get(key, 0) + part.amount_minor
        return [
            {
                "sku": purchase.sku,
                "order_id": purchase.order_id,
                "amount": self._money(amounts[key]),
                "refunded": self._money(purchase.refunded_minor),
                "captured": self._money(purchase.total_minor),
            }
            for key, purchase in purchases.items()
        ]

    def _queried_fact(self, name: str, params: JsonObject, at: datetime, position: int) -> Json:
        """A fact that is one query of facts.sql, its parameters those of the action: text and numbers as they are, all
        of them as `params`, and whoever is paid as `party`.
        """
        plain = {key: value for key, value in params.items() if isinstance(value, str | int)}
        party = next((params[key] for key in ("party", "supplier_id", "creator_id") if key in params), None)
        parameters = {**self._windows, "currency": self._currency, "at": at, "position": position, "party": party}
        with self._db.transaction() as connection:
            return self._store.fact(connection, name, {**parameters, **plain, "params": Jsonb(params)})

    def _refund_orders(self, customer: str, lines: list[JsonObject], at: datetime, position: int) -> list[JsonObject]:
        """One entry an order that a refund falls on."""
        amounts: dict[str, int] = {}
        for part in self._link(customer, lines, at, position):
            order = part.purchase.order_id
            amounts[order] = amounts.get(order, 0) + part.amount_minor
        with self._db.transaction() as connection:
            rows = self._store.many(connection, "orders_touched", orders=list(amounts), at=at, position=position)
        return [
            {
                "order_id": row["order_id"],
                "amount": self._money(amounts[row["order_id"]]),
                "refunded": self._money(row["refunded_minor"]),
                "disputed": self._money(row["disputed_minor"]),
                "credited": self._money(row["credited_minor"]),
                "captured": self._money(row["captured_minor"]),
            }
            for row in rows
        ]

    def _show_slots(self, params: JsonObject, at: datetime) -> Json:
        """What is free at least of each product of a show, and its list price; None where any of it is unknown."""
        with self._db.transaction() as connection:
            planned = self._store.many(connection, "show_skus", show_id=params["show_id"], at=at)
        skus: list[str] = (planned[0]["value"] or []) if planned else []
        slots: list[JsonObject] = []
        for sku in skus:
            on_hand, promised = (
                self._queried_fact(name, {"sku": sku}, at, 0) for name in ("stock.on_hand", "stock.promised")
            )
            spread = self.price_spreads(at, sku).get(sku)
            if on_hand is None or spread is None:
                return None
            free = on_hand["low"] - promised
            slots.append({"sku": sku, "available": free, "price": self._money(spread.mid_minor)})
        return slots if planned else None

    def happened(self, event_type: str, field: str, ids: Sequence[str], at: datetime) -> set[str]:
        """Which of these ids an event of a type names in a field, before `at`."""
        with self._db.transaction() as connection:
            row = self._store.one(connection, "happened", type=event_type, field=field, ids=list(ids), at=at)
        return set(row["value"])

    def discount_most(self, since: datetime, at: datetime) -> int | None:
        """The largest share that discounts took off an order, in ten-thousandths; None where nothing was sold."""
        with self._db.transaction() as connection:
            return self._store.one(connection, "discount_most", since=since, at=at)["value"]

    def weekly_money(self, at: datetime, weeks: int) -> list[JsonObject]:
        """Sales, refunds, captures and disputes of each whole week before `at`, newest first."""
        with self._db.transaction() as connection:
            return self._store.one(connection, "weekly_money", at=at, weeks=weeks)["value"]

    def weekly_sales(self, at: datetime, weeks: int) -> list[WeeklySales]:
        """Units and usual price by product and whole week, over the `weeks` before `at`."""
        with self._db.transaction() as connection:
            rows = self._store.many(connection, "weekly_sales", at=at, since=at - weeks * WEEK)
        return [WeeklySales(**row) for row in rows]

    def price_spreads(self, at: datetime, sku: str | None = None) -> dict[str, PriceSpread]:
        """What customers paid for a unit of each product (or of one) over the four weeks before `at`."""
        with self._db.transaction() as connection:
            rows = self._store.many(connection, "price_spreads", sku=sku, at=at, since=at - _PRICE_WEEKS * WEEK)
        return {row["sku"]: PriceSpread(**row) for row in rows}

    def sku_units(self, sku: str, since: datetime, until: datetime) -> int:
        """Units sold of one product in a span."""
        with self._db.transaction() as connection:
            return int(self._store.one(connection, "sku_units", sku=sku, since=since, until=until)["units"])

    def rest_of_day_refunds(self, at: datetime, days: int) -> list[int]:
        """Money refunded after this time of day until midnight, for each of the `days` before: zeros included."""
        day = floor_day(at)
        with self._db.transaction() as connection:
            rows = self._store.many(connection, "daily_refunds", since=day - days * DAY, until=day, after=at - day)
        by_day = {row["day"]: row["amount_minor"] for row in rows}
        return [by_day.get(day - i * DAY, 0) for i in range(days, 0, -1)]

    def refunded_before(self, refund_ids: list[str], at: datetime) -> set[str]:
        """Which of these refunds had been processed before `at`."""
        with self._db.transaction() as connection:
            rows = self._store.many(connection, "processed_refunds", refund_ids=refund_ids, at=at)
        return {row["refund_id"] for row in rows}

    def refunded_on(self, day: datetime) -> int:
        """Money refunded on the day that begins at `day`."""
        with self._db.transaction() as connection:
            row = self._store.one(connection, "refunded_between", since=day, until=day + DAY)
        return int(row["amount_minor"])


def _refund(row: Row) -> Refund:
    lines = tuple(Wanted(line["sku"], line["quantity"], line["total_minor"]) for line in row["lines"])
    return Refund(row["refund_id"], row["customer_id"], (row["occurred_at"], row["position"]), lines)
