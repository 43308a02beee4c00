"""A storm against the ledger: clients that post and hold, and kill -9 of clients, backends and the database.

Each client is a process of four threads that share one `LedgerWriter`; a thread posts its numbers one after another,
every tenth by a hold that it then finishes, and writes down each number that was acknowledged. Whoever is killed goes
on at the first number it has not written down, with the same keys: whether that one was posted is the ledger's to know.
At the end every number is posted once, nothing else is, the books pass their audit, and hledger accepts them.

The control are the same clients without idempotency: each attempt has a key of its own. They must post some twice.

SIGKILL does not test loss of power.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from results import machine, save

from steward.catalog import load_catalog
from steward.contracts.ledger import Finish, Hold, Leg, Transfer
from steward.events import EventLog
from steward.infra import orphans
from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.migrate import migrate
from steward.infra.postgres import EmbeddedPostgres
from steward.kernel.errors import StewardError
from steward.ledger import Bookkeeping, Ledger, LedgerWriter, MoneyEvents

THREADS = 4
NUMBER = struct.Struct("<I")
AT = datetime(2026, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)
_SPAWN = multiprocessing.get_context("fork")
SHARES = {"client": 0.75, "backend": 0.13, "database": 0.12}


def legs(client, number):
    amount = 1 + (number * 7919 + client) % 1000
    return (
        Leg(account=f"assets:clearing:c{client % 3}", currency="GBP", amount_minor=amount),
        Leg(account="income:sales", currency="GBP", amount_minor=-amount),
    )


BUSY = """
    SELECT pid FROM pg_stat_activity WHERE usename = 'steward_app' AND state <> 'idle' ORDER BY random() LIMIT 1
"""


class Thread:
    """One thread's numbers: the file of what was acknowledged is its memory."""

    def __init__(self, folder, client, number, kind):
        self.kind, self.client, self.name = kind, client, f"{kind} {client}-{number}"
        self.path = folder / self.name.replace(" ", "-")
        size = self.path.stat().st_size if self.path.exists() else 0
        self.file = self.path.open("ab")
        self.file.truncate(size - size % NUMBER.size)
        self.next = size // NUMBER.size + 1

    def acknowledge(self):
        self.file.write(NUMBER.pack(self.next))
        self.file.flush()
        self.next += 1

    def key(self):
        return f"{self.name} {self.next}" if self.kind == "storm" else uuid.uuid4().hex

    def transfer(self):
        source = f"{self.name} {self.next}"
        return Transfer(
            key=self.key(), kind=self.kind, effective_at=AT, source=source, legs=legs(self.client, self.next)
        )

    def insist(self, action):
        """Again until it is answered; anything but done or a duplicate is a fault."""
        while True:
            try:
                wrong = [entry.code for entry in action() if entry.code != "duplicate"]
            except (StewardError, psycopg.Error):
                time.sleep(0.02)
                continue
            if wrong:
                raise RuntimeError(f"{self.name} {self.next}: {wrong}")
            return

    def post(self, ledger, writer):
        if self.kind != "storm":
            self.insist(lambda: ledger.post([self.transfer()]))
        elif self.next % 10:
            transfer = self.transfer()
            self.insist(lambda: writer.post([transfer]))
        else:
            source, key = f"{self.name} {self.next}", self.key()
            hold = Hold(
                key=f"{key} hold", kind=self.kind, expires_at=FAR, source=source, legs=legs(self.client, self.next)
            )
            self.insist(lambda: ledger.hold([hold]))
            self.insist(lambda: ledger.finish([Finish(key=key, hold=hold.key, how="post", effective_at=AT)]))
        self.acknowledge()


