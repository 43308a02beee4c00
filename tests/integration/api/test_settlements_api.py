"""Statements and breaks over HTTP, each under its scope."""

import pytest
from tests.integration.api.test_ledger_api import client, with_key  # noqa: F401 - the fixture
from tests.integration.reconciliation.test_reconciling import GOOD, books, row, stripe  # noqa: F401 - the fixture

from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


def test_a_file_is_taken_held_against_the_books_and_a_break_resolved(books, client):
    writes, reads = with_key(books, "settlements:write"), with_key(books, "ledger:read")
    wrong = stripe(row(1, 10, 0.59), row(2, 25, 2.03), row(3, 4, 0.42), row(4, -3, 0, "refund", "re_1"))
    assert client.post("/v1/settlements?provider=stripe", content=wrong).status_code == 401
    assert client.post("/v1/settlements?provider=stripe", content=wrong, headers=reads).status_code == 403
    made = client.post("/v1/settlements?provider=stripe&name=p.csv", content=wrong, headers=writes)
    assert (made.status_code, made.json()["lines"]) == (201, 4)
    assert client.post("/v1/settlements?provider=stripe", content=wrong, headers=writes).json()["outcome"] == "known"
    assert client.post("/v1/settlements?provider=nobody", content=b"x", headers=writes).status_code == 400
    assert client.post("/v1/settlements?provider=stripe", content=b"", headers=writes).status_code == 400
    assert client.post("/v1/reconciliations", headers=writes).json()["breaks"] == 1
    (one,) = client.get("/v1/breaks", headers=reads).json()["items"]
    assert client.get(f"/v1/breaks/{one['id']}", headers=reads).json()["type"] == "fee"
    manager = {"Authorization": f"Bearer {people(books)['manager']}"}
    wish = {"how": "claim", "reason": "charged beyond the contract"}
    assert client.post(f"/v1/breaks/{one['id']}:resolve", json=wish, headers=writes).status_code == 403
    done = client.post(f"/v1/breaks/{one['id']}:resolve", json=wish, headers=manager)
    assert (done.status_code, done.json()["posting"]["amount_minor"]) == (200, 100)
    assert client.post(f"/v1/breaks/{one['id']}:resolve", json=wish, headers=manager).status_code == 409
    assert client.get("/v1/breaks", headers=reads).json()["items"] == []
    assert client.get("/v1/settlements", headers=reads).json()["items"][0]["done"] == 4


def test_no_agent_resolves_a_break(books):
    with pytest.raises(BadInput, match="agent"):
        books.app.access.create("bot", ("breaks:resolve",), "agent")


def people(shop):
    founder = shop.app.access.create("ana", (), "founder")
    return {"founder": founder, "manager": shop.app.access.create("ben", (), "manager", by=founder)}
