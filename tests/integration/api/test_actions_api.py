"""Actions over HTTP: proposed by the caller and nobody else, once, with reasons; listed, told in full, called back."""

import json
import threading
import warnings

import pytest

from steward.api import create_app

pytestmark = pytest.mark.db
ALL = ("actions:propose", "actions:read", "ledger:read", "audit:read", "tools:read", "kill:read", "approvals:read")


def client_of(steward):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the test client about itself
        from fastapi.testclient import TestClient
    app = create_app()
    app.state.steward = steward
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


class Door:
    """The application behind HTTP, and one caller."""

    def __init__(self, shop, name="ad_agent", scopes=ALL):
        self.shop, self.name = shop, name
        self.client = client_of(shop.app)
        self.headers = {"Authorization": f"Bearer {shop.app.access.create(name, scopes)}"}

    def get(self, path, **params):
        return self.client.get(path, params=params, headers=self.headers)

    def post(self, path, body, key=None, **headers):
        own = {**self.headers, **({"Idempotency-Key": key} if key else {}), **headers}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(path, content=content, headers={"Content-Type": "application/json", **own})

    def propose(self, key, amount=1000, budget="ads", **more):
        return self.post("/v1/actions", reserve(amount, budget, **more), key)


def reserve(amount=1000, budget="ads", **more):
    params = {"budget": budget, "amount": {"amount_minor": amount, "currency": "GBP"}, "purpose": "a show"}
    return {"kind": "spend.reserve", "params": params, **more}


@pytest.fixture
def door(shop):
    assert shop.app.ledger.grant("ads", "GBP", 10_000_000, "k1", "owner", "the season") == []
    return Door(shop)


def test_what_is_allowed_is_done_and_done_once(door):
    first = door.propose("one")
    assert first.status_code == 201, first.text
    answer = first.json()
    assert (answer["outcome"], answer["state"], answer["verdict"], answer["is_new"]) == (
        "receipt",
        "executed",
        "ALLOW",
        True,
    )
    again = door.propose("one")
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, answer, "true")
    assert door.shop.one("SELECT count(*) FROM action") == 1
    held = {row["code"]: row["held_minor"] for row in door.get("/v1/budgets").json()["items"]}
    assert held == {"equity:appropriated:ads": 1000}


def test_refused_is_an_answer_with_the_rule_and_the_nearest_that_would_pass(door):
    answer = door.propose("much", amount=20_000_000)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["outcome"], told["verdict"]) == ("refused", "DENY")
    assert "reserve-within-budget" in {rule["id"] for rule in told["determining"]}
    assert told["reasons"]
    assert all(isinstance(reason, str) for reason in told["reasons"])
    assert told["nearest"]["amount"]["amount_minor"] < 20_000_000


def test_held_says_who_decides(door):
    told = door.propose("large", amount=200_000).json()
    assert (told["outcome"], told["approver"]) == ("held", "manager")
    assert told["expires_at"].endswith("Z")


def test_the_key_is_asked_for_and_names_one_request(door):
    assert (door.propose(None).status_code, door.propose(None).json()["code"]) == (400, "no_idempotency_key")
    assert door.propose("same").status_code == 201
    other = door.propose("same", amount=2000)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert door.post("/v1/actions", reserve(), "x" * 256).json()["code"] == "bad_idempotency_key"


def test_an_effect_named_twice_is_one_action_whoever_names_it(door):
    first = door.post("/v1/actions", reserve(key="friday"), "r1")
    second = door.post("/v1/actions", reserve(key="friday"), "r2")
    assert (second.status_code, second.json()["is_new"]) == (200, False)
    assert second.json()["id"] == first.json()["id"]
    other = Door(door.shop, "price_agent")
    taken = other.post("/v1/actions", reserve(2000, key="friday"), "r3")
    assert (taken.status_code, taken.json()["code"]) == (422, "key_reused")


