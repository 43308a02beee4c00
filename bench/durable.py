"""The durable engine: the pace of the gateway's effects beside a bare workflow of it; that a dead worker's runs go on.

    pace      requests a second at a server on the loopback address that answers at once. Ours: actions admitted before
              are carried out by two processes of eight threads, with everything the way out does. The rival: a workflow
              of three steps, each remembered, the second of which is the same request; two processes of eight threads,
              once started by the threads themselves, once taken from a queue filled before; the better counts. Rounds
              take turns, on one server with fsync and synchronous_commit on; medians
    failover  from the kill -9 of a worker with runs under way until another has finished them

The control: the same kill where nobody takes over. Its runs must stay unfinished.

    python bench/durable.py [--actions 800] [--rounds 3] [--write]
"""

import argparse
import http.client
import os
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import dbos
import psycopg
from effect_stage import FORK, Stage, spawn
from gateway import DONE, Remote, admit, value
from results import machine, save

from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.durable import Durable
from steward.infra.durable_schema import Address, prepare, url_of

PROCESSES, THREADS = 2, 8
SCHEMA = "rival"
# Pools of 8 and 40 connections were as quick here.
RIVAL = {"sys_db_pool_size": 20, "max_executor_threads": THREADS, "log_level": "ERROR", "run_migrations": False}
QUEUE = {"worker_concurrency": THREADS, "polling_interval_sec": 0.02}
ENDED = f"SELECT count(*) FROM {SCHEMA}.workflow_status WHERE status = 'SUCCESS'"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
local = threading.local()


def request(address, number):
    """The refund as the gateway asks for it, over a connection that is kept."""
    if not hasattr(local, "connection"):
        local.connection = http.client.HTTPConnection(address)
    key = f"storm.rival:{number}"
    headers = {
        "authorization": "Bearer sk_bench",
        "content-type": "application/x-www-form-urlencoded",
        "idempotency-key": key,
    }
    body = f"charge=ch_{number}&amount=1&metadata%5Bsteward%5D={key}"
    local.connection.request("POST", "/v1/refunds", body, headers)
    answer = local.connection.getresponse()
    return answer.status, answer.read().decode()


def rival(url, address, numbers, way, ready, go):
    """A process of the rival: numbers to be done by its threads, or whatever its queue gives it."""
    config = {"name": "rival", "application_version": "1", "dbos_system_schema": SCHEMA, "system_database_url": url}
    dbos.DBOS(config={**config, **RIVAL, "executor_id": f"rival-{os.getpid()}"})
    step = dbos.DBOS.run_step

    @dbos.DBOS.workflow(name="refund")
    def refund(number):
        prepared = step({"name": "prepare"}, lambda: {"charge": f"ch_{number}", "amount": 1})
        status, body = step({"name": "send"}, request, address, number)
        return step({"name": "record"}, lambda: {**prepared, "status": status, "answer": body})

    def one(number):
        with dbos.SetWorkflowID(f"{way}-{number}"):
            refund(number)

    dbos.DBOS.listen_queues(["effects"] if way == "queue" else [])
    dbos.DBOS.launch()
    if way == "fill":
        dbos.DBOS.register_queue("effects", **QUEUE)
        for number in numbers:
            with dbos.SetWorkflowID(f"queue-{number}"):
                dbos.DBOS.enqueue_workflow("effects", refund, number)
        os._exit(0)
    ready.release()
    if way == "threads":
        go.wait()
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(one, numbers))
    threading.Event().wait()


def rival_pace(stage, remote, first, count, way):
    url = url_of(stage.owner).render_as_string(hide_password=False)
    address = remote.address.removeprefix("http://")
    ready, go = FORK.Semaphore(0), FORK.Event()
    numbers = range(first, first + count)
    if way == "queue":
        filling = FORK.Process(target=rival, args=(url, address, numbers, "fill", ready, go))
        filling.start()
        filling.join()
    before = value(stage, ENDED)
    remote.came.clear()
    running = [
        FORK.Process(target=rival, args=(url, address, numbers[n::PROCESSES], way, ready, go), daemon=True)
        for n in range(PROCESSES)
    ]
    for process in running:
        process.start()
    if way == "threads":
        for _ in running:
            ready.acquire()
    go.set()
    return paced(remote, running, count, lambda: value(stage, ENDED) - before)


def our_pace(stage, app, remote, first, count):
    admit(app, first, count)
    before = value(stage, DONE)
    remote.came.clear()
    running = [spawn(stage, f"pace-{first}-{n}", THREADS)[0] for n in range(PROCESSES)]
    return paced(remote, running, count, lambda: value(stage, DONE) - before)


