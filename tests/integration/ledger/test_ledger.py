"""The books on a real database: posting from events, batches, holds, periods, and what the audit sees."""

import random
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import psycopg
import pytest

from steward.contracts.ledger import Finish, Hold, Leg, Transfer
from steward.kernel.errors import BadInput, Busy
from steward.ledger import LedgerWriter

pytestmark = pytest.mark.db

CLEARING = "assets:clearing:online_retail"
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def legs_of(legs):
    """Legs of (account, amount) or (account, amount, currency)."""
    return tuple(Leg(account=a, amount_minor=n, currency=(c or ["GBP"])[0]) for a, n, *c in legs)


def transfer(make, key, *legs, at=None, kind="capture", **more):
    return Transfer(
        key=key, kind=kind, effective_at=at or make.start, source=f"shop/test {key}", legs=legs_of(legs), **more
    )


def sale(make, key, amount=1000, **more):
    return transfer(make, key, (CLEARING, amount), ("income:sales", -amount), **more)


def hold(key, amount, until=FAR):
    return Hold(
        key=key,
        kind="ads",
        expires_at=until,
        source=f"shop/test {key}",
        legs=legs_of([("assets:bank", -amount), ("expenses:ads", amount)]),
    )


def codes(refused):
    return [(entry.line, entry.code) for entry in refused]


def balances(shop):
    return {(row["code"], row["currency"]): row["amount_minor"] for row in shop.app.books.books().accounts}


def counts(shop):
    return tuple(shop.one(f"SELECT count(*) FROM {table}") for table in ("transfer", "posting"))


def violations(shop):
    return [(v.where, v.row, v.what) for v in shop.app.books.check().violations]


# From events


def test_money_events_are_posted_by_rule(shop, make):
    shop.take_in(
        make.order("1"),
        make.payment("1", 12000, tax_minor=2000, shipping_minor=500),
        make.payment("2", 3000),
        make.refund("C1", lines=[make.line(total_minor=700)]),
    )
    assert balances(shop) == {
        (CLEARING, "GBP"): 12000 + 3000 - 700,
        ("income:sales", "GBP"): -(9500 + 3000),
        ("income:shipping", "GBP"): -500,
        ("liabilities:tax", "GBP"): -2000,
        ("contra:returns", "GBP"): 700,
    }
    books = shop.app.books.books()
    assert books.is_balanced
    assert books.trial_balance == {"GBP": 0}
    assert shop.app.books.totals() == (3, {"GBP": 0})
    assert violations(shop) == []
    report = shop.app.books.check()
    assert (report.transfers, report.postings, report.is_balanced) == (3, 8, True)


def test_every_currency_balances_by_itself(shop, make):
    shop.take_in(
        make.payment("1", 1000), make.payment("2", 900, currency="EUR"), make.payment("3", 500, currency="JPY")
    )
    assert shop.app.books.totals()[1] == {"EUR": 0, "GBP": 0, "JPY": 0}
    assert balances(shop)[CLEARING, "EUR"] == 900
    assert violations(shop) == []


def test_an_event_of_nothing_posts_nothing(shop, make):
    shop.take_in(make.payment("1", 0), make.payment("2", 5))
    assert counts(shop) == (1, 2)
    assert violations(shop) == []


def test_balances_as_of_a_time_leave_out_what_came_later(shop, make):
    day = timedelta(days=1)
    shop.take_in(*(make.payment(str(n), 100 * n, at=make.start + n * day) for n in (1, 2, 3)))

    def clearing(at):
        books = shop.app.books.books(at)
        assert books.is_balanced
        return next(row["amount_minor"] for row in books.accounts if row["code"] == CLEARING)

    assert [clearing(make.start + n * day) for n in (1, 2, 3, 4)] == [0, 100, 300, 600]


def test_posting_twice_is_posting_once(shop, make):
    shop.take_in(make.payment("1"), make.payment("2"))
    head = shop.app.events.head()
    assert shop.app.money_events.post_pending() == 0
    shop.app.events.rewind("ledger")
    assert shop.app.money_events.post_pending() == 2  # read again, and every one of them known
    shop.app.events.sequence()
    assert counts(shop) == (2, 4)
    assert shop.app.events.head() == head  # no second anchor
    assert violations(shop) == []


