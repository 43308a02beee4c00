"""The books over HTTP."""

import warnings

import pytest

from steward.api.app import create_app

pytestmark = pytest.mark.db


@pytest.fixture
def client(shop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the test client about itself
        from fastapi.testclient import TestClient
    app = create_app()
    app.state.steward = shop.app
    return TestClient(app, base_url="http://localhost")


def with_key(shop, *scopes):
    return {"Authorization": f"Bearer {shop.app.access.create('test', scopes)}"}


def test_balances_and_transfers_are_read_with_the_right_key(shop, make, client):
    shop.take_in(make.payment("1", 1000), make.payment("2", 500))
    headers = with_key(shop, "ledger:read")
    books = client.get("/v1/ledger/balances", headers=headers).json()
    assert books["balanced"] is True
    assert books["trial_balance"] == {"GBP": 0}
    assert [(i["code"], i["amount_minor"], i["postings"]) for i in books["items"]] == [
        ("assets:clearing:online_retail", 1500, 2),
        ("income:sales", -1500, 2),
    ]
    first = client.get("/v1/ledger/transfers?limit=1", headers=headers).json()
    assert [item["source"] for item in first["items"]] == ["shop/test payment:1"]
    assert first["items"][0]["transfer_id"].startswith("tfr_")
    assert first["items"][0]["legs"][0] == {
        "account": "assets:clearing:online_retail",
        "currency": "GBP",
        "amount_minor": 1000,
    }
    rest = client.get(f"/v1/ledger/transfers?after={first['next']}", headers=headers).json()
    assert ([item["source"] for item in rest["items"]], rest["next"]) == (["shop/test payment:2"], None)
    before = client.get("/v1/ledger/balances?as_of=2011-05-02T09:00:00Z", headers=headers).json()
    assert {item["amount_minor"] for item in before["items"]} == {0}


@pytest.mark.parametrize("path", ["/v1/ledger/balances", "/v1/ledger/transfers"])
def test_without_the_scope_there_is_nothing_to_see(shop, client, path):
    assert client.get(path).status_code == 401
    assert client.get(path, headers=with_key(shop, "events:read")).status_code == 403


def test_a_time_that_is_none_is_told(shop, client):
    answer = client.get("/v1/ledger/balances?as_of=yesterday", headers=with_key(shop, "ledger:read"))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")
    assert "yesterday" in answer.json()["detail"]
