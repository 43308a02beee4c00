"""One hot budget row, eight writers: decisions a second, with the certificate checked while the row is locked.

Three rungs, interleaved in one run: a bare conditional UPDATE of one row and its commit (the baseline: no proof, no
hold, nothing written down); lock and re-check (balance and day rows locked, facts read, obligations rebuilt, the
certificate fitted and checked, the commit); and the whole spine (the same, with hold, decision, proof bundle, action
and outbox rows in that transaction). Every decision is under the row's lock, so writers wait for each other: that is
the point. Writers are threads; those of a process that come at once go through together, as they do in service. Each
rung is run with all eight in one process and with four in each of two, the last also with eight processes of one
thread, which always go alone. Ratios are against the faster bare one.

The control are decisions whose certificate is of another rule's shape: the checker must refuse every one of them.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time

from gate_stage import ACCOUNT, LARGE, Stage, proposal
from results import machine, save

from steward.control.turnstile import Turnstile

WRITERS = 8
_FORK = multiprocessing.get_context("fork")
LIMITS = {"reserve_day": LARGE, "reserve_manager": LARGE}
UPDATE = "UPDATE ceiling SET used = used + %s WHERE one AND used + %s <= 100000000000000"


def bare(app):
    def decide(_number):
        with app.database.transaction() as connection:
            connection.execute(UPDATE, (1, 1))

    return decide


def recheck(app):
    """Room and certificate under the lock, and the end of the transaction; nothing is written."""

    def together(proposals):
        now = app.live_gate.now()
        app.live_gate.acquaint(proposals)
        with app.database.transaction():
            room = app.live_gate.room(proposals, now, lock=True)
            verdicts = [app.live_gate.recheck(one, room) for one in proposals]
        if any(v.verdict != "ALLOW" or not v.bundle["certificates"] for v in verdicts):
            raise RuntimeError("nothing was proved")
        return verdicts

    gate = Turnstile(together, 32)
    return lambda number: gate.through(proposal(f"never {number}", 100))


def whole(app):
    def decide(number):
        acted = app.control.act(proposal(f"{os.getpid()} {number} {time.time_ns()}", 100))
        if acted.outcome != "executed":
            raise RuntimeError(acted.outcome)

    return decide


RUNGS = {"bare": bare, "recheck": recheck, "whole": whole}


def process(stage, rung, threads, start, seconds, pipe):
    """Warm up, wait for the others, then decide until the time is over, on several threads."""
    app = stage.app()
    faults, times = [], []

    def work(number):
        try:
            while time.perf_counter() < until:
                begun = time.perf_counter()
                decide(number)
                times.append(time.perf_counter() - begun)
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            faults.append(repr(error))

    try:
        for n in range(2):
            app.control.act(proposal(f"warm {os.getpid()} {n} {time.time_ns()}", 100))
        decide = RUNGS[rung](app)
        decide(0)
        start.wait()
        until = time.perf_counter() + seconds
        workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        pipe.send((times, faults))
    finally:
        app.close()
    os._exit(0)


def measured(stage, rung, seconds, processes):
    """Decisions a second and their latency, all writers together."""
    start = _FORK.Barrier(processes + 1)
    ends, children = [], []
    for _ in range(processes):
        mine, theirs = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=process, args=(stage, rung, WRITERS // processes, start, seconds, theirs))
        child.start()
        theirs.close()
        ends.append(mine)
        children.append(child)
    start.wait()
    begun = time.perf_counter()
    found = [end.recv() for end in ends]
    took = time.perf_counter() - begun
    for child in children:
        child.join()
    faults = [fault for _, some in found for fault in some]
    if faults:
        raise RuntimeError(faults[0])
    times = sorted(t for some, _ in found for t in some)
    return {
        "decisions": len(times),
        "per_second": round(len(times) / took),
        "p50_ms": round(1000 * statistics.median(times), 2),
        "p99_ms": round(1000 * times[int(len(times) * 0.99)], 2),
    }


def refused_control(stage):
    """Trees of the wrong shape in place of what was proved: how many of a hundred get through (none may)."""
    app = stage.app()
    try:
        asked = proposal("control", 100)
        facts = app.live_gate.facts(asked, app.live_gate.room([asked], app.live_gate.now(), lock=False))
        forged = {"reserve-within-budget": ["F", [[0, "1"]]]}
        verdicts = [app.verifier.recertify(asked.document(), facts, "2026-01-01T00:00:00Z", forged) for _ in range(100)]
        return sum(verdict.verdict == "ALLOW" for verdict in verdicts)
    finally:
        app.close()


def audit(stage):
    """Books, log and decisions after it all."""
    app = stage.app()
    try:
        app.events.sequence()
        wrong = [f"books: {v.where} {v.row} {v.what}" for v in app.books.check().violations[:3]]
        held, holds = stage.sql(
            "SELECT b.pending_debit_minor, (SELECT sum(l.amount_minor) FROM hold_open JOIN hold_leg l USING (hold_no)"
            " WHERE l.account_id = b.account_id) FROM balance b JOIN account a USING (account_id) WHERE a.code = %s",
            [ACCOUNT],
        )[0]
        return wrong if held == holds else [*wrong, f"{held} held, {holds} in open holds"]
    finally:
        app.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-save", action="store_true")
    arguments = parser.parse_args()
    stage = Stage(LIMITS)
    try:
        stage.sql("CREATE TABLE ceiling (one boolean PRIMARY KEY, used bigint NOT NULL)")
        stage.sql("INSERT INTO ceiling VALUES (true, 0)")
        stage.sql("GRANT SELECT, UPDATE ON ceiling TO steward_app")
        app = stage.app()
        app.ledger.grant("hot", "GBP", LARGE, "hot", "owner", "a benchmark")
        for n in range(2):  # the second one needs a certificate: something is in flight
            app.control.act(proposal(f"first {n}", 100))
        app.close()
        cases = {
            "bare": ("bare", 1),
            "bare_two": ("bare", 2),
            "recheck": ("recheck", 1),
            "recheck_two": ("recheck", 2),
            "whole": ("whole", 1),
            "whole_two": ("whole", 2),
            "whole_alone": ("whole", WRITERS),
        }
        rounds = {name: [] for name in cases}
        for _ in range(arguments.rounds):
            for name, (rung, processes) in cases.items():
                rounds[name].append(measured(stage, rung, arguments.seconds, processes))
                print(name, rounds[name][-1], file=sys.stderr)
        figures = {name: sorted(f, key=lambda r: r["per_second"])[len(f) // 2] for name, f in rounds.items()}
        passed = refused_control(stage)
        wrong = audit(stage) + ([f"{passed} forged trees were accepted"] if passed else [])
    finally:
        stage.close()
    bare = max(figures["bare"]["per_second"], figures["bare_two"]["per_second"])
    document = {
        "name": "hot_row",
        "machine": machine(),
        "writers": WRITERS,
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "figures": figures,
        "ratio_recheck": round(figures["recheck"]["per_second"] / bare, 2),
        "ratio_whole": round(figures["whole"]["per_second"] / bare, 2),
        "control": {"forged": 100, "accepted": passed},
        "wrong": wrong,
    }
    if not arguments.no_save:
        save(document)
    print(json.dumps(document, indent=1))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