def test_batches_of_any_size_make_the_same_books(shop, make, monkeypatch):
    monkeypatch.setattr("steward.ledger.service.postings._BATCH", 3)
    shop.take_in(*(make.payment(str(n), 100 + n) for n in range(10)))
    assert counts(shop) == (10, 20)
    assert balances(shop)[CLEARING, "GBP"] == sum(100 + n for n in range(10))
    assert shop.app.events.counts()["LedgerTransferPosted"] == 4
    assert violations(shop) == []


def test_a_crash_while_posting_leaves_no_part_of_the_batch(shop, make, monkeypatch):
    shop.app.events.append([make.payment("1"), make.payment("2")])
    monkeypatch.setattr(shop.app.events, "put", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.app.money_events.post_pending()
    monkeypatch.undo()
    assert counts(shop) == (0, 0)
    assert shop.app.events.reached("ledger") == 0
    assert shop.app.money_events.post_pending() == 2
    shop.app.events.sequence()
    assert violations(shop) == []


# Batches of transfers


def test_a_duplicate_in_a_batch_is_a_no_op(shop, make):
    post = shop.app.ledger.post
    assert codes(post([sale(make, "a"), sale(make, "a"), sale(make, "b")])) == [(2, "duplicate")]
    assert codes(post([sale(make, "b"), sale(make, "c")])) == [(1, "duplicate")]
    assert codes(post([sale(make, "a"), sale(make, "b")])) == [(1, "duplicate"), (2, "duplicate")]
    assert counts(shop) == (3, 6)
    assert shop.app.events.sequence() == 3  # accounts and two batches: what posted nothing has nothing to anchor
    assert violations(shop) == []


def test_what_is_refused_leaves_the_rest_of_its_batch(shop, make):
    post = shop.app.ledger.post
    post([sale(make, "known")])
    refused = post(
        [
            sale(make, "a"),
            transfer(make, "known", ("income:sales", -1), (CLEARING, 1)),
            transfer(make, "two", ("income:sales", -1), (CLEARING, 2)),
            transfer(make, "mixed", ("income:sales", -1, "EUR"), (CLEARING, 1)),
            transfer(make, "none"),
            transfer(make, "zero", ("income:sales", 0), (CLEARING, 0)),
            transfer(make, "large", ("income:sales", -(10**15) - 1), (CLEARING, 10**15 + 1)),
            transfer(make, "nobody", ("assets:nothing", 1), (CLEARING, -1)),
            sale(make, "b"),
        ]
    )
    assert codes(refused) == [
        (2, "conflict"),
        (3, "unbalanced"),
        (4, "unbalanced"),
        (5, "no_legs"),
        (6, "zero_amount"),
        (7, "amount_too_large"),
        (8, "unknown_account"),
    ]
    assert refused[0].key == "known"
    assert counts(shop) == (3, 6)
    assert violations(shop) == []


def test_a_reversal_happens_once_and_is_exact(shop, make):
    post = shop.app.ledger.post
    undo = [("income:sales", 1000), (CLEARING, -1000)]
    post([sale(make, "a"), sale(make, "b")])
    assert codes(
        post(
            [
                transfer(make, "r1", *undo, reverses="a"),
                transfer(make, "r2", *undo, reverses="a"),
                transfer(make, "r3", ("income:sales", 999), (CLEARING, -999), reverses="b"),
                transfer(make, "r4", *undo, reverses="nothing"),
            ]
        )
    ) == [(2, "already_reversed"), (3, "not_a_reversal"), (4, "unknown_transfer")]
    assert codes(post([transfer(make, "r5", *undo, reverses="a")])) == [(1, "already_reversed")]
    assert balances(shop)[CLEARING, "GBP"] == 1000
    page = shop.app.books.transfers(0, 10)
    assert page[2]["reverses"] == page[0]["transfer_id"]
    assert shop.app.books.transfer(page[1]["transfer_id"])["source"] == "shop/test b"
    assert violations(shop) == []


def test_limits_are_looked_at_after_each_transfer(shop, make):
    ledger = shop.app.ledger
    ledger.set_limits(CLEARING, "GBP", 0, 2500, "owner", "test")
    refused = ledger.post(
        [sale(make, "a"), sale(make, "b"), sale(make, "c"), sale(make, "d", -2001), sale(make, "e", -2000)]
    )
    assert codes(refused) == [(3, "above_limit"), (4, "below_limit")]
    assert balances(shop)[CLEARING, "GBP"] == 0
    ledger.set_limits(CLEARING, "GBP", 500, None, "owner", "a floor above what is there")
    assert codes(ledger.post([sale(make, "f", 100), sale(make, "g", -1)])) == [(2, "below_limit")]
    with pytest.raises(BadInput, match="floor"):
        ledger.set_limits(CLEARING, "GBP", 5, 4, "owner", "test")
    assert violations(shop) == []


def test_holds_count_against_limits_and_end_once(shop, make):
    ledger = shop.app.ledger
    ledger.post([transfer(make, "money", ("assets:bank", 100), ("equity:opening", -100))])
    ledger.set_limits("assets:bank", "GBP", 0, None, "owner", "no overdraft")
    assert codes(ledger.hold([hold("h1", 60), hold("h2", 60), hold("h3", 40)])) == [(2, "below_limit")]
    assert codes(ledger.post([transfer(make, "p", ("assets:bank", -1), ("expenses:ads", 1))])) == [(1, "below_limit")]
    part = legs_of([("assets:bank", -10), ("expenses:ads", 10)])
    more = legs_of([("assets:bank", -61), ("expenses:ads", 61)])
    at = make.start
    assert codes(
        ledger.finish(
            [
                Finish(key="f0", hold="h1", how="post", effective_at=at, legs=more),
                Finish(key="f1", hold="h1", how="post", effective_at=at, legs=part),
                Finish(key="f2", hold="h1", how="void", effective_at=at),
                Finish(key="f3", hold="h3", how="void", effective_at=at),
                Finish(key="f1", hold="h1", how="post", effective_at=at, legs=part),
                Finish(key="f1", hold="h1", how="post", effective_at=at),
                Finish(key="f4", hold="h2", how="post", effective_at=at),
            ]
        )
    ) == [(1, "more_than_held"), (3, "hold_posted"), (5, "duplicate"), (6, "conflict"), (7, "unknown_hold")]
    bank = next(row for row in shop.app.books.books().accounts if row["code"] == "assets:bank")
    assert (bank["amount_minor"], bank["pending_debit_minor"], bank["pending_credit_minor"]) == (90, 0, 0)
    assert violations(shop) == []


def test_an_expired_hold_is_released_and_cannot_be_posted(shop, make):
    ledger, now = shop.app.ledger, shop.clock.now()
    assert codes(ledger.hold([hold("late", 5, until=now), hold("soon", 5, until=now + timedelta(hours=1))])) == [
        (1, "hold_expired")
    ]
    assert ledger.release_expired() == 0
    shop.clock.advance(timedelta(hours=1))
    finish = Finish(key="f", hold="soon", how="post", effective_at=make.start)
    assert codes(ledger.finish([finish])) == [(1, "hold_expired")]
    assert ledger.release_expired() == 1
    assert codes(ledger.finish([finish])) == [(1, "hold_expired")]
    assert shop.one("SELECT sum(pending_debit_minor + pending_credit_minor) FROM balance") == 0
    assert violations(shop) == []


def test_a_closed_period_and_a_closed_account_take_nothing(shop, make):
    ledger = shop.app.ledger
    may = (date(2011, 5, 1), date(2011, 6, 1))
    ledger.set_period("2011-05", *may, "soft", "owner", "month end")
    assert codes(ledger.post([sale(make, "a"), sale(make, "b", kind="close.accrual")])) == [(1, "period_closed")]
    ledger.set_period("2011-05", *may, "closed", "owner", "done")
    assert codes(ledger.post([sale(make, "c", kind="close.accrual")])) == [(1, "period_closed")]
    ledger.set_period("2011-05", *may, "open", "owner", "reopened")
    assert ledger.post([sale(make, "d")]) == []
    ledger.set_closed(CLEARING, "GBP", True, "owner", "processor left")
    assert codes(ledger.post([sale(make, "e")])) == [(1, "account_closed")]
    for days in [(date(2011, 5, 1), date(2011, 5, 31)), (date(2011, 5, 31), date(2011, 6, 2))]:
        with pytest.raises(BadInput, match="period"):
            ledger.set_period("2011-05" if days[0].day == 1 else "x", *days, "open", "owner", "overlap")
    assert [row[0] for row in shop.rows("SELECT state FROM period_change ORDER BY change_no")] == [
        "soft",
        "closed",
        "open",
    ]
    assert violations(shop) == []


def test_what_happened_in_a_closed_period_is_posted_after_it(shop, make):
    shop.app.ledger.set_period("2011-05", date(2011, 5, 1), date(2011, 6, 1), "closed", "owner", "done")
    shop.take_in(make.payment("1"), make.payment("2", at=make.start + timedelta(days=40)))
    assert sorted(row[0] for row in shop.rows("SELECT effective_at::date FROM transfer")) == [
        date(2011, 6, 1),
        date(2011, 6, 11),
    ]
    assert violations(shop) == []


def test_balances_at_any_date_are_the_same_folded_or_not(shop, make):
    days = [make.start + timedelta(days=n) for n in (0, 3, 1, 9, 1, 4)]
    shop.app.ledger.post([sale(make, f"k{n}", 10**n, at=day) for n, day in enumerate(days)])
    span = lambda: [
        [(t.code, t.debit_minor, t.credit_minor) for t in shop.app.books.span(since, until)]
        for since in (None, date(2011, 5, 3))
        for until in (None, date(2011, 5, 4), date(2011, 5, 12))
    ]
    before = span()
    assert before[1][0] == (CLEARING, 1 + 100 + 10000, 0)
    assert shop.app.ledger.fold(1) == 2
    assert span() == before
    shop.app.ledger.post([sale(make, "late", 7, at=make.start)])
    assert span()[1][0] == (CLEARING, 1 + 100 + 10000 + 7, 0)
    assert shop.app.ledger.fold(2) == 0
    assert shop.app.ledger.fold(1) == 2
    assert shop.app.books.span(None, None, known=shop.clock.now().date())[0].debit_minor == 0
    assert violations(shop) == []


def test_the_newest_rate_of_a_day_counts(shop):
    ledger = shop.app.ledger
    for day, rate in [(2, Fraction(3, 4)), (4, Fraction(4, 5)), (4, Fraction(5, 6))]:
        ledger.set_rate("USD", "GBP", date(2011, 5, day), rate, "test")
    found = [ledger.rate("USD", "GBP", date(2011, 5, day)) for day in (1, 2, 3, 4, 9)]
    assert found == [None, Fraction(3, 4), Fraction(3, 4), Fraction(5, 6), Fraction(5, 6)]
    assert ledger.rate("GBP", "USD", date(2011, 5, 9)) is None
    with pytest.raises(BadInput, match="rate"):
        ledger.set_rate("USD", "USD", date(2011, 5, 1), Fraction(1), "test")
    assert violations(shop) == []


# Single callers


def test_single_callers_ride_in_batches(shop, make):
    writer = LedgerWriter(shop.app.ledger)

    def call(n):
        return codes(
            writer.post([sale(make, f"k{n % 150}"), transfer(make, f"bad{n}", (CLEARING, 1), ("income:sales", 1))])
        )

    try:
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(call, range(300)))
        assert sum(answer == [(2, "unbalanced")] for answer in found) == 150
        assert sum(answer == [(1, "duplicate"), (2, "unbalanced")] for answer in found) == 150
        with pytest.raises(BadInput):
            writer.post([sale(make, "x", kind="k" * 65)])
    finally:
        writer.close()
    with pytest.raises(Busy):
        writer.post([sale(make, "y")])
    assert counts(shop) == (150, 300)
    assert shop.one("SELECT count(*) FROM ledger_batch") < 150
    assert violations(shop) == []


