"""Each name an audit gives, at its edge; what is agreed, noted, on trust; credits and what they settle."""

import importlib.util
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from steward.contracts.invoice import Settled
from steward.kernel.errors import BadInput
from steward.reconciliation.core.claims import allotted, letter, posting_of, words
from steward.reconciliation.core.conserve import NotConserved
from steward.reconciliation.core.invoices import conserved

SPEC = importlib.util.spec_from_file_location("invoice_desk", Path(__file__).parent / "invoice_desk.py")
desk = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(desk)
book, fact, judge, line, service = desk.book, desk.fact, desk.judge, desk.line, desk.service
DAY, PACK = desk.DAY, desk.PACK


def test_what_was_sent_and_costs_what_the_contract_says_is_agreed():
    claims, notes, made = judge(book(PACK), [line()], [fact()])
    assert (claims, notes) == ({}, [])
    assert [(one.agreed_minor, one.disputed_minor, one.on_trust) for one in made.judged] == [(300, 0, False)]


@pytest.mark.parametrize(("amount", "claim", "note"), [(301, 1, []), (300, 0, []), (299, 0, [("under", 1)])])
def test_a_price_above_the_contract_is_claimed_and_one_below_is_noted(amount, claim, note):
    claims, notes, made = judge(book(PACK), [line(amount=amount)], [fact()])
    assert claims == ({"acme/i1/2": ("invoice_overcharge", claim)} if claim else {})
    assert notes == note
    assert made.judged[0].agreed_minor + made.judged[0].disputed_minor == amount


def test_a_line_twice_is_claimed_whole_in_one_invoice_and_across_invoices():
    first, again = line(), line(number=3)
    later = line(invoice="i2", issued=DAY + timedelta(days=30))
    claims, _, _ = judge(book(PACK), [later, again, first], [fact()])
    assert claims == {"acme/i1/3": ("invoice_twice", 300), "acme/i2/2": ("invoice_twice", 300)}


def test_the_earlier_invoice_is_the_one_that_is_right():
    """Whatever the invoices are called: the one of the later day bills again."""
    early, late = line(invoice="z", issued=DAY), line(invoice="a", issued=DAY + timedelta(days=7))
    claims, _, made = judge(book(PACK), [late, early], [fact()])
    assert claims == {"acme/a/2": ("invoice_twice", 300)}
    assert made.claims[0].evidence["earlier"] == ["acme/z/2"]


def test_an_order_of_two_parcels_is_billed_twice_and_a_third_time_not():
    parcels = [fact(key="p1"), fact(key="p2")]
    lines = [line(number=n) for n in (2, 3, 4)]
    assert judge(book(PACK), lines, parcels)[0] == {"acme/i1/4": ("invoice_twice", 300)}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ([], "nobody placed that order"),
        ([fact("sale", amount_minor=900)], "the order was not sent"),
        ([fact("sale", amount_minor=900), fact("cancelled")], "the order was cancelled"),
        ([fact(party="another warehouse")], "somebody else did it, or it was another product"),
    ],
)
def test_what_did_not_happen_is_claimed_with_the_reason(facts, why):
    claims, _, made = judge(book({**PACK, "party": "main"}), [line()], facts)
    assert claims == {"acme/i1/2": ("invoice_unordered", 300)}
    assert made.claims[0].evidence["why"] == why


def test_a_line_that_names_no_order_is_claimed():
    assert judge(book(PACK), [line("")], [fact()])[0] == {"acme/i1/2": ("invoice_unordered", 300)}


def test_two_events_of_one_parcel_are_one_parcel():
    both = [fact(), fact("goods_out")]
    claims, _, _ = judge(book(PACK), [line(), line(number=3)], both)
    assert claims == {"acme/i1/3": ("invoice_twice", 300)}


