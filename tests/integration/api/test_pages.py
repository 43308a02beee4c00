"""The plain pages over a real shop: all of them answer, none runs a script, and what customers typed stays text."""

import json
import re
import warnings
from datetime import timedelta

import pytest

from steward.agents.core.refunds import propose_refund
from steward.kernel.instants import DAY

pytestmark = pytest.mark.db

EVIL = "<script>alert('x')</script>"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def client_class():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the test client about itself
        from fastapi.testclient import TestClient
    return TestClient


@pytest.fixture
def client(shop):
    """The pages over the test's own shop; the lifespan, which would open another one, is not run."""
    from steward.api.app import create_app

    app = create_app()
    app.state.steward = shop.app
    client = client_class()(app, base_url="http://localhost", raise_server_exceptions=False)
    yield client
    client.close()


@pytest.fixture
def busy(shop, make):
    """Three refunds: one shadowed, one held, one refused, whose id is a script."""
    big = [make.line("CUP", total_minor=20000)]
    shop.take_in(
        make.order("1"),
        make.order("2", "2", big),
        make.refund("C1"),
        make.refund("C2", "2", big, at=make.start + DAY + timedelta(hours=1)),
        make.refund(EVIL, "<b>3</b>", [make.line("<i>sku</i>")], at=make.start + DAY + timedelta(hours=2)),
    )
    rows = shop.app.state.refunds_between(make.start, make.start + 9 * DAY)
    proposals = [propose_refund(row, row["occurred_at"]) for row in rows]
    for proposal in proposals:
        shop.app.control.act(proposal)
    shop.app.events.sequence()
    return {shop.app.gateway.action(proposal.id).outcome: proposal.id for proposal in proposals}


def assert_safe(response):
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy
    if response.headers.get("content-type", "").startswith("text/html"):
        page = response.text.lower()
        assert "<script" not in page
        assert "javascript:" not in page
        assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", page)
        assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)


def listed(response):
    """Ids of the actions a page of decisions links to."""
    return set(re.findall(r'href="/decisions/(act_[0-9a-f]{32})"', response.text))


def test_every_page_answers(client, busy):
    paths = ["/", "/decisions", "/healthz", "/readyz"]
    paths += [f"/decisions/{action}" for action in busy.values()]
    paths += [f"/decisions/{action}/bundle.json" for action in busy.values()]
    for path in paths:
        response = client.get(path)
        assert response.status_code == 200, path
        assert_safe(response)


def test_an_empty_shop_has_pages_too(client):
    for path in ("/", "/decisions"):
        response = client.get(path)
        assert response.status_code == 200
        assert_safe(response)
    assert "No snapshot yet" in client.get("/").text
    assert "Nothing matches." in client.get("/decisions").text


@pytest.mark.parametrize(
    "name", ["act_" + "0" * 32, "act_nothing", "nothing", "%00", "..%2f..", "act_", "%F0%9F%98%80"]
)
def test_an_action_that_is_not_there_is_404(client, busy, name):
    for path in (f"/decisions/{name}", f"/decisions/{name}/bundle.json"):
        response = client.get(path)
        assert response.status_code == 404, path
        assert_safe(response)