def paced(remote, running, count, done):
    """Requests a second from the first to the last; everything asked for must have been written down as done."""
    end = time.monotonic() + 300
    while len(remote.came) < count and time.monotonic() < end:
        time.sleep(0.02)
    while done() < count and time.monotonic() < end:
        time.sleep(0.1)
    for process in running:
        process.kill()
        process.join()
    if done() != count or len(remote.came) != count:
        raise SystemExit(f"{done()} of {count} done, {len(remote.came)} requests")
    return round((count - 1) / (max(remote.came) - min(remote.came)), 1)


def work(address, runs, takes_over, is_stuck, ready):
    """A worker of ours; one that is stuck begins runs and stays in their second step."""
    durable = Durable(Database(address.app), SystemClock(), address, print, takes_over=takes_over)

    def second():
        if is_stuck:
            ready.release()
            threading.Event().wait()

    def run(name):
        durable.step("first", str, name)
        durable.step("second", second)

    durable.register("run", run)
    durable.launch()
    for name in runs:
        durable.start("run", name, name)
    if not is_stuck:
        ready.release()
    threading.Event().wait()


def failover(address, owner, prefix, count, takes_over, seconds):
    """Kill a worker with runs under way; how many another one has finished after some seconds at most, and when."""
    runs, ready = [f"{prefix}-{n}" for n in range(count)], FORK.Semaphore(0)
    other = FORK.Process(target=work, args=(address, [], takes_over, False, ready), daemon=True)
    other.start()
    ready.acquire()
    victim = FORK.Process(target=work, args=(address, runs, False, True, ready), daemon=True)
    victim.start()
    for _ in runs:
        ready.acquire()
    victim.kill()
    victim.join()
    begin, finished = time.monotonic(), 0
    query = "SELECT count(*) FROM durable.workflow_status WHERE workflow_uuid = ANY(%s) AND status = 'SUCCESS'"
    with psycopg.connect(owner, autocommit=True) as connection:
        while finished < count and time.monotonic() - begin < seconds:
            time.sleep(0.1)
            finished = connection.execute(query, (runs,)).fetchone()[0]
    spent = time.monotonic() - begin
    other.kill()
    other.join()
    return {"runs": count, "finished": finished, "seconds": round(spent, 1)}


def measure(stage, remote, actions, rounds):
    with psycopg.connect(stage.owner) as connection:
        held = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in DURABLE}
    if held != DURABLE:
        raise SystemExit(f"the server runs with {held}")
    app = stage.app()
    stage.passed(app)
    dbos.DBOS.migrate(url_of(stage.owner).render_as_string(hide_password=False), schema=SCHEMA)
    paces = {"ours": [], "rival_threads": [], "rival_queue": []}
    for number in range(rounds):
        first = 100_000 * (number + 1)
        paces["ours"].append(our_pace(stage, app, remote, first, actions))
        paces["rival_threads"].append(rival_pace(stage, remote, first, actions, "threads"))
        paces["rival_queue"].append(rival_pace(stage, remote, first, actions, "queue"))
        print({name: rates[-1] for name, rates in paces.items()}, flush=True)
    medians = {name: statistics.median(rates) for name, rates in paces.items()}
    best = max(medians["rival_threads"], medians["rival_queue"])
    address = Address(stage.owner, stage.conninfo, None)
    prepare(address)
    return {
        "pace": {
            "actions": actions,
            "processes": PROCESSES,
            "threads": THREADS,
            "rounds": paces,
            "ours_per_second": medians["ours"],
            "rival_per_second": best,
            "ratio": round(medians["ours"] / best, 2),
            "rival": {"dbos": version("dbos"), **RIVAL, **QUEUE},
            "server": held,
        },
        "failover": failover(address, stage.owner, "taken", 5, True, 60),
        "control": failover(address, stage.owner, "left", 5, False, 30),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--actions", type=int, default=800)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    arguments = parser.parse_args()
    remote = Remote()
    stage = Stage(remote.address, "sk_bench")
    try:
        figures = measure(stage, remote, arguments.actions, arguments.rounds)
    finally:
        stage.end()
    print(figures)
    if arguments.write:
        save({"name": "durable", "machine": machine(), **figures})
    wrong = []
    if figures["pace"]["ratio"] < 1:
        wrong.append("a bare workflow is quicker than the gateway")
    if figures["failover"]["finished"] != figures["failover"]["runs"]:
        wrong.append("a dead worker's runs were not finished")
    if figures["control"]["finished"]:
        wrong.append("the control finished runs that nobody took over")
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
