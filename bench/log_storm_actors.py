"""The processes of the log storm: writers, sequencers, readers, a follower and a publisher of checkpoints.

They share a folder, not memory: whoever is killed takes nothing along but what it had not committed. A writer keeps
no progress of its own; after a kill it asks the log and the outbox what is stored. A reader's file of what it saw is
its checkpoint.
"""

import logging
import os
import random
import signal
import struct
import time
import traceback
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from steward.contracts.event import Envelope
from steward.events import EventLog, Request, Sequencer
from steward.events.core.entry import prepare
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.kernel.errors import Infrastructure

MOST = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
TROUBLE = (Infrastructure, psycopg.Error)
SEEN = struct.Struct("<QHI")  # position, writer, number of the event
SERIAL = struct.Struct("<Q")
FOREIGN = (0xFFFF, 0xFFFFFFFF)  # what stands for a source or id that nobody sent
HARNESS = """
    CREATE TABLE naive (pos bigserial PRIMARY KEY, source text NOT NULL, event_id text NOT NULL);
    CREATE TABLE projection (source text PRIMARY KEY, events bigint NOT NULL, viewers bigint NOT NULL);
    GRANT SELECT, INSERT ON naive TO steward_app;
    GRANT USAGE ON SEQUENCE naive_pos_seq TO steward_app;
    GRANT SELECT, INSERT, UPDATE ON projection TO steward_app;
"""
_NAIVE = "INSERT INTO naive (source, event_id) SELECT %s, unnest(%s::text[])"
_WAITS = "SELECT event_id FROM event_outbox WHERE source = %s AND event_id = ANY (%s)"
_ROWS = "SELECT position, source, event_id FROM event WHERE position > %s ORDER BY position LIMIT 5000"
_SERIALS = "SELECT pos FROM naive WHERE pos > %s ORDER BY pos LIMIT 5000"
_DERIVE = """
    INSERT INTO projection (source, events, viewers)
    SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[])
    ON CONFLICT (source) DO UPDATE SET events = projection.events + excluded.events,
        viewers = projection.viewers + excluded.viewers
"""


class RolledBack(Exception):
    """A business transaction that changes its mind."""


