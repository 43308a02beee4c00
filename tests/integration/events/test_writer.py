"""Micro-batches: whoever hands in a request hears of it, whatever becomes of the others."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime

import psycopg
import pytest

from steward.contracts.payloads import VERSIONS
from steward.events import BatchWriter, Decoder, EventLog, Request
from steward.infra.clock import FrozenClock
from steward.kernel.errors import Busy, StewardError

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
DECODER = Decoder(VERSIONS)


def events(*names, note="1"):
    documents = [
        {"id": str(name), "source": "s", "type": "StockOut", "subject": "sku/1", "time": "2026-01-01T00:00:00Z"}
        | {"data": {"sku": "M", "note": note}}
        for name in names
    ]
    return [event for _, event in DECODER.batch(json.dumps(documents).encode()).events]


def request(*names, atomic=False, note="1"):
    return Request(events(*names, note=note), atomic)


@pytest.fixture
def log(fresh, tmp_path):
    return EventLog(fresh.app, FrozenClock(AT), tmp_path / "checkpoints.jsonl")


@pytest.fixture
def make_writer(log):
    made = []

    def make(**limits):
        made.append(BatchWriter(log, **limits))
        return made[-1]

    yield make
    for writer in made:
        writer.close()


class HeadHeld:
    """Somebody else holds the log's head: writers wait."""

    def __init__(self, owner):
        self._connection = psycopg.connect(owner)
        self._connection.execute("SELECT FROM log_head FOR UPDATE")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.rollback()
        self._connection.close()


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def test_every_request_of_many_threads_is_answered(make_writer, log):
    writer = make_writer()

    def work(name):
        answers = [writer.submit(request(*(f"{name}-{n}-{i}" for i in range(3)), "shared")) for n in range(40)]
        return [outcome for answer in answers for outcome in answer.result(30)]

    with ThreadPoolExecutor(8) as pool:
        outcomes = [outcome for each in pool.map(work, range(8)) for outcome in each]
    stored = sorted(outcome.position for outcome in outcomes if outcome.status == "stored")
    assert stored == list(range(1, 8 * 40 * 3 + 2))
    assert sum(outcome.status == "duplicate" for outcome in outcomes) == 8 * 40 - 1
    report = log.verify()
    assert (report.count, report.violations) == (len(stored), [])
    assert writer.waiting == 0


def test_an_answer_comes_after_the_commit(make_writer, fresh):
    writer = make_writer()
    for n in range(20):
        ((_, position, _),) = writer.submit(request(n)).result(30)
        with psycopg.connect(fresh.owner) as owner:
            assert owner.execute("SELECT event_id FROM event WHERE position = %s", (position,)).fetchone() == (str(n),)


def test_requests_that_wait_go_together_and_keep_their_order(make_writer, fresh, log):
    writer = make_writer()
    with HeadHeld(fresh.owner):
        answers = [writer.submit(request(n)) for n in range(50)]
        assert not wait(answers, 0.1).done
    assert [answer.result(30)[0].position for answer in answers] == list(range(1, 51))
    assert [event.envelope.id for event in log.read()] == [str(n) for n in range(50)]
    with psycopg.connect(fresh.owner) as owner:
        transactions = owner.execute("SELECT count(DISTINCT xmin::text) FROM event").fetchone()[0]
    assert transactions <= 3


def test_a_batch_is_bounded_and_a_larger_request_still_goes(make_writer, fresh):
    writer = make_writer(most_in_a_batch=10)
    with HeadHeld(fresh.owner):
        answers = [writer.submit(request(*(f"{n}-{i}" for i in range(4)))) for n in range(10)]
        answers.append(writer.submit(request(*(f"big-{i}" for i in range(25)))))
    assert [len(answer.result(30)) for answer in answers] == [4] * 10 + [25]
    with psycopg.connect(fresh.owner) as owner:
        sizes = owner.execute("SELECT count(*) FROM event GROUP BY xmin::text").fetchall()
    assert max(size for (size,) in sizes) == 25
    assert all(size <= 10 for (size,) in sizes if size != 25)


