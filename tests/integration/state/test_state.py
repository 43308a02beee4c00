"""Read models and facts: nothing of the future, links as a slow recomputation makes them, the same after a rebuild."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import psycopg
import pytest

from steward.kernel.instants import DAY, HOUR, WEEK, floor_day

pytestmark = pytest.mark.db

TABLES = {
    "sale": "order_id",
    "sale_line": "order_id, line",
    "refund": "refund_id",
    "refund_link": "refund_id, part",
}


def models(shop):
    return {table: shop.rows(f"SELECT * FROM {table} ORDER BY {key}") for table, key in TABLES.items()}


def history(make, seed, orders=120, refunds=60):
    """Orders and refunds in time order, several in the same minute: what a file of a busy shop holds."""
    rng = random.Random(seed)
    skus, customers = ["A", "B", "C", "D"], ["1", "2", "3", None]
    made = []
    for n in range(orders + refunds):
        at = make.start + timedelta(minutes=rng.randint(0, 60 * 24 * 20))
        at = at.replace(minute=0)  # many at the same instant
        lines = []
        for _ in range(rng.randint(1, 4)):
            quantity = rng.randint(1, 6)
            lines.append(
                make.line(rng.choice(skus), quantity, quantity * rng.choice([99, 100, 250]) + rng.randint(0, 2))
            )
        customer = rng.choice(customers)
        if n < orders:
            made.append(make.order(f"{n:04d}", customer, lines, at))
        else:
            made.append(make.refund(f"C{n:04d}", customer, lines, at))
    rng.shuffle(made)
    return sorted(made, key=lambda event: event.time)


# Read models


def test_the_read_models_hold_what_the_events_say(shop, make):
    shop.take_in(
        make.order("1", lines=[make.line("A", 2, 500), make.line("B", 1, 300)]),
        make.order("2", None),
        make.refund("C1", lines=[make.line("A", 1, 250)]),
    )
    assert shop.rows("SELECT order_id, customer_id, total_minor, units FROM sale ORDER BY 1") == [
        ("1", "17850", 800, 3),
        ("2", None, 1000, 1),
    ]
    assert shop.rows("SELECT order_id, line, sku, quantity, total_minor FROM sale_line ORDER BY 1, 2") == [
        ("1", 1, "A", 2, 500),
        ("1", 2, "B", 1, 300),
        ("2", 1, "MUG", 1, 1000),
    ]
    assert shop.rows("SELECT refund_id, order_id, line, quantity, amount_minor FROM refund_link") == [
        ("C1", "1", 1, 1, 250)
    ]
    totals = shop.app.state.totals()
    assert (totals.orders, totals.units, totals.order_value_minor) == (2, 4, 1800)
    assert (totals.refunds, totals.refund_value_minor) == (1, 250)
    assert shop.app.state.span() == (make.start, make.start + DAY)


def test_an_empty_shop_has_no_span_and_zero_totals(shop):
    assert shop.app.state.span() is None
    assert shop.app.state.totals().orders == 0


def slow_links(events):
    """Every refund's parts, recomputed from all purchases and all earlier parts, one unit of quantity at a time."""
    positions = {event.id: i for i, event in enumerate(events, 1)}
    placed = [
        (event.time, positions[event.id], i, event.data.get("customer_id"), event.data["order_id"], line)
        for event in events
        if event.type == "OrderPlaced"
        for i, line in enumerate(event.data["lines"], 1)
    ]
    taken, links = {}, {}
    for event in sorted(events, key=lambda e: (e.time, positions[e.id])):
        customer = event.data.get("customer_id")
        if event.type != "RefundProcessed" or customer is None:
            continue
        parts = []
        for line in event.data["lines"]:
            own = [
                (at, position, i, order, bought)
                for at, position, i, who, order, bought in placed
                if who == customer
                and bought["sku"] == line["sku"]
                and (at, position) < (event.time, positions[event.id])
            ]
            own.sort(key=lambda p: p[:3], reverse=True)
            units, money_left = line["quantity"], line["total_minor"]
            for _, _, i, order, bought in own:
                here = 0
                while units and taken.get((order, i), 0) < bought["quantity"]:
                    taken[order, i] = taken.get((order, i), 0) + 1
                    units, here = units - 1, here + 1
                if here:
                    amount = money_left if not units else line["total_minor"] * here // line["quantity"]
                    money_left -= amount
                    parts.append((order, i, line["sku"], here, amount))
        for number, part in enumerate(parts, 1):
            links[event.data["refund_id"], number] = part
    return links


def stored_links(shop):
    return {
        (row[0], row[1]): tuple(row[2:])
        for row in shop.rows("SELECT refund_id, part, order_id, line, sku, quantity, amount_minor FROM refund_link")
    }


