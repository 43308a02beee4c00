"""Bills and their audit over HTTP, each under its scope."""

import pytest
from tests.integration.api.test_ledger_api import client, with_key  # noqa: F401 - the fixture
from tests.integration.reconciliation.test_invoices import WRONG, bill, desk  # noqa: F401 - the fixture

pytestmark = pytest.mark.db


def test_a_bill_is_taken_audited_and_its_breaks_are_listed(desk, client):
    writes, reads = with_key(desk, "settlements:write"), with_key(desk, "ledger:read")
    where = "/v1/invoices?vendor=warehouse-3pl&name=w1.csv"
    assert client.post(where, content=bill(*WRONG)).status_code == 401
    assert client.post(where, content=bill(*WRONG), headers=reads).status_code == 403
    made = client.post(where, content=bill(*WRONG), headers=writes)
    assert (made.status_code, made.json()["lines"]) == (201, 6)
    assert client.post(where, content=bill(*WRONG), headers=writes).json()["outcome"] == "known"
    refused = client.post(where, content=bill(("o1", "parcel", "six")), headers=writes)
    assert (refused.status_code, refused.json()["errors"][0]["index"]) == (422, 2)
    assert client.post("/v1/invoices?vendor=nobody", content=b"x", headers=writes).status_code == 400
    assert client.post("/v1/invoice-audits", headers=reads).status_code == 403
    report = client.post("/v1/invoice-audits", headers=writes)
    assert (report.status_code, report.json()["breaks"]) == (201, 3)
    (one,) = client.get("/v1/invoices?vendor=warehouse-3pl", headers=reads).json()["items"]
    assert (one["number"], one["open_breaks"], one["reclaim"]) == ("w1", 3, {"USD": 1050})
    found = client.get("/v1/breaks", headers=reads).json()["items"]
    assert sorted(one["type"] for one in found) == ["invoice_overcharge", "invoice_twice", "invoice_unordered"]
    assert sum(one["amount_minor"] for one in found) == 1050
