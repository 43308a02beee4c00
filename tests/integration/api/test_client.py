"""The typed client against the real interface on a real socket, and against a server that answers badly."""

import contextlib
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn

from steward.api import create_app
from steward_client import ApiError, Client, NotAllowed, NotFound, Unreachable

SCOPES = ("actions:propose", "actions:read", "ledger:read", "audit:read", "tools:read", "events:write", "events:read")
PARAMS = {"budget": "ads", "amount": {"amount_minor": 1000, "currency": "GBP"}, "purpose": "a show"}
GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "client.md"


@contextlib.contextmanager
def listening(app):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def site(shop):
    assert shop.app.ledger.grant("ads", "GBP", 10_000_000, "k1", "owner", "the season") == []
    app = create_app()
    app.state.steward = shop.app
    with listening(app) as url:
        yield url
    shop.app.ingestor.close()


@pytest.mark.db
def test_it_proposes_reads_and_calls_back(shop, site, make):
    with Client(site, shop.app.access.create("ad_agent", SCOPES)) as steward:
        done = steward.propose("spend.reserve", PARAMS, key="friday", why="it sells")
        again = steward.propose("spend.reserve", PARAMS, key="friday")
        assert (done.outcome, done.is_new, again.id, again.is_new) == ("receipt", True, done.id, False)
        refused = steward.propose("spend.reserve", {**PARAMS, "amount": {"amount_minor": 10**9, "currency": "GBP"}})
        assert (refused.outcome, refused.verdict) == ("refused", "DENY")
        assert "reserve-within-budget" in {rule.id for rule in refused.determining}
        assert [line.id for line in steward.actions(outcome="receipt")] == [done.id]
        story = steward.action(done.id)
        assert (story.proposer, [step["state"] for step in story.history]) == ("ad_agent", ["proposed", "executed"])
        assert steward.bundle(done.id)["verdict"] == "ALLOW"
        assert [budget.held_minor for budget in steward.budgets()] == [1000]
        assert steward.cancel(done.id, "the show is off").is_cancelled
        assert steward.cancel(done.id, "the show is off").code == "hold_voided"
        for read in (steward.catalog, steward.checkpoint, steward.balances, steward.alerts, steward.quarantines):
            assert isinstance(read(), dict | list)
        assert list(steward.tools()) is not None
        with pytest.raises(NotFound) as missing:
            steward.action("act_" + "0" * 32)
        assert (missing.value.status, missing.value.code) == (404, "no_such_action")
        with pytest.raises(NotAllowed) as forbidden:
            steward.keys()
        assert (forbidden.value.status, forbidden.value.problem["code"]) == (403, "missing_scope")
        with pytest.raises(ApiError) as reused:
            steward.propose("spend.reserve", {**PARAMS, "purpose": "other"}, key="friday")
        assert reused.value.code == "key_reused"


@pytest.mark.db
def test_lists_go_on_over_their_pages_and_events_are_sent(shop, site, make, monkeypatch):
    monkeypatch.setattr("steward_client.client._PAGE", 2)
    event = {
        "specversion": "1.0",
        "source": "shop/test",
        "type": "PaymentCaptured",
        "time": "2011-05-02T09:00:00Z",
        "subject": "order/1",
        "data": {"payment_id": "p", "order_id": "1", "currency": "GBP", "amount_minor": 100},
    }
    with Client(site, shop.app.access.create("shop", SCOPES)) as steward:
        sent = steward.send_events([{**event, "id": f"e{n}"} for n in range(5)] + [{"id": "no event"}])
        assert (sent.accepted, sent.duplicates, len(sent.rejected)) == (5, 0, 1)
        assert [e["envelope"]["id"] for e in steward.events(event_type="PaymentCaptured")] == [
            f"e{n}" for n in range(5)
        ]
        for number in range(3):
            steward.propose("spend.reserve", PARAMS, key=f"k{number}")
        assert len({line.id for line in steward.actions()}) == 3
        nothing = steward.send_events([{"id": "none"}])
        assert (nothing.accepted, len(nothing.rejected)) == (0, 1)


class Bad(BaseHTTPRequestHandler):
    """A fake server: answers from a script, and keeps what it was sent."""

    def do_POST(self):
        self.server.seen.append(
            (self.headers.get("Idempotency-Key"), self.rfile.read(int(self.headers["Content-Length"])))
        )
        step = self.server.script.pop(0)
        if step == "hang up":
            self.connection.close()
            return
        status, body, headers = step
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def scripted(*script):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    server.script, server.seen = list(script), []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ANSWER = {
    "id": "act_1", "kind": "k", "outcome": "held", "state": "held", "risk": "L2", "verdict": "ALLOW", "code": "",
    "reasons": [], "determining": [], "errored": [], "counterexample": {}, "nearest": {}, "approver": "manager",
    "expires_at": None, "is_new": True, "later": "unknown keys break nothing",
}  # fmt: skip
GOOD = (201, json.dumps(ANSWER).encode(), {})
FULL = (429, b'{"code": "busy"}', {"Retry-After": "7"})
DOWN = (503, b'{"code": "infrastructure"}', {})
FLIGHT = (409, b'{"code": "in_flight"}', {"Retry-After": "1"})
PROXY = (502, b"<html>", {})


def test_what_is_safe_is_tried_again_with_the_same_key():
    slept = []
    with (
        scripted(FULL, "hang up", DOWN, FLIGHT, GOOD) as (server, url),
        Client(url, "k", attempts=5, sleep=slept.append) as c,
    ):
        assert c.propose("k", {}).approver == "manager"
    assert len(set(server.seen)) == 1
    assert server.seen[0][0]
    assert slept == [7.0, 0.5, 1.0, 2.0]


def test_what_is_not_is_not():
    with scripted("hang up") as (server, url), Client(url, "k", sleep=lambda _s: None) as c:
        with pytest.raises(Unreachable):
            c.cancel("act_1", "x")
        assert len(server.seen) == 1
    with scripted(DOWN) as (server, url), Client(url, "k", sleep=lambda _s: None) as c:
        with pytest.raises(ApiError):
            c.cancel("act_1", "x")
        assert len(server.seen) == 1
    with scripted(PROXY) as (server, url), Client(url, "k", sleep=lambda _s: None) as c:
        with pytest.raises(ApiError) as error:
            c.propose("k", {})
        assert (error.value.status, error.value.code) == (502, "http")


def test_it_gives_up_and_says_under_which_key():
    with scripted("hang up", "hang up") as (server, url), Client(url, "k", attempts=2, sleep=lambda _s: None) as c:
        with pytest.raises(Unreachable) as lost:
            c.propose("k", {})
        assert lost.value.idempotency_key == server.seen[0][0]


@pytest.mark.db
def test_the_guide_says_what_runs(shop, site, capsys):
    blocks = GUIDE.read_text(encoding="utf-8").split("```python\n")[1:]
    key = shop.app.access.create("ad_agent", SCOPES)
    for block in blocks:
        code = (
            block.split("```")[0]
            .replace("http://127.0.0.1:7107", site)
            .replace('os.environ["STEWARD_API_KEY"]', repr(key))
        )
        exec(compile(code, str(GUIDE), "exec"), {})
    assert "receipt" in capsys.readouterr().out