def test_one_request_does_not_spoil_another_of_its_batch(make_writer, fresh):
    writer = make_writer()
    writer.submit(request("held")).result(30)
    with HeadHeld(fresh.owner):
        writer.submit(request("first"))
        answers = [
            writer.submit(request("a", "held", atomic=True, note="2")),
            writer.submit(request("a", "b")),
            writer.submit(Request([])),
            writer.submit(request("b", "c", atomic=True)),
        ]
    found = [[outcome.status for outcome in answer.result(30)] for answer in answers]
    assert found == [["withheld", "conflict"], ["stored", "stored"], [], ["duplicate", "stored"]]


def test_a_full_queue_says_so_and_takes_again_when_it_is_written(make_writer, fresh):
    writer = make_writer(most_waiting=10)
    with HeadHeld(fresh.owner):
        answers = [writer.submit(request(*(f"{n}-{i}" for i in range(4)))) for n in range(2)]
        assert writer.waiting == 8
        with pytest.raises(Busy, match="8 events wait"):
            writer.submit(request("x", "y", "z"))
        answers.append(writer.submit(request("x", "y")))
        with pytest.raises(Busy):
            writer.submit(request("w"))
    assert all(outcome.status == "stored" for answer in answers for outcome in answer.result(30))
    until(lambda: writer.waiting == 0)
    assert writer.submit(request("x", "w")).result(30)[1].status == "stored"


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits(make_writer, fresh):
    writer = make_writer(most_waiting=5)
    assert len(writer.submit(request(*range(9))).result(30)) == 9
    with HeadHeld(fresh.owner):
        first = writer.submit(request("a"))
        with pytest.raises(Busy):
            writer.submit(request(*range(9)))
    assert first.result(30)[0].status == "stored"


def test_closing_writes_everything_that_was_accepted(make_writer, fresh, log):
    writer = make_writer(most_in_a_batch=7)
    with HeadHeld(fresh.owner):
        answers = [writer.submit(request(n)) for n in range(60)]
        closing = threading.Thread(target=writer.close)
        closing.start()
        until(lambda: writer._closing)
        with pytest.raises(Busy, match="closing"):
            writer.submit(request("late"))
        assert closing.is_alive()
    closing.join(30)
    assert not closing.is_alive()
    assert all(answer.done() for answer in answers)
    assert [event.envelope.id for event in log.read()] == [str(n) for n in range(60)]
    writer.close()  # once more does no harm


def test_an_error_of_the_database_reaches_everybody_who_waits(make_writer, fresh, log):
    writer = make_writer()
    with psycopg.connect(fresh.owner, autocommit=True) as owner:
        owner.execute("ALTER TABLE event ADD CONSTRAINT nobody CHECK (event_id <> 'poison') NOT VALID")
    with HeadHeld(fresh.owner):
        alone = writer.submit(request("before"))
        until(lambda: not writer._queue)
        answers = [writer.submit(request(name)) for name in ("a", "poison", "b")]
    assert alone.result(30)[0].status == "stored"
    for answer in answers:
        with pytest.raises(psycopg.errors.CheckViolation):
            answer.result(30)
    assert [event.envelope.id for event in log.read()] == ["before"]
    assert writer.submit(request("after")).result(30)[0].position == 2
    assert log.verify().is_intact


def test_losing_the_database_reaches_everybody_who_waits_and_passes(make_writer, fresh, log):
    writer = make_writer()
    writer.submit(request("before")).result(30)
    with HeadHeld(fresh.owner):
        answers = [writer.submit(request(name)) for name in ("a", "b", "c")]
        with psycopg.connect(fresh.owner, autocommit=True) as owner:
            blocked = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            until(lambda: owner.execute(blocked).fetchall())
            owner.execute(f"SELECT pg_terminate_backend(pid) FROM ({blocked}) AS waiting")
        with pytest.raises(StewardError, match="database"):
            answers[0].result(30)
    # Those of the lost batch hear the error; who came into the next one is written.
    statuses = ["lost" if answer.exception(30) else answer.result()[0].status for answer in answers]
    assert set(statuses) <= {"lost", "stored"}
    again = [writer.submit(request(name)).result(30)[0].status for name in ("a", "b", "c")]
    assert [(first, second) for first, second in zip(statuses, again, strict=True) if first == "lost"]
    for first, second in zip(statuses, again, strict=True):
        assert second == ("stored" if first == "lost" else "duplicate")
    assert log.verify().is_intact