def test_a_service_that_no_contract_knows_and_one_without_a_price_on_that_day_are_claimed():
    ended = {**PACK, "ends": date(2026, 2, 28)}
    lines = [line(service="peak surcharge"), line(number=3)]
    claims, _, _ = judge(book(ended), lines, [fact()])
    assert claims == {"acme/i1/2": ("invoice_service", 300), "acme/i1/3": ("invoice_service", 300)}
    assert judge(book(PACK, name="other"), [line()], [fact()])[0] == {"acme/i1/2": ("invoice_service", 300)}
    accounts = [one.evidence["account"] for one in judge(book(ended), lines, [fact()])[2].claims]
    assert accounts == ["expenses:fulfilment"] * 2, "what is claimed of it goes back to where the vendor's bills stand"


def test_a_service_has_other_names_and_other_prices_over_time():
    prices = (
        {**PACK, "called": ["pick & pack"], "ends": date(2026, 2, 28)},
        {**PACK, "unit_minor": 320, "starts": date(2026, 3, 1)},
    )
    early = date(2026, 2, 28)
    facts = [fact(subject="o0", day=early), fact()]
    lines = [line("o0", 300, 2, day=early, service="pick & pack"), line(amount=320, number=3)]
    assert judge(book(*prices), lines, facts)[0] == {}
    # The day it was sent decides, not the day the bill tells.
    misdated = [line("o0", 320, 2, day=DAY)]
    assert judge(book(*prices), misdated, facts)[0] == {"acme/i1/2": ("invoice_overcharge", 20)}


def test_another_currency_is_claimed_whole_and_its_parcel_counts_as_billed():
    claims, notes, made = judge(book(PACK), [line(currency="EUR"), line(number=3)], [fact()])
    assert claims == {"acme/i1/2": ("invoice_currency", 300), "acme/i1/3": ("invoice_twice", 300)}
    assert (made.claims[0].currency, notes) == ("EUR", [])


GOODS = service("goods", "receipt")


def goods(amount=1000, quantity=10, unit=100, number=2, **more):
    values = {"service": "goods", "sku": "MUG", "quantity": quantity, "unit_minor": unit, **more}
    return line("po1", amount, number, **values)


ORDERED = fact("ordered", "po1", sku="MUG", party="acme", quantity=10, amount_minor=1000)
RECEIVED = fact("receipt", "po1", sku="MUG", party="acme", quantity=10, amount_minor=1000)


@pytest.mark.parametrize(
    ("billed", "expected"),
    [
        (goods(), {}),
        (goods(1100, 11), {"acme/i1/2": ("invoice_quantity", 100)}),
        (goods(1010, 10, 101), {"acme/i1/2": ("invoice_price", 10)}),
        (goods(1050), {"acme/i1/2": ("invoice_sum", 50)}),
        (goods(1050, unit=None), {"acme/i1/2": ("invoice_overcharge", 50)}),
        (goods(1000, sku="CUP"), {"acme/i1/2": ("invoice_quantity", 1000)}),
    ],
)
def test_goods_are_held_against_order_and_delivery(billed, expected):
    assert judge(book(GOODS), [billed], [ORDERED, RECEIVED])[0] == expected


def test_goods_are_billed_in_parts_up_to_what_came():
    parts = [goods(400, 4), goods(600, 6, number=3), goods(100, 1, number=4)]
    assert judge(book(GOODS), parts, [ORDERED, RECEIVED])[0] == {"acme/i1/4": ("invoice_quantity", 100)}
    twice = [goods(), goods(number=3)]
    assert judge(book(GOODS), twice, [ORDERED, RECEIVED])[0] == {"acme/i1/3": ("invoice_twice", 1000)}
    later = goods(number=2, invoice="i2", day=DAY + timedelta(days=9))
    assert judge(book(GOODS), [goods(), later], [ORDERED, RECEIVED])[0] == {"acme/i2/2": ("invoice_twice", 1000)}


def test_goods_ordered_and_not_received_and_another_supplier_s_order():
    assert judge(book(GOODS), [goods()], [ORDERED])[0] == {"acme/i1/2": ("invoice_quantity", 1000)}
    assert judge(book(GOODS), [goods()], [])[0] == {"acme/i1/2": ("invoice_unordered", 1000)}
    theirs = fact("receipt", "po1", sku="MUG", party="globex", quantity=10, amount_minor=1000)
    claims, _, made = judge(book(GOODS), [goods()], [theirs])
    assert claims == {"acme/i1/2": ("invoice_unordered", 1000)}
    assert made.claims[0].evidence["why"].startswith("somebody else")


