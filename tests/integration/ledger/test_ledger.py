"""The books on a real database: posting from events, the posting function itself, and who may write what."""

import hashlib
import random
import shutil
import subprocess
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from steward.contracts.ledger import Leg, Transfer
from steward.kernel.errors import Conflict
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

pytestmark = pytest.mark.db

CLEARING = "assets:clearing:online_retail"


def transfer(make, key, *legs, at=None, kind="capture"):
    """A transfer of (account, amount) or (account, amount, currency) legs."""
    at = at or make.start
    return Transfer(
        id=derived_id("tfr", unix_ms(at), key),
        key=key,
        kind=kind,
        effective_at=at,
        source=f"shop/test {key}",
        legs=tuple(Leg(account=a, amount_minor=n, currency=(c or ["GBP"])[0]) for a, n, *c in legs),
    )


def sale(make, key, amount=1000):
    return transfer(make, key, (CLEARING, amount), ("income:sales", -amount))


def balances(shop):
    return {(row["code"], row["currency"]): row["amount_minor"] for row in shop.app.ledger.books().accounts}


def counts(shop):
    return tuple(shop.one(f"SELECT count(*) FROM {table}") for table in ("transfer", "posting"))


def violations(shop):
    return [(v.where, v.row, v.what) for v in shop.app.ledger.check().violations]


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
    books = shop.app.ledger.books()
    assert books.is_balanced
    assert books.trial_balance == {"GBP": 0}
    assert shop.app.ledger.totals() == (3, {"GBP": 0})
    assert violations(shop) == []
    report = shop.app.ledger.check()
    assert (report.transfers, report.postings, report.is_balanced) == (3, 8, True)


def test_every_currency_balances_by_itself(shop, make):
    shop.take_in(
        make.payment("1", 1000), make.payment("2", 900, currency="EUR"), make.payment("3", 500, currency="JPY")
    )
    assert shop.app.ledger.totals()[1] == {"EUR": 0, "GBP": 0, "JPY": 0}
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
        books = shop.app.ledger.books(at)
        assert books.is_balanced
        return next(row["amount_minor"] for row in books.accounts if row["code"] == CLEARING)

    assert [clearing(make.start + n * day) for n in (1, 2, 3, 4)] == [0, 100, 300, 600]


def test_posting_twice_is_posting_once(shop, make):
    shop.take_in(make.payment("1"), make.payment("2"))
    head = shop.app.events.head()
    assert shop.app.ledger.post_pending() == 0
    shop.app.events.rewind("ledger")
    assert shop.app.ledger.post_pending() == 2  # read again, and every one of them known
    shop.app.events.sequence()
    assert counts(shop) == (2, 4)
    assert shop.app.events.head() == head  # no second anchor
    assert violations(shop) == []


def test_batches_of_any_size_make_the_same_books(shop, make, monkeypatch):
    monkeypatch.setattr("steward.ledger.service._BATCH", 3)
    shop.take_in(*(make.payment(str(n), 100 + n) for n in range(10)))
    assert counts(shop) == (10, 20)
    assert balances(shop)[CLEARING, "GBP"] == sum(100 + n for n in range(10))
    assert shop.app.events.counts()["LedgerTransferPosted"] == 4
    assert violations(shop) == []


def test_a_crash_while_posting_leaves_no_part_of_the_batch(shop, make, monkeypatch):
    shop.app.events.append([make.payment("1"), make.payment("2")])
    monkeypatch.setattr(shop.app.events, "put", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.app.ledger.post_pending()
    monkeypatch.undo()
    assert counts(shop) == (0, 0)
    assert shop.app.events.reached("ledger") == 0
    assert shop.app.ledger.post_pending() == 2
    shop.app.events.sequence()
    assert violations(shop) == []


# Batches of transfers


def test_a_duplicate_in_a_batch_is_a_no_op(shop, make):
    ledger = shop.app.ledger
    assert ledger.post([sale(make, "a"), sale(make, "a"), sale(make, "b")], "one") == [(2, "duplicate")]
    assert ledger.post([sale(make, "b"), sale(make, "c")], "two") == [(1, "duplicate")]
    assert ledger.post([sale(make, "a"), sale(make, "b")], "three") == [(1, "duplicate"), (2, "duplicate")]
    assert counts(shop) == (3, 6)
    assert shop.app.events.sequence() == 2  # a batch that posted nothing has nothing to anchor


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ([("income:sales", -1), (CLEARING, 1)], "conflict"),
        ([("income:sales", -1), (CLEARING, 2)], "unbalanced"),
        ([("income:sales", -1, "EUR"), (CLEARING, 1)], "unbalanced"),
        ([], "no_legs"),
    ],
)
def test_one_refused_transfer_posts_nothing_of_its_batch(shop, make, wrong, code):
    ledger = shop.app.ledger
    ledger.post([sale(make, "known")], "one")
    before = balances(shop)
    key = "known" if code == "conflict" else "new"
    with pytest.raises(Conflict, match=code) as caught:
        ledger.post([sale(make, "a"), transfer(make, key, *wrong), sale(make, "b")], "two")
    assert caught.value.exit_code == 1
    assert key in str(caught.value)
    assert counts(shop) == (1, 2)
    assert balances(shop) == before
    assert shop.app.events.sequence() == 1
    assert ledger.post([sale(make, "a"), sale(make, "b")], "two") == []


