"""All migrations together are the committed schema; a migration that changed after it was applied is refused."""

from dataclasses import replace

import psycopg
import pytest

from steward.infra.migrate import migrate, read_migrations
from steward.infra.schema_dump import SCHEMA_FILE, dump
from steward.kernel.errors import Infrastructure

pytestmark = pytest.mark.db


def test_migrations_equal_the_committed_schema(fresh):
    with psycopg.connect(fresh.owner) as connection:
        assert dump(connection) == SCHEMA_FILE.read_text(encoding="utf-8"), "run python -m steward.infra.schema_dump"


def test_migrating_again_changes_nothing(fresh):
    assert migrate(fresh.owner) == read_migrations()[-1].version


def test_a_changed_migration_is_named(fresh):
    first, *rest = read_migrations()
    with pytest.raises(Infrastructure, match=first.name):
        migrate(fresh.owner, [replace(first, text=first.text + "-- later"), *rest])


def test_a_newer_database_is_refused(fresh):
    with pytest.raises(Infrastructure, match="does not know"):
        migrate(fresh.owner, read_migrations()[:-1])


def test_a_failing_migration_leaves_nothing(fresh):
    last = read_migrations()[-1]
    broken = replace(last, version=last.version + 1, name="x", text="CREATE TABLE half (a int); SELECT 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(fresh.owner, [*read_migrations(), broken])
    with psycopg.connect(fresh.owner) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)