# Concurrency


@pytest.mark.slow
def test_two_threads_with_overlapping_keys(shop, make):
    shop.app.events.append([make.payment(str(n), 100 + n) for n in range(300)])
    transfers = [shop.app.money_events.transfer_of(event.envelope) for event in shop.app.events.read()]
    both = threading.Barrier(2, timeout=30)

    def work(name):
        rng = random.Random(name)
        both.wait()
        posted = 0
        for start in range(0, 300, 10):
            # Mostly the same transfers as the other thread, in another order, in batches of other edges.
            shift = {"a": 0, "b": 5}[name]
            batch = transfers[max(0, start - shift) : start + 10 - shift] or transfers[:5]
            rng.shuffle(batch)
            posted += len(batch) - len(shop.app.ledger.post(batch))
        return posted

    with ThreadPoolExecutor(2) as pool:
        posted = list(pool.map(work, ["a", "b"]))
    assert sum(posted) == 300
    assert counts(shop) == (300, 600)
    assert balances(shop)[CLEARING, "GBP"] == sum(100 + n for n in range(300))
    assert shop.app.money_events.post_pending() == 300  # read by the ledger's own reader: duplicates, every one
    shop.app.events.sequence()
    assert violations(shop) == []


def test_two_threads_that_follow_the_log(shop, make, monkeypatch):
    monkeypatch.setattr("steward.ledger.service.postings._BATCH", 7)
    shop.app.events.append([make.payment(str(n), 100 + n, processor=f"p{n % 5}") for n in range(100)])
    with ThreadPoolExecutor(2) as pool:
        read = list(pool.map(lambda _i: shop.app.money_events.post_pending(), range(2)))
    assert sum(read) == 100
    shop.app.events.sequence()
    assert violations(shop) == []


