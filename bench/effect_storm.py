"""Ten thousand refunds through bad weather, with workers killed every few seconds: nothing twice, nothing lost.

Real HTTP to livemarket's Stripe face, which loses thirty in a hundred connections (half of them before, half after the
refund was made), answers 500 (before and after) and 429, and keeps calls waiting so that later ones overtake them. Each
worker is killed -9 at a random moment within half a second of having taken up its first action; the database is killed
and started again twice. At the end Stripe's own list of refunds says what happened.

    keyed    sent again under the same key           no reference refunded twice, none missing
    probed   looked for before it is sent again      the same
    unsure   neither                                 never twice; what is not known waits for a person

The control, run by the same command: workers that try again until they hear a yes, as a queue with at-least-once jobs
does, in the same weather and under the same kills. It must refund at least 15 % of its references more than once.

    python bench/effect_storm.py [--actions 10000] [--kills 300] [--seed 1] [--write]

SIGKILL does not test loss of power.
"""

import argparse
import os
import random
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import psycopg
from effect_stage import FORK, MODES, SLOTS, TIMEOUT, Shop, Stage, proposal, spawn
from results import machine, save

from steward.infra import orphans

WEATHER = {
    "lose_request": 1500,
    "lose_reply": 1500,
    "error_before": 200,
    "error_after": 200,
    "limit": 300,
    "stall": 300,
    "milliseconds": 2500,
}
WORKERS, THREADS = 3, 4
# A day of the shop is lived again with each refund, so its clock goes on by half a day after each portion. Stripe
# forgets a key after a day: nothing older than one portion may be open then.
PORTION, HALF_DAY = 100, 43_200
OPEN = """
    SELECT count(*), count(*) FILTER (WHERE opened_at < %s) FROM effect
    WHERE state IN ('ready', 'executing', 'unknown', 'probing') AND needs_person = ''
"""


def told(text):
    if sys.stderr.isatty():
        print(f"\r{text:<100}", end="", file=sys.stderr, flush=True)


