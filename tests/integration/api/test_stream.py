"""The log as server-sent events over a real socket: live, taken up where it broke off, and after the server was killed."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager, suppress

import httpx
import psycopg
import pytest
import uvicorn
from psycopg.conninfo import make_conninfo

from steward.api.app import create_app

pytestmark = pytest.mark.db

STREAM = "/v1/events/stream"
ROUTES = "steward.api.routes.events"


def event(name, subject="sku/1", **more):
    base = {"id": name, "source": "shop", "type": "StockOut", "subject": subject, "time": "2026-01-01T00:00:00Z"}
    return base | {"data": {"sku": "M"}} | more


class Site:
    """A server's address and a key to it."""

    def __init__(self, address, key):
        self.address, self.key = address, key
        self.http = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False
        )

    def send(self, *events):
        response = self.http.post("/v1/events:batch", json=events)
        assert response.status_code == 200, response.text
        return response.json()

    @property
    def size(self):
        """How many events the log holds."""
        low = 0
        while (page := self.http.get("/v1/events", params={"after": low, "limit": 1000}).json())["items"]:
            low = page["items"][-1]["position"]
        return low

    @contextmanager
    def stream(self, headers=None, **params):
        with self.http.stream("GET", STREAM, params=params, headers=headers or {}) as response:
            yield Stream(response)


class Stream:
    """Server-sent events as a browser reads them, and comments."""

    def __init__(self, response):
        self.response = response
        self._lines = self._split() if response.status_code == 200 else iter(())

    def _split(self):
        """Lines end in a line feed here, and in nothing else: other line breaks are text."""
        rest = b""
        for part in self.response.iter_bytes():
            *whole, rest = (rest + part).split(b"\n")
            yield from (line.decode() for line in whole)

    def blocks(self):
        """Fields of each block; a comment is under the empty name."""
        block = {}
        for line in self._lines:
            if not line:
                yield block
                block = {}
                continue
            name, _, value = line.partition(":")
            block[name] = value.removeprefix(" ")

    def take(self, count):
        """The next events."""
        found = []
        for block in self.blocks():
            if "data" in block:
                found.append(block)
                if len(found) == count:
                    return found
        return found

    def ids(self, count):
        return [int(block["id"]) for block in self.take(count)]


