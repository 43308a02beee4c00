"""Events over HTTP: who may, in which forms, what becomes of each of them, and what is said about it."""

import gzip
import json
import threading
import uuid
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from steward.api.app import create_app
from steward.bootstrap import App
from steward.events import BatchWriter
from steward.infra.access import AccessKeys
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


@pytest.mark.parametrize(
    ("method", "path"), [("POST", ONE), ("POST", BATCH), ("GET", ONE), ("GET", "/v1/events/stream")]
)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic {key}", "{key}", "Bearer {key}0", "Bearer stw_0_0", "Bearer \u00fc"],
)
def test_nobody_comes_in_without_a_key(site, method, path, header):
    headers = {} if header is None else {"Authorization": header.format(key=site.key).encode("latin-1")}
    response = site.client.request(method, path, headers=headers, content=b"[]" if method == "POST" else None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["code"] in {"no_key", "unknown_key"}


def test_a_key_opens_only_what_it_is_for(site, name):
    writer = {"Authorization": f"Bearer {site.steward.access.create('w', ['events:write'])}"}
    reader = {"Authorization": f"bearer {site.steward.access.create('r', ['events:read'])}"}
    assert site.post(ONE, event(name), writer).status_code == 201
    assert site.client.get(ONE, headers=reader).status_code == 200
    for response in (
        site.post(ONE, event(name), reader),
        site.post(BATCH, [event(name)], reader),
        site.client.get(ONE, headers=writer),
        site.client.get("/v1/events/stream", headers=writer),
    ):
        assert (response.status_code, response.json()["code"]) == (403, "missing_scope")


def test_a_secret_of_another_key_opens_nothing(site):
    other = site.steward.access.create("o", ["events:read"])
    mixed = "_".join([*site.key.split("_")[:2], other.split("_")[2]])
    response = site.client.get(ONE, headers={"Authorization": f"Bearer {mixed}"})
    assert (response.status_code, response.json()["code"]) == (401, "unknown_key")


def test_a_revoked_key_opens_nothing(site):
    key = site.steward.access.create("gone", ["events:read"])
    headers = {"Authorization": f"Bearer {key}"}
    assert site.client.get(ONE, headers=headers).status_code == 200
    assert site.steward.access.revoke(key.split("_")[1])
    assert site.client.get(ONE, headers=headers).status_code == 401
    assert not site.steward.access.revoke(key.split("_")[1])


def test_a_key_revoked_in_another_process_opens_nothing_after_two_seconds(site):
    key = site.steward.access.create("gone", ["events:read"])
    headers = {"Authorization": f"Bearer {key}"}
    assert site.client.get(ONE, headers=headers).status_code == 200
    AccessKeys(site.steward.database, site.clock).revoke(key.split("_")[1])
    site.clock.advance(timedelta(seconds=2))
    assert site.client.get(ONE, headers=headers).status_code == 401


def test_the_database_holds_no_key(site):
    secret = site.key.split("_")[2]
    rows = "\n".join(text for (text,) in site.rows("SELECT to_jsonb(k)::text FROM api_key k"))
    assert site.key.split("_")[1] in rows
    assert secret not in rows


# One event


def test_one_event_lands_once(site, name):
    before = site.steward.events.head()["size"]
    first = site.post(ONE, event(name))
    assert (first.status_code, first.json()) == (201, {"position": before + 1, "duplicate": False})
    assert first.headers["content-type"] == "application/json"
    again = site.post(ONE, event(name))
    assert (again.status_code, again.json()) == (200, {"position": before + 1, "duplicate": True})
    assert site.stored(name) == {name}


@pytest.mark.parametrize(
    "kind", ["application/cloudevents+json", "application/cloudevents+json; charset=utf-8", "Application/JSON", ""]
)
def test_structured_mode_by_media_type(site, name, kind):
    assert site.post(ONE, event(name), {"Content-Type": kind}).status_code == 201


@pytest.mark.parametrize("path", [ONE, BATCH])
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/jsonp", "x"]
)
def test_other_media_types_are_refused(site, name, path, kind):
    response = site.post(path, event(name), {"Content-Type": kind})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert site.stored(name) == set()


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


