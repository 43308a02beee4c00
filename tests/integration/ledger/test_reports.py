"""Reports and closes over events that went through the log and the rules."""

import random
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from steward.contracts.event import Envelope
from steward.contracts.ledger import Hold, Leg, Span
from steward.kernel.errors import BadInput, Conflict

pytestmark = pytest.mark.db

DAY = date(2011, 5, 2)  # where the tests' clock stands
NAMES = ("trial-balance", "profit", "balance-sheet", "cash-flow")


def event(make, event_type, key, at=None, /, **data):
    return Envelope(id=key, source=make.source, type=event_type, subject="x/1", time=at or make.start, data=data)


def business(make):
    """An order of a show, paid, shipped, settled; a return; an invoice; goods that came in."""
    gbp = {"currency": "GBP"}
    clearing = {"processor": "stripe", **gbp}
    line = [{"sku": "MUG", "quantity": 2}]
    lines = [make.line("MUG", 2, 2000), make.line("CUP", 1, 1000)]
    return [
        event(make, "InboundReceived", "in1", inbound_id="in1", lines=line, cost_minor=700, supplier_id="acme", **gbp),
        make.order("o1", lines=lines, channel="tiktok", show_id="s1", creator_id="mia"),
        make.order("o2", channel="web"),
        make.payment("o1", 3000, tax_minor=500),
        make.payment("o2", 1000),
        event(make, "FeeCharged", "f1", fee_id="f1", payment_id="pay-o1", amount_minor=91, kind="processing", **clearing),
        event(make, "GoodsShipped", "g1", shipment_id="g1", order_id="o1", cost_minor=350, lines=[{"sku": "MUG", "quantity": 1}], **gbp),
        event(make, "CommissionEarned", "c1", commission_id="c1", creator_id="mia", order_id="o1", amount_minor=250, **gbp),
        make.refund("r1", lines=[make.line("CUP", 1, 1000)], order_id="o1", method="original"),
        event(make, "PayoutSent", "p1", payout_id="p1", amount_minor=2500, **{**clearing, "processor": "online_retail"}),
        event(make, "PayoutLanded", "l1", payout_id="p1", amount_minor=2400, **{**clearing, "processor": "online_retail"}),
        event(make, "SupplierInvoiceReceived", "i1", invoice_id="i1", supplier_id="acme", amount_minor=840, tax_minor=140, **gbp),
    ]  # fmt: skip


def totals(found):
    return {name: sums.get("GBP", 0) for name, sums in found.totals.items()}


@pytest.fixture
def books(shop, make):
    shop.take_in(*business(make))
    assert shop.app.money_events.unposted() == []
    return shop


def test_statements_agree_with_each_other(books):
    found = {name: books.app.reports.statement(name, Span()) for name in NAMES}
    assert [report.problems for report in found.values()] == [[], [], [], []]
    assert totals(found["profit"]) == {"net sales": 2500, "gross profit": 2150, "expenses": 691, "profit": 1809}
    sheet = totals(found["balance-sheet"])
    assert sheet["result to date"] == 1809
    assert sheet["assets"] == sheet["liabilities"] + sheet["equity"] + 1809
    assert totals(found["cash-flow"]) == {"opening cash": 0, "operating": 2400, "closing cash": 2400}


def test_reports_are_as_of_a_day_and_as_known_on_a_day(books, make):
    later = make.start + timedelta(days=40)
    books.clock.now = lambda: later
    books.take_in(make.payment("o9", 700, at=make.start))
    reports = books.app.reports
    month = date(2011, 6, 1)
    assert totals(reports.statement("profit", Span(until=month)))["net sales"] == 3200
    assert totals(reports.statement("profit", Span(until=month, known=month)))["net sales"] == 2500
    assert totals(reports.statement("cash-flow", Span(until=month, known=month)))["closing cash"] == 2400
    assert reports.statement("profit", Span(since=month), Span(until=month)).compared["profit"] == {"GBP": 2509}


