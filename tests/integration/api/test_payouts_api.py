"""Payouts over HTTP and MCP, every door tried: who may prepare, who may agree, and that nothing else lets money go."""

from datetime import timedelta

import pytest
from tests.integration.api.test_ledger_api import client, with_key  # noqa: F401 - the fixture
from tests.integration.payouts.test_payouts import MIA, fact, house  # noqa: F401 - the fixture

from steward.kernel.errors import BadInput

pytestmark = pytest.mark.db


def under(key):
    return {"Authorization": f"Bearer {key}"}


def test_a_payee_is_let_in_and_a_payout_agreed_to_over_http_and_by_nobody_else(house, client):
    reads, fay = with_key(house, "ledger:read"), with_key(house, "payouts:write")
    ana, eve, ben, bot = (under(one) for one in (house.ana, house.eve, house.ben, house.bot))
    house.settle(1, 2, 3)
    wish = {"address": MIA, "name": "Mia Example", "called_by": "ben"}
    assert client.post("/v1/payees/mia", json=wish, headers=reads).status_code == 403
    assert client.post("/v1/payees/mia", json=wish, headers=bot).status_code == 403
    wrong = client.post("/v1/payees/mia", json={**wish, "address": "mia@example.com"}, headers=fay)
    assert (wrong.status_code, "SYSTEM:ID" in wrong.text) == (400, True)
    asked = client.post("/v1/payees/mia", json=wish, headers=fay)
    assert (asked.status_code, asked.json()["state"]) == (202, "awaiting_approval")
    for who in (ana, eve):
        client.get(f"/v1/approvals/{asked.json()['id']}", headers=who)
        house.read(asked.json()["id"], house.ana)
        done = client.post(f"/v1/approvals/{asked.json()['id']}:approve", json={}, headers=who)
        assert done.status_code == 200, done.text
    house.app.events.sequence()
    house.clock.advance(timedelta(minutes=1))
    assert [one["payee"] for one in client.get("/v1/payees", headers=fay).json()["items"]] == [MIA]
    assert client.get("/v1/payees", headers=reads).status_code == 403, "names are not for whoever reads the books"

    assert client.post("/v1/payouts", headers=reads).status_code == 403
    assert client.post("/v1/payouts", headers=bot).status_code == 403
    made = client.post("/v1/payouts", headers=fay)
    assert (made.status_code, made.json()["payouts"][0]["amount_minor"]) == (201, 6006)
    payout = made.json()["payouts"][0]
    path, action = f"/v1/payouts/{payout['payout_id']}", payout["action_id"]
    assert client.get(path, headers=reads).json()["intact"] is True
    assert client.get("/v1/payouts/pay_" + "0" * 32, headers=reads).status_code == 404

    # Every way to say yes, tried by those who may not and by her who did not read.
    ways = (f"{path}:approve", f"/v1/approvals/{action}:approve")
    for way in ways:
        found = {who: client.post(way, json={}, headers=key) for who, key in (("bot", bot), ("fay", fay), ("ben", ben))}
        assert {who: one.status_code for who, one in found.items()} == {"bot": 403, "fay": 403, "ben": 403}
        unread = client.post(way, json={}, headers=eve)
        assert (unread.status_code, unread.json()["code"]) == (409, "read_first")
    for key in (bot, fay, ben):
        assert client.post(
            f"/v1/actions/{action}:resolve", json={"what": "happened", "reason": "x"}, headers=key
        ).is_error
    house.send()
    assert house.server.posts == 0

    assert client.get(path, headers=ana).status_code == 200
    house.read(action, house.ana)
    agreed = client.post(f"{path}:approve", json={"reason": "as prepared"}, headers=ana)
    assert (agreed.status_code, agreed.json()["state"]) == (200, "ready")
    assert client.post(f"{path}:reject", json={"reason": "too late"}, headers=eve).status_code == 409
    house.send()
    assert (house.server.posts, client.get("/v1/payouts?state=sent", headers=reads).json()["items"][0]["state"]) == (
        1,
        "sent",
    )


def test_whom_to_prepare_for_is_chosen_and_a_bill_says_what_it_waits_for(house, client):
    reads, fay = with_key(house, "ledger:read"), with_key(house, "payouts:write")
    bill = {"invoice_id": "i1", "supplier_id": "acme", "currency": "GBP", "amount_minor": 500}
    house.shop.take_in(fact("SupplierInvoiceReceived", "i1", house.clock.now(), **bill))
    found = {}
    for wish in ("for=suppliers", "for=creators", "for=all", "", "supplier=acme", "creator=mia", "supplier=nobody"):
        made = client.post(f"/v1/payouts?{wish}", headers=fay)
        assert made.status_code == 200, made.text
        found[wish] = [(one["who"], one.get("invoice_id"), one["code"]) for one in made.json()["waiting"]]
    acme, mia = ("supplier", "i1", "no_payee"), ("creator", None, "nothing_due")
    assert found == {
        "for=suppliers": [acme], "for=creators": [mia], "for=all": [mia, acme], "": [mia, acme],
        "supplier=acme": [acme], "creator=mia": [mia], "supplier=nobody": [],
    }  # fmt: skip
    for wrong in ("for=everybody", "for=creators&supplier=acme", "creator=mia&supplier=acme"):
        assert client.post(f"/v1/payouts?{wrong}", headers=fay).status_code in (400, 422)
    assert client.get("/v1/payouts?for=suppliers&supplier=acme", headers=reads).json()["items"] == []


def test_no_key_of_an_agent_or_a_service_can_agree(house):
    for role in ("agent", "service"):
        with pytest.raises(BadInput, match=role):
            house.app.access.create("x", ("approvals:decide",), role)