# The posting function itself


def digest(text):
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def accounts(fresh):
    """Four accounts, two of each currency, by code."""
    names = ["a", "b", "c", "d"]
    with fresh.app.transaction() as connection:
        rows = connection.execute(
            "SELECT o_code, o_account_id FROM ledger_open(%s::text[], %s::text[], %s::text[])",
            (names, ["GBP", "GBP", "EUR", "EUR"], ["debit"] * 4),
        )
        return {row["o_code"]: row["o_account_id"] for row in rows}


def post(fresh, batch, name="batch"):
    """`ledger_post` of (key, body, legs) where legs are (account id, amount); what it refused, by line."""
    legs = [(i, account, amount) for i, (_, _, own) in enumerate(batch, 1) for account, amount in own]
    with fresh.app.transaction() as connection:
        rows = connection.execute(
            """SELECT o_line, o_code FROM ledger_post(%s::uuid[], %s::text[], %s::text[], %s::text[],
            %s::timestamptz[], %s::bytea[], %s::bytea[], now(), %s, %s::integer[], %s::integer[], %s::bigint[])""",
            (
                [uuid.uuid4() for _ in batch],
                [key for key, _, _ in batch],
                ["test"] * len(batch),
                ["test"] * len(batch),
                ["2011-05-02T09:00:00Z"] * len(batch),
                [digest(body) for _, body, _ in batch],
                [digest(f"{name} {i}") for i in range(len(batch))],
                name,
                [leg[0] for leg in legs],
                [leg[1] for leg in legs],
                [leg[2] for leg in legs],
            ),
        )
        return {row["o_line"]: row["o_code"] for row in rows}


def test_the_codes_and_their_precedence(fresh, accounts):
    a, b, c, nobody = accounts["a"], accounts["b"], accounts["c"], 999_999
    good = [(a, 5), (b, -5)]
    assert post(fresh, [("known", "body", good)]) == {}
    assert post(
        fresh,
        [
            ("new", "body", good),  # 1 posted
            ("unbalanced", "x", [(a, 5), (b, -4)]),
            ("two currencies", "x", [(a, 5), (c, -5)]),
            ("no account", "x", [(a, 5), (nobody, -5)]),
            ("no account, unbalanced", "x", [(a, 5), (nobody, -4)]),  # 5
            ("no legs", "x", []),
            ("known", "body", []),  # a duplicate, whatever else is wrong with it
            ("known", "body", [(nobody, 1)]),
            ("known", "other", []),  # a conflict before anything else
            ("known", "other", [(nobody, 1)]),  # 10
            ("new", "body", [(a, 1)]),  # the same within the batch
            ("new", "other", good),
            ("zero", "x", [(a, 0), (b, 0)]),
        ],
        "second",
    ) == {
        2: "unbalanced",
        3: "unbalanced",
        4: "unknown_account",
        5: "unknown_account",
        6: "no_legs",
        7: "duplicate",
        8: "duplicate",
        9: "conflict",
        10: "conflict",
        11: "duplicate",
        12: "conflict",
        13: "unknown_account",  # a leg of nothing names no account
    }
    with psycopg.connect(fresh.owner) as owner:
        assert owner.execute("SELECT count(*) FROM transfer").fetchone()[0] == 2
        rows = owner.execute("SELECT account_id, amount_minor, version FROM balance ORDER BY 1").fetchall()
        assert rows[:2] == [(a, 10, 2), (b, -10, 2)]


def test_an_empty_batch_is_nothing(fresh, accounts):
    assert post(fresh, []) == {}


def test_an_amount_beyond_a_balance_posts_nothing(fresh, accounts):
    most = 2**63 - 1
    a, b = accounts["a"], accounts["b"]
    assert post(fresh, [("most", "x", [(a, most), (b, -most)])]) == {}
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        post(fresh, [("fine", "x", [(a, -1), (b, 1)]), ("more", "x", [(a, 2), (b, -2)])], "second")
    with psycopg.connect(fresh.owner) as owner:
        assert owner.execute("SELECT count(*) FROM transfer").fetchone()[0] == 1
        assert owner.execute("SELECT amount_minor FROM balance WHERE account_id = %s", (a,)).fetchone()[0] == most


