"""A race for one budget: 32 writers at once, kill -9 of writers and of database backends, and a budget that is granted
in portions, so that they meet at its limit all the time.

The account's ceiling, which would keep the books within the grant whatever the gate did, is taken away: what holds is
the gate alone. Nothing is overspent after any batch of the books, what is held is the sum of the open holds and of what
was executed, every key was decided once, and the books pass their audit.

The control are the same writers who look first and write then (two statements, each of them committed by itself, a
moment between them as a proof would take). They must overspend.

SIGKILL does not test loss of power.
"""

import argparse
import json
import logging
import multiprocessing
import os
import random
import signal
import struct
import sys
import threading
import time
from contextlib import suppress

import psycopg
from gate_stage import ACCOUNT, LARGE, Stage, proposal
from results import machine, save

from steward.kernel.errors import StewardError

PROCESSES, THREADS, PORTIONS = 4, 8, 50
NUMBER = struct.Struct("<I")
LIMITS = {"reserve_day": LARGE, "reserve_manager": LARGE, "quarantine_after": 10**9}
_FORK = multiprocessing.get_context("fork")
BUSY = "SELECT pid FROM pg_stat_activity WHERE usename = 'steward_app' AND state <> 'idle' ORDER BY random() LIMIT 1"
HELD = """
    SELECT b.pending_debit_minor, -b.amount_minor,
           (SELECT coalesce(sum(l.amount_minor), 0) FROM hold_open JOIN hold_leg l USING (hold_no)
            WHERE l.account_id = b.account_id),
           (SELECT coalesce(sum(amount_minor), 0) FROM action WHERE outcome = 'executed')
    FROM balance b JOIN account a USING (account_id) WHERE a.code = %s
"""
SPEND = "UPDATE naive SET spent = spent + %s, worst = greatest(worst, spent + %s - granted)"
WORST = """
    SELECT coalesce(max(total), 0) FROM (
        SELECT sum(n) OVER (ORDER BY batch_id) AS total FROM (
            SELECT h.batch_id, l.amount_minor AS n FROM hold h JOIN hold_leg l USING (hold_no)
            JOIN account a USING (account_id) WHERE a.code = %(code)s
            UNION ALL
            SELECT t.batch_id, p.amount_minor FROM posting p JOIN transfer t USING (transfer_no)
            JOIN account a USING (account_id) WHERE a.code = %(code)s) moves) running
"""


def amount(writer, number):
    return 1 + (number * 7919 + writer * 104729) % 1000


class Writer:
    """One thread's attempts. The file of what was answered is its memory: after a kill it goes on behind it."""

    def __init__(self, folder, name, number, most):
        self.number, self.most = number, most
        self.path = folder / f"{name}-{number}"
        size = self.path.stat().st_size if self.path.exists() else 0
        self.file = self.path.open("ab")
        self.file.truncate(size - size % NUMBER.size)
        self.next = size // NUMBER.size + 1

    def run(self, attempt):
        while self.next <= self.most:
            try:
                attempt(self.number, self.next)
            except (StewardError, psycopg.Error):
                time.sleep(0.02)
                continue
            self.file.write(NUMBER.pack(self.next))
            self.file.flush()
            self.next += 1


def proved(app):
    def attempt(writer, number):
        outcome = app.control.act(proposal(f"{writer} {number}", amount(writer, number))).outcome
        if outcome not in ("executed", "refused"):
            raise RuntimeError(outcome)

    return attempt


def naive(app):
    """Look, think as long as a proof takes, write: each in a transaction of its own."""

    def attempt(writer, number):
        wanted = amount(writer, number)
        with app.database.transaction() as connection:
            row = connection.execute("SELECT granted - spent AS free FROM naive").fetchone()
        time.sleep(0.002)
        if row["free"] >= wanted:
            with app.database.transaction() as connection:
                connection.execute(SPEND, (wanted, wanted))

    return attempt


MANNERS = {"proved": proved, "naive": naive}