def test_binary_mode_is_the_same_event(site, name):
    response = site.post(ONE, {"sku": "M"}, binary(name))
    assert response.status_code == 201
    assert site.post(ONE, event(name)).json() == {"position": response.json()["position"], "duplicate": True}


def test_binary_mode_percent_decodes_and_reads_integers(site, name):
    more = {
        "ce-subject": f"sku/{name}%20%C3%BC",
        "ce-schemaversion": "1",
        "ce-expectedversion": "0",
        "ce-correlationid": "c",
    }
    assert site.post(ONE, {"sku": "M"}, binary(name, **more)).status_code == 201
    (found,) = site.get(ONE, subject=f"sku/{name} \u00fc").json()["items"]
    assert (found["envelope"]["correlationid"], found["envelope"]["schemaversion"]) == ("c", 1)
    more["ce-subject"] += "2"
    assert errors(site.post(ONE, {"sku": "M"}, binary(name + "2", **{**more, "ce-expectedversion": "3"}))) == [
        (0, "wrong_version", "$.expectedversion")
    ]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"ce-id": None}, b'{"sku":"M"}', 422),
        ({"ce-time": "today"}, b'{"sku":"M"}', 422),
        ({"ce-specversion": "0.3"}, b'{"sku":"M"}', 422),
        ({"ce-more": "x"}, b'{"sku":"M"}', 422),
        ({"ce-schemaversion": "one"}, b'{"sku":"M"}', 422),
        ({"ce-schemaversion": "9" * 30}, b'{"sku":"M"}', 422),
        ({"ce-data": "{}"}, b'{"sku":"M"}', 400),
        ({"ce-id": "a%0Ab"}, b'{"sku":"M"}', 422),
        ({"ce-id": "a%00b"}, b'{"sku":"M"}', 422),
        ({}, b"", 422),
        ({}, b"{", 400),
        ({}, b'{"sku":"M"},"id":"smuggled"', 400),
        ({}, b'{"sku":"M"}} {', 400),
        ({}, b"\xff", 400),
    ],
)
def test_binary_mode_refuses_what_is_no_event(site, name, headers, body, status):
    before = site.steward.events.head()["size"]
    assert site.post(ONE, body, binary(name, **headers)).status_code == status
    assert site.steward.events.head()["size"] == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe", b"{}{}", b"[" * 100_000])
def test_what_is_not_an_event_is_a_problem(site, body):
    response = site.post(ONE, body)
    assert response.status_code in {400, 422}
    assert response.json()["detail"]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"type": "Imagined"}, "unknown_type", "$.type"),
        ({"schemaversion": 99}, "unknown_version", "$.schemaversion"),
        ({"data": {}}, "invalid_data", "$.data.sku"),
        ({"data": {"sku": 1}}, "invalid_data", "$.data.sku"),
        ({"data": {"sku": "M", "x": "\x00"}}, "no_canonical_form", "$.data"),
        ({"time": "2026-01-01T00:00:00"}, "malformed", "$.time"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "malformed", "$.time"),
        ({"id": ""}, "malformed", "$.id"),
        ({"source": "x" * 513}, "malformed", "$.source"),
        ({"expectedversion": -1}, "malformed", "$.expectedversion"),
        ({"colour": "red"}, "malformed", "$"),
    ],
)
def test_what_is_wrong_with_an_event_is_named(site, name, change, code, path):
    response = site.post(ONE, event(name, **change))
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert errors(response) == [(0, code, path)]
    assert site.stored(name) == set()


def test_another_body_under_a_taken_name_is_a_conflict_and_is_kept(site, name):
    site.post(ONE, event(name))
    response = site.post(ONE, event(name, "N"))
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert errors(response) == [(0, "conflict", "$.id")]
    kept = site.rows("SELECT envelope->'data'->>'sku' FROM event_conflict WHERE event_id = %s", (name,))
    assert kept == [("N",)]
    assert site.rows("SELECT data->>'sku' FROM event WHERE event_id = %s", (name,)) == [("M",)]


def test_a_stream_of_another_version_refuses(site, name):
    stream = {"subject": f"sku/{name}"}
    assert site.post(ONE, event(name, expectedversion=0, **stream)).status_code == 201
    response = site.post(ONE, event(f"{name}-2", expectedversion=0, **stream))
    assert (response.status_code, response.json()["code"]) == (409, "wrong_version")
    assert "has 1 events, not 0" in response.json()["errors"][0]["detail"]
    assert site.post(ONE, event(f"{name}-2", expectedversion=1, **stream)).status_code == 201


