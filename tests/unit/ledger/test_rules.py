from datetime import UTC, datetime

import pytest

from steward.catalog import load_catalog
from steward.contracts.event import Envelope
from steward.contracts.ledger import PostingRule
from steward.contracts.payloads import PAYLOADS
from steward.ledger import prove_rule
from steward.ledger.core.journal import JournalEntry, JournalPosting, hledger_lines
from steward.ledger.core.rules import account_part, legs_of, linear_form

CATALOG = load_catalog()
CODES = {account.code for account in CATALOG.chart}
RULES = CATALOG.rules_by_event()


def rule(*legs):
    return PostingRule(event="RefundProcessed", kind="refund", why="", legs=legs)


def event(**data):
    body = {
        "payment_id": "p",
        "order_id": "o",
        "currency": "GBP",
        "amount_minor": 500,
        "processor": "Card & Co",
        **data,
    }
    return Envelope(
        id="1", source="s", type="PaymentCaptured", subject="o", time=datetime(2026, 1, 1, tzinfo=UTC), data=body
    )


DEFAULTS = {"tax_minor": 0, "shipping_minor": 0}


@pytest.mark.parametrize(
    "text", ["", "amount", "amount_minor tax_minor", "2*amount_minor", "amount_minor -", "a_minor - (b_minor)"]
)
def test_an_amount_is_a_sum_of_fields(text):
    with pytest.raises(ValueError, match=r"."):
        linear_form(text)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_shipped_rule_is_proved(name):
    assert prove_rule(RULES[name], set(PAYLOADS[name].model_fields), CODES) == []


@pytest.mark.parametrize(
    ("legs", "what"),
    [
        ([{"account": "contra:returns", "debit": "amount_minor"}], "does not balance"),
        ([{"account": "nowhere", "debit": "amount_minor"}, {"account": "contra:returns", "credit": "amount_minor"}], "not in the chart"),
        ([{"account": "contra:returns", "debit": "fee_minor"}, {"account": "contra:returns", "credit": "fee_minor"}], "no field"),
        ([{"account": "contra:returns", "debit": "amount_minor", "credit": "amount_minor"}], "exactly one"),
    ],
)  # fmt: skip
def test_an_unsound_rule_is_told_why(legs, what):
    problems = prove_rule(rule(*legs), set(PAYLOADS["RefundProcessed"].model_fields), CODES)
    assert any(what in problem.what for problem in problems)


def test_legs_of_zero_are_left_out():
    legs = legs_of(RULES["PaymentCaptured"], event(), DEFAULTS)
    assert [(leg.account, leg.amount_minor) for leg in legs] == [
        ("assets:clearing:card_co", 500),
        ("income:sales", -500),
    ]


def test_an_event_of_nothing_posts_nothing():
    assert legs_of(RULES["PaymentCaptured"], event(amount_minor=0), DEFAULTS) == ()


@pytest.mark.parametrize(
    ("name", "part"), [("Stripe", "stripe"), ("A:B", "a_b"), ("  ", "unnamed"), ("pay-pal_2", "pay-pal_2")]
)
def test_a_name_becomes_one_safe_part_of_a_code(name, part):
    assert account_part(name) == part


def entry(day, amount, after):
    postings = (JournalPosting("a", "GBP", amount, after), JournalPosting("b", "JPY", -amount, -after))
    return JournalEntry(datetime(2026, 1, day, tzinfo=UTC).date(), f"tfr_{day}", "capture", "x;y", postings)


def test_a_journal_asserts_every_posting_and_keeps_posted_order():
    lines = list(hledger_lines([("a", "GBP"), ("b", "JPY")], [entry(5, 150, 150), entry(3, 50, 200)]))
    assert "    a  1.50 GBP = 1.50 GBP" in lines
    assert "    b  -50 JPY = -200 JPY" in lines
    assert [line[:10] for line in lines if line.startswith("2026")] == ["2026-01-05", "2026-01-05"]
    assert any("effective:2026-01-03" in line for line in lines)
    assert not any("x;y" in line for line in lines)
