"""One of many sequencers works; when it dies another takes over; nothing is lost, and nothing is doubled."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from steward.contracts.event import Envelope
from steward.events import EventLog, Sequencer
from steward.infra.clock import FrozenClock
from steward.infra.db import Database

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(name):
    return Envelope(id=str(name), source="s", type="StockOut", subject="sku/1", time=AT, data={"sku": str(name)})


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr("steward.events.service.sequencer._WAIT_SECONDS", 0.02)
    monkeypatch.setattr("steward.events.service.sequencer._IDLE_SECONDS", 0.002)
    monkeypatch.setattr("steward.events.service.sequencer.LEASE_SECONDS", 0.4)


@pytest.fixture
def log(fresh, tmp_path):
    return EventLog(fresh.app, FrozenClock(AT), tmp_path / "checkpoints.jsonl")


@contextmanager
def running(*sequencers):
    threads = [threading.Thread(target=each.run) for each in sequencers]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for each in sequencers:
            each.stop()
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def one(fresh, query, parameters=None):
    with psycopg.connect(fresh.owner, autocommit=True) as connection:
        return connection.execute(query, parameters).fetchone()[0]


def is_empty(fresh):
    return lambda: one(fresh, "SELECT count(*) FROM event_outbox") == 0


def ids(log):
    return [event.envelope.id for event in log.read(limit=10_000)]


def test_what_waits_and_what_comes_is_moved(fresh, log):
    log.put([fact(n) for n in range(10)])
    sequencer = Sequencer(fresh.app, log, "a")
    with running(sequencer):
        until(is_empty(fresh))
        log.put([fact(n) for n in range(10, 20)])
        until(is_empty(fresh))
    assert ids(log) == [str(n) for n in range(20)]
    assert sequencer.moved == 20


def test_of_two_one_works(fresh, log):
    first, second = Sequencer(fresh.app, log, "a"), Sequencer(fresh.app, log, "b")
    with running(first):
        until(lambda: one(fresh, "SELECT holder FROM sequencer") == "a")
        with running(second):
            for n in range(30):
                log.put([fact(n)])
            until(is_empty(fresh))
            time.sleep(0.5)  # longer than a lease: it is renewed
            log.put([fact("last")])
            until(is_empty(fresh))
            assert one(fresh, "SELECT holder FROM sequencer") == "a"
        assert (first.moved, second.moved) == (31, 0)
    assert one(fresh, "SELECT generation FROM sequencer") == 1


def test_who_stops_gives_the_lease_back(fresh, log, monkeypatch):
    monkeypatch.setattr("steward.events.service.sequencer.LEASE_SECONDS", 3600)
    with running(Sequencer(fresh.app, log, "a")):
        until(lambda: one(fresh, "SELECT holder FROM sequencer") == "a")
    log.put([fact(1)])
    second = Sequencer(fresh.app, log, "b")
    with running(second):
        until(is_empty(fresh))
    assert second.moved == 1
    assert one(fresh, "SELECT generation FROM sequencer") == 2


def test_who_died_holding_the_lease_is_followed_when_it_lapses(fresh, log):
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        owner.execute(
            "UPDATE sequencer SET holder = 'dead', lease_until = clock_timestamp() + interval '0.5 seconds', generation = 1"
        )
    log.put([fact(1)])
    follower = Sequencer(fresh.app, log, "b")
    with running(follower):
        time.sleep(0.2)
        assert follower.moved == 0
        until(is_empty(fresh))
    assert (follower.moved, ids(log)) == (1, ["1"])
    assert one(fresh, "SELECT generation FROM sequencer") == 2


def test_a_lease_that_lapsed_long_ago_holds_nobody_up(fresh, log):
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        owner.execute("UPDATE sequencer SET holder = 'dead', lease_until = clock_timestamp() - interval '1 hour'")
    log.put([fact(1)])
    started = time.monotonic()
    with running(Sequencer(fresh.app, log, "b")):
        until(is_empty(fresh))
    assert time.monotonic() - started < 5


def test_a_holder_that_wakes_up_after_its_lease_doubles_nothing(fresh, log):
    """Two who both believe that they hold the lease: the head's lock is what keeps them apart."""
    for n in range(300):
        log.put([fact(n)])
    moved = []

    def work():
        while batch := log.sequence_once():
            moved.append(batch)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(moved) == 300
    assert ids(log) == [str(n) for n in range(300)]


def test_both_at_once_while_others_write_never_double_and_leave_the_outbox_empty(
    fresh, log, cluster, tmp_path, monkeypatch
):
    """Leases so short that they change hands all the time, direct appends, and the same facts put twice."""
    monkeypatch.setattr("steward.events.service.sequencer.LEASE_SECONDS", 0.001)
    other = Database(psycopg.conninfo.make_conninfo(cluster.app, dbname=fresh.name), cluster.role)
    try:
        there = EventLog(other, FrozenClock(AT), tmp_path / "other.jsonl")
        sequencers = [Sequencer(fresh.app, log, "a"), Sequencer(other, there, "b")]

        def put(name):
            for n in range(40):
                log.put([fact(f"{name}-{n}"), fact(f"shared-{n}")])

        with running(*sequencers):
            writers = [threading.Thread(target=put, args=(name,)) for name in "xyz"]
            for writer in writers:
                writer.start()
            for n in range(40):
                there.append([fact(f"direct-{n}")])
            for writer in writers:
                writer.join(30)
            until(is_empty(fresh))
    finally:
        other.close()
    found = ids(log)
    assert len(found) == len(set(found)) == 5 * 40
    for name in ("x", "y", "z", "direct"):
        assert [each for each in found if each.startswith(f"{name}-")] == [f"{name}-{n}" for n in range(40)]
    assert one(fresh, "SELECT generation FROM sequencer") > 2
    report = log.verify()
    assert (report.count, report.waiting, report.violations) == (200, 0, [])


def test_losing_its_connection_does_not_end_it(fresh, log):
    sequencer = Sequencer(fresh.app, log, "a")
    with running(sequencer):
        until(lambda: one(fresh, "SELECT holder FROM sequencer") == "a")
        for n in range(3):
            log.put([fact(n)])
            with psycopg.connect(fresh.owner, autocommit=True) as owner:
                owner.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            until(is_empty(fresh), 40)  # the pool waits longer with every connection it cannot make
    assert ids(log) == [str(n) for n in range(3)]


def test_a_fact_whose_name_is_taken_in_the_log_does_not_hold_up_the_others(fresh, log):
    log.append([fact(1)])
    changed = fact(1).model_copy(update={"data": {"sku": "other"}})
    log.put([fact(0), changed, fact(2)])
    with running(Sequencer(fresh.app, log, "a")):
        until(is_empty(fresh))
    assert ids(log) == ["1", "0", "2"]
    assert [row["event_id"] for row in log.conflicts()] == ["1"]