# Many


def test_a_batch_lands_whole(site, name):
    before = site.steward.events.head()["size"]
    names = [f"{name}-{n}" for n in range(50)]
    response = site.post(BATCH, [event(each) for each in names], {"Content-Type": "application/cloudevents-batch+json"})
    assert (response.status_code, response.json()) == (
        200,
        {"accepted": 50, "duplicates": 0, "rejected": [], "last": before + 50},
    )
    again = site.post(BATCH, [event(each) for each in [*names[:2], f"{name}-new", names[0]]])
    assert again.json() == {"accepted": 1, "duplicates": 3, "rejected": [], "last": before + 51}


def test_an_empty_batch_is_nothing(site):
    assert site.post(BATCH, []).json() == {"accepted": 0, "duplicates": 0, "rejected": [], "last": 0}


def test_of_a_batch_good_events_land_and_bad_ones_are_listed_by_index(site, name):
    site.post(ONE, event(f"{name}-taken"))
    batch = [
        event(f"{name}-0"),
        event(f"{name}-1", type="Imagined"),
        7,
        event(f"{name}-3"),
        event(f"{name}-taken", "N"),
        event(f"{name}-5", data={"sku": "M", "x": 1.5}),
        event(f"{name}-6", expectedversion=4),
        event(f"{name}-taken"),
        event(f"{name}-8"),
    ]
    response = site.post(BATCH, batch)
    assert response.status_code == 207
    document = response.json()
    assert (document["code"], document["accepted"], document["duplicates"]) == ("partly_rejected", 3, 1)
    assert errors(response) == [
        (1, "unknown_type", "$.type"),
        (2, "malformed", "$"),
        (4, "conflict", "$.id"),
        (5, "invalid_data", "$.data[...]"),
        (6, "wrong_version", "$.expectedversion"),
    ]
    assert site.stored(*(f"{name}-{n}" for n in range(9))) == {f"{name}-{n}" for n in (0, 3, 8)}


def test_a_batch_of_which_nothing_lands(site, name):
    response = site.post(BATCH, [event(name, type="Imagined"), 1])
    assert (response.status_code, response.json()["code"]) == (422, "rejected")
    site.post(ONE, event(name))
    response = site.post(BATCH, [event(name, "N"), event(f"{name}-2", expectedversion=9)])
    assert response.status_code == 409


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [
        ({"type": "Imagined"}, 422, "unknown_type"),
        ({"expectedversion": 5}, 409, "wrong_version"),
        ("conflict", 409, "conflict"),
    ],
)
def test_an_atomic_batch_lands_whole_or_not_at_all(site, name, last, status, code):
    site.post(ONE, event(f"{name}-taken"))
    bad = event(f"{name}-taken", "N") if last == "conflict" else event(f"{name}-bad", **last)
    good = [event(f"{name}-0"), event(f"{name}-1")]
    response = site.post(f"{BATCH}?atomic=true", [*good, bad])
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert [(index, each) for index, each, _ in errors(response)] == [(0, "withheld"), (1, "withheld"), (2, code)]
    assert site.stored(f"{name}-0", f"{name}-1", f"{name}-bad") == set()
    assert site.post(f"{BATCH}?atomic=true", good).json()["accepted"] == 2
    assert site.post(f"{BATCH}?atomic=true", [*good, event(f"{name}-2")]).json()["duplicates"] == 2


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"null", b"[1,", b"[{]", b"\xff", b"[" * 100_000])
def test_what_is_no_batch_is_a_problem(site, body):
    response = site.post(BATCH, body)
    assert (response.status_code, response.json()["code"]) == (400, "bad_input")
    assert "array" in response.json()["detail"]


def test_a_batch_has_an_end(site):
    response = site.post(BATCH, b"[" + b"1," * 10_000 + b"1]")
    assert response.status_code == 400
    assert "10000" in response.json()["detail"]


# Bodies