def test_goods_whose_order_nobody_knows_cost_what_they_were_taken_in_at():
    claims, _, made = judge(book(GOODS), [goods(1100, unit=110)], [RECEIVED])
    assert claims == {"acme/i1/2": ("invoice_price", 100)}
    assert made.claims[0].evidence["terms"]["price_from"] == "goods received"


def test_a_unit_price_that_is_a_fraction_of_a_minor_unit_is_exact():
    ordered = fact("ordered", "po1", sku="MUG", quantity=3, amount_minor=100)
    received = fact("receipt", "po1", sku="MUG", quantity=3)
    assert judge(book(GOODS), [goods(100, 3, None)], [ordered, received])[0] == {}
    assert judge(book(GOODS), [goods(101, 3, None)], [ordered, received])[0] == {"acme/i1/2": ("invoice_overcharge", 1)}


ADS = service("ads", "ad_spend", ratio="1")


def spent(amount, number=2, day=DAY, **more):
    return line("c1", amount, number, day=day, service="ads", **more)


def test_ad_spend_is_billed_as_it_was_recorded_in_one_line_or_in_several():
    facts = [fact("ad_spend", "c1", amount_minor=5000)]
    assert judge(book(ADS), [spent(5000)], facts)[0] == {}
    assert judge(book(ADS), [spent(2000), spent(3000, 3)], facts)[0] == {}
    assert judge(book(ADS), [spent(5001)], facts)[0] == {"acme/i1/2": ("invoice_overcharge", 1)}
    assert judge(book(ADS), [spent(4999)], facts)[:2] == ({}, [("under", 1)])
    assert judge(book(ADS), [spent(5000), spent(5000, 3)], facts)[0] == {"acme/i1/3": ("invoice_twice", 5000)}
    other_day = DAY + timedelta(days=1)
    assert judge(book(ADS), [spent(5000, day=other_day)], facts)[0] == {"acme/i1/2": ("invoice_unordered", 5000)}


REFERRAL = service("referral", "sale", ratio="0.06", party="tiktok_shop")
SOLD = fact("sale", "o1", party="tiktok_shop", amount_minor=10_025)
AT = datetime(2026, 3, 20, 2, tzinfo=UTC)


def fee(amount, number=2, at=AT, **more):
    return line("o1", amount, number, service="referral", at=at, **more)


def test_a_commission_is_a_ratio_of_the_sale_with_one_minor_unit_of_rounding_tallied():
    claims, notes, made = judge(
        book(REFERRAL), [fee(602)], [SOLD]
    )  # 601.5: to the even one, and nobody argues about it
    assert (claims, notes) == ({}, [])
    assert sum(one.rounding_minor for one in made.judged) == 0
    _, _, made = judge(book(REFERRAL), [fee(603)], [SOLD])
    assert sum(one.rounding_minor for one in made.judged) == 1
    assert judge(book(REFERRAL), [fee(604)], [SOLD])[0] == {"acme/i1/2": ("invoice_overcharge", 2)}
    assert judge(book(REFERRAL), [fee(500)], [SOLD])[1] == [("under", 102)]


def test_what_was_refunded_before_costs_no_commission():
    back = fact("refund", "o1", date(2026, 3, 15), amount_minor=5_025)
    assert judge(book(REFERRAL), [fee(300)], [SOLD, back])[0] == {}
    assert judge(book(REFERRAL), [fee(602)], [SOLD, back])[0] == {"acme/i1/2": ("invoice_overcharge", 302)}
    later = fact("refund", "o1", date(2026, 3, 21), amount_minor=5_025)
    assert judge(book(REFERRAL), [fee(602)], [SOLD, later])[0] == {}


