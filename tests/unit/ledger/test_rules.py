from datetime import UTC, datetime

import pytest

from steward.catalog import load_catalog
from steward.contracts.event import Envelope
from steward.contracts.ledger import PostingRule
from steward.contracts.payloads import PAYLOADS
from steward.ledger import prove_rules
from steward.ledger.core.rules import EventRules, Unpostable, account_part, linear_form

CATALOG = load_catalog()
CODES = {account.code for account in CATALOG.chart}
RULES = CATALOG.rules_by_event()


def rule(*legs, **more):
    return PostingRule(event="RefundProcessed", kind="refund", why="", legs=legs, **more)


def pair(amount="amount_minor", **more):
    return [
        {"account": "contra:returns", "debit": amount, **more},
        {"account": "liabilities:store_credit", "credit": amount, **more},
    ]


def event(event_type="PaymentCaptured", **data):
    body = {
        "payment_id": "p",
        "order_id": "o",
        "currency": "GBP",
        "amount_minor": 500,
        "processor": "Card & Co",
        **data,
    }
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Envelope(id="1", source="s", type=event_type, subject="o", time=at, data=body)


def applied(envelope):
    fields = PAYLOADS[envelope.type].model_fields
    defaults = {name: info.default for name, info in fields.items() if not info.is_required()}
    found, legs = EventRules(RULES[envelope.type], defaults).apply(envelope)
    return found.kind, {(leg.account, leg.currency): leg.amount_minor for leg in legs}


@pytest.mark.parametrize(
    "text", ["", "amount", "amount_minor tax_minor", "2*amount_minor", "amount_minor -", "a_minor - (b_minor)"]
)
def test_an_amount_is_a_sum_of_fields(text):
    with pytest.raises(ValueError, match=r"."):
        linear_form(text)


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_shipped_rule_is_proved(name):
    assert prove_rules(RULES[name], PAYLOADS[name], CODES) == []


@pytest.mark.parametrize(
    ("rules", "what"),
    [
        ([rule({"account": "contra:returns", "debit": "amount_minor"})], "does not balance"),
        ([rule(*pair()[:1], *pair(currency="reason")[1:])], "does not balance"),
        ([rule({"account": "nowhere", "debit": "amount_minor"}, *pair()[1:])], "not in the chart"),
        ([rule(*pair("fee_minor"))], "no field"),
        ([rule({"account": "{nothing}", "debit": "amount_minor"}, *pair()[1:])], "no field"),
        ([rule(*pair(), party="nobody")], "no field"),
        ([rule({"account": "contra:returns", "debit": "amount_minor", "credit": "amount_minor"})], "exactly one"),
        ([rule(*pair(), when={"method": ["original"]})], "must fit every event"),
        ([rule(*pair()), rule(*pair())], "hides the rules after it"),
        ([rule(*pair(), when={"method": ["by_pigeon"]}), rule(*pair())], "never 'by_pigeon'"),
        ([rule(*pair(), when={"how": ["original"]}), rule(*pair())], "no field 'how'"),
    ],
)
def test_an_unsound_rule_is_told_why(rules, what):
    assert any(what in problem.what for problem in prove_rules(rules, PAYLOADS["RefundProcessed"], CODES))


def test_legs_of_zero_are_left_out():
    assert applied(event()) == ("capture", {("assets:clearing:card_co", "GBP"): 500, ("income:sales", "GBP"): -500})
    assert applied(event(amount_minor=0)) == ("capture", {})


def test_the_first_rule_that_fits_posts():
    assert applied(event(processor="store_credit"))[0] == "capture.store_credit"
    refund = {"refund_id": "r", "method": "store_credit"}
    assert applied(event("RefundProcessed", **refund))[1] == {
        ("contra:returns", "GBP"): 500,
        ("liabilities:store_credit", "GBP"): -500,
    }
    stock = {"sku": "MUG", "cost_minor": 90}
    assert [applied(event("StockAdjusted", delta=delta, **stock))[0] for delta in (-1, 0, 2)] == [
        "goods.lose", "goods.recount", "goods.find",
    ]  # fmt: skip
    assert applied(event("InboundReceived", inbound_id="i", lines=[]))[1] == {}
    assert applied(event("StoreCreditIssued", credit_id="c", customer_id="k", refund_id="r"))[1] == {}


def test_two_currencies_go_through_their_trading_accounts():
    converted = {
        "conversion_id": "c", "sold_currency": "USD", "sold_minor": 1000, "bought_currency": "GBP", "bought_minor": 790,
        "processor": "Wise",
    }  # fmt: skip
    assert applied(event("CurrencyConverted", **converted)) == (
        "fx.convert",
        {
            ("fx:USD", "USD"): 1000,
            ("assets:clearing:wise", "USD"): -1000,
            ("assets:clearing:wise", "GBP"): 790,
            ("fx:GBP", "GBP"): -790,
        },
    )


def test_a_negative_payout_turns_round_by_itself():
    assert applied(event("PayoutSent", payout_id="p", amount_minor=-70))[1] == {
        ("assets:in_transit", "GBP"): -70,
        ("assets:clearing:card_co", "GBP"): 70,
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"amount_minor": "500"}, "amount_minor is '500'"),
        ({"amount_minor": True}, "amount_minor is True"),
        ({"tax_minor": None}, "tax_minor is None"),
        ({"currency": "pounds"}, "currency is 'pounds'"),
        ({"processor": 7}, "processor is 7"),
    ],
)
def test_what_no_rule_can_post_says_why(change, what):
    with pytest.raises(Unpostable, match=what):
        applied(event(**change))


@pytest.mark.parametrize(
    ("name", "part"), [("Stripe", "stripe"), ("A:B", "a_b"), ("  ", "unnamed"), ("pay-pal_2", "pay-pal_2")]
)
def test_a_name_becomes_one_safe_part_of_a_code(name, part):
    assert account_part(name) == part
