"""A database is real or a demonstration's, from its first moment and for ever."""

import psycopg
import pytest

from steward.infra.demonstration import hold_apart
from steward.kernel.errors import Conflict

pytestmark = pytest.mark.db


def asked(fresh, statement):
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def test_a_real_database_stays_real(fresh):
    hold_apart(fresh.owner, is_demonstration=False)
    assert asked(fresh, "SELECT * FROM demonstration") == []


def test_an_empty_one_is_marked_and_never_opens_as_a_real_one(fresh):
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        connection.execute("DELETE FROM gate_clock")
    for _ in range(2):
        hold_apart(fresh.owner, is_demonstration=True)
    assert len(asked(fresh, "SELECT * FROM demonstration")) == 1
    assert len(asked(fresh, "SELECT * FROM gate_clock")) == 1  # deadlines are judged by the business's time
    with pytest.raises(Conflict, match="belongs to a demonstration"):
        hold_apart(fresh.owner, is_demonstration=False)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM demonstration", "UPDATE demonstration SET name = 'x'", "TRUNCATE demonstration"]
)
def test_not_even_its_owner_takes_the_mark_back(fresh, statement):
    hold_apart(fresh.owner, is_demonstration=True)
    with pytest.raises(psycopg.errors.RestrictViolation):
        asked(fresh, statement)


def test_one_that_is_in_use_is_not_made_into_one(fresh):
    asked(
        fresh,
        "INSERT INTO api_key (key_id, name, digest, scopes, created_at) VALUES ('k', 'ana', sha256('x'), '{}', now()) RETURNING 1",
    )
    with pytest.raises(Conflict, match="its time is real"):
        hold_apart(fresh.owner, is_demonstration=True)


def test_the_application_cannot_write_the_mark(fresh):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute("INSERT INTO demonstration (name) VALUES ('mine')")