class Storm:
    """One run: actions come in portions, workers die and are replaced, until everything is where it can go."""

    def __init__(self, arguments):
        self.actions, self.kills, self.seed = arguments.actions, arguments.kills, arguments.seed
        self.rng = random.Random(self.seed)
        self.shop = Shop(self.seed, 400)
        self.shop.advance(6 * 86_400 + 40_000)
        self.charges = self.shop.charges(200)
        self.rng.shuffle(self.charges)
        self.stage = Stage(self.shop.address, self.shop.key)
        self.killed = self.between = self.restarts = 0
        self.share = 0.0  # how much of the storm has begun: kills are spread over all of it
        self.workers = []
        self.next = 0
        self.app = self.stage.app()
        self.stage.passed(self.app)

    def spawn(self):
        """A worker with the moment it is to die at, counted from when it has taken its first action up."""
        process, page, ready, _ = spawn(self.stage, f"worker-{self.next}", THREADS)
        self.next += 1
        self.workers.append([process, page, ready, None, self.rng.uniform(0, 0.5)])

    def strike(self):
        """Kill who is due; count whether it had sent what it had not written down."""
        for worker in list(self.workers):
            process, page, ready, since, wait = worker
            if since is None and ready.is_set():
                worker[3] = since = time.monotonic()
            if since is not None and time.monotonic() - since >= wait and self.killed < self.kills * self.share:
                os.kill(process.pid, signal.SIGKILL)
                process.join()
                sent, recorded = SLOTS.unpack(page.read_bytes())
                self.killed += 1
                self.between += sent > recorded
                self.workers.remove(worker)
                self.spawn()
            elif not process.is_alive():
                raise SystemExit(f"a worker ended by itself: exit {process.exitcode}")

    def restart_database(self):
        """kill -9 of the server, then start it again over what it left."""
        data = self.stage.embedded.files.data
        os.kill(orphans.postmaster_pid(data), signal.SIGKILL)
        while orphans.is_running(data):
            time.sleep(0.01)
        self.stage.embedded.start()
        self.restarts += 1

    def open(self, before):
        """How many actions are open, and how many of them are older than that."""
        with psycopg.connect(self.stage.owner) as connection:
            return connection.execute(OPEN, [before]).fetchone()

    def admit(self, first, count):
        """Actions through the whole spine, three kinds in turn."""
        for number in range(first, first + count):
            charge = self.charges[number % len(self.charges)]
            acted = self.app.control.act(proposal(MODES[number % 3], number, charge))
            if acted.outcome != "receipt":
                raise SystemExit(f"action {number} was {acted.outcome}")

    def run(self):
        self.shop.weather(seed=self.seed, **WEATHER)
        for _ in range(WORKERS):
            self.spawn()
        portions = -(-self.actions // PORTION)
        restarts = {portions // 3, 2 * portions // 3}
        for place, first in enumerate(range(0, self.actions, PORTION)):
            began, is_last = datetime.now(UTC), place == portions - 1
            self.share = (place + 1) / portions
            self.admit(first, min(PORTION, self.actions - first))
            if place in restarts:
                self.restart_database()
            while True:
                left, older = self.wait(began)
                if not older and (left == 0 if is_last else left < PORTION // 4):
                    break
                told(f"{first} of {self.actions}, {left} open, {self.killed} killed, {self.between} between")
            self.shop.advance(HALF_DAY)
        for process, *_ in self.workers:
            process.terminate()
            process.join()

    def wait(self, before):
        """A moment of violence; how many actions are still open, and how many of them from before."""
        for _ in range(10):
            self.strike()
            time.sleep(0.02)
        with suppress(psycopg.OperationalError):
            return self.open(before)
        return 1, 1

    def judged(self):
        """What Stripe says happened, beside what we wrote down."""
        met = self.shop.met()
        self.shop.weather()
        truth = self.shop.refunds()
        with psycopg.connect(self.stage.owner) as connection:
            rows = connection.execute(
                "SELECT kind, 'act_' || replace(action_id::text, '-', ''), state, needs_person FROM effect"
            ).fetchall()
        figures = {}
        for mode in MODES:
            mine = [row for row in rows if row[0] == f"storm.{mode}"]
            made = {name: truth.get(name, 0) for _, name, _, _ in mine}
            done = [name for _, name, state, _ in mine if state in ("succeeded", "settled")]
            failed = [name for _, name, state, _ in mine if state == "failed"]
            waits = [name for _, name, state, why in mine if state == "unknown" and why]
            figures[mode] = {
                "actions": len(mine),
                "refunded_twice": sum(times > 1 for times in made.values()),
                "refunded": sum(times > 0 for times in made.values()),
                "missing": sum(made[name] == 0 for name in done),
                "refused_by_stripe": len(failed),
                "refused_and_refunded": sum(made[name] > 0 for name in failed),
                "not_ended": len(mine) - len(done) - len(waits) - len(failed),
                "with_a_person": len(waits),
                "with_a_person_and_refunded": sum(made[name] > 0 for name in waits),
            }
        strangers = len(set(truth) - {row[1] for row in rows})
        return {"modes": figures, "refunds_of_nobody": strangers, "weather_met": met}

    def end(self):
        for process, *_ in self.workers:
            process.kill()
        self.stage.end()
        self.shop.end()


def naive(address, key, jobs, owners, named, ready):
    """At-least-once: a job is tried until somebody says yes, and marked as done after it."""
    client = httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=TIMEOUT)
    while True:
        with jobs.get_lock():
            place = next((n for n, state in enumerate(jobs) if state == 0), None)
            if place is None:
                return
            jobs[place], owners[place] = 1, os.getpid()
        ready.set()
        reference, charge = named[place]
        while True:
            with suppress(httpx.HTTPError):
                form = {"charge": charge, "amount": 1, "metadata[steward]": reference}
                if client.post("/v1/refunds", data=form).status_code == 200:
                    break
            time.sleep(0.05)
        jobs[place] = 2


def naive_portion(shop, rng, named, kills):
    """One portion of jobs, with workers that are killed; what a dead one had in hand is handed out again, as a queue
    does. How many were killed.
    """
    jobs, owners = FORK.Array("b", len(named)), FORK.Array("l", len(named))
    workers, killed = [], 0

    def add():
        ready = FORK.Event()
        process = FORK.Process(target=naive, args=(shop.address, shop.key, jobs, owners, named, ready), daemon=True)
        process.start()
        workers.append((process, ready))

    for _ in range(WORKERS * THREADS):
        add()
    while any(state != 2 for state in jobs):
        for worker in list(workers):
            process, ready = worker
            if ready.is_set() and killed < kills and rng.random() < 0.02:
                with jobs.get_lock():  # whoever is killed while it holds the list would keep it for ever
                    process.kill()
                process.join()
                killed += 1
                for place, owner in enumerate(owners):
                    if owner == process.pid and jobs[place] == 1:
                        jobs[place] = 0
            if not process.is_alive():
                workers.remove(worker)
                if any(state == 0 for state in jobs):
                    add()
        time.sleep(0.02)
        told(f"control: {sum(state == 2 for state in jobs)} of {len(named)}")
    for process, _ in workers:
        process.join()
    return killed


def control(seed, count, kills):
    """The naive workers in the same weather; which share of references was refunded more than once."""
    rng = random.Random(seed)
    shop = Shop(seed, 60)
    shop.advance(6 * 86_400 + 40_000)
    charges = shop.charges(200)
    rng.shuffle(charges)
    shop.weather(seed=seed, **WEATHER)
    killed = 0
    for first in range(0, count, PORTION):
        named = [(f"naive-{n}", charges[n]) for n in range(first, min(first + PORTION, count))]
        killed += naive_portion(shop, rng, named, kills - killed)
        shop.advance(HALF_DAY)
    shop.weather()
    truth = shop.refunds()
    shop.end()
    twice = sum(times > 1 for times in truth.values())
    return {"actions": count, "killed": killed, "refunded_twice": twice, "share_percent": round(100 * twice / count, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--control-actions", type=int, default=720)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    arguments = parser.parse_args()
    begin = time.monotonic()
    storm = Storm(arguments)
    try:
        storm.run()
        figures = storm.judged()
    finally:
        storm.end()
    print(file=sys.stderr)
    figures = {
        "seed": arguments.seed,
        "killed": storm.killed,
        "killed_between_send_and_record": storm.between,
        "database_killed": storm.restarts,
        "seconds": round(time.monotonic() - begin),
        **figures,
        "control": control(arguments.seed, arguments.control_actions, arguments.kills // 10),
    }
    modes = figures["modes"]
    wrong = [
        f"{mode}: {name} is {modes[mode][name]}"
        for mode in MODES
        for name in ("refunded_twice", "missing", "refused_and_refunded", "not_ended")
        if modes[mode][name]
    ]
    wrong += [
        f"{mode} left {modes[mode]['with_a_person']} to a person" for mode in MODES[:2] if modes[mode]["with_a_person"]
    ]
    if figures["control"]["share_percent"] < 15:
        wrong.append("the control did not fail as it must")
    print(figures)
    if arguments.write:
        save({"name": "effect_storm", "machine": machine(), **figures, "wrong": wrong})
    print(file=sys.stderr)
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