def client(folder, number):
    """Post until told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    database = Database((folder / "conninfo").read_text())
    ledger = Ledger(
        database, SystemClock(), EventLog(database, SystemClock(), folder / "cp.jsonl"), load_catalog().chart
    )
    writer = LedgerWriter(ledger)
    faults = []

    def work(thread):
        try:
            while not (folder / "stop").exists():
                thread.post(ledger, writer)
        except BaseException as error:  # noqa: BLE001 - it is written down
            faults.append(repr(error))

    kinds = ["storm", "control"] * (THREADS // 2)
    threads = [
        threading.Thread(target=work, args=(Thread(folder, number, place, kind),)) for place, kind in enumerate(kinds)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    if faults:
        (folder / f"fault-{number}-{os.getpid()}").write_text("\n".join(faults))
    os._exit(0)


class Storm:
    def __init__(self, home, arguments):
        self.home, self.clients = home, arguments.clients
        self.rng = random.Random(arguments.seed)
        self.embedded = EmbeddedPostgres(home)
        self.folder = home / "storm"
        self.processes = {}
        self.kills = dict.fromkeys(SHARES, 0)

    def prepare(self):
        server = self.embedded.start()
        with psycopg.connect(server.owner_conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE steward")
        migrate(server.owner_conninfo("steward"))
        self.folder.mkdir(mode=0o700)
        (self.folder / "conninfo").write_text(server.app_conninfo("steward"))

    def spawn(self, number):
        self.processes[number] = _SPAWN.Process(target=client, args=(self.folder, number), daemon=True)
        self.processes[number].start()

    def strike(self):
        kind = self.rng.choices(list(SHARES), list(SHARES.values()))[0]
        if kind == "client":
            number = self.rng.randrange(self.clients)
            self.processes[number].kill()
            self.processes[number].join()
            self.spawn(number)
        elif kind == "backend":
            pid = self.ask(BUSY)
            if pid is None:
                return
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        else:
            data = self.embedded.files.data
            os.kill(orphans.postmaster_pid(data), signal.SIGKILL)
            while orphans.is_running(data):
                time.sleep(0.01)
            self.embedded.start()
        self.kills[kind] += 1

    def ask(self, query):
        """One value; the server may be recovering."""
        for _ in range(600):
            try:
                with psycopg.connect(self.embedded.start().owner_conninfo("steward"), autocommit=True) as connection:
                    row = connection.execute(query).fetchone()
                    return row[0] if row else None
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise RuntimeError("the database does not come back")

    def rage(self, kills):
        for number in range(self.clients):
            self.spawn(number)
        shown = 0.0
        while sum(self.kills.values()) < kills:
            time.sleep(self.rng.uniform(0.1, 0.7))
            self.strike()
            if time.monotonic() - shown > (0.5 if sys.stderr.isatty() else 20):
                shown = time.monotonic()
                end = "\r" if sys.stderr.isatty() else "\n"
                print(f"{self.kills}", end=end, file=sys.stderr, flush=True)
        time.sleep(1)
        (self.folder / "stop").touch()
        for process in self.processes.values():
            process.join(120)

    def findings(self):
        """What is wrong, and what became of the control."""
        wrong = [path.read_text() for path in self.folder.glob("fault-*")]
        wrong += [f"client {n} did not end: {p.exitcode}" for n, p in self.processes.items() if p.exitcode != 0]
        acknowledged = {}
        for path in self.folder.iterdir():
            if path.name.startswith(("storm-", "control-")):
                kind, rest = path.name.split("-", 1)
                acknowledged[f"{kind} {rest}"] = path.stat().st_size // NUMBER.size
        with psycopg.connect(self.embedded.start().owner_conninfo("steward"), autocommit=True) as connection:
            posted = {}
            for source, kind, count in connection.execute("SELECT source, kind, count(*) FROM transfer GROUP BY 1, 2"):
                name, number = source.rsplit(" ", 1)
                posted.setdefault((kind, name), {})[int(number)] = count
        lost = doubled = phantom = 0
        control_doubled = 0
        for name, last in acknowledged.items():
            kind = name.split(" ")[0]
            counts = posted.get((kind, name), {})
            more = sum(count > 1 for count in counts.values())
            if kind == "control":
                control_doubled += more
                continue
            lost += sum(number not in counts for number in range(1, last + 1))
            phantom += sum(number > last for number in counts)
            doubled += more
        names = {"acknowledged and lost": lost, "posted and never acknowledged": phantom, "posted twice": doubled}
        wrong += [f"{count} {what}" for what, count in names.items() if count]
        if not control_doubled:
            wrong.append("the control posted nothing twice: nothing is shown")
        counted = sum(last for name, last in acknowledged.items() if name.startswith("storm"))
        return wrong, counted, control_doubled

    def audit(self):
        database = Database(self.embedded.start().app_conninfo("steward"))
        log = EventLog(database, SystemClock(), self.folder / "cp.jsonl")
        catalog = load_catalog()
        ledger = Ledger(database, SystemClock(), log, catalog.chart)
        books = Bookkeeping(database, log, MoneyEvents(database, SystemClock(), log, ledger, catalog.postings))
        try:
            violations = [f"check: {v.where} {v.row} {v.what}" for v in books.check().violations[:5]]
            hledger = shutil.which("hledger")
            accepted = "not installed"
            if hledger:
                path = self.folder / "books.journal"
                with path.open("w", encoding="utf-8") as file:
                    file.writelines(line + "\n" for line in books.journal("hledger"))
                done = subprocess.run([hledger, "-f", path, "check", "--strict"], capture_output=True, check=False)
                accepted = "accepted" if done.returncode == 0 else "refused"
                violations += [f"hledger: {done.stderr.decode()[:300]}"] if done.returncode else []
            return violations, accepted, books.totals()[0]
        finally:
            database.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="steward-storm-"))
    home.chmod(0o711)
    storm = Storm(home, arguments)
    started = time.perf_counter()
    try:
        storm.prepare()
        storm.rage(arguments.kills)
        wrong, acknowledged, control = storm.findings()
        violations, hledger, transfers = storm.audit()
    finally:
        for process in storm.processes.values():
            if process.is_alive():
                process.kill()
        storm.embedded.stop()
        shutil.rmtree(home, ignore_errors=True)
    document = {
        "name": "ledger_storm",
        "machine": machine(),
        "seed": arguments.seed,
        "clients": arguments.clients,
        "seconds": round(time.perf_counter() - started),
        "kills": storm.kills,
        "acknowledged": acknowledged,
        "transfers": transfers,
        "hledger": hledger,
        "wrong": [*wrong, *violations],
        "control": {"posted_more_than_once": control},
    }
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    sys.exit(1 if document["wrong"] else 0)


if __name__ == "__main__":
    main()