@pytest.mark.parametrize("batch", [1, 7, 4000])
@pytest.mark.parametrize("seed", [1, 2])
def test_links_equal_a_slow_recomputation_whatever_the_batches(shop, make, monkeypatch, seed, batch):
    monkeypatch.setattr("steward.state.service._BATCH", batch)
    events = history(make, seed)
    shop.app.events.append(events)
    assert shop.app.state.catch_up() == len(events)
    expected = slow_links(events)
    assert len(expected) > 30
    assert stored_links(shop) == expected


def test_no_purchase_is_refunded_more_often_than_it_was_bought(shop, make):
    shop.take_in(*history(make, 3, orders=30, refunds=120))
    assert (
        shop.rows(
            "SELECT s.order_id FROM sale_line s JOIN refund_link l USING (order_id, line) "
            "GROUP BY s.order_id, s.line, s.quantity HAVING sum(l.quantity) > s.quantity"
        )
        == []
    )


def test_a_rebuild_makes_the_same_tables(shop, make):
    events = history(make, 4)
    for start in range(0, len(events), 25):  # as they came in, a few at a time
        shop.take_in(*events[start : start + 25])
    before = models(shop)
    assert all(before.values())
    shop.app.state.rebuild()
    assert models(shop) == before
    shop.app.state.rebuild()
    assert models(shop) == before


def test_an_order_that_came_twice_is_rebuilt_as_it_was_followed(shop, make):
    again = make.order("1", lines=[make.line("CUP"), make.line("POT")]).model_copy(update={"source": "shop/other"})
    shop.take_in(make.order("1"), make.order("2"))
    shop.take_in(again, make.refund("R1"))
    before = models(shop)
    shop.app.state.rebuild()
    assert models(shop) == before


def test_a_crash_in_a_rebuild_leaves_the_old_models(shop, make, monkeypatch):
    shop.take_in(*history(make, 5))
    before = models(shop)
    monkeypatch.setattr("steward.state.service._LINK_BATCH", 5)
    project, calls = shop.app.state._store.add_links, []

    def fails_the_third_time(connection, made):
        calls.append(1)
        if len(calls) == 3:
            raise ZeroDivisionError
        project(connection, made)

    monkeypatch.setattr(shop.app.state._store, "add_links", fails_the_third_time)
    with pytest.raises(ZeroDivisionError):
        shop.app.state.rebuild()
    assert models(shop) == before
    monkeypatch.setattr(shop.app.state._store, "add_links", project)
    shop.app.state.rebuild()
    assert models(shop) == before


def test_two_that_catch_up_at_once(shop, make, monkeypatch):
    monkeypatch.setattr("steward.state.service._BATCH", 10)
    events = history(make, 6)
    shop.app.events.append(events)
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(lambda _i: shop.app.state.catch_up(), range(2))) == len(events)
    assert stored_links(shop) == slow_links(events)


# Facts