def test_an_account_named_twice_in_a_transfer_has_two_postings(fresh, accounts):
    a, b = accounts["a"], accounts["b"]
    assert post(fresh, [("k", "x", [(a, 3), (b, -10), (a, 7)])]) == {}
    with psycopg.connect(fresh.owner) as owner:
        rows = owner.execute(
            "SELECT account_id, version, line, amount_minor, balance_after FROM posting ORDER BY account_id, version"
        ).fetchall()
    assert rows == [(a, 1, 1, 3, 3), (a, 2, 3, 7, 10), (b, 1, 2, -10, -10)]


class Model:
    """The books as one would keep them by hand: one transfer after the other."""

    def __init__(self, currencies):
        self.currencies = currencies
        self.bodies = {}
        self.balances = dict.fromkeys(currencies, 0)
        self.versions = dict.fromkeys(currencies, 0)

    def post(self, batch):
        refused, here = {}, {}
        for line, (key, body, legs) in enumerate(batch, 1):
            known = self.bodies.get(key, here.get(key))
            here.setdefault(key, body)
            code = self.code(known, body, legs)
            if code:
                refused[line] = code
                continue
            self.bodies[key] = body
            for account, amount in legs:
                self.balances[account] += amount
                self.versions[account] += 1
        return refused

    def code(self, known, body, legs):
        if known is not None:
            return "duplicate" if known == body else "conflict"
        if not legs:
            return "no_legs"
        if any(account not in self.currencies or amount == 0 for account, amount in legs):
            return "unknown_account"
        sums = {}
        for account, amount in legs:
            currency = self.currencies[account]
            sums[currency] = sums.get(currency, 0) + amount
        return "unbalanced" if any(sums.values()) else ""


def random_transfer(rng, ids, seen):
    if seen and rng.random() < 0.2:
        key, body, legs = rng.choice(seen)
        return (key, body, legs) if rng.random() < 0.5 else (key, body + "'", legs)
    legs = []
    for pair in (ids[:2], ids[2:]):
        if rng.random() < 0.7:
            amounts = [rng.choice([-1, 1]) * rng.randint(1, 10**9) for _ in range(rng.randint(1, 4))]
            legs += [(rng.choice(pair), amount) for amount in amounts]
            if sum(amounts):
                legs.append((rng.choice(pair), -sum(amounts)))
    spoil = rng.random()
    if spoil < 0.05:
        legs.append((999_999, 1))
    elif spoil < 0.1:
        legs.append((ids[0], 0))
    elif spoil < 0.2:
        legs.append((rng.choice(ids), rng.randint(1, 5)))
    rng.shuffle(legs)
    key = f"key-{rng.randint(0, 10**9)}"
    return key, f"body of {key}", legs


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_batches_agree_with_books_kept_by_hand(fresh, accounts, seed):
    rng = random.Random(seed)
    ids = [accounts[name] for name in "abcd"]
    model = Model(dict(zip(ids, ["GBP", "GBP", "EUR", "EUR"], strict=True)))
    seen, left, number = [], 200, 0
    codes = set()
    while left:
        batch = []
        for _ in range(min(left, rng.choice([1, 2, 5, 20]))):
            batch.append(random_transfer(rng, ids, seen))
            seen.append(batch[-1])
        left -= len(batch)
        number += 1
        expected = model.post(batch)
        assert post(fresh, batch, f"{number:03d}") == expected
        codes |= set(expected.values())
    assert codes == {"duplicate", "conflict", "no_legs", "unknown_account", "unbalanced"}
    with psycopg.connect(fresh.owner) as owner:
        rows = owner.execute("SELECT account_id, amount_minor, version FROM balance ORDER BY account_id").fetchall()
        assert rows == [(i, model.balances[i], model.versions[i]) for i in sorted(ids)]
        stored = {row[0]: bytes(row[1]) for row in owner.execute("SELECT idempotency_key, body_digest FROM transfer")}
        assert stored == {key: digest(body) for key, body in model.bodies.items()}
        assert_chains(owner)


def assert_chains(owner):
    """Versions 1..n and running balances for every account, and the balance row is the last of them."""
    running = {}
    for account, version, amount, after in owner.execute(
        "SELECT account_id, version, amount_minor, balance_after FROM posting ORDER BY account_id, version"
    ):
        last, balance = running.get(account, (0, 0))
        assert (version, after) == (last + 1, balance + amount)
        running[account] = (version, after)
    for account, version, amount in owner.execute("SELECT account_id, version, amount_minor FROM balance"):
        assert running.get(account, (0, 0)) == (version, amount)


# Who may write