@contextmanager
def serving(owner, home):
    """The application under uvicorn in a thread of its own, on a free port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEWARD_HOME", str(home))
        patch.setenv("STEWARD_DATABASE_URL", owner)
        app = create_app()
        config = uvicorn.Config(app, port=0, log_level="critical", ws="none", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        key = app.state.steward.access.create("test", ["events:write", "events:read"])
        made = Site(f"http://127.0.0.1:{port}", key)
        made.app = app
        try:
            yield made
        finally:
            made.http.close()
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture(scope="module")
def site(cluster, tmp_path_factory):
    """One for the whole module: tests read from where the log stands."""
    name = f"steward_{uuid.uuid4().hex[:12]}"
    cluster.create(name, cluster.template)
    with serving(make_conninfo(cluster.owner, dbname=name), tmp_path_factory.mktemp("home")) as made:
        yield made
    cluster.drop(name)


@pytest.fixture
def name():
    return uuid.uuid4().hex


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def test_live_events_arrive_as_they_are_stored(site, name):
    start = site.size
    with site.stream(after=start) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-content-type-options"] == "nosniff"
        assert next(stream.blocks()) == {"retry": "1000"}
        for n in range(3):
            site.send(event(f"{name}-{n}", data={"sku": "M", "note": "\u00fc\u2028\n\r\ndata: x\n\n"}))
            (block,) = stream.take(1)
            assert (int(block["id"]), block["event"]) == (start + n + 1, "StockOut")
            (item,) = site.http.get("/v1/events", params={"after": start + n, "limit": 1}).json()["items"]
            assert json.loads(block["data"]) == item
            assert item["envelope"]["id"] == f"{name}-{n}"


def test_without_a_position_the_stream_starts_at_what_comes_next(site, name):
    site.send(event(f"{name}-before"))
    with site.stream() as stream:
        assert next(stream.blocks()) == {"retry": "1000"}
        site.send(event(f"{name}-after"))
        (block,) = stream.take(1)
    assert json.loads(block["data"])["envelope"]["id"] == f"{name}-after"


def test_what_is_there_already_comes_first_however_much_it_is(site, name):
    start = site.size
    site.send(*(event(f"{name}-{n}") for n in range(1203)))
    with site.stream(after=start) as stream:
        assert stream.ids(1203) == list(range(start + 1, start + 1204))
        site.send(event(f"{name}-last"))
        assert stream.ids(1) == [start + 1204]


def test_the_last_id_a_reader_saw_counts_more_than_where_it_began(site, name):
    start = site.size
    site.send(*(event(f"{name}-{n}") for n in range(5)))
    with site.stream({"Last-Event-ID": str(start + 3)}, after=start) as stream:
        assert stream.ids(2) == [start + 4, start + 5]
    with site.stream({"Last-Event-ID": str(start + 5)}) as stream:
        site.send(event(f"{name}-more"))
        assert stream.ids(1) == [start + 6]


def test_a_reader_that_breaks_off_and_comes_back_misses_and_repeats_nothing(site, name):
    start = site.size
    writers = [
        threading.Thread(
            target=lambda w=w: [site.send(*(event(f"{name}-{w}-{n}-{i}") for i in range(5))) for n in range(40)]
        )
        for w in range(2)
    ]
    for writer in writers:
        writer.start()
    lengths = random.Random(7)
    seen = []
    while len(seen) < 400:
        last = str(seen[-1] if seen else start)
        with site.stream({"Last-Event-ID": last}) as stream:
            seen += stream.ids(min(lengths.randint(1, 60), 400 - len(seen)))
    for writer in writers:
        writer.join(30)
    assert seen == list(range(start + 1, start + 401))


def test_many_readers_see_the_same(site, name):
    start = site.size
    found = {}

    def read(n):
        with site.stream(after=start) as stream:
            found[n] = stream.ids(60)

    readers = [threading.Thread(target=read, args=(n,)) for n in range(8)]
    for reader in readers:
        reader.start()
    for n in range(20):
        site.send(*(event(f"{name}-{n}-{i}") for i in range(3)))
    for reader in readers:
        reader.join(30)
    assert all(found[n] == list(range(start + 1, start + 61)) for n in range(8))


def test_filters_by_type_and_subject(site, name):
    start = site.size
    low = {"type": "StockLow", "data": {"sku": "M", "on_hand": 1}}
    with (
        site.stream(after=start, type="StockLow") as by_type,
        site.stream(after=start, subject=f"sku/{name}") as by_subject,
        site.stream(after=start, type=["StockLow", "StockOut"], subject=f"sku/{name}") as by_both,
    ):
        site.send(event(f"{name}-1"), event(f"{name}-2", **low))
        site.send(event(f"{name}-3", subject=f"sku/{name}"))
        site.send(event(f"{name}-4", subject=f"sku/{name}", **low))
        assert by_type.ids(2) == [start + 2, start + 4]
        assert by_subject.ids(2) == [start + 3, start + 4]
        assert by_both.ids(2) == [start + 3, start + 4]


def test_a_filtered_stream_is_taken_up_at_a_position_of_the_whole_log(site, name):
    start = site.size
    site.send(*(event(f"{name}-{n}", subject=f"sku/{name}-{n % 3}") for n in range(9)))
    with site.stream({"Last-Event-ID": str(start + 2)}, subject=f"sku/{name}-0") as stream:
        assert stream.ids(2) == [start + 4, start + 7]


def test_a_silent_stream_says_that_it_is_still_there(site, monkeypatch, name):
    monkeypatch.setattr(f"{ROUTES}._KEEP_ALIVE_SECONDS", 0.1)
    start = site.size
    with site.stream(after=start) as stream:
        blocks = stream.blocks()
        assert [next(blocks) for _ in range(3)] == [{"retry": "1000"}, {"": "still here"}, {"": "still here"}]
        site.send(event(name))
        block = next(block for block in blocks if "data" in block)
        assert int(block["id"]) == start + 1


@pytest.mark.parametrize("last", ["x", "-1", "1.5", b"\xd9\xa1", "9" * 19, "1 2", "0x1", "1_0"])
def test_a_last_id_that_is_no_position_is_refused(site, last):
    with site.stream({"Last-Event-ID": last}) as stream:
        assert stream.response.status_code == 400
        stream.response.read()
        assert stream.response.headers["content-type"] == "application/problem+json"
        assert stream.response.headers["x-content-type-options"] == "nosniff"
        assert stream.response.json()["code"] == "bad_input"


def test_a_position_far_beyond_the_log_waits(site, monkeypatch, name):
    monkeypatch.setattr(f"{ROUTES}._KEEP_ALIVE_SECONDS", 0.1)
    with site.stream({"Last-Event-ID": "9" * 18}) as stream:
        site.send(event(name))
        blocks = stream.blocks()
        assert [next(blocks) for _ in range(2)] == [{"retry": "1000"}, {"": "still here"}]


def test_nobody_reads_without_a_key_for_it(site):
    writer = site.app.state.steward.access.create("w", ["events:write"])
    for key, status in (("Bearer x", 401), (f"Bearer {writer}", 403)):
        with site.stream({"Authorization": key}) as stream:
            assert stream.response.status_code == status


def test_streams_are_counted_and_bounded(site, monkeypatch):
    watch = site.app.state.watch
    until(lambda: watch.streams == 0)
    monkeypatch.setattr(f"{ROUTES}._MOST_STREAMS", 2)
    with site.stream() as first, site.stream() as second:
        assert next(first.blocks()) == next(second.blocks()) == {"retry": "1000"}
        with site.stream() as third:
            assert third.response.status_code == 429
            assert third.response.headers["retry-after"] == "5"
    until(lambda: watch.streams == 0)
    with site.stream() as again:
        assert again.response.status_code == 200


def test_a_stream_survives_the_loss_of_the_listening_connection(fresh, tmp_path):
    with serving(fresh.owner, tmp_path) as site, site.stream(after=0) as stream:
        site.send(event("1"))
        assert stream.ids(1) == [1]
        with psycopg.connect(fresh.owner, autocommit=True) as owner:
            listening = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'steward listen'"
            )
            assert owner.execute(f"{listening} AND datname = current_database()").fetchall() == [(True,)]
        site.send(event("2"))
        assert stream.ids(1) == [2]


# Killed


class Killable:
    """The server as a process of its own, which can be killed as a power cut would."""

    def __init__(self, owner, home):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {**os.environ, "STEWARD_HOME": str(home), "STEWARD_DATABASE_URL": owner}
        self._process = None

    def start(self):
        command = [sys.executable, "-m", "uvicorn", "--factory", "steward.api.app:create_app"]
        command += ["--port", str(self.port), "--log-level", "critical"]
        self._process = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)
        until(self._is_ready, 30)

    def _is_ready(self):
        assert self._process.poll() is None
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/readyz", trust_env=False).status_code == 200
        return False

    def kill(self):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)


@pytest.mark.slow
def test_killed_in_the_middle_nothing_acknowledged_is_lost_and_nothing_is_doubled(fresh, tmp_path):
    from steward.events import EventLog
    from steward.infra.access import AccessKeys
    from steward.infra.clock import SystemClock

    key = AccessKeys(fresh.app, SystemClock()).create("test", ["events:write", "events:read"])
    server = Killable(fresh.owner, tmp_path)
    server.start()
    site = Site(server.address, key)
    acknowledged, seen, done = {}, [], threading.Event()

    def write(w):
        """Every batch is sent under its own key until an answer comes."""
        for n in range(25):
            batch = [event(f"{w}-{n}-{i}", subject=f"sku/{w}") for i in range(4)]
            while True:
                with suppress(httpx.TransportError):
                    headers = {"Idempotency-Key": f"{w}-{n}"}
                    response = site.http.post("/v1/events:batch", json=batch, headers=headers)
                    if response.status_code == 200:
                        acknowledged[w, n] = response.json()["last"]
                        break
                    if response.json()["code"] == "in_flight":  # the first run died with the server
                        response = site.http.post("/v1/events:batch", json=batch)
                        if response.status_code == 200:
                            acknowledged[w, n] = response.json()["last"]
                            break
                time.sleep(0.02)

    def read():
        while not (done.is_set() and len(seen) >= 300):
            with suppress(httpx.TransportError), site.stream({"Last-Event-ID": str(seen[-1] if seen else 0)}) as stream:
                for block in stream.blocks():
                    if "data" in block:
                        seen.append(int(block["id"]))
                    if len(seen) >= 300:
                        return
            time.sleep(0.02)

    threads = [*(threading.Thread(target=write, args=(w,)) for w in range(3)), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    until(lambda: len(acknowledged) >= 20)
    server.kill()
    before = dict(acknowledged)
    server.start()
    for thread in threads[:3]:
        thread.join(60)
    done.set()
    threads[3].join(30)
    server.kill()
    site.http.close()

    assert len(before) < len(acknowledged) == 75
    with psycopg.connect(fresh.owner) as owner:
        rows = owner.execute("SELECT position, event_id FROM event ORDER BY position").fetchall()
    assert [position for position, _ in rows] == list(range(1, 301))
    assert {name for _, name in rows} == {f"{w}-{n}-{i}" for w in range(3) for n in range(25) for i in range(4)}
    by_name = {name: position for position, name in rows}
    for (w, n), last in acknowledged.items():
        assert last == max(by_name[f"{w}-{n}-{i}"] for i in range(4))
    assert seen == list(range(1, 301))
    assert EventLog(fresh.app, SystemClock(), tmp_path / "checkpoints.jsonl").verify().is_intact
