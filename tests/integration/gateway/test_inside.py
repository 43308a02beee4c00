"""What takes effect in our own books and needs a person: asked for, agreed to, held in the same transaction, once."""

import threading
from datetime import timedelta

import pytest
from tests.integration.gateway.conftest import held, reserve

pytestmark = pytest.mark.db
LARGE = 120000


@pytest.fixture
def asked(shop):
    """A shop with a budget of 3,000.00, in which reservations over 1,000.00 wait for a manager."""
    assert shop.app.ledger.grant("ads", "GBP", 300000, "g1", "fay", "the season") == []
    shop.founder = shop.app.access.create("ana", (), "founder")
    shop.manager = shop.app.access.create("ben", (), "manager", by=shop.founder)
    return shop


def act(shop, key, amount=LARGE):
    acted = shop.app.control.act(reserve(key, amount, shop.clock.now()))
    assert acted.outcome == "held"
    return acted.action_id


def test_a_large_reservation_waits_takes_effect_on_a_managers_word_and_is_audited(asked):
    action = act(asked, "r1")
    assert [one["id"] for one in asked.app.approvals.waiting()] == [action]
    assert held(asked) == (0, 0), "nothing is set aside before somebody agrees"
    done = asked.app.approvals.approve(action, asked.manager, "cli")
    assert (done.state, done.code) == ("succeeded", "")
    assert held(asked) == (LARGE, LARGE)
    assert asked.one("SELECT used_minor FROM gate_day") == LARGE
    assert asked.app.effects.state(action).remote_ref == "hold:spend.reserve:r1"
    states = [step["state"] for step in asked.app.effects.history(action)]
    assert states == ["proposed", "verified", "awaiting_approval", "ready", "executing", "succeeded"]
    asked.app.events.sequence()
    told = [event.envelope.type for event in asked.app.events.read() if event.envelope.correlationid == action]
    assert {"ActionApproved", "ActionExecuted"} <= set(told)
    assert asked.app.auditor.verify().invalid == []
    assert asked.app.books.check().violations == []
    assert asked.app.approvals.approve(action, asked.founder, "cli").code == "not_waiting"
    assert held(asked) == (LARGE, LARGE)


def test_what_no_longer_fits_when_people_agree_is_rejected_with_the_reason(asked):
    actions = [act(asked, f"r{n}") for n in range(3)]
    said = [asked.app.approvals.approve(action, asked.manager, "cli") for action in actions]
    assert [one.state for one in said] == ["succeeded", "succeeded", "rejected"]
    assert said[2].code == "no_longer_allowed"
    assert held(asked) == (2 * LARGE, 2 * LARGE)


def test_of_many_that_agree_at_once_as_many_take_effect_as_there_is_money(asked):
    actions = [act(asked, f"r{n}") for n in range(6)]
    states = []
    people = [
        threading.Thread(target=lambda one=one: states.append(asked.app.approvals.approve(one, asked.manager, "api")))
        for one in actions
    ]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(one.state for one in states) == ["rejected"] * 4 + ["succeeded"] * 2
    assert held(asked) == (2 * LARGE, 2 * LARGE)


def test_silence_is_a_no_and_a_kill_switch_holds(asked):
    first, second = act(asked, "r1"), act(asked, "r2")
    asked.app.kills.throw("kind:spend.reserve", "ana", "a look first")
    assert asked.app.approvals.approve(first, asked.manager, "cli").code == "no_longer_allowed"
    assert asked.app.control.act(reserve("r3", 100, asked.clock.now())).outcome == "refused"
    asked.app.kills.lift("kind:spend.reserve", "ana", "looked", asked.founder)
    asked.clock.advance(timedelta(days=30))
    asked.app.approvals.sweep()
    assert asked.app.effects.state(second).state == "expired"
    assert held(asked) == (0, 0)


def test_what_a_person_agreed_to_can_be_called_back(asked):
    action = act(asked, "r1")
    asked.app.approvals.approve(action, asked.manager, "cli")
    done = asked.app.cancellations.cancel(action, "ana", "the show is off")
    assert (done.code, done.hold) == ("", "hold:spend.reserve:r1")
    assert held(asked) == (0, 0)
    assert asked.app.cancellations.cancel(action, "ana", "again").code == "hold_voided"
