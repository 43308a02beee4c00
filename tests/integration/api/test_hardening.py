"""Requests that once broke the interface: each stays broken off at the door."""

import json
import threading
import uuid
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from steward.api.app import create_app
from steward.bootstrap import App
from steward.events import BatchWriter
from steward.infra.clock import FrozenClock
from steward.infra.db import Database
from steward.infra.settings import Settings

pytestmark = pytest.mark.db

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE, BATCH = "/v1/events", "/v1/events:batch"
SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def assert_safe(response):
    for name, value in SAFE.items():
        assert response.headers[name] == value
    assert "default-src 'none'" in response.headers["content-security-policy"]
    if response.status_code >= 400 or response.status_code == 207:
        assert_problem(response)


def assert_problem(response):
    response.read()
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["type"] == f"urn:steward:problem:{document['code']}"
    assert {"title", "detail"} <= set(document)
    for error in document.get("errors", []):
        assert set(error) == {"index", "path", "code", "detail"}
        assert error["path"].startswith("$")
        assert error["detail"]


def client_of(steward):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the test client about itself
        from fastapi.testclient import TestClient
    app = create_app()
    app.state.steward = steward
    client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
    client.event_hooks = {"request": [], "response": [assert_safe]}  # every answer of every test
    return client


class Site:
    """The application behind its HTTP door, keys to it, and plain SQL beside it."""

    def __init__(self, database, owner, home, catalog):
        self.clock = FrozenClock(AT)
        self.owner = owner
        self.steward = App(
            Settings(home=home, database_url=None, host="127.0.0.1", port=0), database, catalog, self.clock
        )
        self.key = self.steward.access.create("all", ["events:write", "events:read"])
        self.client = client_of(self.steward)

    @property
    def bearer(self):
        return {"Authorization": f"Bearer {self.key}"}

    def post(self, path, body, headers=None, **more):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {"Content-Type": "application/json", **self.bearer, **(headers or {})}
        return self.client.post(path, content=content, headers=own, **more)

    def get(self, path, **params):
        return self.client.get(path, params=params, headers=self.bearer)

    def rows(self, query, parameters=None):
        with psycopg.connect(self.owner, autocommit=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def stored(self, *names):
        """Which of these ids are in the log."""
        return {name for (name,) in self.rows("SELECT event_id FROM event WHERE event_id = ANY (%s)", (list(names),))}

    @contextmanager
    def head_held(self):
        """Somebody else holds the log's head: writers wait."""
        with psycopg.connect(self.owner) as connection:
            connection.execute("SELECT FROM log_head FOR UPDATE")
            yield
            connection.rollback()

    def close(self):
        self.client.close()
        self.steward.ingestor.close()


@pytest.fixture(scope="module")
def site(cluster, tmp_path_factory, catalog):
    """One for the whole module: tests name their events by names of their own."""
    name = f"steward_{uuid.uuid4().hex[:12]}"
    cluster.create(name, cluster.template)
    database = Database(make_conninfo(cluster.app, dbname=name), cluster.role)
    made = Site(database, make_conninfo(cluster.owner, dbname=name), tmp_path_factory.mktemp("home"), catalog)
    yield made
    made.close()
    database.close()
    cluster.drop(name)


@pytest.fixture
def own_site(fresh, tmp_path, catalog):
    """One for a test that breaks it."""
    made = Site(fresh.app, fresh.owner, tmp_path, catalog)
    yield made
    made.close()


@pytest.fixture
def name():
    return uuid.uuid4().hex


def event(name, sku="M", **more):
    return {
        "specversion": "1.0",
        "id": name,
        "source": "shop",
        "type": "StockOut",
        "subject": f"sku/{name}",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"sku": sku},
        **more,
    }


def errors(response):
    return [(error["index"], error["code"], error["path"]) for error in response.json()["errors"]]


# Who may


# One event


def binary(name, **more):
    headers = {
        "ce-specversion": "1.0",
        "ce-id": name,
        "ce-source": "shop",
        "ce-type": "StockOut",
        "ce-subject": f"sku/{name}",
        "ce-time": "2026-01-01T00:00:00Z",
        **more,
    }
    return {key: value for key, value in headers.items() if value is not None}


# Many


# Bodies


# Idempotency-Key


# Reading


@pytest.fixture
def read(site, name):
    """Six events of two types and three subjects after the position `start`, and a function that reads positions."""
    start = site.steward.events.head()["size"]
    for n in range(6):
        kind = {"type": "StockLow", "data": {"sku": "M", "on_hand": 1}} if n % 2 else {}
        site.post(ONE, event(f"{name}-{n}", subject=f"sku/{name}-{n % 3}", **kind))

    def positions(**params):
        document = site.get(ONE, **{"after": start, **params}).json()
        return [item["position"] - start for item in document["items"]], document["next"] and document["next"] - start

    positions.start = start
    return positions


def assert_bad_parameter(site, query):
    response = site.client.get(f"{ONE}?{query}", headers=site.bearer)
    assert (response.status_code, response.json()["code"]) == (422, "bad_parameter")
    assert query.split("=")[0] in response.json()["detail"]


# Everything else


