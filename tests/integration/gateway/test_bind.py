"""A live kind from proposal to effect: facts under lock, certificates re-checked there, hold and facts in one commit."""

from datetime import timedelta

import pytest
from tests.integration.gateway.conftest import held, reserve

pytestmark = pytest.mark.db


def test_a_reservation_holds_money_in_the_transaction_that_proved_it(granted, make):
    acted = granted.app.control.act(reserve("r1", 40000, make.start))
    assert (acted.outcome, acted.is_new) == ("executed", True)
    assert held(granted) == (40000, 40000)
    action = granted.app.gateway.action(acted.action_id)
    assert action.result["hold"] == "hold:spend.reserve:r1"
    granted.app.events.sequence()
    told = [e.envelope for e in granted.app.events.read(0, limit=100)]
    story = [e.type for e in told if e.correlationid == acted.action_id]
    assert story == ["ActionProposed", "DecisionMade", "ActionExecuted"]
    assert "LedgerChanged" in [e.type for e in told]
    report = granted.app.auditor.verify()
    assert (report.invalid, report.decisions) == ([], 1)
    assert granted.app.books.check().violations == []


def test_what_is_in_flight_counts_and_needs_a_certificate(granted, make):
    outcomes = [granted.app.control.act(reserve(f"r{n}", 40000, make.start)).outcome for n in range(3)]
    assert outcomes == ["executed", "executed", "refused"]
    refused = granted.app.gateway.actions(outcome="refused")[0]
    assert refused.result["code"] == "over_budget"
    proof = granted.app.proofs.of_action(refused.id)
    assert proof["answer"]["counterexample"]
    proofs = [granted.app.proofs.of_action(a.id) for a in granted.app.gateway.actions(outcome="executed")]
    bases = {f["basis"] for p in proofs for f in p["answer"]["findings"] if f["id"] == "reserve-within-budget"}
    assert bases == {"evaluated", "certificate"}
    granted.app.events.sequence()
    report = granted.app.auditor.verify()
    assert report.invalid == []
    assert report.certificates == 1
    assert held(granted) == (80000, 80000)


def test_a_refusal_that_any_value_shows_is_audited_as_the_gate_showed_it(granted, make):
    """With something in flight, a prover and the ends of the interval may show the broken rule at different values."""
    granted.app.control.act(reserve("r1", 20000, make.start))
    assert granted.app.control.act(reserve("r2", 90000000, make.start)).outcome == "refused"
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []


def test_a_certificate_is_fitted_to_facts_that_moved(granted, make, monkeypatch):
    for n in range(2):
        granted.app.control.act(reserve(f"r{n}", 10000, make.start))

    def no_prover(*_args):
        raise AssertionError("the prover was asked")

    monkeypatch.setattr(granted.app.verifier.prover, "ask", no_prover)
    assert granted.app.control.act(reserve("r3", 25000, make.start)).outcome == "executed"
    assert held(granted) == (45000, 45000)


def test_the_same_key_acts_once(granted, make):
    first = granted.app.control.act(reserve("r1", 40000, make.start))
    again = granted.app.control.act(reserve("r1", 99999, make.start))
    assert (again.action_id, again.outcome, again.is_new) == (first.action_id, "executed", False)
    assert held(granted) == (40000, 40000)


def test_the_day_has_a_cap_over_all_budgets(make_shop, with_limits, make):
    shop = make_shop(with_limits(reserve_day={"amount_minor": 50000, "currency": "GBP"}))
    for budget in ("ads", "samples"):
        shop.app.ledger.grant(budget, "GBP", 100000, budget, "fay", "the season")
    asked = [reserve(f"{b}{n}", 20000, make.start, budget=b) for n in range(2) for b in ("ads", "samples")]
    outcomes = [shop.app.control.act(proposal).outcome for proposal in asked]
    assert outcomes == ["executed", "executed", "refused", "refused"]
    assert shop.rows("SELECT used_minor, cap_minor FROM gate_day") == [(40000, 50000)]
    shop.clock.advance(timedelta(days=1))
    assert shop.app.control.act(reserve("next", 20000, make.start)).outcome == "executed"


def test_a_large_one_waits_for_a_person_and_holds_nothing(make_shop, with_limits, make):
    shop = make_shop(with_limits(reserve_manager={"amount_minor": 5000, "currency": "GBP"}))
    shop.app.ledger.grant("ads", "GBP", 100000, "g", "fay", "the season")
    acted = shop.app.control.act(reserve("r1", 5001, make.start))
    action = shop.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["approver"]) == ("held", "manager")
    assert held(shop) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"budget": "nobody"}, "over_budget"),
        ({"budget": "no such name!"}, "over_budget"),
        ({"currency": "EUR"}, "over_budget"),
        ({"amount_minor": 0}, "amount_not_positive"),
        ({"amount_minor": -500}, "amount_not_positive"),
    ],
)
def test_what_a_budget_cannot_bear_is_refused(granted, make, changes, code):
    acted = granted.app.control.act(reserve("r1", at=make.start, **{"amount_minor": 100, **changes}))
    action = granted.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["code"]) == ("refused", code)
    assert held(granted) == (0, 0)
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []


@pytest.mark.parametrize("params", [{}, {"amount": "lots"}, {"budget": 1, "amount": None, "purpose": []}])
def test_a_malformed_reservation_is_denied(granted, make, params):
    proposal = reserve("odd", 1, make.start).model_copy(update={"params": params})
    assert granted.app.control.act(proposal).outcome == "refused"
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []


def test_expired_reservations_come_back(granted, make):
    granted.app.control.act(reserve("r1", 90000, make.start))
    assert granted.app.control.act(reserve("r2", 20000, make.start)).outcome == "refused"
    granted.clock.advance(timedelta(hours=73))
    assert granted.app.ledger.release_expired() == 1
    assert granted.app.control.act(reserve("r3", 20000, make.start)).outcome == "executed"


def test_a_checker_that_fails_denies(granted, make, monkeypatch):
    def broken(*_args, **_more):
        raise MemoryError

    monkeypatch.setattr(granted.app.live_gate, "has_trees", lambda _kind: True)
    monkeypatch.setattr(granted.app.verifier, "recertify", broken)
    acted = granted.app.control.act(reserve("r1", 100, make.start))
    action = granted.app.gateway.action(acted.action_id)
    assert (action.outcome, action.result["code"]) == ("refused", "checker_failed")
    assert held(granted) == (0, 0)
