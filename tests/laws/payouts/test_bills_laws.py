"""Laws of bills: every unit is paid or waits, no disputed unit is paid, and whoever asks twice pays once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from steward.payouts.core.bills import Bill, Standing, allot, payable

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AHEAD = timedelta(days=7)
money = st.integers(0, 10_000)
bills = st.builds(
    Bill, st.sampled_from(["acme", "globex"]), st.uuids().map(str), st.just("GBP"), money,
    st.integers(-30, 30).map(lambda days: NOW + timedelta(days=days)), st.integers(0, 4_000), st.integers(0, 4_000),
)  # fmt: skip
standings = st.builds(Standing, st.sampled_from([True, False, None]), st.none() | money, st.none() | money)


@given(bills, standings)
def test_every_open_unit_is_paid_or_waits_and_none_that_is_disputed_early_or_unaudited_is_paid(bill, standing):
    found = payable(bill, standing, AHEAD, NOW)
    assert found.amount_minor >= 0
    assert found.amount_minor + sum(found.waiting.values()) == max(bill.left_minor, 0)
    if found.amount_minor:
        assert bill.due_at <= NOW + AHEAD
        assert standing.is_audited is not False
        ordered = standing.ordered_minor
        assert ordered is None or bill.paid_minor + bill.taken_minor + found.amount_minor <= ordered
        if standing.is_audited:
            paid = bill.paid_minor + bill.taken_minor + found.amount_minor
            assert paid <= bill.amount_minor - standing.disputed_minor


@given(bills, standings)
def test_who_was_paid_is_paid_nothing_more_the_same_day(bill, standing):
    found = payable(bill, standing, AHEAD, NOW)
    after = replace(bill, taken_minor=bill.taken_minor + found.amount_minor)
    assert payable(after, standing, AHEAD, NOW).amount_minor == 0


@given(st.lists(bills, max_size=6), st.dictionaries(st.sampled_from([("acme", "GBP"), ("globex", "GBP")]), money))
def test_a_payment_without_a_bill_is_taken_off_once_the_longest_due_first(given_, unnamed):
    made = allot(given_, unnamed)
    before = {one.invoice_id: one for one in given_}
    for supplier in ("acme", "globex"):
        own = [one for one in made if one.supplier_id == supplier]
        took = [one.paid_minor - before[one.invoice_id].paid_minor for one in own]
        room = sum(max(before[one.invoice_id].left_minor, 0) for one in own)
        assert sum(took) == min(unnamed.get((supplier, "GBP"), 0), room)
        last = max((n for n, amount in enumerate(took) if amount), default=0)
        assert all(one.left_minor <= 0 for one in own[:last])
