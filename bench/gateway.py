"""What the way out costs: milliseconds and commits an action, its pace, how fast a stop stops, whether limits hold.

A server on the loopback address takes every request, notes when it came, and answers at once. Actions are admitted
through the whole spine, then carried out by two or four processes.

    rate      tokens of one bucket drawn by four processes: never more than burst and rate give, and how much is used
    cost      from taking an admitted action up to its record, under full load, and commits of the database per action
    alone     the same for one action after another: what the way out adds to a call that is answered at once
    stop      from the commit of a kill switch to the last request that came in, at full speed

The control of the stop is the same run without a switch: requests must go on coming. The control of the rate is four
processes with a bucket each: together they must pass the limit.

    python bench/gateway.py [--actions 1500] [--write]
"""

import argparse
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
from effect_stage import FORK, Stage, proposal, spawn
from results import machine, save

COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = 'steward'"
DONE = "SELECT count(*) FROM effect WHERE state = 'succeeded'"


class Remote:
    """A server that says yes, and when it was asked."""

    def __init__(self):
        self.came = came = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                came.append(time.time())
                self.rfile.read(int(self.headers["content-length"]))
                body = b'{"id": "re_1", "status": "succeeded"}'
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


def admit(app, first, count):
    for number in range(first, first + count):
        acted = app.control.act(proposal("keyed", number, f"ch_{number}"))
        if acted.outcome != "receipt":
            raise SystemExit(f"action {number} was {acted.outcome}")


def value(stage, query):
    with psycopg.connect(stage.owner, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        return connection.execute(query).fetchone()[0]


def wait_for(stage, count, seconds):
    end = time.monotonic() + seconds
    while value(stage, DONE) < count:
        if time.monotonic() > end:
            raise SystemExit(f"{value(stage, DONE)} of {count} done after {seconds} s")
        time.sleep(0.02)


def cost(stage, app, remote, count, workers):
    """Carry `count` actions out with some workers; their pace, and commits for each."""
    admit(app, 0, count)
    before, begin = value(stage, COMMITS), time.monotonic()
    running = [spawn(stage, f"cost-{n}", 8)[0] for n in range(workers)]
    wait_for(stage, count, 300)
    first, last = min(remote.came), max(remote.came)
    spent = last - first
    time.sleep(1)  # statistics of a session reach the view within a second
    commits = value(stage, COMMITS) - before
    for process in running:
        process.terminate()
        process.join()
    times = """
        SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
            ORDER BY extract(epoch FROM r.ended_at - a.started_at) * 1000)
        FROM effect_attempt a JOIN effect_answer r USING (action_id, n)
    """
    p50, p99 = (round(one, 1) for one in value(stage, times))
    return {
        "actions": count,
        "actions_per_second": round(count / spent, 1),
        "seconds": round(time.monotonic() - begin, 1),
        "taken_up_to_recorded_ms": {"p50": p50, "p99": p99},
        "commits_per_action": round(commits / count, 2),
    }


def alone(stage, app, remote, count):
    """One action after another, with nobody else: what the way out adds to a call that is answered at once."""
    running = spawn(stage, "alone", 8)[0]
    since = datetime.now(UTC)
    for number in range(20_000, 20_000 + count):
        seen = len(remote.came)
        admit(app, number, 1)
        while len(remote.came) == seen:
            time.sleep(0.001)
        time.sleep(0.05)  # the next one comes to an idle gate
    running.terminate()
    running.join()
    query = f"""
        SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
            ORDER BY extract(epoch FROM r.ended_at - a.started_at) * 1000)
        FROM effect_attempt a JOIN effect_answer r USING (action_id, n) WHERE a.started_at >= '{since.isoformat()}'
    """
    p50, p99 = (round(one, 1) for one in value(stage, query))
    return {"actions": count, "taken_up_to_recorded_ms": {"p50": p50, "p99": p99}}


def stop(stage, app, remote, count, rounds):
    """Milliseconds from a switch's commit to the last request, over some rounds; and the pace it had to stop."""
    admit(app, 10_000, count)
    running = [spawn(stage, f"stop-{n}", 8)[0] for n in range(4)]
    waits, paces = [], []
    for _ in range(rounds):
        remote.came.clear()
        while len(remote.came) < 60:
            time.sleep(0.005)
        paces.append((len(remote.came) - 1) / (remote.came[-1] - remote.came[0]))
        app.kills.throw("tool:storm_keyed", "bench", "a round")
        thrown = time.time()
        time.sleep(0.6)
        late = [at for at in remote.came if at > thrown]
        waits.append(max((at - thrown) * 1000 for at in late) if late else 0.0)
        quiet = len(remote.came)
        time.sleep(0.3)
        if len(remote.came) > quiet:
            raise SystemExit("requests came long after the switch was thrown")
        app.kills.lift("tool:storm_keyed", "bench", "next round")
    remote.came.clear()
    time.sleep(0.6)
    goes_on = len(remote.came)
    for process in running:
        process.kill()
        process.join()
    waits.sort()
    return {
        "rounds": rounds,
        "pace_per_second": round(sorted(paces)[len(paces) // 2], 1),
        "last_request_after_ms": {"p50": round(waits[len(waits) // 2], 1), "worst": round(waits[-1], 1)},
        "control_requests_without_a_switch": goes_on,
    }


def draw(stage, name, seconds, granted):
    from steward.gateway.store import EffectStore
    from steward.infra.db import Database

    database, store = Database(stage.conninfo), EffectStore()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with database.transaction() as connection:
            got, _ = store.draw(connection, name, 3, 40, 200_000_000, datetime.now(UTC))
        with granted.get_lock():
            granted.value += got
    database.close()


def rate(stage, seconds, own):
    """Four processes on a bucket of 40 that fills at 200 a second; each its own where `own`."""
    granted = FORK.Value("q", 0)
    begin = time.monotonic()
    names = [f"own-{n}" if own else "shared" for n in range(4)]
    processes = [FORK.Process(target=draw, args=(stage, name, seconds, granted)) for name in names]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    spent = time.monotonic() - begin
    return {
        "granted": granted.value,
        "allowed": int(40 + 200 * spent),
        "used_percent": round(100 * granted.value / (40 + 200 * seconds), 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--actions", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    arguments = parser.parse_args()
    remote = Remote()
    stage = Stage(remote.address, "sk_bench")
    try:
        app = stage.app()
        stage.passed(app)
        figures = {"rate": rate(stage, 5, own=False), "rate_control": rate(stage, 5, own=True)}
        figures["cost"] = cost(stage, app, remote, arguments.actions, 2)
        figures["alone"] = alone(stage, app, remote, 100)
        figures["stop"] = stop(stage, app, remote, arguments.rounds * 120 + 500, arguments.rounds)
    finally:
        stage.end()
    print(figures)
    wrong = []
    if figures["rate"]["granted"] > figures["rate"]["allowed"]:
        wrong.append("more tokens were granted than the limit allows")
    if figures["rate_control"]["granted"] <= figures["rate_control"]["allowed"]:
        wrong.append("the control of the rate kept the limit")
    if figures["stop"]["control_requests_without_a_switch"] == 0:
        wrong.append("nothing came without a switch either")
    if arguments.write:
        save({"name": "gateway", "machine": machine(), **figures})
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
