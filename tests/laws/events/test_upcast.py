"""Old payloads read as new ones: always valid, nothing lost that was known, nothing changed in place."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.contracts.payloads import CURRENT, PAYLOADS, VERSIONS
from steward.events.core.upcast import UPCASTERS, upcast

NAMES = st.text(min_size=1, max_size=12)
MINOR = st.integers(-(10**15), 10**15)
AMOUNT = st.integers(0, 10**15)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
LINES = st.lists(
    st.fixed_dictionaries(
        {"sku": NAMES, "quantity": MINOR, "total_minor": MINOR}, optional={"unit_minor": st.none() | MINOR}
    ),
    max_size=3,
)
DETAILS = st.none() | st.fixed_dictionaries({}, optional={"name": NAMES, "email": st.none() | NAMES})
# Keys that a first version does not know and a later one does, and keys that none knows.
LATER = {
    "customer": ANYTHING | DETAILS,
    "person_id": ANYTHING | NAMES | st.text(min_size=250, max_size=260),
    "person_digest": ANYTHING | DIGESTS | DIGESTS.map(str.upper),
    "discount_minor": ANYTHING | AMOUNT | st.sampled_from([10**15, 10**15 + 1, -1]),
    "method": ANYTHING | st.sampled_from(["original", "store_credit", "other", "unknown", "Original"]),
    "country": ANYTHING,
}
FIRST = {
    "OrderPlaced": st.fixed_dictionaries(
        {"order_id": NAMES, "currency": st.sampled_from(["EUR", "GBP"]), "total_minor": MINOR},
        optional={
            "lines": LINES,
            "customer_id": st.none() | NAMES,
            "channel": st.none() | st.text(max_size=10),
            "tax_minor": AMOUNT,
            "shipping_minor": AMOUNT,
            **LATER,
        },
    ),
    "RefundProcessed": st.fixed_dictionaries(
        {"refund_id": NAMES, "currency": st.sampled_from(["EUR", "GBP"]), "amount_minor": MINOR},
        optional={
            "lines": LINES,
            "order_id": st.none() | NAMES,
            "customer_id": st.none() | NAMES,
            "reason": st.none() | st.text(max_size=10),
            "processor": NAMES,
            **LATER,
        },
    ),
    "TicketOpened": st.fixed_dictionaries(
        {"ticket_id": NAMES, "message": st.text(max_size=30)},
        optional={
            "topic": st.none() | st.text(max_size=10),
            "customer_id": st.none() | NAMES,
            "customer": DETAILS,
            "person_id": st.none() | NAMES,
            "person_digest": st.none() | DIGESTS,
            "messages": ANYTHING,
            "country": ANYTHING,
        },
    ),
}
PAYLOAD = st.sampled_from(sorted(FIRST)).flatmap(lambda name: st.tuples(st.just(name), FIRST[name]))


def test_every_version_but_the_last_can_be_raised():
    assert set(UPCASTERS) == {key for key in VERSIONS if key[1] < CURRENT[key[0]]}
    assert {name for name, _ in UPCASTERS} == set(FIRST)


@given(PAYLOAD)
def test_a_valid_first_version_becomes_a_valid_current_one(payload):
    name, data = payload
    VERSIONS[name, 1].model_validate_json(json.dumps(data))
    version, raised = upcast(name, 1, data)
    assert version == CURRENT[name]
    PAYLOADS[name].model_validate_json(json.dumps(raised))


@given(PAYLOAD)
def test_what_was_given_is_not_changed(payload):
    name, data = payload
    before = copy.deepcopy(data)
    assert upcast(name, 1, data) == upcast(name, 1, data)
    assert data == before


@given(PAYLOAD)
def test_what_is_current_stays_as_it_is(payload):
    name, data = payload
    version, raised = upcast(name, 1, data)
    assert upcast(name, version, raised) == (version, raised)


@given(PAYLOAD)
def test_what_was_known_and_what_nobody_knows_survives(payload):
    name, data = payload
    _, raised = upcast(name, 1, data)
    kept = (set(VERSIONS[name, 1].model_fields) & set(PAYLOADS[name].model_fields)) | {"country"}
    for key in kept & set(data):
        if key != "channel" or data[key] is not None:
            assert raised[key] == data[key]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("OrderPlaced", {"channel": None}, {"channel": "unknown"}),
        ("OrderPlaced", {"discount_minor": True}, {"channel": "unknown"}),
        ("OrderPlaced", {"channel": "shop", "discount_minor": 5}, {"channel": "shop", "discount_minor": 5}),
        ("RefundProcessed", {"method": "cash"}, {"method": "unknown"}),
        ("RefundProcessed", {"method": "original"}, {"method": "original"}),
        ("TicketOpened", {"message": "Hello"}, {"messages": [{"author": "customer", "text": "Hello"}]}),
        ("TicketOpened", {"topic": "taken out"}, {"topic": "taken out", "messages": []}),
        ("TicketOpened", {"message": None}, {"messages": []}),
    ],
)
def test_examples(name, data, expected):
    assert upcast(name, 1, data) == (2, expected)


def test_a_type_with_one_version_is_handed_back_itself():
    data = {"payment_id": "p"}
    assert upcast("PaymentCaptured", 1, data)[1] is data