def facts(shop, at, position=0):
    """Every fact and figure state answers, as of an instant."""
    state = shop.app.state
    lines = [{"sku": sku, "quantity": 3, "total_minor": 300} for sku in "ABCD"]
    evidence = {"lines": lines, "position": position}
    snapshot = state.snapshot(at)
    found = {
        "snapshot": snapshot.model_dump(mode="json"),
        "weekly": state.weekly_sales(at, 9),
        "spreads": state.price_spreads(at),
        "rest": state.rest_of_day_refunds(at, 28),
        "units": [state.sku_units(sku, at - WEEK, at) for sku in "ABCD"],
        "yesterday": state.refunded_on(floor_day(at) - DAY),
    }
    for customer in "123":
        params = {"customer_id": customer, "sku": "A"}
        for name in ("purchases", "refunds.today", "customer.refunds_in_window", "price.current"):
            found[name, customer] = state.fact(name, params, evidence, at, snapshot)
    return found


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_facts_as_of_an_instant_see_nothing_later(shop, fresh, make, seed):
    events = history(make, seed)
    at = events[len(events) * 2 // 3].time
    earlier = [event for event in events if event.time < at]
    later = [event for event in events if event.time >= at]
    assert earlier
    assert len(later) > 20
    shop.app.events.append(earlier)
    shop.app.state.catch_up()
    with fresh.app.rolled_back():  # so that the snapshot is taken again, not remembered
        before = facts(shop, at)
    assert before["purchases", "1"]
    shop.app.events.append(later)
    shop.app.state.catch_up()
    with fresh.app.rolled_back():
        assert facts(shop, at) == before
    with fresh.app.rolled_back():
        assert facts(shop, events[-1].time + HOUR) != before


def test_within_an_instant_a_fact_sees_what_stands_before_its_place_in_the_log(shop, make):
    at = make.start
    shop.take_in(
        make.order("1", at=at),
        make.refund("C1", at=at),  # position 2
        make.order("2", at=at),  # position 3
        make.refund("C2", at=at),  # position 4
    )
    state = shop.app.state
    snapshot = state.snapshot(at)

    def seen(position):
        evidence = {"lines": [make.line()], "position": position}
        purchases = state.fact("purchases", {"customer_id": "17850"}, evidence, at, snapshot)
        count = state.fact("customer.refunds_in_window", {"customer_id": "17850"}, evidence, at, snapshot)
        return [p["order_id"] for p in purchases], count

    assert seen(1) == ([], 0)
    assert seen(2) == (["1"], 0)
    assert seen(3) == ([], 1)  # what was bought is refunded already
    assert seen(4) == (["2"], 1)
    assert seen(5) == ([], 2)


def test_purchases_say_what_was_paid_and_what_went_back(shop, make):
    shop.take_in(
        make.order("1", lines=[make.line("A", 2, 500), make.line("A", 3, 900)]),
        make.refund("C1", lines=[make.line("A", 1, 280)]),
    )
    at = make.start + 2 * DAY
    evidence = {"lines": [make.line("A", 3, 840), make.line("A", 1, 250)], "position": 99}
    found = shop.app.state.fact("purchases", {"customer_id": "17850"}, evidence, at, shop.app.state.snapshot(at))

    def money(amount):
        return {"amount_minor": amount, "currency": "GBP"}

    assert found == [
        {"sku": "A", "order_id": "1", "amount": money(560), "refunded": money(280), "captured": money(900)},
        {"sku": "A", "order_id": "1", "amount": money(280 + 250), "refunded": money(0), "captured": money(500)},
    ]


def test_refunds_older_than_the_window_are_not_counted(shop, make):
    old, new = make.start, make.start + timedelta(days=30)
    shop.take_in(make.refund("C1", at=old), make.refund("C2", at=old + HOUR), make.refund("C3", at=new))
    at = new + timedelta(minutes=30)
    count = shop.app.state.fact(
        "customer.refunds_in_window", {"customer_id": "17850"}, {"position": 99}, at, shop.app.state.snapshot(at)
    )
    assert count == 2


def test_a_fact_nobody_offers_is_an_error(shop, make):
    with pytest.raises(KeyError, match=r"weather\.today"):
        shop.app.state.fact("weather.today", {}, {}, make.start, shop.app.state.snapshot(make.start))


# Snapshots


def test_a_snapshot_counts_the_day_and_the_week(shop, make):
    noon = floor_day(make.start) + 12 * HOUR
    shop.take_in(
        make.order("1", "1", at=noon - WEEK - HOUR),
        make.order("2", "1", at=noon - WEEK),
        make.order("3", "2", at=noon - DAY),
        make.order("4", None, at=noon - HOUR),
        make.refund("C1", "2", at=noon - DAY),
        make.refund("C2", "2", at=noon - HOUR),
        make.order("5", "3", at=noon),
        make.refund("C3", "2", at=noon),
    )
    assert shop.app.state.snapshot(noon).metrics == {
        "orders_today": 1,
        "sales_today_minor": 1000,
        "orders_7d": 3,
        "sales_7d_minor": 3000,
        "customers_7d": 2,
        "refunds_today": 1,
        "refunds_today_minor": 1000,
        "refunds_7d": 2,
        "refunds_7d_minor": 2000,
    }


def test_a_snapshot_taken_twice_is_the_same_one(shop, make):
    shop.take_in(make.order("1"))
    at = make.start + HOUR
    first = shop.app.state.snapshot(at)
    shop.take_in(make.order("late", at=make.start))  # it does not change what was seen then
    assert shop.app.state.snapshot(at) == first
    shop.app.events.sequence()
    assert shop.app.state.snapshot(at) == first
    assert shop.app.state.snapshots() == [first]
    assert shop.app.events.counts()["SnapshotTaken"] == 1
    assert shop.app.auditor.verify().invalid == []


def test_threads_that_take_one_snapshot_get_the_same_one(shop, make):
    shop.take_in(make.order("1"))
    hours = 40  # two that meet do so in one of two unique indexes, and by chance
    start = Barrier(4)

    def take(hour: int):
        start.wait()
        return shop.app.state.snapshot(make.start + hour * HOUR)

    with ThreadPoolExecutor(4) as pool:
        for hour in range(1, hours + 1):
            assert len({snapshot.digest for snapshot in pool.map(take, [hour] * 4)}) == 1
    assert shop.app.events.sequence() == hours
    assert len(shop.app.state.snapshots()) == hours


def test_a_snapshot_is_for_ever(shop, fresh, make):
    shop.app.state.snapshot(make.start)
    for statement in ("UPDATE snapshot SET currency = 'EUR'", "DELETE FROM snapshot", "TRUNCATE snapshot"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
            connection.execute(statement)
        with psycopg.connect(fresh.owner) as owner, pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
