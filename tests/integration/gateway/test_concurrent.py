"""Several at once, each with connections of its own: what one locks the other waits for, and nobody waits in a circle."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.integration.gateway.conftest import held, reserve

from steward.contracts.action import ActionProposal

pytestmark = pytest.mark.db


@pytest.fixture
def others(fresh, cluster, make_shop, granted):
    """Shops over the same database with a pool each, as other processes have."""
    from steward.infra.db import Database

    opened = []

    def build():
        shop = make_shop()
        shop.app.database = Database(make_conninfo(cluster.app, dbname=fresh.name), cluster.role)
        opened.append(shop.app.database)
        return shop

    yield build
    for database in opened:
        database.close()


def at_once(*calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(call) for call in calls]]


def test_two_that_want_the_last_of_a_budget_do_not_both_get_it(granted, others, make):
    shops = [others() for _ in range(4)]
    start = threading.Barrier(4)

    def reserve_most(shop, n):
        start.wait()
        return shop.app.control.act(reserve(f"r{n}", 60000, make.start)).outcome

    outcomes = at_once(*(lambda s=s, n=n: reserve_most(s, n) for n, s in enumerate(shops)))
    assert sorted(outcomes) == ["executed", "refused", "refused", "refused"]
    assert held(granted) == (60000, 60000)


def test_the_second_waits_for_the_first_and_sees_what_it_took(granted, others, make):
    """The first holds its locks; the second is at the gate, and decides only on what the first left."""
    first, second = others(), others()
    second.app.control.act(reserve("warm", 100, make.start))
    answers = []
    with first.app.database.transaction():
        assert first.app.control.act(reserve("r1", 60000, make.start)).outcome == "executed"
        waiting = threading.Thread(
            target=lambda: answers.append(second.app.control.act(reserve("r2", 60000, make.start)).outcome)
        )
        waiting.start()
        with psycopg.connect(granted.owner, autocommit=True) as connection:
            blocked = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            while connection.execute(blocked).fetchone()[0] == 0:
                assert not answers
    waiting.join(60)
    assert answers == ["refused"]
    assert held(granted) == (60100, 60100)


def test_one_key_at_once_acts_once(granted, others, make):
    shops = [others() for _ in range(4)]
    acted = at_once(*(lambda s=s: s.app.control.act(reserve("r1", 40000, make.start)) for s in shops))
    assert sum(one.is_new for one in acted) == 1
    assert {one.outcome for one in acted} == {"executed"}
    assert held(granted) == (40000, 40000)


def test_threads_of_one_process_go_through_together(granted, make):
    keys = [f"r{n % 12}" for n in range(24)]
    acted = at_once(*(lambda k=k: granted.app.control.act(reserve(k, 10000, make.start)) for k in keys))
    assert sum(one.is_new for one in acted) == 12
    assert sorted(one.outcome for one in acted if one.is_new) == ["executed"] * 10 + ["refused"] * 2
    assert held(granted) == (100000, 100000)
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []


def test_groups_that_share_budgets_do_not_wait_in_a_circle(granted, others, make):
    """Two groups with the same two budgets in opposite orders: locks are taken by account, whoever is named first."""
    granted.app.ledger.grant("samples", "GBP", 100000, "g2", "fay", "the season")
    one, two = others(), others()
    for shop in (one, two):
        shop.app.control.act(reserve(f"warm {id(shop)}", 100, make.start, budget="samples"))

    def rounds(shop, name, budgets):
        for n in range(15):
            asked = [reserve(f"{name}{n}{b}", 10, make.start, budget=b) for b in budgets]
            assert all(acted.outcome == "executed" for acted in shop.app.live_line.together(asked))
        return True

    assert at_once(lambda: rounds(one, "a", ["ads", "samples"]), lambda: rounds(two, "b", ["samples", "ads"]))
    assert held(granted) == (300, 300)


def test_the_days_cap_holds_across_budgets_at_once(granted, others, make_shop, with_limits, make):
    granted.app.ledger.grant("samples", "GBP", 1000000, "g2", "fay", "the season")
    granted.app.ledger.grant("ads", "GBP", 1000000, "g3", "fay", "the season")
    shops = [others() for _ in range(4)]
    budgets = ["ads", "samples"] * 2
    calls = [
        lambda s=s, b=b, n=n: s.app.control.act(reserve(f"{b}{n}", 90000, make.start, budget=b)).outcome
        for n in range(2)
        for s, b in zip(shops, budgets, strict=True)
    ]
    keys = [f"{n}" for n in range(len(calls))]
    assert len(keys) == 8
    outcomes = at_once(*calls)
    # Two shops ask with each key: four actions, of which the first five at 900.00 fit under 5,000.00.
    assert granted.one("SELECT used_minor FROM gate_day") == 90000 * len(
        granted.rows("SELECT 1 FROM action WHERE outcome = 'executed'")
    )
    assert granted.one("SELECT used_minor <= cap_minor FROM gate_day")
    assert set(outcomes) <= {"executed", "refused"}


def test_what_fails_in_a_group_fails_alone(granted, make, monkeypatch):
    line = granted.app.live_line
    whole = line._decide

    def breaks(proposal: ActionProposal, *args, **more):
        if proposal.key.endswith("bad"):
            raise RuntimeError("of its own making")
        return whole(proposal, *args, **more)

    monkeypatch.setattr(line, "_decide", breaks)
    start = threading.Barrier(3)

    def ask(key):
        start.wait()
        try:
            return granted.app.control.act(reserve(key, 100, make.start)).outcome
        except RuntimeError as error:
            return str(error)

    assert sorted(at_once(*(lambda k=k: ask(k) for k in ("a", "bad", "c")))) == [
        "executed",
        "executed",
        "of its own making",
    ]
    assert held(granted) == (200, 200)


def test_facts_that_move_between_proof_and_lock_are_proved_once_more(granted, others, make, monkeypatch):
    """No tree at hand fits what is locked: one brief try of the prover on those facts, and through."""
    shop = others()
    granted.app.control.act(reserve("r1", 100, make.start))
    gate = shop.app.live_gate
    monkeypatch.setattr(gate, "has_trees", lambda _kind: True)
    asked = []
    whole = gate.draft
    monkeypatch.setattr(gate, "draft", lambda *args: (asked.append(args[3]), whole(*args)))
    assert shop.app.control.act(reserve("r2", 100, make.start)).outcome == "executed"
    assert asked == [0.2]


def test_what_stays_unproved_is_stale_and_waits_for_a_person(granted, others, make, monkeypatch):
    shop = others()
    granted.app.control.act(reserve("r1", 100, make.start))
    gate = shop.app.live_gate
    monkeypatch.setattr(gate, "has_trees", lambda _kind: True)
    monkeypatch.setattr(gate, "draft", lambda *_args: None)
    acted = shop.app.control.act(reserve("r2", 100, make.start))
    action = shop.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["code"]) == ("held", "stale")
    assert shop.app.proofs.of_action(acted.action_id)["verdict"] == "ESCALATE"
    assert held(granted) == (100, 100)
