"""Statements, ageing, costing, forecast, revaluation and opening files, by example."""

import random
from datetime import date, timedelta
from fractions import Fraction

import pytest

from steward.contracts.ledger import Total
from steward.kernel.errors import BadInput
from steward.ledger.core.ageing import PartyDay, aged
from steward.ledger.core.costing import Movement, movements_of, value
from steward.ledger.core.forecast import Flow, forecast, runway, weekly
from steward.ledger.core.margin import Attribution, add_leg
from steward.ledger.core.opening import read_opening
from steward.ledger.core.revaluation import unbooked_result
from steward.ledger.core.statements import balance_sheet, beside, cash_flow, profit, trial_balance

DAY = date(2026, 6, 1)


def total(code, net, currency="GBP"):
    normal = "debit" if code.split(":")[0] in {"assets", "expenses", "contra", "fx"} else "credit"
    return Total(code=code, currency=currency, normal=normal, debit_minor=max(net, 0), credit_minor=max(-net, 0))


BOOKS = [
    total("assets:bank", 700),
    total("assets:clearing:stripe", 170),
    total("income:sales", -1000),
    total("contra:returns", 50),
    total("expenses:fees:stripe", 30),
    total("expenses:cogs", 400),
    total("assets:inventory", -350),
]


def test_profit_says_what_is_left_of_what_was_sold():
    found = profit(BOOKS)
    assert found.totals == {
        "net sales": {"GBP": 950},
        "gross profit": {"GBP": 550},
        "expenses": {"GBP": 430},
        "profit": {"GBP": 520},
    }
    assert [line.amount_minor for line in found.lines] == [1000, 50, 30, 400]


def test_a_balance_sheet_balances_and_says_so_where_it_does_not():
    found = balance_sheet(BOOKS)
    assert found.problems == []
    assert found.totals["assets"] == {"GBP": 520} == found.totals["result to date"]
    assert balance_sheet(BOOKS[1:]).problems == ["GBP: assets are -180, the other side is 520 minor units"]
    assert trial_balance(BOOKS[1:]).problems == ["GBP is out by -700 minor units"]


def test_cash_came_from_somewhere():
    opening, closing = [total("assets:bank", 100)], [total("assets:bank", 650)]
    moved = [
        total("assets:in_transit", -600),
        total("liabilities:payable:suppliers", 150),
        total("equity:opening", -100),
    ]
    found = cash_flow(opening, moved, closing, ["assets:bank"])
    assert found.totals["operating"] == {"GBP": 450}
    assert found.totals["financing"] == {"GBP": 100}
    assert found.problems == []
    assert cash_flow(opening, moved[1:], closing, ["assets:bank"]).problems == [
        "GBP: opening cash and flows make 50, cash at the end is 650 minor units"
    ]


def test_a_period_stands_beside_another_with_the_lines_of_both():
    found = beside(profit(BOOKS[:3]), profit([total("income:sales", -10), total("expenses:ads", 4)]))
    assert [(line.code, line.amount_minor, line.compared_minor) for line in found.lines] == [
        ("income:sales", 1000, 10),
        ("expenses:ads", 0, 4),
    ]
    assert found.to_json()["compared"]["profit"] == {"GBP": 6}


def test_payments_settle_the_oldest_debt():
    def day(age, amount, party="acme"):
        return PartyDay("liabilities:payable:suppliers", "GBP", party, DAY - timedelta(days=age), amount)

    found = aged([day(100, -500), day(40, -300), day(10, -70), day(5, 600), day(3, 9, "bolt")], -1, DAY)
    acme, bolt = found
    assert acme.buckets == (70, 200, 0, 0)
    assert acme.oldest == DAY - timedelta(days=40)
    assert (bolt.buckets, bolt.oldest) == ((-9, 0, 0, 0), None)
    assert aged([day(5, -9), day(3, 9)], -1, DAY) == []


@pytest.mark.parametrize(("method", "issued", "left"), [("average", [10, 7], 8), ("fifo", [10, 5], 10)])
def test_stock_costs_what_the_method_says(method, issued, left):
    found = value([Movement(2, 10), Movement(-2), Movement(1, 5), Movement(2, 10), Movement(-1)], method)
    assert found.issued[0] == issued[0]
    assert found.issued[0] + found.issued[1] + found.value_minor == found.received_minor == 25
    mixed = value([Movement(2, 10), Movement(1, 11), Movement(-1)], method)
    assert mixed.issued == [7 if method == "average" else 5]


def test_what_is_not_there_is_counted_and_costs_nothing():
    found = value([Movement(1, 9), Movement(-3)], "fifo")
    assert (found.on_hand, found.value_minor, found.issued, found.short) == (0, 0, [9], 2)


