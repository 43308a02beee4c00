"""Acts: they change what comes after them and nothing before, exactly as the documents say when each begins to hold."""

import random

import numpy as np
import pytest

from livemarket.core import payments
from livemarket.core.acts import Verb
from livemarket.core.position import position
from livemarket.faces.business import DAY, Business, moment_of, unix
from livemarket.faces.clock import Clock
from livemarket.faces.faults import Faults
from livemarket.faces.pages import by_cursor, by_number
from livemarket.faces.stripe.forms import nested


@pytest.fixture
def business(grown):
    return Business(grown.fork(), Clock(0.0), 20)


def seen(business):
    """Everything that was shown, as text, without numbers of rows."""
    rows = []
    business.listeners.append(
        lambda h: rows.append(
            (
                h.moment,
                h.kind,
                sorted((k, v) for k, v in h.columns.items() if k not in {"line", "payout", "ticket", "batch"}),
            )
        )
    )
    return rows


def test_acts_at_random_moments_leave_the_past_alone(grown):
    """Sixty acts; the run with them shows, up to each, what the run with one act less shows."""
    luck = random.Random(5)
    plain, acted = (Business(grown.fork(), Clock(0.0), 20) for _ in range(2))
    shown, changed = seen(plain), seen(acted)
    first = None
    for _ in range(60):
        acted.advance(acted.now + luck.randrange(2000, 16000))
        verb = luck.choice([Verb.REFUND, Verb.REFUND, Verb.PRICE, Verb.BUDGET, Verb.BUY_STOCK, Verb.PAY_CREATOR])
        entity = {Verb.PRICE: 3, Verb.BUDGET: 1, Verb.BUY_STOCK: 5, Verb.PAY_CREATOR: 2}.get(verb)
        if entity is None:
            orders = acted.world.state.orders
            known = np.flatnonzero((orders["day"] * DAY + orders["second"] + 3 <= acted.now) & (orders["status"] > 0))
            entity = int(luck.choice(known[-400:].tolist()))
        at = acted.act(verb, entity, luck.randrange(100, 4000), 0, "ref")
        assert at == acted.now
        first = first or at
    plain.advance(acted.now)
    assert [r for r in changed if r[0] < first] == [r for r in shown if r[0] < first]
    assert changed != shown
    days = sorted({moment // DAY for moment, _, _ in changed})
    assert days == sorted({moment // DAY for moment, _, _ in shown})


def test_a_past_that_would_change_is_refused(business):
    """The control: the same day under other luck is another day, and the act is not let in."""
    business.advance(business.now + 60_000)
    business.morning.seed += 1
    assert business.act(Verb.PRICE, 0, 1999) is None
    assert business.done == 0


def returning(business):
    """An order that will ask for its money back tomorrow or later, its parcel having come."""
    state = business.world.state
    rows = state.calendar.waiting("return")
    fit = (state.orders.at("refund", rows) == 0) & (state.orders.at("dispute", rows) == 0)
    return int(rows[fit][0])


def asked(rows, order):
    return any(kind == "refund_asked" and dict(columns)["order"] == order for _, kind, columns in rows)


def test_a_refund_holds_at_once_and_prevents_the_request(grown):
    plain, acted = (Business(grown.fork(), Clock(0.0), 40) for _ in range(2))
    shown, changed = seen(plain), seen(acted)
    order = returning(acted)
    total = int(acted.world.state.orders["total"][order])
    before = position(acted.world)
    acted.act(Verb.REFUND, order, total)
    after = position(acted.world)
    moved = {k: after[k] - before[k] for k in after if after[k] != before[k]}
    tax = int(acted.world.state.orders["tax"][order])
    assert moved.pop("liabilities:tax", 0) == tax
    assert sum(moved.get(f"assets:clearing:{name}", 0) for name in ("stripe", "paypal", "tiktok")) == -total
    for business in (plain, acted):
        business.advance(business.end)
    assert asked(shown, order)
    assert not asked(changed, order)


def test_prices_hold_from_the_next_morning(grown):
    plain, acted = (Business(grown.fork(), Clock(0.0), 3) for _ in range(2))
    for business in (plain, acted):
        business.advance(business.now + 30_000)
    state = acted.world.state
    sku = int((state.on_hand - state.reserved).argmax())
    new = int(acted.world.state.price[sku]) - 101  # no price of the operator's ends so
    acted.act(Verb.PRICE, sku, new)
    prices = []
    for business in (plain, acted):
        business.advance(business.first * DAY + 2 * DAY - 1)
        orders = business.world.state.orders
        mine = (orders["sku"] == sku) & (orders["drop_ppm"] == 0)
        today, tomorrow = mine & (orders["day"] == business.first), mine & (orders["day"] == business.first + 1)
        prices.append((orders["price"][today].tolist(), set(orders["price"][tomorrow].tolist())))
    assert prices[0][0] == prices[1][0]
    assert prices[1][1] <= {new}
    assert prices[1][1]


def test_paying_early_is_taken_off_what_falls_due(business):
    world = business.world
    creator = next(c for c in range(6) if payments.owed(world, 0, c) > 500)
    owed = payments.owed(world, 0, creator)
    business.act(Verb.PAY_CREATOR, creator, 500, 0, "early")
    assert payments.owed(business.world, 0, creator) == owed - 500
    bank = business.world.state.bank_lines
    assert int(bank["amount"][np.flatnonzero(bank["number"] < 0)[0]]) == -500


def test_a_payout_by_hand_makes_its_lines_add_up(business):
    business.advance(business.now + 20_000)
    ready = payments.available(business.world, 0, business.morning.day)
    sent = business.world.state.payouts.length
    at = business.act(
        Verb.PAY_OUT, 0, 1
    )  # before eight o'clock what became available today still waits, or nothing does
    state = business.world.state
    by_hand = [row for row in state.by_hand if state.by_hand[row] + business.first * DAY == at]
    assert len(by_hand) == (1 if ready > 0 else 0)
    for row in by_hand:
        lines = state.lines["payout"] == row
        assert int((state.lines["gross"] - state.lines["fee"])[lines].sum()) == int(state.payouts["amount"][row]) == 1
    assert state.payouts.length >= sent


def test_a_case_that_is_given_up_is_lost_now(business):
    state = business.world.state
    order = next(
        o
        for o in state.case_of
        if state.orders["dispute_state"][o] == 1 and state.cases["day"][state.case_of[o]] < business.first
    )
    business.act(Verb.ACCEPT, order)
    state = business.world.state
    assert state.orders["dispute_state"][order] == 3
    assert state.cases["closed_day"][state.case_of[order]] == business.first
    assert state.calendar.where("verdict", order) is None


def test_cursors_and_pages():
    ids = [f"a{n}" for n in range(10)]
    assert by_cursor(ids, 3) == (ids[:3], True)
    assert by_cursor(ids, 3, after="a7") == (ids[8:], False)
    assert by_cursor(ids, 3, before="a2") == (ids[:2], False)
    assert by_cursor(ids, 3, after="zz") is None
    assert by_number(10, 4, 3) == (range(9, 10), 4)


def test_forms_clocks_and_faults():
    assert nested([("a[b][c]", "1"), ("x[]", "2"), ("x[]", "3"), ("p", "")]) == {
        "a": {"b": {"c": "1"}},
        "x": {"0": "2", "1": "3"},
        "p": "",
    }
    with pytest.raises(ValueError, match="value and a dictionary"):
        nested([("a", "1"), ("a[b]", "2")])
    assert [Clock.of(s).factor for s in ("real", "manual", "accelerated:3600")] == [1.0, 0.0, 3600.0]
    for wrong in ("accelerated:0", "accelerated", "fast", "accelerated:x"):
        with pytest.raises(ValueError, match="no speed"):
            Clock.of(wrong)
    faults = Faults()
    faults.ask({"kind": "outage", "face": "stripe", "path": "/v1/refunds", "count": 2})
    assert faults.take("outage", "paypal", "/v1/refunds") is None
    assert faults.take("outage", "stripe", "/v1/charges") is None
    assert [faults.take("outage", "stripe", "/v1/refunds") is not None for _ in range(3)] == [True, True, False]
    for wrong in ({"kind": "fire"}, {"kind": "outage", "count": -1}, {"nothing": 1}):
        with pytest.raises(ValueError, match=r"fault|kind"):
            faults.ask(wrong)
    assert moment_of(unix(12345)) == 12345
