"""What nobody can do to the books: not the application, not their owner, and not unseen by whoever gets around both."""

import random
import uuid
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import psycopg
import pytest
from psycopg import sql

from steward.contracts.ledger import Finish, Hold, Leg, Transfer

pytestmark = pytest.mark.db

TABLES = [
    "ledger_batch", "account", "account_change", "balance", "transfer", "posting", "hold", "hold_open", "hold_leg", "hold_end",
    "period_change", "fx_rate", "posting_fold", "posting_day", "posting_month",
]  # fmt: skip
WRITTEN_BY_TRIGGERS = {"account", "balance", "hold_open", "posting_day", "posting_month"}
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def pair(amount):
    return (
        Leg(account="assets:bank", currency="GBP", amount_minor=amount),
        Leg(account="equity:opening", currency="GBP", amount_minor=-amount),
    )


@pytest.fixture
def filled(shop, make):
    """Books with rows in every table."""
    shop.take_in(make.payment("1"), make.payment("2", 777), make.refund("C1"))
    ledger = shop.app.ledger
    moves = [(f"t{n}", 1000 + n) for n in range(6)]
    post = [
        Transfer(
            key=key,
            kind="test",
            effective_at=make.start + timedelta(days=n),
            source=key,
            legs=pair(amount),
            party="somebody",
        )
        for n, (key, amount) in enumerate(moves)
    ]
    undo = Transfer(key="r", kind="test", effective_at=make.start, source="r", legs=pair(-1000), reverses="t0")
    assert ledger.post(post) == []
    assert ledger.post([undo]) == []
    holds = [
        Hold(key=f"h{n}", kind="test", expires_at=FAR, source="h", legs=pair(-10 - n), party="somebody")
        for n in range(5)
    ]
    assert ledger.hold(holds) == []
    ends = [
        Finish(key="f0", hold="h0", how="post", effective_at=make.start),
        Finish(key="f1", hold="h1", how="post", effective_at=make.start, legs=pair(-3)),
        Finish(key="f2", hold="h2", how="void", effective_at=make.start),
    ]
    assert ledger.finish(ends) == []
    ledger.set_limits("assets:bank", "GBP", -10, 10**9, "owner", "test")
    ledger.set_limits("assets:bank", "GBP", -20, 10**9, "owner", "test")
    ledger.set_closed("income:sales", "GBP", True, "owner", "test")
    ledger.set_period("2011-04", date(2011, 4, 1), date(2011, 5, 1), "soft", "owner", "test")
    ledger.set_period("2011-04", date(2011, 4, 1), date(2011, 5, 1), "closed", "owner", "test")
    ledger.set_rate("USD", "GBP", date(2011, 5, 1), Fraction(3, 4), "test")
    assert ledger.fold(1) > 0
    assert ledger.post([post[0].model_copy(update={"key": "after", "source": "after"})]) == []
    shop.app.events.sequence()
    assert shop.app.books.check().violations == []
    return shop


def test_the_application_can_only_call_the_functions(filled, fresh):
    for table in TABLES:
        name = sql.Identifier(table)
        for statement in (
            "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM {0}",
            "DELETE FROM {0}",
            "TRUNCATE {0} CASCADE",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
                connection.execute(sql.SQL(statement).format(name))
        column = sql.Identifier(first_column(fresh, table))
        with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
            connection.execute(sql.SQL("UPDATE {0} SET {1} = {1}").format(name, column))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute("SELECT ledger_next_batch()")


def first_column(fresh, table):
    with psycopg.connect(fresh.owner) as owner:
        return owner.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table))).description[-1].name


@pytest.mark.parametrize("table", TABLES)
def test_their_owner_cannot_change_or_remove_a_row(filled, fresh, table):
    name, column = sql.Identifier(table), sql.Identifier(first_column(fresh, table))
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        assert owner.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()[0] > 0
        for statement in ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(sql.SQL(statement).format(name, column))
        if table in WRITTEN_BY_TRIGGERS - {"account"}:
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(sql.SQL("INSERT INTO {0} SELECT * FROM {0} WHERE false").format(name))
    assert filled.app.books.check().violations == []


