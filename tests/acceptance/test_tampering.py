"""Change any one cell of what is stored, and the right check says no and names the row."""

import datetime as dt
import os
import uuid

import psycopg
import pytest
from psycopg import sql

from steward.bootstrap import open_app

pytestmark = [pytest.mark.db, pytest.mark.slow]

CELLS = {
    "event": (
        "events",
        """position source event_id type subject occurred_at recorded_at schema_version correlation_id causation_id data
        body_digest leaf_hash""",
    ),
    "transfer": (
        "ledger",
        "transfer_no batch_id effective_at key kind source body_digest",
    ),
    "posting": ("ledger", "account_id version transfer_no line amount_minor balance_after effective_on"),
    "account": ("ledger", "code currency normal is_closed batch_id"),
    "ledger_batch": ("ledger", "recorded_at rows digest"),
    "balance": ("ledger", "account_id amount_minor version pending_debit_minor pending_credit_minor"),
    "decision": ("audit", "decision_id action_id policy_version chosen propensity record digest"),
    "proof_bundle": ("audit", "action_id verdict answer bundle bundle_digest"),
    "action": (
        "audit",
        "action_id idempotency_key kind proposed_at proposer snapshot_id proposal outcome risk amount_minor result",
    ),
    "snapshot": ("audit", "snapshot_id as_of currency metrics digest"),
}


@pytest.fixture(scope="module")
def opened(tiny_demo):
    """The shop's application in this process, and a connection that may break the rules on purpose."""
    shop, _ = tiny_demo
    saved = dict(os.environ)
    os.environ.update({key: value for key, value in shop.env.items() if key.startswith("STEWARD_")})
    try:
        with open_app() as app, psycopg.connect(owner_of(shop), autocommit=True) as connection:
            try:
                connection.execute("SET session_replication_role = replica")
            except psycopg.errors.InsufficientPrivilege:
                pytest.skip("the server's user is no superuser and cannot tamper")
            yield app, connection
    finally:
        os.environ.clear()
        os.environ.update(saved)


def owner_of(shop) -> str:
    if "STEWARD_DATABASE_URL" in shop.env:
        return shop.env["STEWARD_DATABASE_URL"]
    from steward.infra.postgres import EmbeddedPostgres

    return EmbeddedPostgres(shop.home).start().owner_conninfo("steward")


def mutated(value):
    """The same kind of value with one byte (or bit, or digit) changed."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int ^ 1)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 10_003
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value + dt.timedelta(days=1)
    if isinstance(value, dt.datetime):
        return value + dt.timedelta(microseconds=1)
    return None


def text_mutations(column: str, value: str):
    """One letter changed; words of a closed set become another of that set."""
    closed = {
        "outcome": ["held", "shadowed", "refused"],
        "risk": ["L0", "L1", "L2"],
        "verdict": ["ALLOW", "DENY", "ESCALATE"],
        "normal": ["debit", "credit"],
        "currency": ["GBP", "EUR"],
    }
    if column in closed:
        return next(word for word in closed[column] if word != value)
    middle = len(value) // 2
    return value[:middle] + ("x" if value[middle] != "x" else "y") + value[middle + 1 :]


def json_mutation(value):
    """Change the first leaf that is found, whatever it is."""
    if isinstance(value, dict):
        key = next((k for k in sorted(value) if value[k] not in ({}, [])), None)
        return {"x": 1} if key is None else {**value, key: json_mutation(value[key])}
    if isinstance(value, list):
        return [json_mutation(value[0]), *value[1:]] if value else ["x"]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return text_mutations("", value) if value else "x"


def violations(app, check):
    if check == "events":
        return [(v["where"], v["row"]) for v in app.events.verify().violations]
    if check == "ledger":
        return [(v.where, v.row) for v in app.books.check().violations]
    return [(v.where, v.row) for v in app.auditor.verify().invalid]


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, (_, columns) in CELLS.items() for column in columns.split()]
)
def test_a_changed_cell_is_found_and_named(opened, table, column):
    app, connection = opened
    check = CELLS[table][0]
    name, cell = sql.Identifier(table), sql.Identifier(column)
    pick = sql.SQL("SELECT ctid::text, {} FROM {} WHERE {} IS NOT NULL ORDER BY ctid")
    rows = connection.execute(pick.format(cell, name, cell)).fetchall()
    ctid, old = rows[len(rows) // 2]
    if isinstance(old, dict | list):
        new = psycopg.types.json.Jsonb(json_mutation(old))
        old = psycopg.types.json.Jsonb(old)
    else:
        new = text_mutations(column, old) if isinstance(old, str) else mutated(old)
    update = sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s RETURNING ctid::text").format(name, cell)
    moved = connection.execute(update, (new, ctid)).fetchone()[0]
    try:
        found = violations(app, check)
    finally:
        connection.execute(update, (old, moved))
    assert found, f"{table}.{column} changed unseen"
    assert all(row for _, row in found)
    owners = {table, "ledger_batch", "posting", "transfer", "balance", "event", "proof_bundle", "action"}
    assert {where for where, _ in found} & owners


@pytest.mark.parametrize("table", ["event", "transfer", "posting", "decision", "proof_bundle", "action", "snapshot"])
def test_a_removed_row_is_found(opened, table):
    app, connection = opened
    name = sql.Identifier(table)
    with connection.transaction(force_rollback=False):
        connection.execute(sql.SQL("CREATE TEMP TABLE kept AS SELECT * FROM {} LIMIT 1 OFFSET 3").format(name))
        key = connection.execute(sql.SQL("SELECT ctid::text FROM {} LIMIT 1 OFFSET 3").format(name)).fetchone()[0]
        connection.execute(sql.SQL("DELETE FROM {} WHERE ctid = %s").format(name), (key,))
    try:
        assert violations(app, CELLS[table][0])
    finally:
        connection.execute(sql.SQL("INSERT INTO {} SELECT * FROM kept").format(name))
        connection.execute("DROP TABLE kept")


def test_the_untouched_shop_is_sound(opened):
    app, _ = opened
    assert [violations(app, check) for check in ("events", "ledger", "audit")] == [[], [], []]