@pytest.mark.parametrize("dimension", ["sku", "creator", "show", "channel"])
def test_contribution_adds_up_to_the_profit(books, dimension):
    found = books.app.reports.margin(dimension, Span())
    assert sum(c.contribution_minor for c in found.values()) == 1809
    assert sum(c.income_minor for c in found.values()) == 3500


def test_contribution_is_where_the_order_was_sold(books):
    channels = {name: c.contribution_minor for (name, _), c in books.app.reports.margin("channel", Span()).items()}
    assert channels == {"tiktok": 809, "web": 1000}
    skus = books.app.reports.margin("sku", Span())
    assert skus["CUP", "GBP"].contra_minor == 1000
    assert skus["MUG", "GBP"].expenses["cogs"] == 350


def test_what_is_owed_is_aged_by_party(books):
    found = books.app.reports.ageing("payable", DAY + timedelta(days=45))
    assert {(a.code, a.party): a.buckets for a in found} == {
        ("liabilities:payable:creators", "mia"): (0, 250, 0, 0),
        ("liabilities:payable:suppliers", "acme"): (0, 840, 0, 0),
    }
    owed = {a.code: a.open_minor for a in books.app.reports.ageing("receivable", DAY + timedelta(days=45))}
    assert owed["assets:in_transit"] == 100


def test_the_runway_is_unknown_until_the_books_can_say(books, make):
    reports = books.app.reports
    unknown = reports.runway(DAY + timedelta(days=30))["GBP"]
    assert unknown.state == "unknown"
    assert [reason.split(" ")[0] for reason in unknown.reasons] == ["a", "the", "4"]
    weeks = []
    for week in range(1, 15):
        at = make.start + timedelta(weeks=week)
        weeks.append(
            event(
                make,
                "SupplierPaid",
                f"s{week}",
                at,
                payment_id=f"s{week}",
                supplier_id="acme",
                amount_minor=100,
                currency="GBP",
            )
        )
    at = make.start + timedelta(days=1)
    landed = {"payout_id": "p2", "amount_minor": 100, "currency": "GBP", "processor": "online_retail"}
    books.take_in(*weeks, event(make, "PayoutLanded", "l2", at, **landed))
    until = datetime(2100, 1, 1, tzinfo=UTC)
    legs = tuple(
        Leg(account=a, currency="GBP", amount_minor=n) for a, n in (("assets:bank", -500), ("expenses:ads", 500))
    )
    assert not books.app.ledger.hold([Hold(key="h", kind="ads", expires_at=until, source="x", legs=legs)])
    found = reports.runway((make.start + timedelta(weeks=14, days=1)).date())["GBP"]
    assert (found.state, found.weeks) == ("burning", 6)  # 600 free, 1300 gone in fourteen weeks
    assert found.available_minor == 2500 - 1400 - 500
    cash, known, ahead = reports.forecast((make.start + timedelta(weeks=14, days=1)).date())["GBP"]
    assert (cash, len(known), len(ahead)) == (1100, 14, 13)
    assert ahead[0].low_minor <= ahead[0].middle_minor <= ahead[0].high_minor


def test_stock_is_worth_what_the_books_say(books):
    for method in ("average", "fifo"):
        found = {s.sku: s.valuation for s in books.app.reports.stock(method)}
        assert (found["MUG"].on_hand, found["MUG"].value_minor, found["MUG"].issued) == (1, 350, [350])


def test_a_month_is_closed_by_its_checklist_and_reopening_leaves_a_trace(books, make):
    closing, month = books.app.closing, ("2011-05", date(2011, 5, 1), date(2011, 6, 1), "GBP")
    with pytest.raises(Conflict, match="over: the last day is 2011-05-31; payouts landed: 100"):
        closing.close(*month, "owner", "done")
    books.clock.now = lambda: make.start + timedelta(days=60)
    with pytest.raises(BadInput, match="the checklist has no"):
        closing.close(*month, "owner", "done", ["weather"])
    checks = closing.close(*month, "owner", "done", ["payouts landed"])
    assert [check.name for check in checks if not check.is_met] == ["payouts landed"]
    books.app.events.sequence()
    closed = [e.envelope.data for e in books.app.events.read(0, ["PeriodClosed"])]
    assert [(data["period"], data["unreconciled"], data["closed_by"]) for data in closed] == [("2011-05", 1, "owner")]
    books.app.ledger.set_period("2011-05", month[1], month[2], "open", "owner", "a late invoice")
    trace = books.rows("SELECT state, changed_by, reason FROM period_change ORDER BY change_no")
    assert trace == [("closed", "owner", "done (accepted: payouts landed)"), ("open", "owner", "a late invoice")]
    assert books.app.books.check().violations == []


