"""Access tokens over real HTTP: had once, sealed, renewed before their end and after a 401, by one caller at a time;
and lists that are read to their end.
"""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from steward.gateway.adapters.tokens import TokenStore
from steward.infra.vault import Vault
from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db
ARGS = {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-01-02T00:00:00Z"}


class FakePayPal(BaseHTTPRequestHandler):
    """A fake provider: tokens that end when it is told so, and a list of three pages."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        world = self.server.world
        if world["refuses"]:
            self.answer(401, {"error": "invalid_client"})
            return
        world["granted"] += 1
        world["good"] = f"A21-token-{world['granted']}"
        self.answer(200, {"access_token": world["good"], "expires_in": world["seconds"]})

    def do_GET(self):
        world, parts = self.server.world, urlsplit(self.path)
        world["asked"].append(self.headers["authorization"])
        if self.headers["authorization"] != f"Bearer {world['good']}":
            self.answer(401, {"name": "AUTHENTICATION_FAILURE"})
            return
        page = int(parse_qs(parts.query).get("page", ["1"])[0])
        items = [{"n": 2 * page}, {"n": 2 * page + 1}] if page < 4 else []
        self.answer(200, {"transaction_details": items, "balances": []})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def paypal(shop):
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakePayPal)
    server.world = {"granted": 0, "good": "", "seconds": 32400, "refuses": False, "asked": []}
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    keys = {"paypal_client_id": "id-of-the-app", "paypal_client_secret": "secret-of-the-app"}
    shop.app.vault = Vault(keys=keys, addresses={"paypal": f"http://127.0.0.1:{server.server_port}"})
    server.world["shop"] = shop
    yield server.world
    server.shutdown()
    thread.join()
    server.server_close()


def balances(world):
    return world["shop"].app.tools.call("paypal", "get_balances", {})


def test_a_token_is_had_once_sealed_and_renewed_before_its_end(paypal):
    assert [balances(paypal).kind for _ in range(3)] == ["ok"] * 3
    assert paypal["granted"] == 1
    (sealed,) = paypal["shop"].rows("SELECT sealed FROM tool_token WHERE tool = 'paypal'")[0]
    assert b"A21-token" not in bytes(sealed)
    paypal["shop"].clock.advance(timedelta(seconds=32400 - 59))
    assert balances(paypal).kind == "ok"
    assert paypal["granted"] == 2


def test_a_token_the_provider_turned_away_is_renewed_once(paypal):
    assert balances(paypal).kind == "ok"
    paypal["good"] = "revoked at the provider"
    assert balances(paypal).kind == "ok"
    assert paypal["granted"] == 2
    assert paypal["asked"][-2:] == ["Bearer A21-token-1", "Bearer A21-token-2"]


def test_credentials_that_are_refused_are_named(paypal):
    paypal["refuses"] = True
    with pytest.raises(BadInput, match="invalid_client"):
        balances(paypal)
    paypal["refuses"] = False
    assert balances(paypal).kind == "ok", "who failed leaves no lease behind"


def test_of_many_callers_one_renews(paypal):
    with ThreadPoolExecutor(8) as pool:
        kinds = list(pool.map(lambda _: balances(paypal).kind, range(8)))
    assert kinds == ["ok"] * 8
    assert paypal["granted"] == 1


def test_who_looked_before_another_renewed_takes_what_that_one_got(paypal, monkeypatch):
    """Between the look and the claim somebody else renews: what renews a token may be good for one time only."""
    claim, held = TokenStore._claim, []

    def late(store, tool):
        if not held:
            held.append(1)
            assert store.access_token(tool) == "A21-token-1"  # the other caller, from its look to its end
        return claim(store, tool)

    monkeypatch.setattr(TokenStore, "_claim", late)
    assert balances(paypal).kind == "ok"
    assert paypal["granted"] == 1
    assert paypal["shop"].one("SELECT renewing_until FROM tool_token WHERE tool = 'paypal'") is None


def test_a_token_that_was_renewed_meanwhile_is_not_forgotten(paypal):
    assert balances(paypal).kind == "ok"
    tools = paypal["shop"].app.tools
    tools.wire._forget(paypal["shop"].app.book.tool("paypal"), {"A21-token-0"})
    assert balances(paypal).kind == "ok"
    assert paypal["granted"] == 1


def test_a_sealed_token_of_another_tool_or_key_is_not_opened(paypal, superuser):
    balances(paypal)
    superuser.execute("UPDATE tool_token SET sealed = decode(repeat('00', 64), 'hex')")
    with pytest.raises(Exception, match="cannot be opened"):
        balances(paypal)


def test_a_list_is_read_to_its_end_or_as_far_as_asked(paypal):
    pages = list(paypal["shop"].app.tools.every("paypal", "list_transactions", ARGS))
    numbers = [item["n"] for page in pages for item in page.result["transactions"]]
    assert numbers == [2, 3, 4, 5, 6, 7]
    document = paypal["shop"].app.tools.asked("paypal", "list_transactions", ARGS, 2)
    assert (len(document["pages"]), document["ended"]) == (2, "ok")
    with pytest.raises(BadInput, match="effect"):
        list(paypal["shop"].app.tools.every("paypal", "create_order", {}))
