"""The pace of burning: between the average and the worst four weeks, rounded outwards, nothing where cash grows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.ledger.core.burn import burn_interval


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [
        ([-700] * 13, (100, 100)),
        ([700] * 13, (0, 0)),
        ([-701] * 13, (100, 101)),  # 100.14 a day: the least rounds down, the most up
        ([0] * 9 + [-1400] * 4, (61, 200)),
        ([1000, -700], (0, 0)),
        ([-7], (1, 1)),
    ],
)
def test_known_paces(weeks, expected):
    assert burn_interval(weeks) == expected


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
def test_the_interval_holds_the_average_and_every_four_weeks(weeks):
    low, high = burn_interval(weeks)
    size = min(4, len(weeks))
    assert 0 <= low <= high
    assert low * 7 * len(weeks) <= max(0, -sum(weeks))
    assert all(high * 7 * size >= -sum(weeks[i : i + size]) for i in range(len(weeks) - size + 1))
