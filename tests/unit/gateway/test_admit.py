from dataclasses import replace
from datetime import UTC, datetime

import pytest

from steward.catalog import load_catalog
from steward.contracts.kind import RiskPolicy
from steward.contracts.proof import Checked, Reason, Verdict
from steward.gateway.core.admit import Admission, admit, risk_of
from steward.gateway.core.request import build_request
from steward.kernel.errors import BadInput

CATALOG = load_catalog()
AUTOMATIC = RiskPolicy(level="L1", approver=None, expires_hours=0, meaning="operational")
MANAGER = RiskPolicy(level="L2", approver="manager", expires_hours=24, meaning="money above its limit")
REASONS = (Reason(id="cap", basis="evaluated", detail="over the cap"),)
ALLOW = Admission(
    verdict=Verdict(verdict="ALLOW"),
    checked=Checked(valid=True),
    chose_nothing=False,
    risk=AUTOMATIC,
    verb="shop.do",
    request={"method": "POST"},
    refusal_codes={"cap": "daily_cap"},
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


def outcome(**changes):
    return admit(replace(ALLOW, **changes))


def test_what_is_proved_and_automatic_is_shadowed_with_its_request():
    assert outcome().request == {"method": "POST"}


def test_evidence_that_does_not_check_comes_before_everything():
    refused = outcome(checked=Checked(valid=False, reason="broken"), verdict=Verdict(verdict="DENY"))
    assert (refused.outcome, refused.code) == ("refused", "bad_certificate")


def test_a_broken_rule_refuses_with_its_code_and_its_reasons():
    refused = outcome(verdict=Verdict(verdict="DENY", determining=REASONS), risk=MANAGER, chose_nothing=True)
    assert (refused.code, refused.determining, refused.reason) == ("daily_cap", ("cap",), "over the cap")


def test_a_rule_without_a_code_refuses_under_its_own_name():
    refused = outcome(verdict=Verdict(verdict="DENY", determining=REASONS), refusal_codes={})
    assert refused.code == "cap"


def test_nothing_is_shadowed_as_nothing():
    assert outcome(chose_nothing=True).verb == "none"


def test_what_escalates_is_held_even_if_nothing_was_drawn():
    held = outcome(verdict=Verdict(verdict="ESCALATE", determining=REASONS), chose_nothing=True)
    assert (held.outcome, held.approver, held.risk) == ("held", "manager", "L2")


def test_risk_that_needs_a_person_is_held_though_proved():
    held = outcome(risk=MANAGER)
    assert (held.outcome, held.expires_at.day) == ("held", 2)


@pytest.mark.parametrize(("amount", "level"), [(None, "L1"), (100, "L1"), (101, "L2"), (1000, "L2"), (1001, "L3")])
def test_risk_rises_with_the_amount(amount, level):
    assert risk_of(CATALOG.kind("refund.issue"), amount, {"refund_manager": 100, "refund_founder": 1000}) == level


VERBS = {verb.verb: verb for port in CATALOG.ports for verb in port.verbs}


def test_a_request_is_built_whole():
    params = {"sku": "a/b c", "price": {"amount_minor": 5, "currency": "GBP"}}
    request = build_request(VERBS["update_price"], params, "key-1")
    assert request["path"] == "/v1/products/a%2Fb%20c/price"
    assert request["headers"]["Idempotency-Key"] == "key-1"
    assert request["body"] == {"amount": 5, "currency": "GBP"}


def test_a_missing_parameter_is_named():
    with pytest.raises(BadInput, match=r"price\.currency"):
        build_request(VERBS["update_price"], {"sku": "x", "price": {"amount_minor": 5}}, "k")
