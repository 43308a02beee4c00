"""The shipped invariants: they pass their own examples, and say what they should of a day's refunds and prices."""

import time

import pytest

from steward.catalog import load_catalog
from steward.verifier import Verifier

CATALOG = load_catalog()
NOW = "2026-01-01T00:00:00Z"


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


LIMITS = {"refund_manager": gbp(20_000), "refund_founder": gbp(100_000), "refund_day": gbp(200_000), "refund_count": 5}
LIMITS = {**CATALOG.limit_facts(), **LIMITS, "margin_floor": "0.30", "price_move": "0.10"}


@pytest.fixture(scope="module")
def judge():
    with Verifier.from_documents(CATALOG.documents, LIMITS) as verifier:
        verifier.warm()
        yield verifier


def refund(minor, roles=(), to="original_payment", falls=None):
    falls = minor if falls is None else falls
    bought = {"sku": "85123A", "order_id": "536365", "amount": gbp(falls), "refunded": gbp(0), "captured": gbp(5_000)}
    facts = {
        "purchases": [bought],
        "refunds.today": gbp(1_000),
        "refunds.in_flight": {"any_subset_of": [gbp(i * 1_000) for i in range(1, 11)]},
        "customer.refunds_in_window": 1,
        "customer.refunded_in_window": gbp(1_000),
        "customer.shared": [],
        "refund.orders": [{**bought, "disputed": gbp(0), "credited": gbp(0)}],
    }
    params = {"refund_id": "C1", "customer_id": "17850", "amount": gbp(minor), "to": to}
    return {"id": "a", "kind": "refund.issue", "params": params, "principal": {"id": "p", "roles": list(roles)}}, facts


def price(minor, low, high, demand=(10, 400)):
    facts = {
        "price.current": gbp(1_000),
        "price.effective": {"low": gbp(low), "high": gbp(high)},
        "demand": {"low": demand[0], "high": demand[1]},
        "cost.unit": gbp(630),
    }
    params = {"sku": "85123A", "price": gbp(minor)}
    return {"id": "a", "kind": "price.set", "params": params, "principal": {"id": "p", "roles": []}}, facts


def test_every_rule_passes_its_own_examples(judge):
    assert judge.self_test() == []
    assert all(rule["code"] and rule["title"] for rule in judge.described())
    assert judge.refusal_codes()["refund-has-purchase"] == "no_captured_payment"


def test_an_ordinary_refund_is_allowed_with_a_certificate(judge):
    action, facts = refund(5_000)
    found = judge.certify(action, facts, NOW)
    assert found.verdict == "ALLOW"
    assert {f.id for f in found.findings if f.basis == "certificate"} == {"daily-refund-cap"}
    assert judge.rebuild(found.bundle, facts).valid


def test_more_than_was_paid_is_denied_in_words(judge):
    action, facts = refund(5_500)
    found = judge.certify(action, facts, NOW)
    assert found.verdict == "DENY"
    assert "amount GBP 55.00 + purchases[0].refunded GBP 0.00 = GBP 55.00 is more than" in found.determining[0].detail
    assert "captured GBP 50.00" in found.determining[0].detail
    assert found.counterexample["purchases[0].order_id"] == "536365"


def test_the_day_s_cap_counts_everything_in_flight(judge):
    action, facts = refund(5_000)
    facts["refunds.today"] = gbp(140_000)
    assert judge.certify(action, facts, NOW).verdict == "ALLOW"
    facts["refunds.today"] = gbp(140_001)
    found = judge.certify(action, facts, NOW)
    assert found.verdict == "DENY"
    assert found.determining[0].id == "daily-refund-cap"
    assert found.counterexample["refunds.in_flight"] == gbp(55_000)


def test_a_price_keeps_its_margin_over_the_whole_interval(judge):
    assert judge.certify(*price(1_000, 900, 1_000), NOW).verdict == "ALLOW"
    assert judge.certify(*price(1_000, 900, 1_000, (0, 400)), NOW).verdict == "ALLOW"
    found = judge.certify(*price(1_000, 899, 1_000), NOW)
    assert found.verdict == "DENY"
    assert found.counterexample["price.effective"] == gbp(899)
    assert judge.certify(*price(1_000, 900, 1_000, (-5, 400)), NOW).verdict == "DENY"


def test_certifying_is_quick_once_warm(judge):
    for case in (refund(5_000), price(1_000, 900, 1_000)):
        took = []
        for _ in range(31):
            start = time.perf_counter()
            judge.certify(*case, NOW)
            took.append(time.perf_counter() - start)
        assert sorted(took)[15] < 0.05  # 10 ms are promised; the bound leaves room for a busy machine