class Stage:
    """The folder in which processes find each other."""

    def __init__(self, home):
        self.home = Path(home)
        self.folder = self.home / "storm"

    def conninfo(self):
        return (self.folder / "conninfo").read_text()

    def database(self):
        return Database(self.conninfo())

    def log(self, database):
        return EventLog(database, SystemClock(), self.home / "checkpoints.jsonl")

    def is_told(self, what):
        return (self.folder / f"told-{what}").exists()

    def tell(self, what):
        (self.folder / f"told-{what}").touch()

    def clear(self):
        for path in self.folder.glob("told-*"):
            path.unlink()

    def note(self, what):
        """One line of what happened, from any process; a short append is whole or not there."""
        descriptor = os.open(self.folder / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{what}\n".encode())
        os.close(descriptor)

    def notes(self):
        path = self.folder / "notes"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def run(actor, home, *arguments):
    """An actor's life. Whatever it dies of is kept: nobody but the killer may end one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    stage = Stage(home)
    try:
        actor(stage, *arguments)
    except Exception:  # noqa: BLE001 - it is written down, and the process ends with it
        (stage.folder / f"died-{actor.__name__}-{os.getpid()}").write_text(traceback.format_exc(), encoding="utf-8")
        os._exit(1)


def source_of(writer):
    return f"storm/{writer}"


def viewers_of(writer, number):
    return (number * 7919 + writer) % 500


def event_of(writer, number):
    """The event of a number: the same whenever it is made."""
    return Envelope(
        id=str(number),
        source=source_of(writer),
        type="ViewerJoined",
        subject=f"show/{writer}-{number % 1000}",
        time=START + timedelta(seconds=number),
        data={"show_id": f"{writer}-{number % 1000}", "viewers": viewers_of(writer, number)},
    )


def batches_of(seed, writer, events):
    """[(first, after last, through the outbox)] of a writer's events, as random as repeatable."""
    rng = random.Random(f"{seed}/{writer}")
    found, first = [], 0
    while first < events:
        last = min(events, first + rng.randint(1, MOST))
        found.append((first, last, rng.random() < 0.2))
        first = last
    return found


class Writer:
    """Sends batch after batch, each until it is known to be committed."""

    def __init__(self, stage, seed, number, events, long_stall):
        self.stage, self.number, self.long_stall = stage, number, long_stall
        self.rng = random.Random(f"{seed}/{number}/{os.getpid()}")
        self.batches = batches_of(seed, number, events)
        self.database, self.beside = stage.database(), stage.database()
        self.log = stage.log(self.database)

    def envelopes(self, batch):
        first, last, _ = self.batches[batch]
        return [event_of(self.number, number) for number in range(first, last)]

    def is_stored(self, batch):
        """Whether the log or the outbox has a batch, seen in one snapshot. A part of one is what must never be."""
        events = self.envelopes(batch)
        with self.database.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = connection.execute(_WAITS, (source_of(self.number), [e.id for e in events])).fetchall()
            waiting = {row["event_id"] for row in found}
            absent = [e for e in self.log.absent(events) if e.id not in waiting]
        if absent and len(absent) < len(events):
            share = f"{len(absent)} of {len(events)} lack"
            self.stage.note(f"wrong: batch {batch} of writer {self.number} is torn, {share}")
        return not absent

    def resume(self):
        """The first batch that is not stored: batches are sent in order, so those before it are."""
        low, high = 0, len(self.batches)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.is_stored(middle) else (low, middle)
        return low

    def insist(self, action):
        """Do something until the database lets it be done."""
        while True:
            try:
                return action()
            except TROUBLE:
                time.sleep(0.05)

    def work(self):
        batch = self.insist(self.resume)
        while batch < len(self.batches) and not self.stage.is_told("writers"):
            through_outbox = self.batches[batch][2]
            self.send_until_known(self.envelopes(batch), through_outbox)
            batch += 1
            if self.rng.random() < 0.02:
                self.stage.note("duplicate")
                again = self.rng.randrange(batch)
                self.send_until_known(self.envelopes(again), self.rng.random() < 0.5)
        self.database.close()
        self.beside.close()

    def send_until_known(self, events, through_outbox):
        while True:
            try:
                self.send(events, through_outbox)
            except RolledBack:
                self.stage.note("rolled back")
            except TROUBLE as error:
                # Perhaps committed, perhaps not: it is sent again, and the log sorts it out.
                self.stage.note(f"resent: {type(error).__name__}")
                time.sleep(0.05)
            else:
                return

    def send(self, events, through_outbox):
        """One transaction; it stalls at times, and at times changes its mind."""
        stall = self.rng.uniform(0.02, 0.05) if self.rng.random() < 0.05 else 0.0
        changes_mind = self.rng.random() < 0.01
        if self.rng.random() < self.long_stall * (4 if through_outbox else 1):
            stall = self.rng.uniform(5.5, 6.5)
        if not through_outbox and not stall and not changes_mind:
            prepared = [prepare(event) for event in events]
            with self.beside.transaction() as connection:
                self.serial(connection, events)
                self.judge(self.log.write([Request(prepared)]))
            return
        with self.database.transaction() as connection:
            self.serial(connection, events)
            if through_outbox:
                self.log.put(events)
            else:
                self.judge(self.log.write([Request([prepare(event) for event in events])]))
            self.stall(stall, through_outbox)
            if changes_mind:
                raise RolledBack
        if stall > 5 and not through_outbox:
            self.stage.note("wrong: a transaction held the head for longer than five seconds and was committed")

    def serial(self, connection, events):
        """The control's rows, in a transaction that spans the log's."""
        connection.execute(_NAIVE, (source_of(self.number), [event.id for event in events]))

    def judge(self, outcomes):
        bad = {outcome.status for answer in outcomes for outcome in answer} - {"stored", "duplicate"}
        if bad:
            self.stage.note(f"wrong: writer {self.number} was answered {sorted(bad)}")

    def stall(self, seconds, through_outbox):
        if seconds:
            kind = "outbox" if through_outbox else "head locked"
            self.stage.note(f"{'long stall' if seconds > 5 else 'stall'}, {kind}")
            time.sleep(seconds)


def writer(stage, *arguments):
    Writer(stage, *arguments).work()


def sequencer(stage, number):
    database = stage.database()
    working = Sequencer(database, stage.log(database), f"{number}.{os.getpid()}")
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    working.run()
    database.close()


class Tail:
    """A file of fixed records that grows with what is seen; its last record is where to go on."""

    def __init__(self, path, record):
        self.file = path.open("a+b")
        size = path.stat().st_size
        whole = size - size % record.size
        self.file.truncate(whole)  # a kill may have torn the last one
        self.last = 0
        if whole:
            self.file.seek(whole - record.size)
            self.last = record.unpack(self.file.read(record.size))[0]

    def append(self, records, last):
        self.file.write(b"".join(records))
        self.file.flush()
        self.last = last


def seen(position, source, event_id):
    """The record of a row."""
    writer_number, number = FOREIGN
    with suppress(ValueError):
        writer_number, number = int(source.removeprefix("storm/")), int(event_id)
    if source != source_of(writer_number) or event_id != str(number):
        writer_number, number = FOREIGN
    return SEEN.pack(position, writer_number, number)


class Reader:
    """Follows the log and, in the same loop, the control. The first one reads as applications do, by `EventLog.read`;
    the others by a plain SELECT.
    """

    def __init__(self, stage, number):
        self.stage = stage
        self.tail = Tail(stage.folder / f"seen-{number}", SEEN)
        self.control = Tail(stage.folder / f"naive-{number}", SERIAL)
        self.database = stage.database()
        self.log = stage.log(self.database) if number == 0 else None

    def rows(self):
        if self.log:
            events = self.log.read(after=self.tail.last, limit=2000)
            return [(event.position, event.envelope.source, event.envelope.id) for event in events]
        with self.database.transaction() as connection:
            return [tuple(row.values()) for row in connection.execute(_ROWS, (self.tail.last,))]

    def serials(self):
        with self.database.transaction() as connection:
            return [row["pos"] for row in connection.execute(_SERIALS, (self.control.last,))]

    def work(self):
        while True:
            is_last_look = self.stage.is_told("readers")
            try:
                rows, serials = self.rows(), self.serials()
            except TROUBLE:
                time.sleep(0.05)
                continue
            if rows:
                self.tail.append([seen(*row) for row in rows], rows[-1][0])
            if serials:
                self.control.append([SERIAL.pack(serial) for serial in serials], serials[-1])
            if not rows and not serials:
                if is_last_look:
                    break
                time.sleep(0.01)
        self.database.close()


def reader(stage, number):
    Reader(stage, number).work()


def follower(stage):
    """Exactly once into PostgreSQL: count and sum by source."""
    database = stage.database()
    log = stage.log(database)

    def derive(events):
        sums = {}
        for event in events:
            found = sums.setdefault(event.envelope.source, [0, 0])
            found[0] += 1
            found[1] += event.envelope.data["viewers"]
        with database.transaction() as connection:
            counts, viewers = zip(*sums.values(), strict=True)
            connection.execute(_DERIVE, (list(sums), list(counts), list(viewers)))

    while True:
        is_last_look = stage.is_told("readers")
        try:
            moved = log.follow("storm", ["ViewerJoined"], 2000, derive)
        except TROUBLE:
            time.sleep(0.05)
            continue
        if not moved:
            if is_last_look:
                break
            time.sleep(0.02)
    database.close()


def publisher(stage):
    """Signs the head every few seconds outside the database: what was once published, `verify` must find again."""
    database = stage.database()
    log = stage.log(database)
    while not stage.is_told("readers"):
        with suppress(*TROUBLE):
            log.publish_checkpoint()
        time.sleep(3)
    database.close()