def test_what_was_sold_or_ordered_in_another_currency_is_on_trust_and_billed_once():
    """Nobody can say what a vendor made of pounds; minor units of two currencies are never compared."""
    pounds = fact("sale", "o1", party="tiktok_shop", amount_minor=10, currency="GBP")
    claims, notes, made = judge(book(REFERRAL), [fee(602), fee(602, 3)], [pounds])
    assert (claims, notes) == ({"acme/i1/3": ("invoice_twice", 602)}, [])
    assert made.judged[0].on_trust
    ordered = fact("ordered", "po1", sku="MUG", quantity=10, amount_minor=10, currency="GBP")
    received = fact("receipt", "po1", sku="MUG", quantity=10, amount_minor=10, currency="GBP")
    claims, _, made = judge(book(GOODS), [goods(), goods(100, 1, number=3)], [ordered, received])
    assert claims == {"acme/i1/3": ("invoice_quantity", 100)}
    assert made.judged[0].on_trust
    back = fact("refund", "o1", date(2026, 3, 15), amount_minor=5_025, currency="GBP")
    assert judge(book(REFERRAL), [fee(602)], [SOLD, back])[0] == {}


def test_a_share_of_the_fee_comes_back_or_is_claimed():
    terms = book({**REFERRAL, "refund_credit": "0.8", "credit_days": 30})
    later = fact("refund", "o1", date(2026, 3, 21), amount_minor=10_025)
    owed = 481  # 80 % of 6 % of what was refunded
    claims, _, made = judge(terms, [fee(602)], [SOLD, later])
    assert claims == {"acme/credit/referral/o1": ("invoice_credit", owed)}
    assert made.claims[0].side == "books"
    assert judge(terms, [fee(602)], [SOLD, later], date(2026, 4, 19))[0] == {}, "it may still come"
    assert judge(terms, [fee(602), fee(-owed, 3)], [SOLD, later])[0] == {}
    assert judge(terms, [fee(602), fee(-400, 3)], [SOLD, later])[0] == {
        "acme/credit/referral/o1": ("invoice_credit", 81)
    }


def test_free_units_of_a_month_are_given_as_lines_without_a_price_or_as_a_credit_or_claimed():
    terms = book({**PACK, "free": 2, "credit_days": 10})
    facts = [fact(subject=f"o{n}") for n in range(3)]
    whole = [line(f"o{n}", 300, n + 2) for n in range(3)]
    claims, _, _ = judge(terms, whole, facts)
    assert claims == {"acme/credit/pack/2026-03": ("invoice_credit", 600)}
    assert judge(terms, whole, facts, date(2026, 4, 10))[0] == {}, "the month is hardly over"
    free = [line("o0", 0, 2), line("o1", 0, 3), line("o2", 300, 4)]
    assert judge(terms, free, facts)[:2] == ({}, [])
    credited = [*whole, line("o0", -600, 9)]
    assert judge(terms, credited, facts)[:2] == ({}, [])


def test_a_credit_settles_the_dispute_of_its_subject_and_is_agreed_as_it_is():
    lines = [line(), line(number=3), line(amount=-300, number=4)]
    claims, _, made = judge(book(PACK), lines, [fact()])
    assert claims == {}
    assert [one.agreed_minor for one in made.judged] == [300, 300, -300]
    part = [line(), line(number=3), line(amount=-100, number=4)]
    claims, _, made = judge(book(PACK), part, [fact()])
    assert claims == {"acme/i1/3": ("invoice_twice", 200)}
    assert made.claims[0].evidence["credited_minor"] == 100


def test_a_flat_price_is_due_once_a_month_and_a_told_quantity_is_priced():
    terms = book(service("software", "month", unit_minor=9900), service("pallets", "told", unit_minor=50))
    lines = [
        line("", 9900, 2, service="software"), line("", 9900, 3, service="software", day=DAY + timedelta(days=3)),
        line("", 9900, 4, service="software", day=DAY + timedelta(days=30)),
        line("", 500, 5, service="pallets", quantity=10), line("", 501, 6, service="pallets", quantity=10),
        line("", 500, 7, service="pallets", quantity=10),
    ]  # fmt: skip
    assert judge(terms, lines, [])[0] == {
        "acme/i1/3": ("invoice_twice", 9900), "acme/i1/6": ("invoice_overcharge", 1), "acme/i1/7": ("invoice_twice", 500),
    }  # fmt: skip


