"""What the books answer the rules, and when they do not."""

from datetime import timedelta

import pytest

from steward.contracts.event import Envelope
from steward.contracts.ledger import Hold, Leg
from steward.ledger import FACTS

pytestmark = pytest.mark.db

WEEKS = 14


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


def event(make, event_type, key, at, /, **data):
    return Envelope(
        id=key, source=make.source, type=event_type, subject="x/1", time=at, data={"currency": "GBP", **data}
    )


@pytest.fixture
def ask(shop, make):
    def fact(name, days=7 * WEEKS, **params):
        return shop.app.money.fact(name, params, make.start + timedelta(days=days))

    return fact


def test_cash_is_unknown_until_the_books_can_say(shop, make, ask):
    assert [ask("cash.free"), ask("cash.burn_day")] == [None, None]
    bank = {"account": "assets:bank", "amount_minor": 50_000, "as_of": "2011-05-02T09:00:00Z"}
    shop.take_in(event(make, "OpeningBalancePosted", "bank", make.start, **bank))
    assert ask("cash.free", 7) is None  # one week says nothing of the pace
    paid = [
        event(make, "SupplierPaid", f"s{n}", make.start + timedelta(weeks=n), payment_id=f"s{n}", supplier_id="acme",
              amount_minor=700 if n <= 10 else 1400)
        for n in range(1, WEEKS + 1)
    ]  # fmt: skip
    shop.take_in(*paid)
    assert ask("cash.free") == gbp(50_000 - 10 * 700 - 4 * 1400)
    found = ask("cash.burn_day")
    assert found["high"] == gbp(200)  # the worst four weeks in a row: 1,400 each
    assert gbp(100)["amount_minor"] <= found["low"]["amount_minor"] < found["high"]["amount_minor"]


def test_holds_are_not_free(shop, make, ask):
    test_cash_is_unknown_until_the_books_can_say(shop, make, ask)
    free = ask("cash.free")["amount_minor"]
    legs = (
        Leg(account="expenses:ads", currency="GBP", amount_minor=3000),
        Leg(account="assets:bank", currency="GBP", amount_minor=-3000),
    )
    until = shop.clock.now() + timedelta(days=1)
    assert shop.app.ledger.hold([Hold(key="h1", kind="x", source="x", expires_at=until, legs=legs)]) == []
    assert ask("cash.free") == gbp(free - 3000)
    assert ask("account.held", account="expenses:ads") == {"any_subset_of": [gbp(3000)]}


def test_what_is_owed_and_kept(shop, make, ask):
    assert [ask("suppliers.owed"), ask("creators.owed"), ask("reserve.held")] == [gbp(0)] * 3
    shop.take_in(
        event(make, "SupplierInvoiceReceived", "i", make.start, invoice_id="i", supplier_id="acme", amount_minor=840),
        event(make, "CommissionEarned", "c", make.start, commission_id="c", creator_id="mia", amount_minor=250),
        event(make, "SupplierPaid", "p", make.start, payment_id="p", supplier_id="acme", amount_minor=40),
    )
    assert [ask("suppliers.owed"), ask("creators.owed")] == [gbp(800), gbp(250)]
    shop.app.ledger.set_limits("assets:bank", "GBP", 30_000, None, "fay", "reserve")
    assert ask("reserve.held") == gbp(30_000)


def test_an_account_has_a_ceiling_only_where_somebody_set_one(shop, make, ask):
    ads = {"account": "expenses:ads"}
    assert [ask(f"account.{name}", **ads) for name in ("ceiling", "spent", "held")] == [None] * 3
    spent = {"charge_id": "1", "platform": "tiktok", "amount_minor": 500}
    shop.take_in(event(make, "AdSpendCharged", "a", make.start, **spent))
    assert [ask("account.ceiling", **ads), ask("account.spent", **ads)] == [None, gbp(500)]
    shop.app.ledger.set_limits("expenses:ads", "GBP", None, 20_000, "fay", "budget")
    assert ask("account.ceiling", **ads) == gbp(20_000)
    assert ask("account.held", **ads) == {"any_subset_of": []}


def test_nothing_else_is_answered(ask):
    with pytest.raises(KeyError, match=r"no\.such"):
        ask("no.such")
    assert all(name.split(".")[0] in ("cash", "suppliers", "creators", "reserve", "account") for name in FACTS)
