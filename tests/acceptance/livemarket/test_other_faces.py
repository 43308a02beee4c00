"""PayPal and the bank over sockets, and a whole served run held against the auditor who sees only its files."""

import base64
import datetime as dt
import importlib.util
import json
import os
import re
import shutil
import zlib
from pathlib import Path

import jsonschema
import pytest
import referencing
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

ROOT = Path(__file__).parents[3]
spec = importlib.util.spec_from_file_location("livemarket_audit_served", ROOT / "tests/oracles/livemarket/audit.py")
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)
DAY = 86400


@pytest.fixture
def paypal(shop):
    with shop.paypal() as client:
        yield client


def transactions(client, shop, **query):
    now = shop.control.get("/_livemarket/clock").json()["unix"]
    dates = {"start_date": instant(now - 20 * DAY), "end_date": instant(now)}
    return client.get("/v1/reporting/transactions", params=dates | {"page_size": 500} | query).json()


def instant(unix):
    return dt.datetime.fromtimestamp(unix, dt.UTC).isoformat().replace("+00:00", "Z")


def fresh_capture(client, shop):
    rows = transactions(client, shop, transaction_type="T0006")["transaction_details"]
    for row in rows[::-1]:
        capture = client.get(f"/v2/payments/captures/{row['transaction_info']['transaction_id']}").json()
        if capture["status"] == "COMPLETED" and float(capture["amount"]["value"]) > 10:
            return capture
    raise AssertionError("no capture is left")


def funded(client, shop, least):
    """Let sales come in until the wallet holds so much: how soon after a sweep to the bank a test begins is chance."""
    for _ in range(200):
        if (
            audit.cents(client.get("/v1/reporting/balances").json()["balances"][0]["available_balance"]["value"])
            >= least
        ):
            return
        shop.go(1800)
    raise AssertionError("no money comes in")


def test_a_token_is_needed_and_grows_old(shop, paypal):
    assert paypal.get("/v1/reporting/balances").status_code == 200
    with shop.client("paypal", "wrong") as stranger:
        assert stranger.get("/v1/reporting/balances").status_code == 401
    with shop.paypal() as old:
        shop.go(32_401)
        assert old.get("/v1/reporting/balances").status_code == 401


