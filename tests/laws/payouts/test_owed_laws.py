"""Laws of what is owed: nothing is lost, nothing is paid twice, however often and in whatever order it is asked."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from steward.payouts.core.owed import Commission, Terms, owed

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def commissions(draw):
    """Commissions of one creator; what was taken never exceeds what was earned."""
    made = []
    for number in range(draw(st.integers(0, 6))):
        earned = draw(st.integers(0, 10_000))
        made.append(
            Commission(
                f"c{number}", earned, draw(st.integers(0, 12_000)), draw(st.integers(0, earned)),
                draw(st.none() | st.integers(-90, 30).map(lambda d: NOW + timedelta(days=d))), draw(st.booleans()),
            )
        )  # fmt: skip
    return made


terms = st.builds(
    Terms, st.fractions(0, 1, max_denominator=100), st.integers(0, 60).map(lambda d: timedelta(days=d)), st.just(0)
)


@given(commissions(), terms)
def test_every_unit_is_paid_taken_or_waits(given_, terms_):
    found = owed(given_, 0, terms_, NOW)
    due = sum(one.earned_minor - one.reversed_minor for one in given_)
    assert found.net_minor + sum(found.waiting.values()) + sum(one.taken_minor for one in given_) == due


@given(commissions(), terms)
def test_who_is_paid_is_owed_nothing_more_the_same_day(given_, terms_):
    found = owed(given_, 0, terms_, NOW)
    paid = {line.ref: line.amount_minor for line in found.lines}
    after = [
        Commission(c.commission_id, c.earned_minor, c.reversed_minor, c.taken_minor + paid.get(c.commission_id, 0),
                   c.eligible_at, c.is_settled)
        for c in given_
    ]  # fmt: skip
    assert owed(after, 0, terms_, NOW).lines == ()


@given(commissions(), terms)
def test_no_more_is_paid_than_was_earned_and_kept_back_less_what_was_taken_back(given_, terms_):
    for line in owed(given_, 0, terms_, NOW).lines:
        one = next(c for c in given_ if c.commission_id == line.ref)
        due = one.earned_minor - one.reversed_minor
        assert one.taken_minor + line.amount_minor <= max(due, one.taken_minor)
        if line.amount_minor > 0:
            assert one.is_settled
            assert one.eligible_at <= NOW
            young = one.eligible_at > NOW - terms_.young
            assert not young or one.taken_minor + line.amount_minor <= due * (1 - terms_.holdback)


@given(commissions(), st.fractions(0, 1, max_denominator=100))
def test_a_larger_holdback_never_pays_more(given_, share):
    young = timedelta(days=30)
    none, some = (owed(given_, 0, Terms(one, young, 0), NOW).net_minor for one in (Fraction(0), share))
    assert some <= none
