"""Refund links: never more than was bought, units and money follow each other, newest purchase first."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from steward.state import Purchase, Wanted, link

SKUS = st.sampled_from(["A", "B"])
PURCHASES = st.lists(st.tuples(SKUS, st.integers(1, 9), st.integers(0, 900), st.integers(0, 3)), max_size=8)
WANTED = st.lists(
    st.builds(Wanted, sku=SKUS, quantity=st.integers(1, 12), amount_minor=st.integers(1, 5000)), max_size=5
)


def shelf(bought):
    found = {}
    for i, (sku, quantity, total, refunded) in enumerate(bought):
        purchase = Purchase(f"o{i}", 1, sku, quantity, total, min(refunded, quantity), 0)
        found.setdefault(sku, []).append(purchase)
    return found


@given(WANTED, PURCHASES)
def test_no_purchase_gives_back_more_units_than_are_left(wanted, bought):
    taken = Counter()
    for part in link(wanted, shelf(bought)):
        taken[part.purchase.order_id] += part.quantity
        assert part.quantity > 0
    left = {p.order_id: p.left for row in shelf(bought).values() for p in row}
    assert all(taken[order] <= left[order] for order in taken)


@given(st.builds(Wanted, sku=SKUS, quantity=st.integers(1, 12), amount_minor=st.integers(1, 5000)), PURCHASES)
def test_a_line_that_is_wholly_found_is_wholly_paid(wanted, bought):
    parts = link([wanted], shelf(bought))
    units, money = sum(p.quantity for p in parts), sum(p.amount_minor for p in parts)
    assert units <= wanted.quantity
    assert money == wanted.amount_minor if units == wanted.quantity else money < wanted.amount_minor


@given(st.builds(Wanted, sku=SKUS, quantity=st.integers(1, 12), amount_minor=st.integers(1, 5000)), PURCHASES)
def test_the_newest_purchases_come_first_and_are_emptied_first(wanted, bought):
    parts = link([wanted], shelf(bought))
    usable = [p for p in shelf(bought).get(wanted.sku, []) if p.left]
    assert [part.purchase for part in parts] == usable[: len(parts)]
    assert all(part.quantity == part.purchase.left for part in parts[:-1])