@pytest.mark.parametrize("table", ["posting", "transfer", "balance", "account"])
def test_the_application_writes_through_the_functions_only(shop, fresh, make, table):
    shop.app.ledger.post([sale(make, "a")], "one")
    inserts = {
        "posting": "SELECT account_id, version + 1, transfer_id, line, amount_minor, balance_after FROM posting",
        "transfer": "SELECT * FROM transfer",
        "balance": "SELECT 1000, 0, 0",
        "account": "OVERRIDING SYSTEM VALUE SELECT 1000, 'x', 'GBP', 'debit'",
    }
    column = {"posting": "line", "transfer": "kind", "balance": "amount_minor", "account": "code"}[table]
    for statement in (
        f"INSERT INTO {table} {inserts[table]}",
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
            connection.execute(statement)
    assert counts(shop) == (1, 2)
    assert balances(shop) == {(CLEARING, "GBP"): 1000, ("income:sales", "GBP"): -1000}


@pytest.mark.parametrize("table", ["posting", "transfer", "account"])
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_the_books_are_append_only_for_their_owner_too(shop, fresh, make, table, statement):
    shop.app.ledger.post([sale(make, "a")], "one")
    column = {"posting": "amount_minor", "transfer": "kind", "account": "code"}[table]
    with psycopg.connect(fresh.owner) as owner, pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        owner.execute(statement.format(table, column))


INSERT_POSTINGS = """
    INSERT INTO posting (account_id, version, transfer_id, line, amount_minor, balance_after)
    SELECT b.account_id, b.version + %(step)s, t.transfer_id, 9, d.amount, b.amount_minor + d.amount + %(off)s
    FROM (VALUES ('assets:clearing:online_retail', %(debit)s::bigint), ('income:sales', %(credit)s::bigint))
         AS d (code, amount)
    JOIN account a USING (code) JOIN balance b USING (account_id) CROSS JOIN transfer t
"""
GOOD = {"step": 1, "off": 0, "debit": 5, "credit": -5}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"credit": -4}, "does not balance"),
        ({"step": 2}, "broken version chain"),
        ({"off": 1}, "broken version chain"),
        ({"step": 0}, None),  # a version that is taken
        ({"debit": 0, "credit": 0}, None),  # a posting of nothing
    ],
)
def test_the_trigger_stops_the_owner_too(shop, fresh, make, change, what):
    shop.app.ledger.post([sale(make, "a")], "one")
    before = balances(shop)
    with psycopg.connect(fresh.owner) as owner:
        with pytest.raises(psycopg.IntegrityError, match=what):
            owner.execute(INSERT_POSTINGS, {**GOOD, **change})
        owner.rollback()
    assert balances(shop) == before


def test_what_the_trigger_lets_pass_the_audit_still_finds(shop, fresh, make):
    """Legs that balance and continue the chain, added to a transfer that never had them."""
    shop.take_in(make.payment("1"))
    assert violations(shop) == []
    with psycopg.connect(fresh.owner) as owner:
        owner.execute(INSERT_POSTINGS, GOOD)
    assert {where for where, _, _ in violations(shop)} == {"transfer", "posting"}


# Concurrency


@pytest.mark.slow
def test_two_threads_with_overlapping_keys(shop, make):
    shop.app.events.append([make.payment(str(n), 100 + n) for n in range(300)])
    transfers = [shop.app.ledger.transfer_of(event.envelope) for event in shop.app.events.read()]
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
            posted += len(batch) - len(shop.app.ledger.post(batch, f"{name}-{start:03d}"))
        return posted

    with ThreadPoolExecutor(2) as pool:
        posted = list(pool.map(work, ["a", "b"]))
    assert sum(posted) == 300
    assert counts(shop) == (300, 600)
    assert balances(shop)[CLEARING, "GBP"] == sum(100 + n for n in range(300))
    with psycopg.connect(shop.owner) as owner:
        assert_chains(owner)
    assert shop.app.ledger.post_pending() == 300  # read by the ledger's own reader: duplicates, every one
    shop.app.events.sequence()
    assert violations(shop) == []


def test_two_threads_that_follow_the_log(shop, make, monkeypatch):
    monkeypatch.setattr("steward.ledger.service._BATCH", 7)
    shop.app.events.append([make.payment(str(n), 100 + n, processor=f"p{n % 5}") for n in range(100)])
    with ThreadPoolExecutor(2) as pool:
        read = list(pool.map(lambda _i: shop.app.ledger.post_pending(), range(2)))
    assert sum(read) == 100
    shop.app.events.sequence()
    assert violations(shop) == []


def test_threads_that_open_the_same_accounts(shop, make):
    both = threading.Barrier(4, timeout=30)

    def work(n):
        both.wait()
        return shop.app.ledger.post([sale(make, f"k{n}")], f"batch {n}")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [[]] * 4
    assert shop.one("SELECT count(*) FROM account") == 2
    assert shop.one("SELECT count(*) FROM balance") == 2
    assert balances(shop)[CLEARING, "GBP"] == 4000


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
    text = "\n".join(shop.app.ledger.hledger()) + "\n"
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