def test_pieces_are_counted_from_the_parcel_or_else_from_the_order():
    terms = book(service("piece", "piece", unit_minor=40))
    told = line(amount=120, service="piece", quantity=3)
    assert judge(terms, [told], [fact(quantity=3)])[0] == {}
    assert judge(terms, [told], [fact(quantity=2)])[0] == {"acme/i1/2": ("invoice_quantity", 40)}
    assert judge(terms, [told], [fact(quantity=0), fact("sale", quantity=3)])[0] == {}


def test_a_minimum_and_a_fixed_part_are_part_of_the_price():
    terms = book({**REFERRAL, "minimum_minor": 30})
    small = fact("sale", "o1", party="tiktok_shop", amount_minor=100)
    assert judge(terms, [fee(30)], [small])[0] == {}
    assert judge(terms, [fee(31, at=AT)], [small])[2].judged[0].rounding_minor == 1
    assert judge(terms, [fee(32)], [small])[0] == {"acme/i1/2": ("invoice_overcharge", 2)}
    fixed = book({**PACK, "fixed_minor": 50})
    assert judge(fixed, [line(amount=351)], [fact()])[0] == {"acme/i1/2": ("invoice_overcharge", 1)}


def test_what_lies_before_the_log_begins_is_taken_on_trust_but_its_price_and_number_are_checked():
    old = date(2025, 12, 30)
    lines = [line("x", 300, 2, day=old), line("y", 310, 3, day=old), line("x", 300, 4, day=old)]
    claims, _, made = judge(book(PACK), lines, [])
    assert claims == {"acme/i1/3": ("invoice_overcharge", 10), "acme/i1/4": ("invoice_twice", 300)}
    assert all(one.on_trust for one in made.judged)


def test_what_nobody_billed_is_noted_inside_the_days_that_bills_cover():
    facts = [fact(subject=f"o{n}", day=DAY + timedelta(days=n)) for n in range(4)]
    lines = [line("o0", 300, 2), line("o2", 300, 3, day=DAY + timedelta(days=2))]
    claims, notes, made = judge(book(PACK), lines, facts)
    assert (claims, notes) == ({}, [("unbilled", 300)])
    assert made.notes[0].key == "acme/pack/o1"


def test_conservation_counts_anew():
    """The control: a result that loses a minor unit, or a line, is refused."""
    lines = [line(amount=301)]
    _, _, made = judge(book(PACK), lines, [fact()])
    conserved(lines, made)
    from dataclasses import replace

    for wrong in (
        replace(made, judged=(replace(made.judged[0], agreed_minor=299),)),
        replace(made, judged=()),
        replace(made, claims=()),
        replace(made, judged=made.judged * 2),
    ):
        with pytest.raises(NotConserved):
            conserved(lines, wrong)
    with pytest.raises(NotConserved, match="one key"):
        conserved(lines * 2, made)


def test_resolving_posts_no_more_than_the_books_hold_beyond_what_is_agreed():
    lines = [line(amount=400), line("o2", 300, 3)]
    _, _, made = judge(book(PACK), lines, [fact()])

    def booked(amount, **more):
        return [fact("booked", "i1", party="acme", amount_minor=amount, **more)]

    keys = ("acme/i1/2", "acme/i1/3")
    for amount, expected in ((700, (100, 300)), (550, (100, 150)), (300, (0, 0))):
        posts = allotted(lines, made, booked(amount))
        assert tuple(posts[key] for key in keys) == expected
    assert set(allotted(lines, made, []).values()) == {0}, "what the books do not hold cannot be taken back in them"
    assert set(allotted(lines, made, booked(700, currency="EUR")).values()) == {0}
    claimed, accepted = Settled(keys[0], "acme", "i1", "claim", 100), Settled(keys[0], "acme", "i1", "accept", 0)
    for settled in (claimed, accepted):
        assert allotted(lines, made, booked(700), [settled]) == {keys[1]: 300}
    assert allotted(lines, made, booked(500), [claimed]) == {keys[1]: 100}
    before = Settled("acme/i1~0/7", "acme", "i1", "claim", 250)
    assert allotted(lines, made, booked(700), [before]) == {keys[0]: 100, keys[1]: 50}, "claimed of an earlier version"


