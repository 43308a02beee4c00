"""Workers of the durable engine as processes of their own, forked from one that has loaded it. A line of JSON on standard
input asks for one, or for the schema; a worker says its name when it works.
"""

import json
import os
import signal
import sys
import threading

import dbos  # noqa: F401 - before the forks
import sqlalchemy  # noqa: F401 - the same

from steward.infra.clock import SystemClock
from steward.infra.db import Database
from steward.infra.durable import Durable, Recurring
from steward.infra.durable_client import durable_client
from steward.infra.durable_schema import Address, prepare


def work(address, name, lease_seconds, takes_over):
    database = Database(address.app, address.role)
    durable = Durable(
        database, SystemClock(), address, lambda what: print(what, file=sys.stderr),
        lease_seconds=lease_seconds, takes_over=takes_over,
    )  # fmt: skip

    def note(what):
        with database.transaction() as connection:
            connection.execute("INSERT INTO noted (what, worker) VALUES (%s, %s)", (what, name))
        return what

    def second(run):
        note(f"{run} second")
        if name == "stuck":
            threading.Event().wait()

    def two_steps(run):
        durable.step("first", note, f"{run} first")
        durable.step("second", second, run)
        return durable.wait_signal("go", 60)

    durable.register("tick", lambda tick: durable.step("note", note, tick))
    durable.register("seldom", lambda tick: durable.step("note", note, f"seldom {tick}"))
    durable.register("two_steps", two_steps)
    if name.startswith("clock"):
        durable.schedule(Recurring("secondly", "tick", "* * * * * *"))
        durable.schedule(Recurring("seldom", "seldom", "*/2 * * * * *", catches_up=False))
    durable.launch()
    if name == "stuck":
        durable.start("two_steps", "r1", "r1")
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(name, flush=True)
    stop.wait()
    durable.close()
    os._exit(0)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        asked = json.loads(line)
        address = Address(**asked["address"])
        if "signal" in asked:
            with durable_client(address) as client:
                client.signal(*asked["signal"])
                print(client.newest("r1", 1)[0].outcome, flush=True)
        elif "name" not in asked:
            print(prepare(address), flush=True)
        elif (pid := os.fork()) == 0:
            work(address, asked["name"], asked["lease_seconds"], asked["takes_over"])
        else:
            print(pid, flush=True)


if __name__ == "__main__":
    main()