def test_gzip_is_unpacked(site, name):
    packed = {"Content-Encoding": "gzip"}
    assert site.post(ONE, gzip.compress(json.dumps(event(name)).encode()), packed).status_code == 201
    many = [event(f"{name}-{n}", note="x" * 500) for n in range(1000)]
    for each in many:
        each["data"]["note"] = each.pop("note")
    response = site.post(BATCH, gzip.compress(json.dumps(many).encode()), {"Content-Encoding": "GZip"})
    assert response.json()["accepted"] == 1000


def test_gzip_that_is_broken_is_refused(site, name):
    whole = gzip.compress(json.dumps([event(name)]).encode())
    bodies = {
        "cut off": whole[:-9],
        "without its end": whole[:-1],
        "empty": b"",
        "no gzip": json.dumps([event(name)]).encode(),
        "zlib": zlib.compress(json.dumps([event(name)]).encode()),
        "two members": whole + whole,
        "rest": whole + b"x",
        "a wrong sum": whole[:-8] + bytes(4) + whole[-4:],
    }
    for what, body in bodies.items():
        response = site.post(BATCH, body, {"Content-Encoding": "gzip"})
        assert (response.status_code, response.json()["code"]) == (400, "broken_gzip"), what
    assert site.stored(name) == set()


def test_a_bomb_does_not_go_off(site):
    response = site.post(BATCH, gzip.compress(b" " * ((64 << 20) + 1), 1), {"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_too_long_is_refused(site):
    response = site.post(BATCH, b" " * ((16 << 20) + 1))
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_encodings_are_refused(site, encoding):
    response = site.post(BATCH, b"[]", {"Content-Encoding": encoding})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_encoding")


# Idempotency-Key


def test_the_same_request_under_the_same_key_has_the_same_answer(site, name):
    key = {"Idempotency-Key": name}
    first = site.post(ONE, event(name), key)
    assert first.status_code == 201
    for _ in range(2):
        again = site.post(ONE, event(name), key)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["content-type"] == first.headers["content-type"]
        assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert site.post(ONE, event(name)).json()["duplicate"]


def test_a_partly_refused_batch_is_replayed_as_it_was(site, name):
    key = {"Idempotency-Key": name}
    batch = [event(name), event(name, type="Imagined")]
    first = site.post(BATCH, batch, key)
    again = site.post(BATCH, batch, key)
    assert (first.status_code, again.status_code) == (207, 207)
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"] == "application/problem+json"


def test_a_refusal_is_replayed_too(site, name):
    key = {"Idempotency-Key": name}
    for _ in range(2):
        response = site.post(ONE, event(name, type="Imagined"), key)
        assert (response.status_code, response.json()["code"]) == (422, "unknown_type")
    assert response.headers["idempotency-replayed"] == "true"


def test_a_key_names_one_request(site, name):
    key = {"Idempotency-Key": name}
    assert site.post(ONE, event(name), key).status_code == 201
    for response in (
        site.post(ONE, event(f"{name}-2"), key),
        site.post(BATCH, [event(name)], key),
        site.post(f"{ONE}?x=1", event(name), key),
        site.post(ONE, {"sku": "M"}, {**key, **binary(name)}),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "key_reused")
    assert site.stored(f"{name}-2") == set()


def test_in_binary_mode_the_attributes_are_part_of_the_request(site, name):
    key = {"Idempotency-Key": name}
    assert site.post(ONE, {"sku": "M"}, {**key, **binary(name)}).status_code == 201
    assert site.post(ONE, {"sku": "M"}, {**key, **binary(name)}).status_code == 201
    assert site.post(ONE, {"sku": "M"}, {**key, **binary(f"{name}-2")}).status_code == 422


def test_callers_do_not_share_keys(site, name):
    other = {"Authorization": f"Bearer {site.steward.access.create('o', ['events:write'])}"}
    key = {"Idempotency-Key": name}
    assert site.post(ONE, event(name), key).status_code == 201
    response = site.post(ONE, event(f"{name}-2"), {**key, **other})
    assert response.status_code == 201
    assert "idempotency-replayed" not in response.headers


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\x7f"])
def test_a_key_that_is_none_is_refused(site, name, key):
    response = site.post(ONE, event(name), {"Idempotency-Key": key})
    assert (response.status_code, response.json()["code"]) == (400, "bad_idempotency_key")
    assert site.stored(name) == set()


def test_the_same_request_at_once_is_done_once(site, name):
    together = threading.Barrier(6)

    def send(_n):
        together.wait(30)
        return site.post(ONE, event(name), {"Idempotency-Key": name})

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(send, range(6)))
    answers = {response.content for response in found if response.status_code == 201}
    assert len(answers) == 1
    for response in found:
        if response.status_code != 201:
            assert (response.status_code, response.json()["code"]) == (409, "in_flight")
            assert response.headers["retry-after"] == "1"
    assert json.loads(answers.pop())["duplicate"] is False
    assert site.rows("SELECT count(*) FROM event WHERE event_id = %s", (name,)) == [(1,)]


def test_while_the_first_runs_the_second_is_told_to_wait(site, name):
    key = {"Idempotency-Key": name}
    with ThreadPoolExecutor(1) as pool:
        with site.head_held():
            first = pool.submit(site.post, ONE, event(name), key)
            claimed = "SELECT count(*) FROM idempotency WHERE idempotency_key = %s"
            while site.rows(claimed, (name,)) == [(0,)]:
                assert not first.done()
            assert site.post(ONE, event(name), key).json()["code"] == "in_flight"
            assert site.post(ONE, event(f"{name}-2"), key).json()["code"] == "key_reused"
        assert first.result(30).status_code == 201
    assert site.post(ONE, event(name), key).headers["idempotency-replayed"] == "true"


def test_a_first_run_that_died_frees_its_key_after_a_minute(site, name):
    key = {"Idempotency-Key": name}
    site.post(ONE, event(name), key)
    site.rows("UPDATE idempotency SET status = NULL, answer = NULL WHERE idempotency_key = %s RETURNING 1", (name,))
    assert site.post(ONE, event(name), key).json()["code"] == "in_flight"
    site.clock.advance(timedelta(seconds=61))
    response = site.post(ONE, event(name), key)
    assert (response.status_code, response.json()["duplicate"]) == (200, True)
    assert site.post(ONE, event(name), key).content == response.content


def test_a_key_is_forgotten_after_a_week(site, name):
    key = {"Idempotency-Key": name}
    site.post(ONE, event(name), key)
    site.clock.advance(timedelta(days=6, hours=23))
    site.steward.idempotency.forget()
    assert site.post(ONE, event(name), key).status_code == 201
    site.clock.advance(timedelta(hours=2))
    site.steward.idempotency.forget()
    assert site.post(ONE, event(name), key).json()["duplicate"] is True


def test_a_request_turned_away_because_too_much_waits_does_not_burn_its_key(own_site, name):
    own_site.steward.ingestor._writer = BatchWriter(own_site.steward.events, most_waiting=2)
    key = {"Idempotency-Key": name}
    with ThreadPoolExecutor(1) as pool:
        with own_site.head_held():
            first = pool.submit(own_site.post, BATCH, [event("a"), event("b")])
            while own_site.steward.ingestor._writer.waiting < 2:
                assert not first.done()
            response = own_site.post(ONE, event(name), key)
            assert (response.status_code, response.json()["code"]) == (429, "busy")
            assert response.headers["retry-after"] == "1"
        assert first.result(30).status_code == 200
    assert own_site.post(ONE, event(name), key).status_code == 201


def test_losing_the_database_while_writing_does_not_burn_a_key(own_site, name):
    own_site.post(ONE, event("before"))
    key = {"Idempotency-Key": name}
    blocked = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with ThreadPoolExecutor(1) as pool, own_site.head_held():
        first = pool.submit(own_site.post, ONE, event(name), key)
        while not own_site.rows(blocked):
            assert not first.done()
        own_site.rows(f"SELECT pg_terminate_backend(pid) FROM ({blocked}) AS waiting")
        response = first.result(30)
    assert (response.status_code, response.json()["code"]) == (503, "infrastructure")
    assert response.headers["retry-after"] == "1"
    assert own_site.stored(name) == set()
    assert own_site.post(ONE, event(name), key).status_code == 201


def test_a_body_that_was_never_read_does_not_burn_a_key(site, name):
    key = {"Idempotency-Key": name}
    assert site.post(ONE, event(name), {**key, "Content-Encoding": "gzip"}).status_code == 400
    assert site.post(ONE, b"{", {**key, **binary(name)}).status_code == 400
    assert site.post(BATCH, b"{", {"Idempotency-Key": f"{name}-2"}).status_code == 400
    assert site.post(BATCH, [event(name)], {"Idempotency-Key": f"{name}-2"}).status_code == 200


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


def test_reading_by_position_type_subject_and_pages(read, name):
    start = read.start
    assert read() == ([1, 2, 3, 4, 5, 6], None)
    assert read(limit=2) == ([1, 2], 2)
    assert read(after=start + 2, limit=2) == ([3, 4], 4)
    assert read(after=start + 4, limit=2) == ([5, 6], 6)
    assert read(after=start + 6, limit=2) == ([], None)
    assert read(until=start + 3) == ([1, 2, 3], None)
    assert read(after=start + 1, until=start + 2) == ([2], None)
    assert read(until=0) == ([], None)
    assert read(type="StockOut") == ([1, 3, 5], None)
    assert read(type=["StockOut", "StockLow"], limit=5) == ([1, 2, 3, 4, 5], 5)
    assert read(type="Imagined") == ([], None)
    assert read(subject=f"sku/{name}-0") == ([1, 4], None)
    assert read(subject=f"sku/{name}-0", type="StockLow") == ([4], None)
    assert read(subject=f"SKU/{name}-0") == ([], None)
    assert read(after=2**62) == ([], None)


def test_an_event_is_shown_as_it_was_stored(site, name):
    sent = event(
        name, data={"sku": "M", "more": ["\u00fc", {"x": None}]}, correlationid="c", time="2026-01-01T02:00:00.5+02:00"
    )
    site.post(ONE, sent)
    (item,) = site.get(ONE, subject=f"sku/{name}").json()["items"]
    assert set(item) == {"position", "recorded_at", "envelope"}
    assert item["recorded_at"].endswith("Z")
    assert item["envelope"] == {
        "id": name,
        "source": "shop",
        "type": "StockOut",
        "subject": f"sku/{name}",
        "time": "2026-01-01T00:00:00.500000Z",
        "data": sent["data"],
        "schemaversion": 1,
        "correlationid": "c",
        "causationid": None,
    }


def test_an_older_version_is_shown_as_it_was_stored(site, name):
    data = {"order_id": name, "currency": "GBP", "total_minor": 1}
    site.post(ONE, event(name, type="OrderPlaced", data=data, schemaversion=1))
    (item,) = site.get(ONE, subject=f"sku/{name}").json()["items"]
    assert (item["envelope"]["schemaversion"], item["envelope"]["data"]) == (1, data)


@pytest.mark.parametrize(
    "number", ["after=-1", "after=x", "after=1.5", f"after={2**63}", "limit=0", "limit=1001", "until=-1"]
)
def test_a_number_that_makes_no_sense_is_refused(site, number):
    assert_bad_parameter(site, number)


@pytest.mark.parametrize(
    "text", ["type=", "subject=", "type=" + "x" * 513, "subject=" + "x" * 513, "&".join(["type=a"] * 51)]
)
def test_a_text_that_makes_no_sense_is_refused(site, text):
    assert_bad_parameter(site, text)


def assert_bad_parameter(site, query):
    response = site.client.get(f"{ONE}?{query}", headers=site.bearer)
    assert (response.status_code, response.json()["code"]) == (422, "bad_parameter")
    assert query.split("=")[0] in response.json()["detail"]


# Everything else


@pytest.mark.parametrize("path", ["/v1/", "/v1/nowhere", "/v1/events/1", "/v1/events:other", "/v1/%00"])
def test_an_unknown_path_is_a_problem(site, path):
    response = site.client.get(path, headers=site.bearer, follow_redirects=False)
    assert (response.status_code, response.json()["code"]) == (404, "no_such_path")


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", ONE), ("PUT", ONE), ("GET", BATCH), ("PATCH", BATCH), ("POST", "/v1/events/stream")]
)
def test_an_unknown_method_is_a_problem(site, method, path):
    response = site.client.request(method, path, headers=site.bearer)
    assert (response.status_code, response.json()["code"]) == (405, "no_such_method")
    assert response.headers["allow"]


def test_the_description_of_the_interface_answers(site):
    response = site.client.get("/v1/openapi.json")
    assert response.status_code == 200
    assert {ONE, BATCH, "/v1/events/stream"} <= set(response.json()["paths"])


def test_everything_that_landed_here_verifies(site):
    assert site.steward.events.verify().violations == []
