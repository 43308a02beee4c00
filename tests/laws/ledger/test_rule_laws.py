from datetime import UTC, datetime, timedelta
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from steward.catalog import load_catalog
from steward.contracts.event import Envelope
from steward.contracts.ledger import Finish, Hold, Leg, Transfer
from steward.contracts.payloads import PAYLOADS
from steward.ledger import prove_rules
from steward.ledger.core.rules import EventRules
from steward.ledger.core.transfer import (
    digest_of,
    digest_of_finish,
    digest_of_hold,
    is_balanced,
    key_bytes,
    key_range,
    transfer_id,
)

CATALOG = load_catalog()
CODES = {account.code for account in CATALOG.chart}
RULES = CATALOG.rules_by_event()
AMOUNT = st.integers(-(10**12), 10**12)
AT = datetime(2026, 1, 1, tzinfo=UTC)


def words(annotation):
    """The texts a field may be: those its type lists, else any of a few."""
    found = [text for argument in get_args(annotation) for text in words(argument) or []]
    return found or [argument for argument in get_args(annotation) if isinstance(argument, str)]


@st.composite
def money_events(draw):
    name = draw(st.sampled_from(sorted(RULES)))
    data = {}
    for field, info in PAYLOADS[name].model_fields.items():
        if field.endswith("_minor") or field == "delta":
            data[field] = draw(AMOUNT)
        elif field.endswith("currency"):
            data[field] = draw(st.sampled_from(["GBP", "EUR"]))
        elif listed := words(info.annotation):
            data[field] = draw(st.sampled_from(listed))
        else:
            data[field] = draw(st.sampled_from(["Some Name", "store_credit"]))
    return Envelope(id="1", source="s", type=name, subject="x", time=AT, data=data)


@given(money_events())
def test_a_proved_rule_balances_for_all_amounts(event):
    _, legs = EventRules(RULES[event.type], {}).apply(event)
    assert is_balanced(legs)


@given(st.sampled_from([rule for rule in CATALOG.postings if rule.legs]), st.integers(0, 9), st.booleans())
def test_a_rule_with_one_coefficient_changed_is_refused(rule, which, doubled):
    legs = list(rule.legs)
    leg = legs[which % len(legs)]
    side = "debit" if leg.debit is not None else "credit"
    other = "credit" if side == "debit" else "debit"
    amount = getattr(leg, side)
    changed = {side: f"{amount} + {amount.split()[0]}"} if doubled else {side: None, other: amount}
    legs[which % len(legs)] = leg.model_copy(update=changed)
    wrong = rule.model_copy(update={"legs": tuple(legs), "when": {}})
    assert any("does not balance" in problem.what for problem in prove_rules([wrong], PAYLOADS[rule.event], CODES))


LEGS = st.lists(st.builds(Leg, account=st.sampled_from(["a", "a1", "1"]), currency=st.sampled_from(["GBP", "EUR"]), amount_minor=AMOUNT), max_size=4).map(tuple)  # fmt: skip
NAME = st.text("a1:-;", min_size=1, max_size=3)
TIME = st.integers(0, 3).map(lambda n: AT + timedelta(microseconds=n))
TRANSFERS = st.builds(
    Transfer, key=NAME, kind=NAME, effective_at=TIME, source=NAME, legs=LEGS, reverses=st.none() | NAME, party=st.none() | NAME
)  # fmt: skip
HOLDS = st.builds(Hold, key=NAME, kind=NAME, expires_at=TIME, source=NAME, legs=LEGS, party=st.none() | NAME)
FINISHES = st.builds(
    Finish, key=NAME, hold=NAME, how=st.sampled_from(["post", "void"]), effective_at=TIME, legs=st.none() | LEGS
)


@given(st.one_of(st.tuples(TRANSFERS, TRANSFERS), st.tuples(HOLDS, HOLDS), st.tuples(FINISHES, FINISHES)))
def test_bodies_are_equal_exactly_when_everything_but_the_key_is(pair):
    one, other = pair
    digest = {Transfer: digest_of, Hold: digest_of_hold, Finish: digest_of_finish}[type(one)]
    same = one.model_copy(update={"key": "k"}) == other.model_copy(update={"key": "k"})
    assert (digest(one) == digest(other)) == same


@given(st.text(max_size=20), st.integers(0, 2 * 10**17))
def test_a_transfers_id_leads_back_to_its_key(key, microseconds):
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    low, high = key_range(transfer_id(at, key_bytes(key)))
    assert low <= key_bytes(key) <= high
    assert transfer_id(at, key_bytes(key))[4 + 12] == "7"
