"""Schedules and runs through death: real workers in processes of their own, on a real database."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from steward.infra.durable_schema import Address

pytestmark = pytest.mark.db
NURSERY = Path(__file__).with_name("durable_nursery.py")
TABLE = """
    CREATE TABLE noted (what text NOT NULL, worker text NOT NULL, at timestamptz NOT NULL DEFAULT now());
    GRANT SELECT, INSERT ON noted TO steward_app
"""


@pytest.fixture(scope="module")
def nursery():
    process = subprocess.Popen([sys.executable, str(NURSERY)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait(10)
    process.stdin.close()
    process.stdout.close()


class Workers:
    """Workers on one database, and what became of their work."""

    def __init__(self, nursery, address, connection):
        self.address = address
        self._nursery = nursery
        self._connection = connection
        self._pids = {}

    def _say(self, **asked):
        self._nursery.stdin.write(json.dumps({"address": asdict(self.address), **asked}) + "\n")
        self._nursery.stdin.flush()

    def _hear(self):
        return self._nursery.stdout.readline().strip()

    def prepare(self):
        self._say()
        return self._hear() == "True"

    def signal(self, *what):
        self._say(signal=what)
        return self._hear()

    def begin(self, *names, takes_over=True):
        for name in names:
            self._say(name=name, lease_seconds=1.0, takes_over=takes_over)
        said = [self._hear() for _ in range(2 * len(names))]
        self._pids.update(zip(names, (int(line) for line in said if line.isdecimal()), strict=True))
        assert {line for line in said if not line.isdecimal()} == set(names)

    def kill(self, *names):
        for name in names:
            os.kill(self._pids.pop(name), signal.SIGKILL)

    def end(self):
        self.kill(*self._pids)

    def ask(self, query, *parameters):
        return self._connection.execute(query, parameters).fetchall()

    def wait_for(self, query, *parameters):
        end = time.monotonic() + 20
        while not (found := self.ask(query, *parameters)):
            assert time.monotonic() < end, self.ask("SELECT * FROM noted ORDER BY at")
            time.sleep(0.05)
        return found


@pytest.fixture
def workers(cluster, fresh, nursery):
    address = Address(fresh.owner, make_conninfo(cluster.app, dbname=fresh.name), cluster.role)
    with psycopg.connect(address.owner, autocommit=True) as connection:
        connection.execute(TABLE)
        workers = Workers(nursery, address, connection)
        yield workers
        workers.end()


def text(tick):
    return tick.isoformat().replace("+00:00", "Z")


def test_every_tick_is_run_once_by_two_workers_and_those_missed_afterwards(workers):
    workers.begin("clock-1", "clock-2")
    workers.wait_for("SELECT 1 FROM noted WHERE what NOT LIKE 'seldom%%' OFFSET 2")
    workers.kill("clock-1", "clock-2")
    dead = datetime.now(UTC)
    time.sleep(2.1)
    workers.begin("clock-3")
    missed = [(dead + timedelta(seconds=n)).replace(microsecond=0) for n in (1, 2)]
    for tick in missed:
        workers.wait_for("SELECT 1 FROM noted WHERE what = %s", text(tick))
    noted = workers.ask("SELECT what, count(*) FROM noted GROUP BY what")
    ticks = sorted(datetime.fromisoformat(what) for what, _ in noted if not what.startswith("seldom"))
    assert {b - a for a, b in pairwise(ticks) if b <= missed[-1]} == {timedelta(seconds=1)}
    assert sum(f"seldom {text(tick)}" in dict(noted) for tick in missed) <= 1
    # A kill may fall between a step and its record: then that step is done again, as it says. No other is.
    cut_off = {text((dead - timedelta(seconds=n)).replace(microsecond=0)) for n in (0, 1)}
    assert {what for what, times in noted if times > 1 and what.removeprefix("seldom ") not in cut_off} == set()


def test_what_a_killed_worker_began_is_finished_by_another(workers):
    workers.begin("idle", takes_over=False)
    workers.begin("stuck")
    workers.wait_for("SELECT 1 FROM noted WHERE what = 'r1 second'")
    workers.kill("stuck")
    time.sleep(1.5)
    assert workers.signal("r1", "go", {"by": "owner"}, "once") == "PENDING"
    assert workers.signal("r1", "go", {"by": "owner"}, "once") == "PENDING"
    workers.begin("heir")
    workers.wait_for("SELECT 1 FROM durable.workflow_status WHERE workflow_uuid = 'r1' AND status = 'SUCCESS'")
    noted = workers.ask("SELECT what, worker FROM noted ORDER BY at, what")
    assert noted[:2] == [("r1 first", "stuck"), ("r1 second", "stuck")]
    assert [what for what, _ in noted[2:]] == ["r1 second"]
    assert workers.ask("SELECT output FROM durable.workflow_output WHERE workflow_uuid = 'r1'") == [('{"by":"owner"}',)]


def test_the_application_may_change_rows_and_nothing_else(workers):
    address = workers.address
    assert workers.prepare() is True
    assert workers.prepare() is False
    with psycopg.connect(address.app, autocommit=True) as connection:
        if address.role:
            connection.execute(f"SET ROLE {address.role}")
        assert connection.execute("SELECT count(*) FROM durable.workflow_status").fetchone() == (0,)
        for statement in (
            "CREATE TABLE durable.mine (a int)",
            "DROP TABLE durable.queues",
            "ALTER TABLE durable.queues ADD COLUMN mine int",
            "TRUNCATE durable.workflow_status",
            "UPDATE durable.dbos_migrations SET version = 1",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
