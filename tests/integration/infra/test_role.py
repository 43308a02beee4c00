"""What the application's role may not do, on whatever server."""

import psycopg
import pytest

pytestmark = pytest.mark.db


def test_the_application_is_no_superuser(fresh):
    with fresh.app.transaction() as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles "
            "WHERE rolname = current_user"
        ).fetchone()
    assert not any(row.values())


def test_the_application_owns_nothing(fresh):
    with fresh.app.transaction() as connection:
        owned = connection.execute(
            "SELECT count(*) AS n FROM pg_class WHERE relowner = 'steward_app'::regrole"
        ).fetchone()
    assert owned["n"] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (x integer)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "ALTER TABLE event ADD COLUMN mine integer",
        "DROP TABLE event",
        "DROP TRIGGER event_is_append_only ON event",
        "CREATE OR REPLACE FUNCTION deny_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "ALTER ROLE steward_app SUPERUSER",
        "COPY event TO PROGRAM 'cat'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT rolpassword FROM pg_authid",
        "TRUNCATE event_outbox",
        "INSERT INTO schema_migration (version, name, checksum) VALUES (99, 'x', 'x')",
    ],
)
def test_the_application_may_not(fresh, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute(statement)


def test_the_application_may_not_hand_on_what_it_may(fresh):
    """PostgreSQL answers a grant of nothing with a warning only, so look at what came of it."""
    with fresh.app.transaction() as connection:
        connection.execute("GRANT ALL ON event TO PUBLIC")
        row = connection.execute(
            "SELECT count(*) AS n FROM information_schema.role_table_grants "
            "WHERE grantee = 'PUBLIC' AND table_name = 'event'"
        ).fetchone()
    assert row["n"] == 0


def test_a_temporary_table_does_not_stand_in_for_the_books(fresh):
    """The posting functions run as their owner: what they call `balance` must be the real one."""
    with fresh.app.transaction() as connection:
        connection.execute("CREATE TEMP TABLE account (LIKE account INCLUDING ALL)")
        connection.execute("CREATE TEMP TABLE balance (account_id integer, amount_minor bigint, version bigint)")
        opened = connection.execute(
            "SELECT ledger_open(ARRAY['income:sales'], ARRAY['GBP'], ARRAY['credit'], now()) AS batch_id"
        ).fetchall()
        assert len(opened) == 1
        assert connection.execute("SELECT count(*) AS n FROM public.balance").fetchone()["n"] == 1
        assert connection.execute("SELECT count(*) AS n FROM pg_temp.balance").fetchone()["n"] == 0