def test_nul_in_subject(site):
    r = site.client.get(ONE + "?subject=%00", headers=site.bearer)
    print(r.status_code, r.text)
    assert r.status_code in (400, 422)


def test_nul_in_type(site):
    r = site.client.get(ONE + "?type=%00", headers=site.bearer)
    print(r.status_code, r.text)
    assert r.status_code in (400, 422)


def test_deep(own_site, name):
    deep = "M"
    for _ in range(300):
        deep = [deep]
    r = own_site.post(ONE, event(name, data={"sku": "M", "x": deep}))
    print(r.status_code, r.text[:200])
    if r.status_code == 201:
        own_site.client.event_hooks["response"].clear()
        g = own_site.get(ONE)
        print(g.status_code, g.text[:200])
        assert g.status_code == 200


def test_500_headers(own_site, name):
    with psycopg.connect(own_site.owner, autocommit=True) as o:
        o.execute("ALTER TABLE event RENAME TO gone")
    r = own_site.get(ONE)
    assert r.status_code == 500


def test_atomic_dup(site, name):
    r = site.post(f"{BATCH}?atomic=true", [event(name), event(name), event(name, "N")])
    print(
        r.status_code,
        r.text,
        site.rows("SELECT event_id, position FROM event_conflict WHERE event_id=%s", (name,)),
        site.stored(name),
    )
    assert r.status_code != 207


def test_payload_calendar(site, name):
    r = site.post(
        ONE, event(name, type="LiveShowScheduled", data={"show_id": 1, "starts_at": "0001-01-01T00:00:00+10:00"})
    )
    print(r.status_code)
    assert r.status_code == 422


def test_payload_calendar2(site, name):
    r = site.post(
        ONE, event(name, type="LiveShowScheduled", data={"show_id": "1", "starts_at": "0001-01-01T00:00:00+10:00"})
    )
    print(r.status_code)
    assert r.status_code == 422


def test_one_lone_surrogate_spoils_batch(site, name):
    body = (
        json.dumps([event(name), event(name + "2", data={"sku": "M", "x": "SURR"})]).replace("SURR", "\\ud800").encode()
    )
    r = site.post(BATCH, body)
    print(r.status_code, r.text)
    assert r.status_code == 207


def test_one_deep_spoils_batch(site, name):
    body = (
        json.dumps([event(name), event(name + "2", data={"sku": "M", "x": "DEEP"})])
        .replace('"DEEP"', "[" * 5000 + "]" * 5000)
        .encode()
    )
    r = site.post(BATCH, body)
    print(r.status_code, r.text)
    assert r.status_code == 207


def test_envelope_repeated(site, name):
    body = json.dumps(event(name))[:-1].encode() + b',"subject":"sku/other"}'
    r = site.post(ONE, body)
    print(r.status_code, r.text)
    assert r.status_code == 422


def test_binary_xml(site, name):
    r = site.post(ONE, {"sku": "M"}, {**binary(name), "Content-Type": "application/xml"})
    print(r.status_code)
    assert r.status_code == 415


def test_binary_bad_percent(site, name):
    r = site.post(ONE, {"sku": "M"}, binary(name, **{"ce-correlationid": "%ff"}))
    print(r.status_code)
    assert r.status_code in (400, 422)


def test_currency(site, name):
    r = site.post(ONE, event(name, type="PriceChanged", data={"sku": "M", "price_minor": 1, "currency": "GBP\n"}))
    print(r.status_code)
    assert r.status_code == 422


def test_cancelled_future(site, name):
    w = BatchWriter(site.steward.events)
    d = site.steward.ingestor.decode_batch(json.dumps([event(name)]).encode())
    from steward.events import Request

    warnings.simplefilter("ignore")
    with site.head_held():
        f = w.submit(Request([d.events[0][1]]))
        f.cancel()
    assert w.submit(Request([])).result(5) == []


def test_expected_version_int(site, name):
    r = site.post(ONE, event(name, expectedversion=2**70))
    print(r.status_code, r.text)


def test_schemaversion_big(site, name):
    r = site.post(ONE, event(name, schemaversion=2**40))
    print(r.status_code, r.text[:200])


def test_checkpoint_infinity(site, tmp_path):
    p = site.steward.settings.home / "checkpoints.jsonl"
    p.parent.mkdir(parents=True, exist_ok=True)
    old = p.read_text() if p.exists() else ""
    p.write_text('{"size": Infinity, "root": "00"}\n')
    try:
        assert site.steward.events.verify().violations
    finally:
        p.write_text(old)


def test_checkpoint_size_float(site, tmp_path):
    site.steward.events.publish_checkpoint()
    p = site.steward.settings.home / "checkpoints.jsonl"
    old = p.read_text()
    d = json.loads(old.splitlines()[-1])
    d["size"] += 0.9
    p.write_text(json.dumps(d) + "\n")
    try:
        assert site.steward.events.verify().violations
    finally:
        p.write_text(old)


def test_threads_that_make_one_secret_agree(tmp_path):
    from steward.infra.signing import secret_file

    for i in range(60):
        path, gate = tmp_path / f"k{i}" / "s", threading.Barrier(8)

        def make(_number, path=path, gate=gate):
            gate.wait()
            return secret_file(path)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(make, range(8))) == {path.read_bytes()}
