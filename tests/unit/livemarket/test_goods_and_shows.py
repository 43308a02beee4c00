"""Acts on tickets, parcels, purchases and shows: each changes what follows, leaves the past alone, and does it once."""

import random

import numpy as np
import pytest

from livemarket.core import tickets
from livemarket.core.acts import Verb
from livemarket.core.state import Status
from livemarket.core.step import step
from livemarket.faces.business import DAY, Business
from livemarket.faces.clock import Clock


@pytest.fixture
def business(grown):
    return Business(grown.fork(), Clock(0.0), 25)


def facts(business):
    """Facts as they are shown, with their columns."""
    rows = []
    business.listeners.append(lambda h: rows.append((h.moment, h.kind, h.columns)))
    return rows


def waiting(business):
    """Orders that the warehouse has not picked."""
    orders = business.world.state.orders
    return np.flatnonzero((orders["status"] == Status.OPEN) & (orders["day"] < business.world.day - 1)).tolist()


def live_day(business):
    """Go to the morning of a day with a show; returns its first show, as today's facts have it."""
    while not any(f.kind == "show" for f in business.world.facts.items):
        business.advance((business.morning.day + 1) * DAY)
    shows = next(f for f in business.world.facts.items if f.kind == "show").columns
    n = int(np.argmin(shows["second"]))
    return int(shows["show"][n]), int(shows["second"][n])


def slots(business, show):
    """(second, sku, drop, watching, clicks) of a show's slots."""
    found = next(f for f in business.world.facts.items if f.kind == "slot").columns
    own = found["show"] == show
    names = ("second", "sku", "drop_ppm", "watching", "clicks")
    return sorted(zip(*(found[n][own].tolist() for n in names), strict=True))


def sold_before(business, second):
    orders = business.world.state.orders
    early = (orders["day"] == business.morning.day) & (orders["second"] < second)
    return list(zip(np.flatnonzero(early).tolist(), orders["key"][early].tolist(), strict=True))


def test_acts_at_random_moments_are_all_let_in_and_leave_the_past_alone(grown):
    """Fifty acts of all these kinds; up to the first, both runs show the same, and no act is refused."""
    luck = random.Random(3)
    plain, acted = (Business(grown.fork(), Clock(0.0), 14) for _ in range(2))
    shown, changed = facts(plain), facts(acted)
    first = None
    for _ in range(50):
        acted.advance(acted.now + luck.randrange(4000, 18000))
        state = acted.world.state
        show = acted.morning.day * 256
        tickets_now = np.flatnonzero(state.tickets["day"] * DAY + state.tickets["second"] <= acted.now)
        verb, entity, amount, slot = luck.choice([
            (Verb.STOP, int(luck.choice(waiting(acted) or [0])), 0, 0), (Verb.LABEL, int(luck.choice(waiting(acted) or [0])), 1, 0),
            (Verb.REPLY, int(tickets_now[-1]), 0, 0), (Verb.DROP, show, 400_000, -1), (Verb.PIN, show, 3, -1),
            (Verb.END_SHOW, show + 256, 0, 0), (Verb.CALL_OFF, state.purchases.length - 1, 0, 0),
        ])  # fmt: skip
        at = acted.act(verb, entity, amount, slot)
        assert at is not None, (verb, acted.now % DAY)
        first = first or at
    plain.advance(acted.now)
    past = [[(m, k, sorted(c.items())) for m, k, c in rows if m < first] for rows in (shown, changed)]
    assert past[0] == past[1]
    assert len(changed) != len(shown)


def test_stopping_on_a_monday_leaves_the_bill_of_its_morning_alone(business):
    """The bill is of the week before: what is sent in the afternoon is not on it."""
    while business.morning.day % 7:
        business.advance((business.morning.day + 1) * DAY)
    business.advance(business.morning.day * DAY + 13 * 3600)
    orders = business.world.state.orders
    late = (orders["ship_day"] == business.morning.day) & (orders["day"] < business.morning.day)
    bill = next(f for f in business.world.facts.items if f.kind == "fulfilment_invoice").columns
    week = (orders["ship_day"] >= business.morning.day - 7) & (orders["ship_day"] < business.morning.day)
    assert int(bill["sent"][0]) == int(week.sum())
    assert business.act(Verb.STOP, int(np.flatnonzero(late)[0])) is not None


def test_a_drop_in_a_running_show_holds_from_the_next_slot(business):
    show, start = live_day(business)
    business.advance(business.morning.day * DAY + start + 700)
    before, early = slots(business, show), sold_before(business, start + 700)
    orders = business.world.state.orders.length
    at = business.act(Verb.DROP, show, 600_000, -1)
    assert at is not None
    after = slots(business, show)
    assert after[:2] == before[:2]
    assert [s[2] for s in after[2:]] == [600_000] * (len(after) - 2)
    assert sum(s[4] for s in after[2:]) > sum(s[4] for s in before[2:])
    assert business.world.state.orders.length > orders
    assert sold_before(business, start + 700) == early  # no order that was there has another row


