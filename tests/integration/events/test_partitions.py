"""The log crosses from partition to partition by itself, and each of them is as closed as the first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from steward.contracts.event import Envelope
from steward.events import EventLog
from steward.events.core.merkle import root_of_leaves
from steward.infra.clock import FrozenClock

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 50


def sku(name):
    return Envelope(id=str(name), source="s", type="StockOut", subject=f"sku/{name}", time=AT, data={"sku": str(name)})


def rows(owner, query):
    with psycopg.connect(owner, autocommit=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def log(fresh, tmp_path):
    """A log whose first partition, like every later one, takes 50 events."""
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        owner.execute("ALTER TABLE event DETACH PARTITION event_1")
        owner.execute(f"ALTER TABLE event ATTACH PARTITION event_1 FOR VALUES FROM (1) TO ({ROWS + 1})")
        owner.execute("UPDATE log_head SET partition_rows = %s, room = %s", (ROWS, ROWS))
    return EventLog(fresh.app, FrozenClock(AT), tmp_path / "checkpoints.jsonl")


def partitions(owner):
    """Name and rows of every partition, in order."""
    names = rows(owner, "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'event'::regclass")
    ordered = sorted((name for (name,) in names), key=lambda name: int(name.removeprefix("event_")))
    return [(name, rows(owner, f"SELECT count(*) FROM {name}")[0][0]) for name in ordered]


def test_appending_crosses_partitions_by_itself(log, fresh):
    for start in range(0, 230, 23):
        assert log.append([sku(n) for n in range(start, start + 23)]).accepted == 23
    assert [p for (p,) in rows(fresh.owner, "SELECT position FROM event ORDER BY position")] == list(range(1, 231))
    made = partitions(fresh.owner)
    assert [name for name, _ in made][:5] == ["event_1", "event_51", "event_101", "event_151", "event_201"]
    assert [count for _, count in made][:5] == [50, 50, 50, 50, 30]
    assert not any(count for _, count in made[5:])
    (room,) = rows(fresh.owner, "SELECT room FROM log_head")[0]
    assert room == len(made) * ROWS
    assert log.append([sku(n) for n in range(230)]).duplicates == 230
    report = log.verify()
    assert (report.count, report.dense, report.violations) == (230, True, [])
    leaves = [bytes(leaf) for (leaf,) in rows(fresh.owner, "SELECT leaf_hash FROM event ORDER BY position")]
    assert log.head()["root"] == root_of_leaves(leaves).hex()


def test_one_batch_may_fill_several_partitions(log, fresh):
    assert log.append([sku(n) for n in range(333)]).accepted == 333
    assert [count for _, count in partitions(fresh.owner)][:7] == [50, 50, 50, 50, 50, 50, 33]
    assert [event.position for event in log.read(40, limit=100)] == list(range(41, 141))
    assert [event.position for event in log.read(subject="sku/211")] == [212]
    assert log.verify().is_intact


def test_a_partition_is_made_before_it_is_needed(log, fresh):
    log.append([sku(n) for n in range(25)])
    assert [name for name, _ in partitions(fresh.owner)] == ["event_1"]
    log.append([sku(25)])
    assert [name for name, _ in partitions(fresh.owner)] == ["event_1", "event_51"]


def test_a_batch_that_failed_leaves_neither_rows_nor_partitions(log, fresh):
    with pytest.raises(ZeroDivisionError), fresh.app.transaction():
        log.append([sku(n) for n in range(200)])
        raise ZeroDivisionError
    assert partitions(fresh.owner) == [("event_1", 0)]
    assert log.append([sku(n) for n in range(200)]).accepted == 200
    assert log.verify().is_intact


def test_many_threads_crossing_at_once_leave_no_gap(log, fresh):
    def work(name):
        return sum(log.append([sku(f"{name}-{n}-{i}") for i in range(7)]).accepted for n in range(10))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 420
    assert [p for (p,) in rows(fresh.owner, "SELECT position FROM event ORDER BY position")] == list(range(1, 421))
    assert log.verify().is_intact


def test_the_outbox_is_sequenced_across_partitions(log):
    log.put([sku(n) for n in range(120)])
    assert log.sequence() == 120
    assert log.verify().is_intact


STATEMENTS = [
    "UPDATE {} SET source = 'x'",
    "DELETE FROM {}",
    "TRUNCATE {}",
    "UPDATE {} SET position = position + 1000",
]
TABLES = ["event", "event_1", "event_51", "event_101"]
DIRECT = ["SELECT FROM {}", "INSERT INTO {} SELECT * FROM event", "DROP TABLE {}", "ALTER TABLE {} DISABLE TRIGGER ALL"]
CUTTING = [
    "ALTER TABLE event DETACH PARTITION event_51",
    "CREATE TABLE event_9999 PARTITION OF event FOR VALUES FROM (9999) TO (10000)",
    "UPDATE log_head SET room = 1",
    "UPDATE log_head SET partition_rows = 1",
]


def denied(fresh, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute(statement)


def test_every_partition_is_append_only_and_closed_to_the_application(log, fresh):
    log.append([sku(n) for n in range(120)])
    for statement in [each.format(table) for each in STATEMENTS for table in TABLES]:
        denied(fresh, statement)
        with (
            psycopg.connect(fresh.owner) as owner,
            pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
        ):
            owner.execute(statement)
    for statement in [*(each.format(table) for each in DIRECT for table in TABLES[1:]), *CUTTING]:
        denied(fresh, statement)
    assert rows(fresh.owner, "SELECT count(*) FROM event") == [(120,)]
    assert log.verify().is_intact


def test_room_is_made_once(log, fresh):
    for _ in range(3):
        with fresh.app.transaction() as connection:
            made = connection.execute("SELECT log_make_room(120) AS room").fetchall()
        assert made == [{"room": 150}]
    assert [name for name, _ in partitions(fresh.owner)] == ["event_1", "event_51", "event_101"]


def test_room_that_is_there_is_not_made_and_absurd_room_is_refused(log, fresh):
    for wanted in (-1, 0, 50):
        with fresh.app.transaction() as connection:
            assert connection.execute("SELECT log_make_room(%s) AS room", (wanted,)).fetchall() == [{"room": 50}]
    for wanted in (5_001, 10**9, 2**63 - 1):
        with pytest.raises(psycopg.errors.RaiseException, match="far beyond"), fresh.app.transaction() as connection:
            connection.execute("SELECT log_make_room(%s::bigint)", (wanted,))
    assert [name for name, _ in partitions(fresh.owner)] == ["event_1"]
    assert rows(fresh.owner, "SELECT room FROM log_head") == [(50,)]