def test_a_request_in_flight_is_a_conflict(door, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()
    act = type(door.shop.app.control).act

    def slow(control, proposal):
        inside.set()
        assert go_on.wait(20)
        return act(control, proposal)

    monkeypatch.setattr(type(door.shop.app.control), "act", slow)
    answers = []
    first = threading.Thread(target=lambda: answers.append(door.propose("slow")))
    first.start()
    assert inside.wait(20)
    try:
        second = door.propose("slow")
        assert (second.status_code, second.json()["code"]) == (409, "in_flight")
        assert second.headers["Retry-After"] == "1"
    finally:
        go_on.set()
        first.join()
    assert answers[0].status_code == 201


def test_nobody_speaks_for_another(door):
    forged = door.post("/v1/actions", reserve(principal={"id": "owner"}), "p")
    assert (forged.status_code, forged.json()["errors"][0]["path"]) == (422, "$.principal")
    made = door.propose("mine").json()
    assert door.get(f"/v1/actions/{made['id']}").json()["proposer"] == "ad_agent"


BODIES = [
    (b"{", 400, "malformed"),
    (b"[]", 422, "bad_input"),
    (b'{"kind": "spend.reserve", "params": {"amount": 1.5}}', 400, "malformed"),
    (b'{"kind": "spend.reserve", "params": {"budget": "a\\u0000b"}}', 400, "bad_input"),
    (b'{"kind": "spend.reserve", "params": ' + b'{"a":' * 40 + b"1" + b"}" * 41, 400, "bad_input"),
    (b'{"kind": "spend.reserve", "params": {}, "roles": ["founder"]}', 422, "bad_input"),
    (b'{"kind": "spend.reserve", "params": {"x": "' + b"y" * 70000 + b'"}}', 413, "too_large"),
    (b'{"kind": "spend.reserve", "params": {}, "expires_at": "soon"}', 400, "bad_input"),
]


def test_bodies_that_are_none(door):
    for body, status, code in BODIES:
        answer = door.post("/v1/actions", body, f"k{status}{len(body)}")
        assert (answer.status_code, answer.json()["code"]) == (status, code), (body[:80], answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Idempotency-Replayed" not in answer.headers


def test_an_unknown_kind_is_refused_and_not_an_error(door):
    told = door.post("/v1/actions", {"kind": "no.such", "params": {}}, "k").json()
    assert (told["outcome"], told["verdict"]) == ("refused", "DENY")


def test_a_list_goes_on_where_it_broke_off(door):
    made = [door.propose(f"k{i}", amount=1000 + i).json()["id"] for i in range(5)]
    door.propose("no", amount=90_000_000)
    seen, after = [], None
    while True:
        page = door.get("/v1/actions", limit=2, kind="spend.reserve", **({"after": after} if after else {})).json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 6
    assert {item["id"] for item in door.get("/v1/actions", outcome="receipt").json()["items"]} == set(made)
    assert len(door.get("/v1/actions", state="refused").json()["items"]) == 1
    assert door.get("/v1/actions", kind="refund.issue").json() == {"items": [], "next": None}
    assert door.get("/v1/actions", limit=0).status_code == 422


def test_one_action_is_told_in_full_with_its_evidence(door):
    made = door.propose("one").json()["id"]
    story = door.get(f"/v1/actions/{made}").json()
    assert [step["state"] for step in story["history"]] == ["proposed", "executed"]
    assert story == door.get(f"/v1/decisions/{made}").json()
    bundle = door.get(f"/v1/decisions/{made}/bundle").content
    stored = door.shop.one("SELECT bundle FROM proof_bundle")
    assert bundle == bytes(stored) if isinstance(stored, bytes | memoryview) else stored.encode()
    for path in ("actions/act_" + "0" * 32, "decisions/act_" + "0" * 32, f"decisions/act_{'0' * 32}/bundle"):
        assert (door.get(f"/v1/{path}").status_code, door.get(f"/v1/{path}").json()["code"]) == (404, "no_such_action")
    assert door.get("/v1/actions/1").status_code == 422


def test_only_its_proposer_or_who_may_decide_calls_an_action_back(door):
    made = door.propose("one").json()["id"]
    stranger = Door(door.shop, "price_agent")
    no = stranger.post(f"/v1/actions/{made}:cancel", {"reason": "I want it"})
    assert (no.status_code, no.json()["code"]) == (403, "not_yours")
    done = door.post(f"/v1/actions/{made}:cancel", {"reason": "the show is off"})
    assert done.json() == {"id": made, "is_cancelled": True, "code": "", "reason": ""}
    again = door.post(f"/v1/actions/{made}:cancel", {"reason": "the show is off"}).json()
    assert (again["is_cancelled"], again["code"]) == (False, "hold_voided")
    assert door.post(f"/v1/actions/{made}:cancel", {"reason": "  "}).status_code == 422
    assert door.post("/v1/actions/act_" + "0" * 32 + ":cancel", {"reason": "x"}).status_code == 404


READS = [
    ("/v1/actions", "actions:read"),
    ("/v1/budgets", "ledger:read"),
    ("/v1/alerts", "audit:read"),
    ("/v1/quarantines", "audit:read"),
    ("/v1/catalog", "audit:read"),
    ("/v1/audit/checkpoint", "audit:read"),
    ("/v1/tools", "tools:read"),
    ("/v1/keys", "keys:admin"),
]


def test_every_route_asks_for_its_scope(shop):
    client = client_of(shop.app)
    few, founder = Door(shop, scopes=("events:read",)), shop.app.access.create("ann", (), "founder")
    for path, scope in READS:
        assert client.get(path).json()["code"] == "no_key", path
        assert few.get(path).json()["code"] == "missing_scope", path
        own = shop.app.access.create("one", (scope,), "founder", by=founder)
        right = {"Authorization": f"Bearer {own}"}
        assert client.get(path, headers=right).status_code == 200, path
    for path in ("/v1/actions", "/v1/keys", "/v1/actions/act_" + "0" * 32 + ":cancel"):
        assert client.post(path, json={}).json()["code"] == "no_key", path
        assert few.post(path, {}, "k").json()["code"] == "missing_scope", path


def test_the_catalog_in_force_is_the_one_that_runs(door):
    found = door.get("/v1/catalog").json()
    assert (found["number"], found["digest"]) == (1, found["running"])


def test_a_checkpoint_is_of_the_log_as_it_is(door):
    door.shop.take_in()
    found = door.get("/v1/audit/checkpoint").json()
    assert {name: found[name] for name in ("size", "root")} == door.shop.app.events.head()


def test_the_document_names_a_scheme_a_shape_and_the_problem_for_every_route(shop):
    document = client_of(shop.app).get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for path, methods in document["paths"].items():
        for operation in methods.values():
            if "/webhooks/" not in path:
                assert operation["security"] == [{"HTTPBearer": []}], path
            assert "application/problem+json" in operation["responses"]["401"]["content"], path
    for path in ("/v1/actions", "/v1/budgets", "/v1/keys", "/v1/alerts", "/v1/catalog", "/v1/tools"):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert schema["$ref"].removeprefix("#/components/schemas/") in document["components"]["schemas"], path
