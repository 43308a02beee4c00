"""Approvals and kill switches over HTTP, each person under a key of their own."""

import json
import warnings
from datetime import timedelta

import pytest

from steward.api import create_app

pytestmark = pytest.mark.db


class House:
    def __init__(self, shop):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the test client about itself
            from fastapi.testclient import TestClient
        app = create_app()
        app.state.steward = shop.app
        self.shop = shop
        self.client = TestClient(app, base_url="http://localhost", raise_server_exceptions=False)
        founder = shop.app.access.create("ann", (), "founder")
        self.keys = {"founder": founder}
        for name, role in (("max", "manager"), ("olga", "operator"), ("ad_agent", "agent")):
            self.keys[role] = shop.app.access.create(name, (), role, by=founder)

    def ask(self, role, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {self.keys[role]}"} | ({"Idempotency-Key": key} if key else {})
        content = None if body is None else json.dumps(body).encode()
        return self.client.request(method, path, content=content, headers=headers)

    def held(self, key):
        kind = self.shop.app.catalog.kind("ads.pause")  # nothing is known of its campaign: a person has to look
        body = {"kind": kind.kind, "params": kind.witness.action["params"]}
        answer = self.ask("agent", "POST", "/v1/actions", body, key)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def house(shop):
    return House(shop)


def test_a_manager_approves_what_an_agent_may_not(house):
    held = house.held("large")
    assert held["outcome"] == "held"
    path = f"/v1/approvals/{held['id']}"
    (waiting,) = house.ask("manager", "GET", "/v1/approvals").json()["items"]
    assert (waiting["id"], waiting["role"], waiting["proposer"]) == (held["id"], "manager", "ad_agent")
    assert house.ask("agent", "POST", f"{path}:approve", {}).json()["code"] == "missing_scope"
    assert house.ask("operator", "POST", f"{path}:approve", {}).json()["code"] == "missing_scope"
    assert house.client.post(f"{path}:approve", json={}).json()["code"] == "no_key"
    assert house.client.get(f"{path}:approve").status_code in {401, 405, 422}
    wrong = house.ask("manager", "POST", f"{path}:approve", {"digest": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "changed")
    yes = house.ask("manager", "POST", f"{path}:approve", {"reason": "agreed", "digest": waiting["args_digest"]})
    assert yes.status_code == 200, yes.text
    assert yes.json()["agreed"] == 1
    again = house.ask("manager", "POST", f"{path}:approve", {})
    assert again.status_code == 409
    assert house.ask("manager", "GET", "/v1/approvals").json()["items"] == []


def test_a_no_ends_it(house):
    held = house.held("large")
    no = house.ask("manager", "POST", f"/v1/approvals/{held['id']}:reject", {"reason": "not now"})
    assert (no.status_code, no.json()["state"]) == (200, "rejected")
    assert house.ask("manager", "GET", f"/v1/approvals/{held['id']}").json()["decisions"][0]["person"] == "max"


def test_an_operator_stops_and_a_manager_lets_go_on(house):
    path = "/v1/kill-switches/kind:spend.reserve"
    assert house.ask("operator", "GET", path).status_code == 404
    on = house.ask("operator", "PUT", path, {"on": True, "reason": "looks wrong"})
    assert (on.status_code, on.json()["on"], on.json()["by"]) == (200, True, "olga")
    assert [one["scope"] for one in house.ask("agent", "GET", "/v1/kill-switches").json()["items"]] == [
        "kind:spend.reserve"
    ]
    assert house.ask("agent", "PUT", path, {"on": False, "reason": "x"}).json()["code"] == "missing_scope"
    assert house.ask("operator", "PUT", path, {"on": False, "reason": "x"}).json()["code"] == "wrong_role"
    house.shop.clock.advance(timedelta(seconds=1))
    lifted = house.ask("manager", "PUT", path, {"on": False, "reason": "it was a mistake"})
    assert (lifted.status_code, lifted.json().get("on")) == (200, False), lifted.text
    assert house.ask("manager", "PUT", "/v1/kill-switches/planet:x", {"on": True, "reason": "x"}).status_code == 422


def test_keys_are_made_by_a_founder_and_every_change_is_written_down(house):
    made = house.ask("founder", "POST", "/v1/keys", {"name": "eva", "role": "manager"})
    assert made.status_code == 201, made.text
    house.keys["second"] = made.json()["key"]
    assert house.ask("second", "GET", "/v1/approvals").status_code == 200
    assert house.ask("manager", "POST", "/v1/keys", {"name": "x"}).json()["code"] == "missing_scope"
    assert (
        house.ask("founder", "POST", "/v1/keys", {"name": "x", "role": "agent", "scopes": ["keys:admin"]}).status_code
        == 400
    )
    mine, other = (house.keys[one].split("_")[1] for one in ("founder", "second"))
    assert house.ask("founder", "POST", f"/v1/keys/{other}:rotate", {}).json()["code"] == "not_yours"
    house.keys["new"] = house.ask("founder", "POST", f"/v1/keys/{mine}:rotate", {}).json()["key"]
    assert house.ask("new", "POST", f"/v1/keys/{other}:revoke", {}).json() == {"revoked": True}
    assert house.ask("second", "GET", "/v1/approvals").status_code == 401
    listed = house.ask("new", "GET", "/v1/keys").text
    assert not [key for key in house.keys.values() if key.split("_")[2] in listed]
    used = [row["what"] for row in house.shop.app.access.uses()]
    assert {"key made for eva", "key rotated", f"key revoked {other}"} <= set(used)