def test_currencies_are_revalued_once(books, make):
    bought = {"sold_currency": "GBP", "sold_minor": 750, "bought_currency": "USD", "bought_minor": 1000}
    books.take_in(event(make, "CurrencyConverted", "x1", conversion_id="x1", processor="stripe", **bought))
    closing, end = books.app.closing, date(2011, 6, 1)
    assert closing.revalue(end, "GBP").missing == ["USD"]
    books.app.ledger.set_rate("GBP", "USD", DAY, Fraction(5, 4), "ecb")
    assert closing.revalue(end, "GBP").loss_minor == -50
    assert closing.revalue(end, "GBP").loss_minor == 0
    accounts = {(a["code"], a["currency"]): a["amount_minor"] for a in books.app.books.books().accounts}
    assert accounts["expenses:fx", "GBP"] == -50
    assert accounts["fx:GBP", "GBP"] == 800
    assert books.app.books.check().violations == []


def test_books_open_with_a_file_all_of_it_or_nothing(shop):
    closing = shop.app.closing
    good = "account,currency,amount\nassets:bank,GBP,1000.00\nassets:bank,USD,5\nliabilities:tax,GBP,-200.00\n"
    assert closing.open_books(good + "assets:bnak,GBP,1\n", DAY).rejected[0].line == 5
    assert shop.one("SELECT count(*) FROM transfer") == 0
    for _ in range(2):
        found = closing.open_books(good, DAY)
        assert (len(found.lines), found.rejected, found.refused) == (3, [], [])
    assert shop.one("SELECT count(*) FROM transfer") == 1
    assert shop.app.books.check().violations == []
    sheet = shop.app.reports.statement("balance-sheet", Span())
    assert sheet.totals["equity"] == {"GBP": 80000, "USD": 500}


def test_sums_by_day_and_month_are_the_postings(shop, make):
    """Any span of days, known or not, with accounts folded at different times, beside plain addition."""
    rng = random.Random(8)
    for round_ in range(3):
        days = [rng.randrange(-130, 130) for _ in range(40)]
        shop.take_in(
            *(make.payment(f"{round_}-{n}", 100 + n, at=make.start + timedelta(days=day)) for n, day in enumerate(days))
        )
        if round_ < 2:
            assert shop.app.ledger.fold(1) > 0
        now = shop.clock.now() + timedelta(days=20)
        shop.clock.now = lambda now=now: now
    postings = shop.rows("""
        SELECT a.code, p.effective_on, (b.recorded_at AT TIME ZONE 'UTC')::date, p.amount_minor
        FROM posting p JOIN account a USING (account_id) JOIN transfer t USING (transfer_no) JOIN ledger_batch b ON b.batch_id = t.batch_id
    """)  # fmt: skip
    assert len({on.strftime("%Y-%m") for _, on, _, _ in postings}) > 7

    def some_day():
        return rng.choice([None, DAY + timedelta(days=rng.randrange(-140, 140)), date(2011, rng.randrange(1, 10), 1)])

    for _ in range(300):
        since, until, known = some_day(), some_day(), rng.choice([None, some_day()])
        expected = {}
        for code, on, recorded, amount in postings:
            if (since is None or on >= since) and (until is None or on < until) and (known is None or recorded < known):
                expected[code] = expected.get(code, 0) + amount
        found = {
            t.code: t.net_minor for t in shop.app.books.span(since, until, known) if t.debit_minor or t.credit_minor
        }
        assert found == expected, (since, until, known)
