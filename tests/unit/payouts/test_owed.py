"""What is owed, by example: paid, waiting, taken back, held back; statements and names."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from steward.payouts.core.names import entries, hits, words
from steward.payouts.core.owed import Commission, Line, Terms, owed
from steward.payouts.core.statement import content, digest, reference

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TERMS = Terms(Fraction(1, 10), timedelta(days=30), 1000)


def commission(name="c", earned=5000, back=0, taken=0, days=-60, settled=True):
    at = None if days is None else NOW + timedelta(days=days)
    return Commission(name, earned, back, taken, at, settled)


@pytest.mark.parametrize(
    ("one", "paid", "waiting"),
    [
        (commission(), 5000, {}),
        (commission(days=1), 0, {"return_window": 5000}),
        (commission(days=None), 0, {"return_window": 5000}),
        (commission(settled=False), 0, {"not_settled": 5000}),
        (commission(days=-1), 4500, {"holdback": 500}),
        (commission(earned=5001, days=-30), 5001, {}),
        (commission(earned=5001, days=-29), 4500, {"holdback": 501}),
        (commission(taken=4500), 500, {}),
        (commission(taken=5000), 0, {}),
        (commission(back=5000, taken=5000), -5000, {}),
        (commission(back=1000, taken=4500), -500, {}),
        (commission(back=5000), 0, {}),
        (commission(taken=5000, days=-1), 0, {}),
        (commission(taken=5000, settled=False), 0, {}),
        (commission(back=100, taken=5000, settled=False), -100, {}),
    ],
)
def test_one_commission(one, paid, waiting):
    found = owed([one], 0, TERMS, NOW)
    assert (found.net_minor, found.waiting) == (paid, waiting)


def test_what_is_taken_back_or_too_little_is_carried():
    assert owed([commission(earned=999)], 0, TERMS, NOW).carried == "under_least"
    assert owed([commission(earned=1000)], 0, TERMS, NOW).is_payable
    taken = [commission("a", earned=2000), commission("b", back=5000, taken=5000)]
    assert owed(taken, 0, TERMS, NOW).carried == "clawed_back"
    assert owed([commission(earned=2000)], 2000, TERMS, NOW).carried == "clawed_back"
    found = owed([commission(earned=5000)], 2000, TERMS, NOW)
    assert (found.net_minor, found.clawed_minor, found.is_payable) == (3000, -2000, True)
    assert owed([], 0, TERMS, NOW).lines == ()


def test_a_reference_is_of_exactly_these_lines():
    lines = [Line("commission", "c2", 200), Line("commission", "c1", 100)]
    made = reference(digest(content("pay_1", "mia", "GBP", "paypal:A", lines)))
    assert made == reference(digest(content("pay_1", "mia", "GBP", "paypal:A", lines[::-1])))
    assert (len(made), made[:3]) == (35, "PAY")
    others = [
        content("pay_2", "mia", "GBP", "paypal:A", lines),
        content("pay_1", "eve", "GBP", "paypal:A", lines),
        content("pay_1", "mia", "USD", "paypal:A", lines),
        content("pay_1", "mia", "GBP", "paypal:B", lines),
        content("pay_1", "mia", "GBP", "paypal:A", lines[:1]),
        content("pay_1", "mia", "GBP", "paypal:A", [Line("commission", "c2", 199), Line("commission", "c1", 101)]),
    ]
    assert made not in {reference(digest(one)) for one in others}


@pytest.mark.parametrize(
    ("name", "listed", "is_hit"),
    [
        ("Mia Example", "EXAMPLE, Mía", True),
        ("Mia Example", "Example", False),
        ("Mia Anna Example", "Mia Example", True),
        ("Mia", "Mia", True),
        ("Mia", "Mia Example", True),
        ("Mia Exampel", "Mia Example", False),
        ("", "Mia", False),
        ("李 小龙", "小龙 李", True),
    ],
)
def test_names(name, listed, is_hit):
    assert bool(hits(name, [listed])) is is_hit


def test_lists():
    assert entries('# a list\n\n"Mia Example"\nEve; alias\nBen\tnote\n') == ["Mia Example", "Eve", "Ben"]
    assert words("Strauß-Müller, 3rd") == {"strauss", "muller", "3rd"}