def test_a_pin_and_an_end_change_the_slots_to_come(business):
    show, start = live_day(business)
    business.advance(business.morning.day * DAY + start + 100)
    before = slots(business, show)
    assert business.act(Verb.PIN, show, 5, 3) is not None
    assert [s[1] for s in slots(business, show)] == [*[s[1] for s in before[:3]], 5, *[s[1] for s in before[4:]]]
    assert business.act(Verb.PIN, show, 6, 0) is not None  # a slot that runs is left alone
    assert slots(business, show)[0] == before[0]
    business.advance(business.morning.day * DAY + start + 1300)
    told = facts(business)
    assert business.act(Verb.END_SHOW, show) is not None
    assert len(slots(business, show)) == 3
    business.advance((business.morning.day + 1) * DAY - 1)
    over = next(f for f in told if f[1] == "show_over" and f[2]["show"] == show)
    assert over[0] == (business.morning.day - 1) * DAY + start + 1800


def test_a_show_is_called_off_before_it_begins_and_nothing_of_it_is_seen(business):
    show, _ = live_day(business)
    assert business.act(Verb.END_SHOW, show) is not None
    kinds = {f.kind: f.columns for f in business.world.facts.items}
    assert all(show not in kinds[k]["show"] for k in ("show", "slot", "show_over") if k in kinds)
    orders = business.world.state.orders
    assert not (orders["show"] == show).any()


def test_a_show_act_with_another_past_is_refused(business):
    """The control: under other luck the morning is another one."""
    show, start = live_day(business)
    business.advance(business.morning.day * DAY + start + 700)
    business.morning.seed += 1
    assert business.act(Verb.DROP, show, 600_000, -1) is None


def test_an_order_is_stopped_before_it_is_picked_and_the_buyer_asks_later(business):
    orders = business.world.state.orders
    order = int(business.world.state.calendar.waiting("ship")[0])
    sku, reserved = int(orders["sku"][order]), business.world.state.reserved.copy()
    told = facts(business)
    assert business.act(Verb.STOP, order) is not None
    state = business.world.state
    assert state.orders["status"][order] == Status.CANCELLED
    assert state.reserved[sku] == reserved[sku] - state.orders["quantity"][order]
    business.advance(business.now + 18 * DAY)
    mine = {kind for _, kind, columns in told if columns.get("order") == order}
    assert "cancelled" in mine
    assert "shipped" not in mine
    assert mine & {"refund", "dispute"}


def test_what_is_picked_is_not_stopped(business):
    shipped = next(f for f in business.world.facts.items if f.kind == "shipped").columns
    order = int(shipped["order"][0])
    business.advance(business.morning.day * DAY + 55_000)
    business.act(Verb.STOP, order)
    assert business.world.state.orders["status"][order] == Status.SHIPPED


def test_the_courier_that_is_chosen_carries_the_parcel(business):
    for order in business.world.state.calendar.waiting("ship")[:12].tolist():  # after today's were picked
        assert business.act(Verb.LABEL, order, 2) is not None
        business.advance(business.now + 5)
    chosen = list(business.world.state.courier_of) or [
        int(r) for r in np.flatnonzero(business.world.state.orders["ship_day"] == business.morning.day)
    ]
    business.advance(business.now + 4 * DAY)
    state = business.world.state
    gone = [order for order in chosen if state.orders["ship_day"][order] >= 0]
    assert gone
    labelled = [order for order in gone if state.courier_of.get(order) == 2]
    assert labelled
    assert all(state.orders["courier"][order] == 2 for order in labelled)


def test_a_purchase_is_called_off_and_never_comes(business):
    ordered = int(business.world.state.on_order[4])
    assert business.act(Verb.BUY_STOCK, 4, 70) is not None
    purchase = business.world.state.purchases.length - 1
    assert business.world.state.on_order[4] == ordered + 70
    assert business.act(Verb.CALL_OFF, purchase) is not None
    assert business.world.state.on_order[4] == ordered
    business.advance(business.end)
    assert business.world.state.purchases["received"][purchase] == 0


def ticket_today(business):
    opened = next(f for f in business.world.facts.items if f.kind == "ticket").columns
    n = int(np.argmin(opened["second"]))
    return int(opened["ticket"][n]), int(opened["second"][n])


def test_a_ticket_is_solved_once(business):
    while not any(f.kind == "ticket" for f in business.world.facts.items):
        business.advance((business.morning.day + 1) * DAY)
    ticket, second = ticket_today(business)
    told = facts(business)
    business.advance(business.morning.day * DAY + second + 60)
    assert business.act(Verb.SOLVE, ticket) is not None
    business.advance(business.now + 9 * DAY)
    assert sum(kind == "ticket_solved" and columns["ticket"] == ticket for _, kind, columns in told) == 1


def test_a_quick_answer_lightens_the_mood_and_keeps_some_disputes_away(grown):
    """Every ticket with a dispute to come is answered at once; a slow answer is the control: it prevents none."""
    prevented = {True: 0, False: 0}
    for quick in (True, False):
        world = grown.fork()
        for _ in range(12):
            step(world)
            state = world.state
            for ticket in np.flatnonzero(state.tickets["day"] == world.day - (0 if quick else 6)).tolist():
                order = int(state.tickets["order"][ticket])
                if state.calendar.where("dispute", order) is None:
                    state.calendar.add("dispute", np.array([world.day + 30]), np.array([order]))
                tickets.reply(world, ticket, min(int(state.tickets["second"][ticket]) + 600, 86399))
                prevented[quick] += state.calendar.where("dispute", order) is None
                mood = int(state.tickets["mood"][ticket])
                assert state.calmed[ticket] == (max(mood - 1, 0) if quick else mood)
    assert prevented[True] > 0
    assert prevented[False] == 0
