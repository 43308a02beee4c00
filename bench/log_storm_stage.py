"""Who lives and who dies in the log storm: processes, the killer's plan, and the move into another database."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

import psycopg
from log_storm_actors import HARNESS, MOST, follower, publisher, reader, run, sequencer, writer
from log_storm_findings import READERS
from psycopg.conninfo import conninfo_to_dict

from steward.infra import orphans
from steward.infra.account import service_account
from steward.infra.migrate import migrate
from steward.infra.schema_dump import dump

SEQUENCERS = 2
_SPAWN = multiprocessing.get_context("fork")  # the parent has no threads and holds no connection
_SILENCE_SECONDS = 180
# How often in two million events; a shorter storm has less of each, but never none.
PLAN = {"writer": 30, "sequencer": 10, "sequencer stopped": 10, "reader": 8, "follower": 8, "database": 8}


class Storm:
    """One storm on one server. Kills come when the log passes sizes drawn from the seed."""

    def __init__(self, stage, embedded, arguments):
        self.stage, self.embedded = stage, embedded
        self.seed, self.events, self.writers = arguments.seed, arguments.events, arguments.writers
        self.shares = [
            self.events // self.writers + (number < self.events % self.writers) for number in range(self.writers)
        ]
        self.rng = random.Random(self.seed)
        self.kills = dict.fromkeys(PLAN, 0)
        self.wrong = []
        self.processes = {}
        self.ends = {}
        self.wakes = []  # (when, process) of what is stopped
        self.database = "steward"
        self.slowest_recovery = 0.0
        self.halves = [self.plan(0.02, 0.47), self.plan(0.53, 0.9)]

    def plan(self, low, high):
        """[(size of the log, what then)] of one half."""
        strikes = []
        for kind, full in PLAN.items():
            times = max(1, round(full * self.events / 2_000_000 / 2))
            strikes += [(int(self.events * self.rng.uniform(low, high)), kind) for _ in range(times)]
        return sorted(strikes)

    # processes

    def spawn(self, name, actor, *arguments):
        process = _SPAWN.Process(target=run, args=(actor, self.stage.home, *arguments), name=name, daemon=True)
        process.start()
        self.processes[name] = (process, actor, arguments)

    def spawn_all(self):
        # About eight stalls of the head for longer than it is lent, however many batches there are.
        long_stall = min(0.01, 8 / max(1, self.events / (MOST / 2)))
        for number, share in enumerate(self.shares):
            self.spawn(f"writer {number}", writer, self.seed, number, share, long_stall)
        for number in range(SEQUENCERS):
            self.spawn(f"sequencer {number}", sequencer, number)
        for number in range(READERS):
            self.spawn(f"reader {number}", reader, number)
        self.spawn("follower", follower)
        self.spawn("publisher", publisher)

    def alive(self, kind):
        running = [name for name, (process, _, _) in self.processes.items() if process.is_alive()]
        return [name for name in running if name.startswith(kind)]

    def restart(self, name):
        process, actor, arguments = self.processes[name]
        process.join()
        self.wakes = [(when, other) for when, other in self.wakes if other is not process]
        self.spawn(name, actor, *arguments)

    def look_after(self):
        """Wake who has slept enough; whoever ended unasked is a finding, and is started again so that all goes on."""
        for when, process in list(self.wakes):
            if time.monotonic() > when:
                self.wakes.remove((when, process))
                os.kill(process.pid, signal.SIGCONT)
        for name, (process, _, _) in list(self.processes.items()):
            if process.is_alive() or (name.startswith("writer") and process.exitcode == 0):
                continue
            path = next(iter(self.stage.folder.glob(f"died-*-{process.pid}")), None)
            lines = path.read_text(encoding="utf-8").strip().splitlines() if path else ["nothing written down"]
            what = f"{name.split()[0]} died by itself (exit {process.exitcode}): {lines[-1]}"
            self.ends[what] = self.ends.get(what, 0) + 1
            if self.ends[what] == 1:
                print("\n" + "\n".join(lines), file=sys.stderr)
            self.restart(name)

    def end_all(self):
        for process, _, _ in self.processes.values():
            if process.is_alive():
                process.kill()
            process.join()

    # violence

    def strike(self, kind):
        time.sleep(self.rng.uniform(0, 0.1))  # not in step with the look at the size
        if kind == "database":
            self.kill_database()
            return
        names = self.alive("sequencer" if kind.startswith("sequencer") else kind)
        if not names:
            return  # counted by what is missing from the plan
        name = self.rng.choice(names)
        if kind.startswith("sequencer") and self.rng.random() < 0.75:
            name = self.holder(name)
        process = self.processes[name][0]
        if kind == "sequencer stopped":
            os.kill(process.pid, signal.SIGSTOP)
            self.wakes.append((time.monotonic() + self.rng.uniform(0.5, 7), process))
        else:
            process.kill()
            self.restart(name)
        self.kills[kind] += 1

    def holder(self, otherwise):
        """The sequencer that holds the lease."""
        row = self.ask("SELECT holder FROM sequencer")
        name = f"sequencer {str(row).split('.', 1)[0]}"
        return name if name in self.alive("sequencer") else otherwise

    def kill_database(self):
        data = self.embedded.files.data
        pid = orphans.postmaster_pid(data)
        os.kill(pid, signal.SIGKILL)
        while orphans.is_running(data):
            time.sleep(0.01)
        since = time.monotonic()
        self.embedded.start()
        self.slowest_recovery = max(self.slowest_recovery, time.monotonic() - since)
        self.kills["database"] += 1

    # the course of a storm

    def prepare(self):
        server = self.embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        migrate(server.owner_conninfo("steward"))
        with psycopg.connect(server.owner_conninfo("steward"), autocommit=True) as connection:
            connection.execute(HARNESS)
            # Small partitions, so that several are made while it storms.
            connection.execute("UPDATE log_head SET partition_rows = %s", (max(20_000, self.events // 7),))
        self.stage.folder.mkdir(mode=0o700)
        self.point_at("steward")

    def point_at(self, database):
        self.database = database
        draft = self.stage.folder / "conninfo.draft"
        draft.write_text(self.embedded.start().app_conninfo(database))
        draft.replace(self.stage.folder / "conninfo")

    def owner(self):
        return self.embedded.start().owner_conninfo(self.database)

    def ask(self, query):
        """One value from the server, which is up: only we kill it, and we wait until it is back."""
        with psycopg.connect(self.owner(), autocommit=True) as connection:
            return connection.execute(query).fetchone()[0]

    def rage(self, half):
        """Half of the storm: until half of the events are stored, or until every writer has sent its share."""
        strikes = self.halves[half]
        self.stage.clear()
        self.spawn_all()
        moved, shown = (0, time.monotonic()), 0.0
        while self.alive("writer"):
            size = self.ask("SELECT size FROM log_head")
            while strikes and strikes[0][0] <= size:
                self.strike(strikes.pop(0)[1])
            self.look_after()
            if size != moved[0]:
                moved = (size, time.monotonic())
            elif time.monotonic() - moved[1] > _SILENCE_SECONDS:
                raise RuntimeError(f"the log has stood at {size:,} for {_SILENCE_SECONDS} seconds")
            if half == 0 and size >= self.events // 2:
                self.stage.tell("writers")
            if time.monotonic() - shown > (0.5 if sys.stderr.isatty() else 15):
                shown = time.monotonic()
                self.show(size)
            time.sleep(0.1)
        self.calm()
        self.wrong += [f"a planned kill found nobody alive: {kind}" for _, kind in strikes]

    def show(self, size):
        kills = ", ".join(f"{count} {kind}" for kind, count in self.kills.items())
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{size:,} of {self.events:,} events; {kills}", end=end, file=sys.stderr, flush=True)

    def calm(self):
        """Writers have ended: let the outbox run empty, readers see all, then end them."""
        deadline = time.monotonic() + _SILENCE_SECONDS
        while self.wakes or self.ask("SELECT EXISTS (SELECT FROM event_outbox)"):
            self.look_after()
            if time.monotonic() > deadline:
                raise RuntimeError("the outbox does not run empty")
            time.sleep(0.1)
        self.look_after()
        for name in self.alive("sequencer"):
            self.processes[name][0].terminate()
        self.stage.tell("readers")
        for name, (process, _, _) in self.processes.items():
            process.join(_SILENCE_SECONDS)
            if process.exitcode != 0:
                self.wrong.append(f"{name} did not end well: exit {process.exitcode}")
        self.end_all()

    def move_house(self):
        """Dump everything and restore it into another database, as an operator would; the old one is dropped."""
        programs = self.embedded.files.programs(service_account())
        file = self.stage.folder / "dump"
        old = self.owner()
        with psycopg.connect(old, autocommit=True) as connection:
            before = (dump(connection), self.ask("SELECT size FROM log_head"))
        _client([programs / "pg_dump", "--format=custom", "--compress=none", f"--file={file}"], old)
        with psycopg.connect(self.embedded.start().owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward_restored")
        self.point_at("steward_restored")
        _client(
            [programs / "pg_restore", "--exit-on-error", "--jobs=2", "--dbname=steward_restored", file], self.owner()
        )
        file.unlink()
        with psycopg.connect(self.owner(), autocommit=True) as connection:
            connection.execute("ANALYZE")
            if (dump(connection), self.ask("SELECT size FROM log_head")) != before:
                self.wrong.append("the restored database has another schema or size than the dumped one")
        migrate(self.owner())
        with psycopg.connect(self.embedded.start().owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE steward")


def _client(command, conninfo):
    """A program of PostgreSQL's, told where by its environment: a password has no place in a command line."""
    where = conninfo_to_dict(conninfo)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    subprocess.run(command, check=True, env={**os.environ, **{names[key]: str(where[key]) for key in names}})