POSTINGS = """
    INSERT INTO posting (account_id, version, transfer_no, line, amount_minor, balance_after, effective_on)
    SELECT b.account_id, b.version + %(step)s, t.transfer_no, 9, d.amount, b.amount_minor + d.amount + %(off)s,
           t.effective_at::date
    FROM (VALUES ('assets:bank', %(debit)s::bigint), (%(other)s, %(credit)s::bigint)) AS d (code, amount)
    JOIN account a USING (code) JOIN balance b USING (account_id)
    CROSS JOIN (SELECT * FROM transfer ORDER BY transfer_no LIMIT 1) t
"""
GOOD = {"step": 1, "off": 0, "debit": 5, "credit": -5, "other": "equity:opening"}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"credit": -4}, "does not balance"),
        ({"step": 2}, "broken version chain"),
        ({"off": 1}, "broken version chain"),
        ({"step": 0}, None),  # a version that is taken
        ({"debit": 0, "credit": 0}, None),  # a posting of nothing
        ({"other": "income:sales"}, "closed"),
        ({"debit": -(10**8), "credit": 10**8}, "limit"),
        ({"debit": 10**10, "credit": -(10**10)}, "limit"),
    ],
)
def test_a_wrong_posting_is_refused_whoever_inserts_it(filled, fresh, change, what):
    with psycopg.connect(fresh.owner) as owner:
        with pytest.raises(psycopg.IntegrityError, match=what):
            owner.execute(POSTINGS, {**GOOD, **change})
        owner.rollback()
    assert filled.app.books.check().violations == []


def test_other_wrong_rows_are_refused_whoever_inserts_them(filled, fresh):
    leg = "INSERT INTO hold_leg SELECT (SELECT max(hold_no) FROM hold), 9, account_id, 5 FROM account LIMIT 1"
    gone = (
        "INSERT INTO hold_leg SELECT (SELECT min(hold_no) FROM hold), line + 5, account_id, amount_minor FROM hold_leg"
    )
    rows = {
        leg: "does not balance",
        gone + " WHERE hold_no = (SELECT min(hold_no) FROM hold)": "has ended",
        "INSERT INTO hold_end SELECT hold_no, batch_id, NULL, 'expired', NULL, NULL FROM hold_end": None,
        "INSERT INTO hold_end VALUES (10000, 1, NULL, 'expired', NULL, NULL)": "does not exist",
        "INSERT INTO period_change VALUES ('x', 1, '2011-04-30', '2011-05-02', 'open', 'a', 'b', 1)": "overlap",
        "INSERT INTO period_change VALUES ('2011-04', 9, '2011-04-01', '2011-05-01', 'open', 'a', 'b', 1)": "broken chain",
        "INSERT INTO account_change SELECT account_id, 9, 0, 0, false, 'a', 'b', 1 FROM account LIMIT 1": "broken chain",
        "INSERT INTO posting_fold SELECT account_id, version + 1, 1 FROM balance": "cannot be folded",
    }
    for statement, what in rows.items():
        with psycopg.connect(fresh.owner) as owner:
            with pytest.raises(psycopg.IntegrityError, match=what):
                owner.execute(statement)
            owner.rollback()


# Around the guards


def other_value(rng, value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 2, 10])
    if isinstance(value, str):
        return value + rng.choice("xyz") if len(value) != 3 else value[::-1]
    if isinstance(value, bytes):
        at = rng.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << rng.randrange(8)]) + value[at + 1 :]
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int ^ 1 << rng.randrange(128))
    if isinstance(value, datetime):
        return value + timedelta(microseconds=rng.choice([-1, 1, 1000]))
    if isinstance(value, date):
        return value + timedelta(days=rng.choice([-1, 1]))
    return {"NoneType": 7}[type(value).__name__]


@pytest.mark.slow
def test_any_cell_that_is_changed_behind_the_guards_is_found(filled, fresh):
    rng = random.Random(20261123)
    changed = 0
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        try:
            owner.execute("SET session_replication_role = replica")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the server's user is no superuser and cannot tamper")
        for table in TABLES:
            columns = [c.name for c in owner.execute(f"SELECT * FROM {table} LIMIT 0").description]
            for column in columns:
                found, changed = change_one(filled, owner, rng, table, column), changed + 1
                assert found, f"{table}.{column} changed unseen"
    assert changed > 80


def change_one(filled, owner, rng, table, column):
    """Whether the audit sees one changed cell of a column; the cell is put back. A value that no row could have (a
    constraint stops it) is as good as seen.
    """
    name, cell = sql.Identifier(table), sql.Identifier(column)
    rows = owner.execute(sql.SQL("SELECT ctid::text, {} FROM {}").format(cell, name)).fetchall()
    ctid, old = rng.choice(rows)
    update = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s RETURNING ctid::text").format(name, cell)
    try:
        moved = owner.execute(update, (other_value(rng, old), ctid)).fetchone()[0]
    except (psycopg.IntegrityError, psycopg.errors.GeneratedAlways, psycopg.errors.DatatypeMismatch):
        return True
    try:
        return bool(filled.app.books.check().violations)
    finally:
        owner.execute(update, (old, moved))