def test_what_was_asked_for_is_escaped_in_the_answer(client):
    response = client.get("/decisions/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert response.status_code == 404
    assert_safe(response)
    response = client.get("/decisions/%3Cimg%20src=x%20onerror=alert(1)%3E")
    assert response.status_code == 404
    assert "&lt;img" in response.text
    assert "<img" not in response.text


def test_what_a_customer_typed_is_escaped_on_every_page(client, busy):
    for path in ("/decisions", f"/decisions/{busy['refused']}"):
        response = client.get(path)
        assert response.status_code == 200
        assert "&lt;script&gt;alert(" in response.text
        assert_safe(response)
    page = client.get(f"/decisions/{busy['refused']}").text
    assert "&lt;b&gt;3&lt;/b&gt;" in page
    assert "<b>3</b>" not in page
    assert "<i>sku" not in page


def test_account_names_of_strangers_are_harmless_on_the_status_page(client, shop, make):
    shop.take_in(make.payment("1", processor=EVIL))
    response = client.get("/")
    assert "assets:clearing:script_alert" in response.text
    assert_safe(response)


def test_the_status_page_shows_the_figures(client, shop, busy):
    page = client.get("/").text
    assert "1 / 1 / 1" in page  # refused / held / shadowed
    assert "GBP 210.00" in page  # both orders
    assert "balanced" in page
    assert shop.app.events.head()["root"] in page
    assert "2011-05-03 11:00" in page  # as of when


def test_a_decision_is_told_from_facts_to_outcome(client, shop, busy):
    page = client.get(f"/decisions/{busy['shadowed']}").text
    for words in ("refunds.today", "refund-within-captured", "ALLOW", "GBP 10.00", "/v1/refunds", "(drawn)"):
        assert words in page, words
    assert "re-checked just now" in page
    assert "NOT valid" not in page
    page = client.get(f"/decisions/{busy['refused']}").text
    assert "DENY" in page
    assert "no_captured_payment" in page
    page = client.get(f"/decisions/{busy['held']}").text
    assert "manager" in page


def test_the_bundle_is_served_byte_for_byte(client, shop, busy):
    for action in busy.values():
        response = client.get(f"/decisions/{action}/bundle.json")
        assert response.headers["content-type"].startswith("application/json")
        assert response.text == shop.app.proofs.of_action(action)["bundle"]
        assert shop.app.verifier.check(json.loads(response.text)).valid


def test_evidence_that_was_changed_is_called_not_valid(client, shop, busy, superuser):
    superuser.execute(
        "UPDATE proof_bundle SET bundle = replace(bundle, '\"amount_minor\":1000', '\"amount_minor\":1001')"
    )
    page = client.get(f"/decisions/{busy['shadowed']}").text
    assert "NOT valid" in page


@pytest.mark.parametrize("outcome", ["refused", "held", "shadowed"])
def test_filters_by_outcome(client, busy, outcome):
    assert listed(client.get("/decisions", params={"outcome": outcome})) == {busy[outcome]}
    assert listed(client.get("/decisions", params={"outcome": outcome, "kind": "refund.issue"})) == {busy[outcome]}
    assert listed(client.get("/decisions", params={"outcome": outcome, "kind": "price.set"})) == set()


def test_filters_by_kind(client, busy):
    every = set(busy.values())
    assert listed(client.get("/decisions")) == every
    assert listed(client.get("/decisions", params={"kind": ""})) == every
    assert listed(client.get("/decisions", params={"kind": "refund.issue"})) == every
    assert listed(client.get("/decisions", params={"kind": "price.set"})) == set()
    response = client.get("/decisions", params={"kind": "' OR '1'='1\"><script>"})
    assert listed(response) == set()
    assert_safe(response)


@pytest.mark.parametrize(
    "query", ["outcome=bogus", "outcome=", "page=0", "page=-1", "page=x", "page=9999999", "kind=" + "x" * 101]
)
def test_a_filter_that_makes_no_sense_is_refused(client, query):
    response = client.get(f"/decisions?{query}")
    assert response.status_code == 422
    assert_safe(response)


def test_pages_of_decisions(client, shop, make):
    orders = [make.order(str(n), str(n)) for n in range(53)]
    refunds = [make.refund(f"C{n}", str(n), at=make.start + DAY + timedelta(minutes=n)) for n in range(53)]
    shop.take_in(*orders, *refunds)
    for row in shop.app.state.refunds_between(make.start, make.start + 9 * DAY):
        shop.app.control.act(propose_refund(row, row["occurred_at"]))
    first, second = client.get("/decisions"), client.get("/decisions?page=2")
    assert (len(listed(first)), len(listed(second))) == (50, 3)
    assert not listed(first) & listed(second)
    assert "older" in first.text
    assert "newer" not in first.text
    assert "newer" in second.text
    assert "older" not in second.text
    assert first.text.index(">C52<") < first.text.index(">C3<")  # newest first
    assert listed(client.get("/decisions?page=3")) == set()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_changed_here(client, method):
    for path in ("/", "/decisions"):
        response = getattr(client, method)(path)
        assert response.status_code == 405
        assert_safe(response)


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/openapi.json", "/redoc", "/decisions/", "/static/x"])
def test_there_is_nothing_else(client, path):
    response = client.get(path, follow_redirects=False)
    assert response.status_code in {307, 404}
    assert_safe(response)


def test_without_its_database_it_is_alive_and_not_ready(client, shop):
    shop.app.database.close()
    assert client.get("/healthz").status_code == 200
    for path in ("/readyz", "/", "/decisions"):
        response = client.get(path)
        assert response.status_code == 503
        assert response.text.startswith("infrastructure: ")
        assert "Traceback" not in response.text
        assert_safe(response)


def test_the_server_opens_the_database_itself_and_closes_it(fresh, tmp_path, monkeypatch, make):
    from steward.api.app import create_app

    monkeypatch.setenv("STEWARD_HOME", str(tmp_path))
    monkeypatch.setenv("STEWARD_DATABASE_URL", fresh.owner)
    app = create_app()
    with client_class()(app) as client:
        client.app.state.steward.events.append([make.order("1")])
        client.app.state.steward.state.catch_up()
        assert client.get("/readyz").text == "ready\n"
        assert "1</b>orders" in client.get("/").text
    assert app.state.steward.database._pool.closed
