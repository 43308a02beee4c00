"""The pages on which people decide: reading changes nothing, a word counts under a key in the form and nowhere else."""

import re
from datetime import timedelta

import pytest
from tests.integration.api.test_pages import assert_safe, client  # noqa: F401 - the fixture
from tests.integration.gateway.conftest import reserve

pytestmark = pytest.mark.db
EVIL = "<script>alert('x')</script>"


@pytest.fixture
def waits(shop):
    """A reservation that waits for a manager, with its people; the page it is read on."""
    assert shop.app.ledger.grant("ads", "GBP", 300000, "g1", "fay", "the season") == []
    shop.founder = shop.app.access.create("ana", (), "founder")
    shop.manager = shop.app.access.create("ben", (), "manager", by=shop.founder)
    shop.agent = shop.app.access.create("bot", (), "agent")
    shop.action = shop.app.control.act(reserve("r1", 120000, shop.clock.now(), why=EVIL)).action_id
    return shop


@pytest.fixture
def link(waits, client):
    page = client.get("/approvals")
    assert_safe(page)
    assert EVIL not in page.text
    (found,) = re.findall(r'href="(/approvals/[^"]+)"', page.text)
    return found


def state(shop):
    return shop.app.effects.state(shop.action).state


def test_reading_decides_nothing_and_leaves_no_look(waits, client, link):
    page = client.get(link)
    assert page.status_code == 200
    assert_safe(page)
    assert "GBP 1,200.00" in page.text
    assert EVIL not in page.text
    for query in (f"{link}?word=approve&key={waits.manager}", link):
        assert client.get(query).status_code == 200
    assert state(waits) == "awaiting_approval"
    assert waits.one("SELECT count(*) FROM approval_look") == 0


def test_a_manager_approves_with_her_key_once(waits, client, link):
    post = lambda **form: client.post(link, data=form)
    assert post(word="approve").status_code == 400
    assert post(word="nonsense", key=waits.manager).status_code == 400
    assert post(word="approve", key="stw_no_key").status_code == 401
    assert post(word="approve", key=waits.agent).status_code == 403
    assert client.post(link, json={"word": "approve", "key": waits.manager}).status_code == 400
    assert client.post(link, headers={"authorization": f"Bearer {waits.manager}"}).status_code == 400
    assert state(waits) == "awaiting_approval"
    done = post(word="approve", key=f" {waits.manager} ", reason="agreed")
    assert done.status_code == 200
    assert_safe(done)
    assert waits.manager not in done.text
    assert state(waits) == "succeeded"
    again = post(word="approve", key=waits.founder)
    assert again.status_code == 409
    assert waits.one("SELECT channel FROM approval") == "page"


def test_a_no_ends_it_and_forged_or_late_links_show_nothing(waits, client, link):
    assert client.get(link[:-2] + "AA").status_code == 404
    assert client.post(link[:-2] + "AA", data={"word": "reject", "key": waits.manager}).status_code == 404
    assert client.post(link, data={"word": "reject", "key": waits.manager, "reason": "no"}).status_code == 200
    assert state(waits) == "rejected"
    waits.clock.advance(timedelta(days=40))
    assert client.get(link).status_code == 410


def test_what_cannot_be_called_back_is_read_first(waits, client, link, superuser):
    superuser.execute("UPDATE effect SET risk = 'L3', role = 'founder'")
    assert client.post(link, data={"word": "approve", "key": waits.founder}).status_code == 409
    assert client.post(link, data={"word": "look", "key": waits.founder}).status_code == 200
    waits.clock.advance(timedelta(minutes=2))
    assert client.post(link, data={"word": "approve", "key": waits.founder}).status_code == 200
    assert state(waits) == "succeeded"


def test_the_kill_page_stops_and_lets_go_on(waits, client):
    form = {"scope": "tool:stripe", "reason": "refunds look wrong", "key": waits.manager}
    assert client.post("/kill", data=form).status_code == 400
    assert client.post("/kill", data=form | {"word": "on", "key": "stw_x"}).status_code == 401
    assert client.post("/kill", data=form | {"word": "on", "scope": "nonsense"}).status_code == 400
    stopped = client.post("/kill", data=form | {"word": "on"})
    assert_safe(stopped)
    assert "tool:stripe is stopped" in stopped.text
    assert [one["scope"] for one in waits.app.kills.active()] == ["tool:stripe"]
    assert "tool:stripe" in client.get("/kill").text
    assert client.post("/kill", data=form | {"word": "off", "key": waits.agent}).status_code == 403
    assert client.post("/kill", data=form | {"word": "off"}).status_code == 200
    assert waits.app.kills.active() == []
