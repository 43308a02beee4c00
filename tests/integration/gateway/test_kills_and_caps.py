"""What is stopped and nothing beside it; what a day and a budget take, freed and spent to the penny."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from steward.contracts.action import Refused
from steward.gateway.core.holding import Money
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db
ASKED = {"kind": "payment.refund", "tool": "stripe", "proposer": "bot", "department": "ops"}
PREFIX = {"kind": "kind", "tool": "tool", "proposer": "agent", "department": "department"}


def pounds(amount_minor):
    return Money(amount_minor, "GBP")


def action():
    return f"act_{uuid4().hex}"


def taken(shop, day):
    """What a day took, by the account of each scope."""
    return shop.rows(
        "SELECT code, pending_debit_minor::bigint FROM balance JOIN account USING (account_id) WHERE code LIKE %s",
        [f"equity:cap:{day}:%"],
    )


def test_a_scope_stops_what_it_names_and_nothing_else(shop):
    kills = shop.app.kills
    for field, prefix in PREFIX.items():
        scope = f"{prefix}:{ASKED[field]}"
        assert kills.throw(scope, "ana", "test")
        for other in PREFIX:
            assert kills.stops(**ASKED | {other: "another"}) == (None if other == field else scope)
        assert kills.stops(**ASKED | {field: ASKED[field] + ".more"}) is None
        assert kills.lift(scope, "ana", "over")
    assert kills.throw("all", "ana", "test")
    assert kills.stops("any", "any", "any", "any") == "all"


def test_every_turn_in_one_instant_is_told_and_a_turn_that_changes_nothing_is_not(shop):
    kills = shop.app.kills
    turned = [turn("tool:stripe", "ana", "test") for _ in range(5) for turn in (kills.throw, kills.throw, kills.lift)]
    assert turned == [True, False, True] * 5
    shop.app.events.sequence()
    told = shop.rows("SELECT data->>'on' FROM event WHERE type = 'KillSwitchThrown' ORDER BY position")
    assert [on for (on,) in told] == ["true", "false"] * 5
    assert kills.active() == []
    assert kills.one("tool:stripe")["on"] is False
    assert kills.one("tool:paypal") is None
    assert not kills.lift("tool:paypal", "ana", "it never was")


def test_nobody_and_no_reason_stop_nothing(shop):
    for scope, by, why in [("all", " ", "why"), ("all", "ana", ""), ("tool:", "ana", "why"), ("all\n", "ana", "why")]:
        with pytest.raises(BadInput):
            shop.app.kills.throw(scope, by, why)
    assert shop.app.kills.active() == []


def test_to_the_penny_and_void_frees_exactly_that(shop):
    caps, now = shop.app.caps, shop.clock.now()
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    first = caps.reserve(action(), pounds(333), ["kind:k"], now)
    second = caps.reserve(action(), pounds(667), ["kind:k"], now)
    assert isinstance(caps.reserve(action(), pounds(1), ["kind:k"], now), Refused)
    assert caps.reserve(action(), pounds(1), ["kind:other"], now) is None
    assert caps.reserve(action(), Money(1, "EUR"), ["kind:k"], now) is None
    for _ in range(2):  # a second time frees nothing more
        caps.void(first)
    assert caps.listed()[0]["today_minor"] == 667
    assert isinstance(caps.reserve(action(), pounds(334), ["kind:k"], now), Refused)
    assert isinstance(caps.reserve(action(), pounds(333), ["kind:k"], now), str)
    for _ in range(2):
        caps.settle(second)
    assert caps.listed()[0]["today_minor"] == 1000


def test_the_same_action_is_set_aside_once(shop):
    caps, now, one = shop.app.caps, shop.clock.now(), action()
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    assert caps.reserve(one, pounds(600), ["kind:k"], now) == caps.reserve(one, pounds(600), ["kind:k"], now)
    assert caps.listed()[0]["today_minor"] == 600


def test_all_scopes_or_none(shop):
    caps, now = shop.app.caps, shop.clock.now()
    caps.set("all", "GBP", 1000, "ana", "a day")
    caps.set("agent:bot", "GBP", 100, "ana", "a day")
    assert isinstance(caps.reserve(action(), pounds(101), ["all", "agent:bot"], now), Refused)
    assert {row["scope"]: row["today_minor"] for row in caps.listed()} == {"all": 0, "agent:bot": 0}
    assert isinstance(caps.reserve(action(), pounds(100), ["all", "agent:bot"], now), str)
    assert {row["scope"]: row["today_minor"] for row in caps.listed()} == {"all": 100, "agent:bot": 100}


def test_a_budget_that_is_too_small_leaves_the_day_untouched(shop):
    caps, now = shop.app.caps, shop.clock.now()
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    assert shop.app.ledger.grant("kind.k", "GBP", 500, "g1", "ana", "this month") == []

    def stands():
        [budget] = shop.app.ledger.budgets()
        return caps.listed()[0]["today_minor"], budget["granted_minor"], budget["held_minor"]

    assert isinstance(caps.reserve(action(), pounds(501), ["kind:k"], now), Refused)
    assert stands() == (0, 500, 0)
    held = caps.reserve(action(), pounds(500), ["kind:k"], now)
    assert stands() == (500, 500, 500)
    caps.void(held)
    assert stands() == (0, 500, 0)
    caps.settle(caps.reserve(action(), pounds(500), ["kind:k"], now))
    assert stands() == (500, 0, 0)
    tomorrow = now + timedelta(days=1)
    assert isinstance(caps.reserve(action(), pounds(1), ["kind:k"], tomorrow), Refused)  # a day is new, a budget not


def test_a_cap_set_below_what_a_day_took_stops_the_rest_of_it(shop):
    caps, now = shop.app.caps, shop.clock.now()
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    held = caps.reserve(action(), pounds(800), ["kind:k"], now)
    caps.set("kind:k", "GBP", 500, "eve", "less")
    assert caps.listed()[0]["today_minor"] == 800
    assert isinstance(caps.reserve(action(), pounds(1), ["kind:k"], now), Refused)
    caps.void(held)
    assert isinstance(caps.reserve(action(), pounds(500), ["kind:k"], now), str)
    assert isinstance(caps.reserve(action(), pounds(501), ["kind:k"], now + timedelta(days=1)), Refused)
    with pytest.raises(BadInput):
        caps.set("kind:k", "GBP", -1, "ana", "no")


def test_eight_at_once_never_pass_a_day_that_nobody_opened_yet_and_looking_first_does(shop):
    caps, database = shop.app.caps, shop.app.database
    caps.set("kind:k", "GBP", 1000, "ana", "a day")
    tomorrow = shop.clock.now() + timedelta(days=1)
    together, made, naive = threading.Barrier(8), [], []

    def ask():
        together.wait()
        for _ in range(3):
            with database.transaction():
                made.append(caps.reserve(action(), pounds(100), ["kind:k"], tomorrow))

    def look_first():
        for _ in range(3):
            together.wait()
            used = sum(naive)
            together.wait()
            if used + 100 <= 1000:
                naive.append(100)

    for target in (ask, look_first):
        threads = [threading.Thread(target=target) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(made), sum(isinstance(one, str) for one in made)) == (24, 10)
    assert [amount for _, amount in taken(shop, f"{tomorrow:%Y%m%d}")] == [1000]
    assert sum(naive) > 1000
