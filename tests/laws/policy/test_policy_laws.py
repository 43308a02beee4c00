from collections import Counter
from fractions import Fraction
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from steward.policy.core import rules

SHARE = st.fractions(0, 1, max_denominator=200)


@given(st.sampled_from([["propose", "nothing"], ["nothing"]]), SHARE)
def test_probabilities_sum_to_one_over_the_admissible(admissible, exploration):
    pmf = rules.probabilities(admissible, exploration)
    assert sum(pmf.values()) == 1
    assert set(pmf) <= set(admissible)


@given(SHARE)
def test_over_all_tickets_each_option_has_exactly_its_share(exploration):
    pmf = rules.probabilities(["propose", "nothing"], exploration)
    counts = Counter()
    denominator = exploration.denominator
    for ticket in range(denominator):
        with patch.object(rules, "uniform_below", lambda bound, _seed, t=ticket: t % bound):
            counts[rules.draw(pmf, "seed")] += 1
    assert {option: Fraction(counts[option], denominator) for option in pmf} == pmf


@given(st.integers(1, 10**30), st.text(max_size=9))
def test_a_ticket_is_in_range_and_repeatable(bound, seed):
    ticket = rules.uniform_below(bound, seed)
    assert 0 <= ticket < bound
    assert ticket == rules.uniform_below(bound, seed)


def test_tickets_are_even_within_five_standard_errors():
    counts = Counter(rules.uniform_below(3, f"seed {i}") for i in range(9000))
    # Binomial(9000, 1/3): mean 3000, standard deviation sqrt(9000 * 2/9) = 44.7
    assert all(abs(count - 3000) < 5 * 44.8 for count in counts.values())