def test_threads_that_open_the_same_accounts(shop, make):
    both = threading.Barrier(4, timeout=30)

    def work(n):
        both.wait()
        return shop.app.ledger.post([sale(make, f"k{n}")])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[]] * 4
    assert shop.one("SELECT count(*) FROM account") == 2
    assert shop.one("SELECT count(*) FROM balance") == 2
    assert balances(shop)[CLEARING, "GBP"] == 4000


def test_posting_joins_the_callers_transaction(shop, make):
    with pytest.raises(ZeroDivisionError), shop.app.database.transaction():
        shop.app.ledger.post([sale(make, "a")])
        1 / 0  # noqa: B018 - fails on purpose
    assert counts(shop) == (0, 0)
    assert shop.app.ledger.post([sale(make, "a")]) == []  # the account it had opened is gone as well
    assert violations(shop) == []


def test_what_the_triggers_let_pass_the_audit_still_finds(shop, fresh, make):
    """Legs that balance and continue the chain, added to a transfer that never had them."""
    shop.take_in(make.payment("1"))
    with psycopg.connect(fresh.owner) as owner:
        owner.execute(
            """INSERT INTO posting (account_id, version, transfer_no, line, amount_minor, balance_after, effective_on)
            SELECT b.account_id, b.version + 1, t.transfer_no, 9, d.amount, b.amount_minor + d.amount, t.effective_at::date
            FROM (VALUES ('assets:clearing:online_retail', 5), ('income:sales', -5)) AS d (code, amount)
            JOIN account a USING (code) JOIN balance b USING (account_id) CROSS JOIN transfer t"""
        )
    assert {where for where, _, _ in violations(shop)} == {"transfer", "posting"}


