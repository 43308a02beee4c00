"""The log on a real database: dedup, density, the outbox, readers, and what verification sees."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from steward.contracts.event import Envelope
from steward.events.core.merkle import extend, leaf_hash, root_of_frontier, root_of_leaves, verify_inclusion
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


def positions(shop):
    return [row[0] for row in shop.rows("SELECT position FROM event ORDER BY position")]


def keys(shop):
    return [row[0] for row in shop.rows("SELECT event_id FROM event ORDER BY position")]


# Appending


def test_a_second_delivery_is_a_duplicate(shop, make):
    events = [make.order("1"), make.payment("1")]
    first = shop.app.events.append(events)
    again = shop.app.events.append(events)
    assert (first.accepted, first.duplicates, first.conflicts) == (2, 0, ())
    assert (again.accepted, again.duplicates, again.conflicts) == (0, 2, ())
    assert positions(shop) == [1, 2]


def test_the_same_event_twice_in_one_batch_is_stored_once(shop, make):
    appended = shop.app.events.append([make.order("1"), make.order("1"), make.order("2")])
    assert (appended.accepted, appended.duplicates) == (2, 1)
    assert keys(shop) == ["order:1", "order:2"]


def test_another_body_is_kept_as_a_conflict_and_overwrites_nothing(shop, make):
    shop.app.events.append([make.order("1")])
    changed = make.order("1", lines=[make.line(total_minor=999)])
    for _ in range(2):  # delivered again, it is still one conflict
        appended = shop.app.events.append([changed, make.order("2")])
        assert appended.conflicts == ("shop/test order:1",)
    assert keys(shop) == ["order:1", "order:2"]
    assert shop.one("SELECT data->>'total_minor' FROM event WHERE event_id = 'order:1'") == "1000"
    conflicts = shop.app.events.conflicts()
    assert [(row["source"], row["event_id"]) for row in conflicts] == [("shop/test", "order:1")]
    assert shop.one("SELECT envelope->'data'->>'total_minor' FROM event_conflict") == "999"
    assert shop.app.figures.read()["conflicts"] == 1
    assert shop.app.events.verify().is_intact


def test_a_conflict_inside_one_batch(shop, make):
    changed = make.order("1", lines=[make.line(total_minor=999)])
    appended = shop.app.events.append([make.order("1"), changed])
    assert (appended.accepted, len(appended.conflicts)) == (1, 1)
    assert shop.one("SELECT data->>'total_minor' FROM event") == "1000"


@pytest.mark.parametrize(
    "change",
    [
        {"type": "PaymentCaptured", "data": None},
        {"subject": "order/other"},
        {"time": timedelta(microseconds=1)},
        {"data": {"note": "one key more"}},
    ],
)
def test_every_part_of_the_body_makes_it_another_one(shop, make, change):
    event = make.order("1")
    shop.app.events.append([event])
    update = dict(change)
    if "time" in update:
        update["time"] = event.time + update["time"]
    if update.get("data"):
        update["data"] = {**event.data, **update["data"]}
    elif "data" in update:
        update["data"] = make.payment("1").data
    assert len(shop.app.events.append([event.model_copy(update=update)]).conflicts) == 1


def test_the_same_id_from_another_source_is_another_event(shop, make):
    event = make.order("1")
    assert shop.app.events.append([event, event.model_copy(update={"source": "shop/other"})]).accepted == 2


def test_positions_are_dense_over_batches_with_duplicates(shop, make):
    for start in range(0, 60, 10):
        batch = [make.order(str(n)) for n in range(max(0, start - 5), start + 10)]
        appended = shop.app.events.append(batch)
        assert appended.accepted == 10
    assert positions(shop) == list(range(1, 61))
    assert shop.app.events.head()["size"] == 60
    report = shop.app.events.verify()
    assert (report.count, report.dense, report.violations) == (60, True, [])


def test_a_failed_batch_takes_no_position(shop, make):
    with pytest.raises(ZeroDivisionError), shop.app.database.transaction():
        shop.app.events.append([make.order("lost")])
        raise ZeroDivisionError
    shop.app.events.append([make.order("1")])
    assert positions(shop) == [1]
    assert keys(shop) == ["order:1"]


def test_the_root_is_the_root_of_the_leaves_and_proofs_hold(shop, make):
    shop.app.events.append([make.order(str(n)) for n in range(13)])
    leaves = [bytes(row[0]) for row in shop.rows("SELECT leaf_hash FROM event ORDER BY position")]
    root = bytes.fromhex(shop.app.events.head()["root"])
    assert root == root_of_leaves(leaves)
    for n in range(13):
        proof = [bytes.fromhex(part) for part in shop.app.events.inclusion(n + 1)]
        assert verify_inclusion(leaves[n], n, 13, proof, root)
    assert not verify_inclusion(leaf_hash(b"other"), 3, 13, proof, root)


def test_text_of_every_script_and_odd_instants_come_back_as_they_were(shop, make):
    at = make.start.replace(microsecond=123456)
    event = make.order("\u00fc \u4e16\u754c \U0001f600 '\"\\ <b>", note="\u2028 \ufeff \ud7ff \t", at=at)
    shop.app.events.append([event])
    stored = shop.app.events.read(as_stored=True)[0].envelope
    assert stored.data == event.data
    assert stored.time == at
    assert shop.app.events.verify().is_intact
    assert shop.app.events.append([event]).duplicates == 1


# Refusing


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"type": "OrderImagined"}, "OrderImagined"),
        ({"data": {}}, "order_id"),
        ({"data": {"order_id": "1", "currency": "GBP", "total_minor": "100"}}, "total_minor"),
        ({"data": {"order_id": "1", "currency": "pounds", "total_minor": 100}}, "currency"),
        ({"data": {"order_id": "1", "currency": "GBP", "total_minor": 100.0}}, "total_minor"),
        ({"data": {"order_id": "1", "currency": "GBP", "total_minor": True}}, "total_minor"),
        ({"data": {"order_id": "1", "currency": "GBP", "total_minor": 100, "rate": 1.5}}, "rate"),
        ({"data": {"order_id": "1", "currency": "GBP", "total_minor": 100, "note": "\ud800"}}, "surrogate"),
    ],
)
def test_an_event_that_is_not_in_the_catalogs_form_is_refused_with_its_batch(shop, make, change, named):
    wrong = make.order("2").model_copy(update=change)
    with pytest.raises(BadInput, match=named):
        shop.app.events.append([make.order("1"), wrong])
    assert positions(shop) == []
    with pytest.raises(BadInput, match=named):
        shop.app.events.put([wrong])
    assert shop.one("SELECT count(*) FROM event_outbox") == 0


def test_own_facts_take_no_unknown_keys(shop, make):
    event = Envelope(
        id="s",
        source="steward/state",
        type="SnapshotTaken",
        subject="snapshot",
        time=make.start,
        data={"snapshot_id": "x", "digest": "0" * 64, "more": 1},
    )
    with pytest.raises(BadInput, match="more"):
        shop.app.events.append([event])


# The outbox


def test_facts_wait_in_the_outbox_until_they_are_sequenced(shop, make):
    log = shop.app.events
    log.append([make.order("1")])
    log.put([make.order("2"), make.order("3")])
    assert log.verify().waiting == 2
    assert positions(shop) == [1]
    assert log.sequence() == 2
    assert keys(shop) == ["order:1", "order:2", "order:3"]
    assert log.sequence() == 0
    assert log.verify().waiting == 0
    assert positions(shop) == [1, 2, 3]


def test_a_fact_put_twice_waits_once_and_is_sequenced_once(shop, make):
    log = shop.app.events
    log.put([make.order("1")])
    log.put([make.order("1")])
    assert log.sequence() == 1
    log.put([make.order("1")])  # after it was sequenced
    log.sequence()
    assert positions(shop) == [1]


def test_an_outbox_larger_than_a_batch_keeps_its_order(shop, make, monkeypatch):
    monkeypatch.setattr("steward.events.service.log._SEQUENCER_BATCH", 7)
    for start in range(0, 30, 10):
        shop.app.events.put([make.order(str(n)) for n in range(start, start + 10)])
    assert shop.app.events.sequence() == 30
    assert keys(shop) == [f"order:{n}" for n in range(30)]


def test_facts_of_a_transaction_that_failed_are_not_there(shop, make):
    with pytest.raises(ZeroDivisionError), shop.app.database.transaction():
        shop.app.events.put([make.order("1")])
        raise ZeroDivisionError
    assert shop.app.events.sequence() == 0


def test_a_crash_while_sequencing_loses_nothing_and_doubles_nothing(shop, make, monkeypatch):
    log = shop.app.events
    log.put([make.order(str(n)) for n in range(5)])
    monkeypatch.setattr(log._store, "move_head", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        log.sequence()
    monkeypatch.undo()
    assert positions(shop) == []
    assert log.sequence() == 5
    assert positions(shop) == [1, 2, 3, 4, 5]


def test_several_sequencers_at_once(shop, make):
    shop.app.events.put([make.order(str(n)) for n in range(200)])
    with ThreadPoolExecutor(4) as pool:
        moved = list(pool.map(lambda _i: shop.app.events.sequence(), range(4)))
    assert sum(moved) == 200
    assert keys(shop) == [f"order:{n}" for n in range(200)]


@pytest.mark.slow
def test_two_threads_append_without_gap_or_loss(shop, make):
    shared = [make.order(f"shared-{n}") for n in range(100)]

    def work(name):
        events = [make.order(f"{name}-{n}") for n in range(2000)]
        accepted = 0
        for start in range(0, 2000, 50):
            accepted += shop.app.events.append(events[start : start + 50]).accepted
        return accepted + shop.app.events.append(shared).accepted

    with ThreadPoolExecutor(2) as pool:
        accepted = list(pool.map(work, ["a", "b"]))
    assert sum(accepted) == 4100
    assert positions(shop) == list(range(1, 4101))
    assert set(keys(shop)) == {
        *(f"order:{name}-{n}" for name in "ab" for n in range(2000)),
        *(f"order:shared-{n}" for n in range(100)),
    }
    report = shop.app.events.verify()
    assert (report.count, report.head, report.dense, report.violations) == (4100, 4100, True, [])


# Readers


def test_following_hands_over_each_event_once_in_order(shop, make):
    log = shop.app.events
    log.append([event for n in range(10) for event in (make.order(str(n)), make.payment(str(n)))])
    seen = []
    while log.follow("reader", ["OrderPlaced"], 3, lambda events: seen.extend(e.position for e in events)):
        pass
    assert seen == list(range(1, 20, 2))
    assert log.reached("reader") == 20  # nothing of these types is left below the head
    assert log.follow("reader", ["OrderPlaced"], 3, seen.extend) == 0
    log.append([make.order("more")])
    assert log.follow("reader", ["OrderPlaced"], 3, seen.extend) == 1
    assert log.reached("another") == 0


def test_an_exception_while_deriving_moves_nothing(shop, make):
    log = shop.app.events
    log.append([make.order("1"), make.order("2")])

    def derive_and_fail(events):
        log.put([make.payment(event.envelope.data["order_id"]) for event in events])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        log.follow("reader", ["OrderPlaced"], 10, derive_and_fail)
    assert log.reached("reader") == 0
    assert shop.one("SELECT count(*) FROM event_outbox") == 0
    assert shop.one("SELECT count(*) FROM checkpoint") == 0

    assert log.follow("reader", ["OrderPlaced"], 10, lambda e: log.put([make.payment(str(len(e)))])) == 2
    assert log.reached("reader") == 2
    assert log.sequence() == 1


def test_a_derivation_is_seen_together_with_its_checkpoint(shop, make):
    log = shop.app.events
    log.append([make.order("1")])

    def derive(_events):
        log.put([make.payment("1")])
        assert shop.one("SELECT count(*) FROM event_outbox") == 0  # nobody else sees it yet
        assert shop.one("SELECT count(*) FROM checkpoint") == 0

    log.follow("reader", ["OrderPlaced"], 10, derive)
    assert shop.one("SELECT count(*) FROM event_outbox") == 1
    assert shop.one("SELECT position FROM checkpoint") == 1


def test_two_followers_of_one_name_share_the_work(shop, make):
    log = shop.app.events
    log.append([make.order(str(n)) for n in range(200)])
    seen = []

    def work(_i):
        while log.follow("reader", ["OrderPlaced"], 5, lambda events: seen.extend(e.position for e in events)):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    assert seen == list(range(1, 201))


def test_a_reader_sent_back_reads_everything_again(shop, make):
    log = shop.app.events
    log.append([make.order(str(n)) for n in range(5)])
    log.follow("reader", ["OrderPlaced"], 10, lambda _e: None)
    log.rewind("reader")
    assert log.follow("reader", ["OrderPlaced"], 10, lambda _e: None) == 5


# What cannot be changed, and what is seen when it is


@pytest.mark.parametrize("table", ["event", "event_conflict"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET source = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_log_is_append_only_for_the_application_and_for_its_owner(shop, fresh, make, table, statement):
    shop.app.events.append([make.order("1"), make.order("1", lines=[make.line(total_minor=1)])])
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute(statement.format(table))
    with psycopg.connect(fresh.owner) as owner, pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        owner.execute(statement.format(table))
    assert shop.one(f"SELECT count(*) FROM {table}") == 1


@pytest.mark.parametrize("statement", ["DELETE FROM log_head", "INSERT INTO log_head VALUES (false, 0, '{}', '')"])
def test_there_is_one_head(fresh, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege), fresh.app.transaction() as connection:
        connection.execute(statement)


def test_checkpoints_are_published_once_a_head(shop, make):
    log = shop.app.events
    for n in (1, 2):
        log.append([make.order(str(n))])
        line = log.publish_checkpoint()
        assert log.publish_checkpoint() == line
    path = shop.app.settings.home / "checkpoints.jsonl"
    published = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    assert {"size": published[-1]["size"], "root": published[-1]["root"]} == line == log.head()
    assert [entry["size"] for entry in published] == [1, 2]
    assert log.verify().is_intact


def head_moved_back(connection, size):
    """Make the head agree with the rows that are left: what somebody who knows the code would do."""
    leaves = [bytes(row[0]) for row in connection.execute("SELECT leaf_hash FROM event ORDER BY position")]
    _, frontier = extend(0, [], leaves)
    connection.execute("DELETE FROM event_key WHERE position > %s", (size,))
    connection.execute(
        "UPDATE log_head SET size = %s, frontier = %s, root = %s", (size, frontier, root_of_frontier(frontier))
    )


def test_rows_removed_from_the_end_are_seen_by_the_head(shop, make, superuser):
    shop.app.events.append([make.order(str(n)) for n in range(5)])
    superuser.execute("DELETE FROM event WHERE position > 3")
    report = shop.app.events.verify()
    assert not report.is_intact
    assert "head says 5" in report.violations[0]["what"]


def test_rows_removed_from_the_end_with_a_new_head_are_seen_by_the_checkpoint(shop, make, superuser):
    log = shop.app.events
    log.append([make.order(str(n)) for n in range(5)])
    log.publish_checkpoint()
    superuser.execute("DELETE FROM event WHERE position > 3")
    head_moved_back(superuser, 3)
    report = log.verify()
    assert [(v["row"], "beyond the log" in v["what"]) for v in report.violations] == [("position 5", True)]


def test_history_written_anew_is_seen_by_the_checkpoint(shop, make, superuser):
    log = shop.app.events
    log.append([make.order(str(n)) for n in range(5)])
    log.publish_checkpoint()
    superuser.execute("DELETE FROM event WHERE position > 3")
    head_moved_back(superuser, 3)
    log.append([make.order("invented"), make.order("also invented")])
    log.append([make.order("and more")])
    report = log.verify()
    assert [v["row"] for v in report.violations] == ["position 5"]
    assert "differs from the published checkpoint" in report.violations[0]["what"]


def test_a_row_removed_from_the_middle_is_seen(shop, make, superuser):
    shop.app.events.append([make.order(str(n)) for n in range(5)])
    superuser.execute("DELETE FROM event WHERE position = 3")
    report = shop.app.events.verify()
    assert not report.dense
    assert not report.is_intact


def test_two_rows_that_changed_places_are_seen(shop, make, superuser):
    shop.app.events.append([make.order(str(n)) for n in range(5)])
    for old, new in ((2, 100), (3, 2), (100, 3)):
        superuser.execute("UPDATE event SET position = %s WHERE position = %s", (new, old))
    report = shop.app.events.verify()
    assert {v["row"] for v in report.violations} >= {"position 2", "position 3"}