def test_goods_events_are_movements():
    lines = [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 2}]
    inbound = movements_of("InboundReceived", {"lines": lines, "currency": "GBP", "cost_minor": 10})
    assert inbound == [("a", Movement(1, 3)), ("b", Movement(2, 7))]
    assert movements_of("GoodsShipped", {"lines": lines}) == [("a", Movement(-1)), ("b", Movement(-2))]
    assert movements_of("ReturnReceived", {"lines": lines, "condition": "damaged"}) == []
    assert movements_of("StockAdjusted", {"sku": "a", "delta": -4}) == [("a", Movement(-4))]


def test_an_interval_holds_what_comes_about_as_often_as_it_says():
    """Eight in ten, over histories that go on as they were; a control that is half as wide holds far fewer."""
    rng, inside, narrow, tried = random.Random(4), 0, 0, 120
    for number in range(tried):
        past = [rng.randrange(-900, 1100) for _ in range(40)]
        future = sum(rng.randrange(-900, 1100) for _ in range(13))
        last = forecast(0, past, DAY, random.Random(number).randrange)[-1]
        inside += last.low_minor <= future <= last.high_minor
        quarter = (last.high_minor - last.low_minor) // 4
        narrow += last.low_minor + quarter <= future <= last.high_minor - quarter
    assert inside >= 0.7 * tried
    assert narrow < 0.7 * tried


def test_weeks_are_full_and_end_before_the_day():
    flows = [Flow(DAY - timedelta(days=15), 5), Flow(DAY - timedelta(days=8), 7), Flow(DAY - timedelta(days=1), 1)]
    assert weekly([*flows, Flow(DAY, 99)], DAY) == [7, 1]


def test_a_runway_is_unknown_rather_than_wrong():
    weeks = [-100] * 13
    ahead = forecast(950, weeks, DAY, random.Random(1).randrange)
    burning = runway(950, weeks, ahead, [])
    assert (burning.state, burning.weeks, burning.cautious_weeks) == ("burning", 9, 10)
    assert runway(950, [5] * 13, [], []).state == "growing"
    unknown = runway(950, weeks, ahead, ["the newest statement is old"])
    assert (unknown.state, unknown.weeks, unknown.available_minor) == ("unknown", None, None)
    assert "3 full weeks" in runway(950, weeks[:3], [], []).reasons[0]


def test_currencies_are_worth_what_they_are_today():
    """A hundred dollars bought for 75.00, worth 80.00: a gain of five."""
    positions = {"USD": -10_000, "GBP": 7_500, "EUR": 0}
    assert unbooked_result(positions, "GBP", {"USD": Fraction(4, 5)}.get) == (-500, [])
    assert unbooked_result(positions, "GBP", {}.get)[1] == ["USD"]
    assert unbooked_result({"JPY": -1000}, "GBP", {"JPY": Fraction(1, 200)}.get) == (-500, [])


def test_money_goes_where_its_order_says():
    knows = Attribution()
    lines = [{"sku": "a", "total_minor": 100}, {"sku": "b", "total_minor": 200}]
    knows.order({"order_id": "o1", "channel": "tiktok", "show_id": "s1", "lines": lines})
    knows.money("pay 1", {"order_id": "o1", "payment_id": "p1"})
    knows.money("fee 1", {"payment_id": "p1"})
    knows.money("com 1", {"order_id": "o1", "creator_id": "mia"})
    found = {}
    add_leg(found, knows.shares("pay 1", "sku"), "income:sales", "GBP", -100)
    add_leg(found, knows.shares("fee 1", "sku"), "expenses:fees:stripe", "GBP", 10)
    assert {name: c.contribution_minor for (name, _), c in found.items()} == {"a": 30, "b": 60}
    assert knows.shares("fee 1", "channel") == [("tiktok", 1)]
    assert knows.shares("pay 1", "creator") == [("mia", 1)]
    assert knows.shares("rent", "show") == [("", 1)]


def test_opening_lines_are_read_and_bad_ones_named():
    text = "Account,Currency,Debit,Credit\nassets:bank,GBP,12.30,\nliabilities:tax,GBP,,2.00\nassets:bnak,GBP,1,\n"
    text += "assets:bank,GBP,1,\nassets:inventory,GBP,0.001,\nassets:prepaid,JPY,1e3,\n"
    found, rejected = read_opening(text, lambda code: code != "assets:bnak")
    assert [(line.account, line.amount_minor) for line in found] == [
        ("assets:bank", 1230),
        ("liabilities:tax", -200),
        ("assets:prepaid", 1000),
    ]
    assert [(line.line, line.reason) for line in rejected] == [
        (4, "the chart has no account 'assets:bnak'"),
        (5, "assets:bank GBP is on line 2 already"),
        (6, "0.001 has more digits than GBP has minor units"),
    ]
    with pytest.raises(BadInput, match="names the columns"):
        read_opening("what,is,this\n", lambda _code: True)
