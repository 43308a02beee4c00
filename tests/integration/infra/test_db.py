"""Connections and transactions: joining, rolling back, losing the server, threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from steward.infra.db import Database
from steward.kernel.errors import Infrastructure

pytestmark = pytest.mark.db

INSERT = "INSERT INTO checkpoint (reader, position) VALUES (%s, 1)"


def readers(fresh) -> list[str]:
    with psycopg.connect(fresh.owner) as connection:
        return [row[0] for row in connection.execute("SELECT reader FROM checkpoint ORDER BY reader")]


def test_a_transaction_commits(fresh):
    with fresh.app.transaction() as connection:
        connection.execute(INSERT, ("a",))
        assert readers(fresh) == []
    assert readers(fresh) == ["a"]


def test_a_nested_transaction_joins_the_outer_one(fresh):
    with fresh.app.transaction() as outer:
        outer.execute(INSERT, ("a",))
        with fresh.app.transaction() as inner:
            assert inner is outer
            inner.execute(INSERT, ("b",))
        assert readers(fresh) == []  # leaving the inner one commits nothing
    assert readers(fresh) == ["a", "b"]


def test_an_exception_rolls_everything_back(fresh):
    with pytest.raises(ZeroDivisionError), fresh.app.transaction() as outer:
        outer.execute(INSERT, ("a",))
        with fresh.app.transaction() as inner:
            inner.execute(INSERT, ("b",))
        raise ZeroDivisionError
    assert readers(fresh) == []


def test_an_exception_inside_a_nested_transaction_rolls_the_outer_one_back(fresh):
    with pytest.raises(ZeroDivisionError), fresh.app.transaction() as outer:
        outer.execute(INSERT, ("a",))
        with fresh.app.transaction() as inner:
            inner.execute(INSERT, ("b",))
            raise ZeroDivisionError
    assert readers(fresh) == []
    with fresh.app.transaction() as connection:  # and the next one is a new one
        connection.execute(INSERT, ("c",))
    assert readers(fresh) == ["c"]


def gone(fresh, pid):
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        return not owner.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()[0]


def wait_for(condition):
    """Whether it holds within ten seconds."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_rolled_back_leaves_nothing(fresh):
    with fresh.app.rolled_back() as connection:
        connection.execute(INSERT, ("a",))
        with fresh.app.transaction() as inner:
            assert inner is connection
            inner.execute(INSERT, ("b",))
    assert readers(fresh) == []


def test_an_error_of_the_statement_is_not_the_databases_fault(fresh):
    with pytest.raises(psycopg.errors.UniqueViolation), fresh.app.transaction() as connection:
        connection.execute(INSERT, ("a",))
        connection.execute(INSERT, ("a",))
    assert readers(fresh) == []


def test_a_lost_connection_is_infrastructure_and_the_next_one_works(fresh):
    with pytest.raises(Infrastructure) as caught, fresh.app.transaction() as connection:
        connection.execute(INSERT, ("a",))
        own = connection.info.backend_pid
        with psycopg.connect(fresh.owner, autocommit=True) as owner:
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", (own,))
        connection.execute(INSERT, ("b",))
    assert isinstance(caught.value.__cause__, psycopg.OperationalError)
    assert "\n" not in str(caught.value)
    assert "steward db status" in str(caught.value)
    assert readers(fresh) == []
    with fresh.app.transaction() as connection:
        connection.execute(INSERT, ("c",))
    assert readers(fresh) == ["c"]


def test_a_transaction_ended_for_idling_is_a_lost_connection(fresh):
    with pytest.raises(Infrastructure, match="idle-in-transaction"), fresh.app.transaction() as connection:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
        assert wait_for(lambda: gone(fresh, connection.info.backend_pid))
        connection.execute(INSERT, ("a",))
    assert readers(fresh) == []


def test_connections_that_died_while_idle_are_replaced(fresh):
    with fresh.app.transaction() as connection:
        connection.execute("SELECT 1")
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'steward'"
        )
    with fresh.app.transaction() as connection:
        connection.execute(INSERT, ("a",))
    assert readers(fresh) == ["a"]


def test_no_server_is_infrastructure(monkeypatch, tmp_path):
    monkeypatch.setattr("steward.infra.db._CONNECT_SECONDS", 0.3)
    database = Database(f"host={tmp_path} user=nobody dbname=nothing")
    try:
        with pytest.raises(Infrastructure, match="the database"), database.transaction():
            pytest.fail("there is nothing to be in a transaction with")
    finally:
        database.close()


def test_threads_have_connections_of_their_own(fresh):
    both = threading.Barrier(2, timeout=30)

    def work(name):
        with fresh.app.transaction() as connection:
            connection.execute(INSERT, (name,))
            both.wait()  # both are inside now
            seen = connection.execute("SELECT count(*) AS n FROM checkpoint").fetchone()["n"]
            both.wait()
            return connection.info.backend_pid, seen

    with ThreadPoolExecutor(2) as pool:
        (one, seen_by_one), (other, seen_by_other) = pool.map(work, ["a", "b"])
    assert one != other
    assert (seen_by_one, seen_by_other) == (1, 1)
    assert readers(fresh) == ["a", "b"]


def test_a_thread_started_inside_a_transaction_does_not_join_it(fresh):
    def work():
        with fresh.app.transaction() as connection:
            connection.execute(INSERT, ("thread",))

    with pytest.raises(ZeroDivisionError), fresh.app.transaction() as connection:
        connection.execute(INSERT, ("main",))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        raise ZeroDivisionError
    assert readers(fresh) == ["thread"]


def test_more_threads_than_connections_all_get_their_turn(fresh):
    def work(i):
        with fresh.app.transaction() as connection:
            connection.execute(INSERT, (f"{i:02d}",))

    with ThreadPoolExecutor(25) as pool:
        list(pool.map(work, range(25)))
    assert len(readers(fresh)) == 25


def test_a_connection_speaks_utc_and_acts_as_the_application(fresh):
    with fresh.app.transaction() as connection:
        row = connection.execute("SELECT current_user::text AS who, current_setting('TimeZone') AS zone").fetchone()
    assert row == {"who": "steward_app", "zone": "UTC"}