def process(stage, manner, number, most):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    app = stage.app()
    attempt = MANNERS[manner](app)
    writers = [Writer(stage.home, manner, number * THREADS + place, most) for place in range(THREADS)]
    threads = [threading.Thread(target=writer.run, args=(attempt,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    app.close()
    os._exit(0)


class Race:
    def __init__(self, stage, manner, attempts, rng):
        self.stage, self.manner, self.rng = stage, manner, rng
        self.most = -(-attempts // (PROCESSES * THREADS))
        self.total = self.most * PROCESSES * THREADS
        self.portion = self.total * 500 // 4 // PORTIONS  # a quarter of what is asked for
        self.app = stage.app()
        self.processes = {}
        self.kills = {"writer": 0, "backend": 0}
        self.granted = 0

    def spawn(self, number):
        arguments = (self.stage, self.manner, number, self.most)
        self.processes[number] = _FORK.Process(target=process, args=arguments, daemon=True)
        self.processes[number].start()

    def grant(self):
        """The next portion, with no ceiling on the account; the control has a row of its own."""
        self.granted += self.portion
        if self.manner == "naive":
            self.stage.sql("UPDATE naive SET granted = %s", (self.granted,))
            return
        while True:
            try:
                key = f"portion {self.granted}"
                self.app.ledger.grant("hot", "GBP", self.portion, key, "owner", "a race")
                self.app.ledger.set_limits(ACCOUNT, "GBP", None, None, "owner", "the gate alone is to hold")
                break
            except (StewardError, psycopg.Error):
                time.sleep(0.1)

    def strike(self, backends):
        """Kill a backend at work, or else a writer: a strike that found no backend at work is none."""
        if self.kills["backend"] < backends and self.rng.random() < 0.2:
            with suppress(psycopg.Error, ProcessLookupError, IndexError):
                os.kill(self.stage.sql(BUSY)[0][0], signal.SIGKILL)
                self.kills["backend"] += 1
                return
        running = [number for number, one in self.processes.items() if one.is_alive()]
        if running:
            number = self.rng.choice(running)
            self.processes[number].kill()
            self.processes[number].join()
            self.spawn(number)
            self.kills["writer"] += 1

    def run(self, kills, backends):
        self.grant()
        for number in range(PROCESSES):
            self.spawn(number)
        struck = shown = 0
        granting = threading.Thread(target=self.grants)  # a grant waits for the row that all race for: strikes must not
        granting.start()
        while any(one.is_alive() for one in self.processes.values()):
            next(one for one in self.processes.values() if one.is_alive()).join(0.02)
            done = self.done()
            if done * (kills + backends + 1) // self.total > struck < kills + backends:
                struck += 1
                self.strike(backends)
            if done - shown > self.total // 20:
                shown = done
                print(f"{self.manner}: {done} answered, {self.kills}", file=sys.stderr, flush=True)
        granting.join()
        self.app.close()

    def grants(self):
        """One portion after the other, as the race goes on."""
        portions = 0
        while portions < PORTIONS - 1 and any(one.is_alive() for one in list(self.processes.values())):
            if portions < self.done() * PORTIONS // self.total:
                portions += 1
                self.grant()
            else:
                time.sleep(0.02)

    def done(self):
        return sum(p.stat().st_size // NUMBER.size for p in self.stage.home.glob(f"{self.manner}-*"))


def findings(stage, race):
    """What is wrong after the race, and what was held and executed."""
    app = stage.app()
    try:
        app.events.sequence()
        held, granted, holds, executed = stage.sql(HELD, [ACCOUNT])[0]
        overspent = max(0, stage.sql(WORST, {"code": ACCOUNT})[0][0])
        attempts = race.most * PROCESSES * THREADS
        rows = dict(
            stage.sql("SELECT outcome, count(*) FROM action WHERE idempotency_key NOT LIKE '%%first%%' GROUP BY 1")
        )
        twice = (
            stage.sql("SELECT count(*) FROM action")[0][0]
            - stage.sql("SELECT count(DISTINCT idempotency_key) FROM action")[0][0]
        )
        told = stage.sql("SELECT count(*) FROM event WHERE type = 'ActionExecuted'")[0][0]
        wrong = [f"books: {v.where} {v.row} {v.what}" for v in app.books.check().violations[:5]]
        checks = {
            f"{overspent} overspent": overspent > 0 or held > granted,
            f"{held} held, {holds} in open holds, {executed} executed": not held == holds == executed,
            f"{sum(rows.values())} actions for {attempts} attempts": sum(rows.values()) != attempts,
            f"{twice} keys were decided twice": twice > 0,
            f"{told} facts for {rows.get('executed', 0)} effects": told != rows.get("executed", 0),
            "nothing was refused, so nobody raced": not rows.get("refused"),
        }
        wrong += [what for what, is_wrong in checks.items() if is_wrong]
        figures = {
            "granted_minor": granted,
            "held_minor": held,
            "overspent_minor": overspent,
            "outcomes": rows,
        }
        return wrong, figures
    finally:
        app.close()


def race(attempts, control_attempts, kills, backends, seed=20261126):
    """The race and its control on one database: the document of both."""
    started = time.perf_counter()
    stage = Stage(LIMITS)
    races = []
    try:
        stage.sql(
            "CREATE TABLE naive (one boolean PRIMARY KEY DEFAULT true, granted bigint, spent bigint, worst bigint)"
        )
        stage.sql("INSERT INTO naive (granted, spent, worst) VALUES (0, 0, 0)")
        stage.sql("GRANT SELECT, UPDATE ON naive TO steward_app")
        rng = random.Random(seed)
        races = [Race(stage, "naive", control_attempts, rng), Race(stage, "proved", attempts, rng)]
        races[0].run(kills=0, backends=0)
        granted, spent, worst = stage.sql("SELECT granted, spent, worst FROM naive")[0]
        begun = time.perf_counter()
        races[1].run(kills, backends)
        seconds = time.perf_counter() - begun
        wrong, figures = findings(stage, races[1])
    finally:
        for one in races:
            for child in one.processes.values():
                if child.is_alive():
                    child.kill()
        stage.close()
    if worst <= 0:
        wrong.append("the control did not overspend: nothing is shown")
    return {
        "name": "race",
        "machine": machine(),
        "seed": seed,
        "writers": PROCESSES * THREADS,
        "attempts": races[1].total,
        "per_second": round(races[1].total / seconds),
        "seconds": round(time.perf_counter() - started),
        "kills": races[1].kills,
        **figures,
        "control": {
            "attempts": races[0].total,
            "granted_minor": granted,
            "spent_minor": spent,
            "overspent_minor": worst,
        },
        "wrong": wrong,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--control-attempts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--backends", type=int, default=5)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    document = race(arguments.attempts, arguments.control_attempts, arguments.kills, arguments.backends)
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    sys.exit(1 if document["wrong"] else 0)


if __name__ == "__main__":
    main()