def test_a_claim_posts_what_we_owe_less_and_an_accepted_bill_nothing():
    row = {"currency": "USD", "evidence": {"posts_minor": 250, "account": "expenses:fulfilment"}}
    assert posting_of(row, "claim", "liabilities:payable:suppliers") == {
        "debit": "liabilities:payable:suppliers", "credit": "expenses:fulfilment", "amount_minor": 250, "currency": "USD",
    }  # fmt: skip
    assert posting_of(row, "accept", "liabilities:payable:suppliers") is None
    assert posting_of({**row, "evidence": {"posts_minor": 0, "account": "x"}}, "claim", "y") is None
    assert posting_of({**row, "evidence": {"posts_minor": 9}}, "claim", "y") is None


def test_a_claim_says_line_service_and_reason_and_the_letter_the_sum():
    _, _, made = judge(book(PACK), [line(amount=301), line("o9", 300, 3)], [fact()])
    said = [words(one) for one in made.claims]
    assert said[0] == (
        "claim USD 0.01 back from acme: line 2 of i1 bills USD 3.01 for pack o1, more than the contract allows"
    )
    assert said[1].endswith("for pack o9, and that did not happen (nobody placed that order)")
    rows = [{"currency": "USD", "amount_minor": one.amount_minor, "suggestion": words(one)} for one in made.claims]
    written = letter("acme", rows)
    assert (written["claims"], written["totals"]) == (2, {"USD": 301})
    assert "ask for USD 3.01 back" in written["text"]
    assert "2. line 3 of i1 bills" in written["text"]
    assert letter("acme", [])["text"] == "Nothing is open with acme."


@pytest.mark.parametrize(
    ("terms", "what"),
    [
        ([{**PACK, "ratio": "0.1"}], "ratio"),
        ([service("x", "shipment")], "unit_minor"),
        ([service("x", "sale", unit_minor=1)], "ratio"),
        ([service("x", "receipt", unit_minor=1)], "purchase order"),
        ([{**PACK, "refund_credit": "0.5"}], "refund_credit"),
        ([{**REFERRAL, "free": 1}], "counted"),
        ([{**PACK, "starts": date(2026, 2, 1), "ends": date(2026, 1, 1)}], "ends before"),
        ([PACK, PACK], "two prices"),
        ([PACK, {**PACK, "basis": "return", "starts": date(2027, 1, 1)}], "billed for"),
        ([PACK, service("other", "return", unit_minor=1, called=["pack"])], "two services"),
    ],
)
def test_contracts_that_contradict_themselves_are_refused(terms, what):
    with pytest.raises(ValidationError, match=what):
        book(*terms)


def test_a_contract_that_names_a_vendor_goes_before_one_that_names_its_beginning():
    one = {"name": "all", "vendors": ["supplier-*"], "currency": "USD", "source": "x", "services": [GOODS]}
    two = {**one, "name": "special", "vendors": ["supplier-07"]}
    made = desk.ContractBook.model_validate({"contracts": [one, two]})
    assert (made.of("supplier-07").name, made.of("supplier-08").name, made.of("globex")) == ("special", "all", None)
    with pytest.raises(ValidationError, match="one name"):
        desk.ContractBook.model_validate({"contracts": [one, one]})
    with pytest.raises(ValidationError, match="no bill is called"):
        desk.ContractBook.model_validate({"contracts": [{**one, "bill": "missing"}]})


def test_the_contracts_that_ship_fit_and_name_accounts_of_the_chart():
    from steward.catalog import load_catalog, load_contracts

    codes = {account.code for account in load_catalog().chart}
    found = load_contracts()
    assert {one.name for one in found.contracts} >= {"warehouse-3pl", "suppliers", "tiktok_ads", "tiktok_shop"}
    assert all(terms.account in codes for one in found.contracts for terms in one.services)


def test_a_catalog_s_wrong_contract_is_named(tmp_path):
    from steward.catalog import load_contracts

    assert load_contracts(tmp_path).contracts == ()
    (tmp_path / "contracts.yaml").write_text(
        "contracts:\n  - {name: x, currency: USD, source: y, services: []}\n", encoding="utf-8"
    )
    with pytest.raises(BadInput, match="services"):
        load_contracts(tmp_path)
