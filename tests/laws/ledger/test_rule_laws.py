from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from steward.catalog import load_catalog
from steward.contracts.event import Envelope
from steward.contracts.ledger import Leg
from steward.ledger.core.rules import legs_of
from steward.ledger.core.transfer import body_digest, is_balanced

RULES = load_catalog().rules_by_event()
AMOUNT = st.integers(-(10**12), 10**12)
AT = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.sampled_from(sorted(RULES)), AMOUNT, AMOUNT, AMOUNT)
def test_a_proved_rule_balances_for_all_amounts(name, amount, tax, shipping):
    data = {"currency": "GBP", "amount_minor": amount, "tax_minor": tax, "shipping_minor": shipping, "processor": "p"}
    legs = legs_of(RULES[name], Envelope(id="1", source="s", type=name, subject="x", time=AT, data=data), {})
    assert is_balanced(legs)


LEGS = st.lists(st.builds(Leg, account=st.sampled_from("ab"), currency=st.just("GBP"), amount_minor=AMOUNT), max_size=4)


@given(LEGS, LEGS)
def test_other_legs_are_another_transfer(first, second):
    digests = [body_digest("k", "capture", "s", AT, legs) for legs in (first, second)]
    assert (digests[0] == digests[1]) == (first == second)
