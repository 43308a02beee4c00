from hypothesis import given
from hypothesis import strategies as st

from steward.kernel.canonical import canonical_text, parse_json
from steward.kernel.money import Money

TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_text_reads_back_as_the_same_value(value):
    assert parse_json(canonical_text(value)) == value


@given(st.dictionaries(TEXT, st.integers(), max_size=6))
def test_the_order_of_keys_does_not_matter(value):
    assert canonical_text(dict(reversed(value.items()))) == canonical_text(value)


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(any))
def test_allocation_loses_nothing(amount, weights):
    parts = Money(amount, "GBP").allocate(weights)
    assert sum(part.amount_minor for part in parts) == amount
    assert all(
        abs(p.amount_minor * sum(weights) - amount * w) < sum(weights) for p, w in zip(parts, weights, strict=True)
    )