# Other books


def test_hledger_accepts_the_journal(shop, make, tmp_path):
    hledger = shutil.which("hledger")
    if hledger is None:
        pytest.skip("hledger is not installed: `make oracles` installs it on Debian")
    late, early = make.start + timedelta(days=9), make.start
    shop.take_in(
        make.payment("1; not a comment | (x)", 12345, tax_minor=2000, shipping_minor=45, at=late),
        make.payment("2", 7, at=early),  # posted later, effective earlier
        make.payment("3", 500, currency="JPY", at=early),
        make.payment("4", 1234, currency="BHD", processor="Ünusual Name; {x}", at=early),
        make.refund("C1", at=early),
    )
    journal = tmp_path / "books.journal"
    text = "\n".join(shop.app.books.journal("hledger")) + "\n"
    journal.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [hledger, "-f", journal, "check", "--strict"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    listed = subprocess.run(
        [hledger, "-f", journal, "balance", "contra:returns", "liabilities:tax", "--flat", "--no-total"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert [" ".join(line.split()) for line in listed.splitlines()] == [
        "10.00 GBP contra:returns",
        "-20.00 GBP liabilities:tax",
    ]
    broken = text.replace(" = 123.45 GBP", " = 123.46 GBP")
    assert broken != text
    journal.write_text(broken, encoding="utf-8")
    assert subprocess.run([hledger, "-f", journal, "check"], capture_output=True, check=False).returncode != 0
