"""A sender may say how many events a stream holds; then two who decided on the same state cannot both go on."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from steward.contracts.payloads import VERSIONS
from steward.events import Decoder, EventLog, Request
from steward.infra.clock import FrozenClock

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
DECODER = Decoder(VERSIONS)


@pytest.fixture
def log(database, tmp_path):
    return EventLog(database, FrozenClock(AT), tmp_path / "checkpoints.jsonl")


@pytest.fixture
def raced(fresh, tmp_path):
    """A log of its own: threads see only what is committed."""
    return EventLog(fresh.app, FrozenClock(AT), tmp_path / "checkpoints.jsonl")


def decoded(*events):
    """(id, stream, expected version) as events that came over the wire."""
    documents = []
    for name, stream, expected in events:
        one = {"id": name, "source": "s", "type": "StockOut", "subject": stream, "time": "2026-01-01T00:00:00Z"}
        one |= {"data": {"sku": stream}} | ({} if expected is None else {"expectedversion": expected})
        documents.append(one)
    found = DECODER.batch(json.dumps(documents).encode())
    assert found.rejected == []
    return [event for _, event in found.events]


def write(log, *events, atomic=False):
    (outcomes,) = log.write([Request(decoded(*events), atomic)])
    return [outcome.status for outcome in outcomes]


def test_a_new_stream_has_version_zero(log):
    assert write(log, ("a", "sku/1", 1)) == ["wrong_version"]
    assert write(log, ("a", "sku/1", 0)) == ["stored"]
    assert write(log, ("b", "sku/1", 0)) == ["wrong_version"]
    assert write(log, ("b", "sku/1", 1)) == ["stored"]
    assert [event.envelope.id for event in log.read(subject="sku/1")] == ["a", "b"]


def test_other_streams_do_not_count(log):
    assert write(log, ("a", "sku/1", None), ("b", "sku/2", None), ("c", "sku/2", None)) == ["stored"] * 3
    assert write(log, ("d", "sku/1", 1), ("e", "sku/2", 2), ("f", "sku/", 0), ("g", "sku/11", 0)) == ["stored"] * 4


def test_what_names_no_version_is_stored_in_any(log):
    for n in range(3):
        assert write(log, (f"e{n}", "sku/1", None)) == ["stored"]
    assert write(log, ("last", "sku/1", 3)) == ["stored"]


def test_a_redelivery_is_a_duplicate_and_no_wrong_version(log):
    assert write(log, ("a", "sku/1", 0)) == ["stored"]
    assert write(log, ("a", "sku/1", 0)) == ["duplicate"]
    assert write(log, ("a", "sku/1", 7)) == ["duplicate"]


def test_a_stream_grows_inside_one_request(log):
    assert write(log, *((f"e{n}", "sku/1", n) for n in range(5))) == ["stored"] * 5
    assert write(log, ("x", "sku/1", 5), ("y", "sku/1", 5)) == ["stored", "wrong_version"]


def test_a_wrong_version_lets_the_rest_of_its_request_land(log):
    assert write(log, ("a", "sku/1", 4), ("b", "sku/2", 0)) == ["wrong_version", "stored"]
    assert [event.position for event in log.read()] == [1]


def test_a_wrong_version_withholds_an_atomic_request(log):
    assert write(log, ("b", "sku/2", 0), ("a", "sku/1", 4), atomic=True) == ["withheld", "wrong_version"]
    assert log.read() == []
    assert write(log, ("b", "sku/2", 0)) == ["stored"]


def test_what_was_refused_is_not_kept_as_a_conflict(log):
    write(log, ("a", "sku/1", 4))
    assert log.conflicts() == []


def test_of_eight_who_expect_the_same_version_exactly_one_wins_each(raced):
    threads, versions = 8, 12
    together = threading.Barrier(threads)

    def race(name):
        won = []
        for version in range(versions):
            together.wait(30)
            won += [version] * (write(raced, (f"{name}-{version}", "sku/1", version)) == ["stored"])
        return won

    with ThreadPoolExecutor(threads) as pool:
        won = [version for wins in pool.map(race, range(threads)) for version in wins]
    assert sorted(won) == list(range(versions))
    ids = [event.envelope.id for event in raced.read(subject="sku/1")]
    assert [int(name.split("-")[1]) for name in ids] == list(range(versions))
    assert raced.verify().is_intact


def test_who_lost_reads_again_and_gets_its_turn(raced):
    """Optimistic writers, each with five events of its own: all of them land, one version each."""

    def work(name):
        tries = 0
        for n in range(5):
            while True:
                tries += 1
                version = len(raced.read(subject="sku/1"))
                if write(raced, (f"{name}-{n}", "sku/1", version)) == ["stored"]:
                    break
        return tries

    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(work, range(8)))
    assert sum(tries) >= 40
    ids = [event.envelope.id for event in raced.read(subject="sku/1")]
    assert sorted(ids) == sorted(f"{name}-{n}" for name in range(8) for n in range(5))
    for name in range(8):
        assert [each for each in ids if each.startswith(f"{name}-")] == [f"{name}-{n}" for n in range(5)]