def test_a_paypal_refund_happens_once(shop, paypal):
    capture = fresh_capture(paypal, shop)
    path, headers = f"/v2/payments/captures/{capture['id']}/refund", {"paypal-request-id": f"once-{capture['id']}"}
    before = paypal.get("/v1/reporting/balances").json()["balances"][0]["total_balance"]["value"]
    body = {"amount": {"value": "1.50", "currency_code": "USD"}, "note_to_payer": "sorry"}
    first = paypal.post(path, json=body, headers=headers | {"prefer": "return=representation"})
    again = paypal.post(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["note_to_payer"] == "sorry"
    assert paypal.get(f"/v2/payments/captures/{capture['id']}").json()["status"] == "PARTIALLY_REFUNDED"
    after = paypal.get("/v1/reporting/balances").json()["balances"][0]["total_balance"]["value"]
    assert audit.cents(before) - audit.cents(after) == 150
    other = paypal.post(path, json=body | {"note_to_payer": "no"}, headers=headers)
    assert (other.status_code, other.json()["name"]) == (422, "UNPROCESSABLE_ENTITY")
    more = paypal.post(path, json={"amount": {"value": "99999.00", "currency_code": "USD"}})
    assert more.json()["details"][0]["issue"] == "REFUND_AMOUNT_EXCEEDED"
    found = transactions(paypal, shop, transaction_id=first.json()["id"])["transaction_details"]
    assert [row["transaction_info"]["transaction_amount"]["value"] for row in found] == ["-1.50"]
    assert found[0]["transaction_info"]["paypal_reference_id"] == capture["id"]


def test_paypal_disputes_take_evidence_or_end(paypal):
    asked = {"dispute_state": "REQUIRED_ACTION,UNDER_PAYPAL_REVIEW", "page_size": 50}
    cases = paypal.get("/v1/customer/disputes", params=asked).json()["items"]
    assert cases
    path = f"/v1/customer/disputes/{cases[0]['dispute_id']}"
    late = paypal.post(f"{path}/provide-evidence", json={"evidences": [{"evidence_type": "PROOF_OF_FULFILLMENT"}]})
    assert late.status_code in {200, 422}
    assert paypal.post(f"{path}/accept-claim", json={"note": "ours"}).status_code == 200
    case = paypal.get(path).json()
    assert (case["status"], case["dispute_outcome"]["outcome_code"]) == ("RESOLVED", "RESOLVED_BUYER_FAVOUR")


def test_paypal_signs_with_a_certificate_that_anybody_can_fetch(shop, paypal, listener):
    capture = fresh_capture(paypal, shop)
    types = [{"name": "PAYMENT.CAPTURE.REFUNDED"}]
    hook = paypal.post("/v1/notifications/webhooks", json={"url": listener.url, "event_types": types}).json()
    paypal.post(
        f"/v2/payments/captures/{capture['id']}/refund", json={"amount": {"value": "1.00", "currency_code": "USD"}}
    )
    headers, body, _ = listener.until(lambda got: len(got) == 1)[0]
    paypal.delete(f"/v1/notifications/webhooks/{hook['id']}")
    headers = {k.lower(): v for k, v in headers.items()}
    pem = paypal.get(headers["paypal-cert-url"], headers={"authorization": ""}).content
    key = x509.load_pem_x509_certificate(pem).public_key()
    text = "|".join([headers["paypal-transmission-id"], headers["paypal-transmission-time"], hook["id"]])
    signature = base64.b64decode(headers["paypal-transmission-sig"])
    key.verify(signature, f"{text}|{zlib.crc32(body)}".encode(), padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signature, f"{text}|{zlib.crc32(body + b' ')}".encode(), padding.PKCS1v15(), hashes.SHA256())
    event = json.loads(body)
    assert event["event_type"] == "PAYMENT.CAPTURE.REFUNDED"
    assert paypal.get(f"/v1/notifications/webhooks-events/{event['id']}").json() == event


def test_paypal_pays_creators_and_nobody_else(shop, paypal):
    funded(paypal, shop, 4000)
    before = paypal.get("/v1/reporting/balances").json()["balances"][0]["total_balance"]["value"]
    item = {
        "recipient_type": "EMAIL",
        "amount": {"value": "20.00", "currency": "USD"},
        "receiver": "creator-001@x.example",
    }
    batch = {"sender_batch_header": {"sender_batch_id": "week-1"}, "items": [item, item | {"receiver": "me@x.example"}]}
    made = paypal.post("/v1/payments/payouts", json=batch)
    assert made.status_code == 201
    key = made.json()["batch_header"]["payout_batch_id"]
    shown = paypal.get(f"/v1/payments/payouts/{key}").json()
    assert [i["transaction_status"] for i in shown["items"]] == ["SUCCESS", "FAILED"]
    after = paypal.get("/v1/reporting/balances").json()["balances"][0]["total_balance"]["value"]
    assert audit.cents(before) - audit.cents(after) == 2000
    assert paypal.post("/v1/payments/payouts", json=batch).status_code == 400  # the sender's own id is used


def test_paypal_objects_fit_the_official_descriptions(shop, paypal):
    folder = Path(os.environ.get("STEWARD_TEST_DATA") or "/nowhere") / "openapi"
    if not folder.exists():
        pytest.skip("STEWARD_TEST_DATA names no folder with openapi/")
    funded(paypal, shop, 1000)
    capture = fresh_capture(paypal, shop)
    refund = paypal.post(
        f"/v2/payments/captures/{capture['id']}/refund",
        json={"amount": {"value": "1.00", "currency_code": "USD"}},
        headers={"prefer": "return=representation"},
    ).json()
    batch = {
        "sender_batch_header": {"sender_batch_id": "fit"},
        "items": [
            {
                "recipient_type": "EMAIL",
                "amount": {"value": "3.00", "currency": "USD"},
                "receiver": "creator-002@x.example",
            }
        ],
    }
    payout = paypal.post("/v1/payments/payouts", json=batch).json()
    cases = paypal.get("/v1/customer/disputes", params={"page_size": 50}).json()
    found = [
        ("checkout_orders_v2", "order", paypal.get(f"/v2/checkout/orders/O{capture['id']}").json()),
        ("payments_payment_v2", "capture-2", capture),
        ("payments_payment_v2", "refund", refund),
        ("customer_disputes_v1", "dispute_search", cases),
        *[
            ("customer_disputes_v1", "dispute", paypal.get(f"/v1/customer/disputes/{c['dispute_id']}").json())
            for c in cases["items"][:5]
        ],
        ("payments_payouts_batch_v1", "payout", payout),
        (
            "payments_payouts_batch_v1",
            "payout_batch",
            paypal.get(f"/v1/payments/payouts/{payout['batch_header']['payout_batch_id']}").json(),
        ),
        ("reporting_transactions_v1", "search_response", transactions(paypal, shop)),
        ("reporting_transactions_v1", "balances_response", paypal.get("/v1/reporting/balances").json()),
    ]
    for file, name, document in found:
        assert fits(folder, file, name, document) == [], name
    assert fits(folder, "payments_payment_v2", "refund", refund | {"amount": {"value": "one"}})  # the control


def fits(folder, file, name, document):
    described = json.loads((folder / f"paypal_{file}.json").read_text(encoding="utf-8"))
    registry = referencing.Registry().with_resource(
        "official:", referencing.jsonschema.DRAFT202012.create_resource(described)
    )
    schema = {"$ref": f"official:#/components/schemas/{name}"}
    return [
        f"{list(e.absolute_path)}: {e.message[:160]}"
        for e in jsonschema.Draft202012Validator(schema, registry=registry).iter_errors(document)
    ]


def test_the_bank_pays_whom_it_knows_once(shop):
    before = shop.bank.get(f"{shop.account}/balance").json()["booked"]["value"]
    order = {
        "end_to_end_id": "INV-77/A",
        "creditor": {"name": "supplier-01"},
        "amount": {"value": "125.00", "currency": "USD"},
    }
    first, again = (shop.bank.post("/v1/payments", json=order) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    after = shop.bank.get(f"{shop.account}/balance").json()["booked"]["value"]
    assert audit.cents(before) - audit.cents(after) == 12500
    assert (
        shop.bank.post("/v1/payments", json=order | {"amount": {"value": "126.00", "currency": "USD"}}).status_code
        == 409
    )
    stranger = order | {"end_to_end_id": "INV-78", "creditor": {"name": "somebody"}}
    assert shop.bank.post("/v1/payments", json=stranger).json()["code"] == "UNKNOWN_PAYEE"


def test_the_same_account_in_mercurys_dialect(shop):
    root = "/api/v1"
    (account,) = shop.bank.get(f"{root}/accounts").json()["accounts"]
    saved = {one["name"]: one["id"] for one in shop.bank.get(f"{root}/recipients").json()["recipients"]}
    path = f"{root}/account/{account['id']}"
    wish = {"recipientId": saved["creator-001"], "amount": 12.5, "paymentMethod": "ach", "idempotencyKey": "act_m1"}
    made = shop.bank.post(f"{path}/transactions", json=wish | {"externalMemo": "PAY 77"})
    assert (made.status_code, made.json()["amount"], made.json()["externalMemo"]) == (200, -12.5, "PAY 77")
    again = shop.bank.post(f"{path}/transactions", json=wish | {"externalMemo": "PAY 77"})
    assert (again.status_code, again.json()) == (409, made.json()), "a known key is answered with the first"
    for wrong, status in (
        ({"idempotencyKey": "act_m2"}, 400),  # the same amount to the same recipient within a day
        ({"idempotencyKey": "act_m3", "recipientId": account["id"]}, 404),
        ({"idempotencyKey": "act_m4", "amount": 1.005}, 400),
        ({"idempotencyKey": "act_m5", "amount": 1e9}, 400),
        ({"idempotencyKey": "act_m6", "paymentMethod": "wire"}, 400),
    ):
        assert shop.bank.post(f"{path}/transactions", json=wish | wrong).status_code == status, wrong
    assert shop.bank.get(f"{path}/transaction/{made.json()['id']}").json() == made.json()
    listed = shop.bank.get(f"{path}/transactions", params={"limit": 1}).json()
    assert (listed["total"], listed["transactions"]) == (1, [made.json()])
    entries = shop.bank.get(f"{shop.account}/entries").json()
    last = shop.bank.get(f"{shop.account}/entries", params={"page": entries["pages"]}).json()["entries"]
    assert any("PAY 77" in json.dumps(one) for one in last)
    assert shop.bank.get(path).json()["currentBalance"] == account["currentBalance"] - 12.5


def test_no_face_shows_a_hidden_cause(shop, paypal):
    seen = json.dumps([
        shop.plain.get(f"/v1/{name}?limit=100").json()
        for name in ("charges", "payment_intents", "refunds", "disputes", "payouts", "customers", "events")
    ] + [transactions(paypal, shop), shop.bank.get(f"{shop.account}/entries").json(), shop.control.get("/_livemarket/run").json(),
        shop.control.get("/_livemarket/moved").json()])  # fmt: skip
    hidden = "defect|wardrob|empty_box|double_dip|return_kind|elasticity|skill|novelty|counterfactual|fraud_caught|word"
    assert re.findall(hidden, seen) == []
    for path in ("/truth", "/_livemarket/truth", "/v1/counterfactual"):
        assert shop.control.get(path).status_code == 404


# ---- a whole run -------------------------------------------------------------------------------------------------


def story(shop):
    """Acts through every face, then the days to their end. Returns the Stripe refund and the control's last word."""
    shop.go(DAY + 50_000)
    charges = [
        c for c in shop.stripe.charges.list({"limit": 30}).data if c.status == "succeeded" and not c.amount_refunded
    ]
    balance = shop.stripe.balance.retrieve()
    refund = shop.stripe.refunds.create({"charge": charges[0].id, "amount": 500})
    after = shop.stripe.balance.retrieve()
    assert (
        balance.available[0].amount + balance.pending[0].amount - after.available[0].amount - after.pending[0].amount
        == 500
    )
    shop.stripe.refunds.create({"charge": charges[0].id, "amount": 200})
    shop.stripe.refunds.create({"charge": charges[1].id})
    for dispute in shop.stripe.disputes.list({"limit": 100}).auto_paging_iter():
        if dispute.status == "needs_response":
            shop.stripe.disputes.close(dispute.id)
            break
    with shop.paypal() as paypal:
        capture = fresh_capture(paypal, shop)
        paypal.post(f"/v2/payments/captures/{capture['id']}/refund", json={})
        batch = {
            "sender_batch_header": {"sender_batch_id": "w"},
            "items": [
                {
                    "recipient_type": "EMAIL",
                    "amount": {"value": "15.00", "currency": "USD"},
                    "receiver": "creator-000@x",
                }
            ],
        }
        assert paypal.post("/v1/payments/payouts", json=batch).status_code == 201
    for name, key in (("supplier-00", "BILL-1"), ("creator-003", "SHARE-1")):
        order = {"end_to_end_id": key, "creditor": {"name": name}, "amount": {"value": "80.00", "currency": "USD"}}
        assert shop.bank.post("/v1/payments", json=order).status_code == 201
    for what, body in (("price", {"number": 0, "amount": 2599}), ("ad_budget", {"number": 0, "amount": 9000}),
                       ("unlist", {"number": 2}), ("stock", {"number": 1, "amount": 40})):  # fmt: skip
        assert shop.control.post(f"/_livemarket/shop/{what}", json=body).status_code == 200
    shop.go(5 * DAY)
    ready = shop.stripe.balance.retrieve().available[0].amount
    if ready > 100:
        shop.stripe.payouts.create({"amount": ready - 100, "currency": "usd"})
    shop.go(30 * DAY)
    return refund, shop.control.get("/_livemarket/run").json()


def test_a_served_run_adds_up_with_its_acts_in_it(short, tmp_path):
    refund, told = story(short)
    assert told["over"] is True
    assert told["acts"] >= 10
    out = short.out
    assert audit.audit(out) == []
    written = [
        p for p in sorted((out / "settlements/stripe").glob("*.csv")) if refund.id in p.read_text(encoding="utf-8")
    ]
    assert len(written) == 1
    row = next(line for line in written[0].read_text(encoding="utf-8").splitlines() if f",{refund.id}," in line)
    assert ",-5.00,0.00,-5.00,refund," in row
    assert refund.balance_transaction in row
    events = [e for e in audit.lines(out / "events.jsonl") if e["data"].get("reason") == "by_request"]
    assert sorted(e["data"]["amount_minor"] for e in events)[:2] == [200, 500]
    references = "".join(p.read_text(encoding="utf-8") for p in (out / "bank").glob("*.xml"))
    assert "BILL-1" in references
    listed = short.bank.get(f"{short.account}/statements").json()["statements"]
    texts = [short.bank.get(f"{short.account}/statements/{s['id']}").text for s in listed]
    assert texts == [p.read_text(encoding="utf-8") for p in sorted((out / "bank").glob("*.xml"))]
    copy = tmp_path / "copy"  # the control: without the refund that came through the face the auditor objects
    shutil.copytree(out, copy)
    kept = [
        line
        for line in (copy / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        if f'"refund_id":"{refund.id.replace("re_", "ref-")}"' not in line
    ]
    (copy / "events.jsonl").write_text("".join(kept), encoding="utf-8")
    assert audit.audit(copy)
