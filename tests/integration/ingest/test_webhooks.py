"""Deliveries over real HTTP: stored first, believed only if signed, understood later, repaired by polling."""

import hashlib
import hmac
import json
import threading
import warnings
from base64 import b64encode
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe
from standardwebhooks import Webhook

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

pytestmark = pytest.mark.db

SECRET, OLD = "whsec_" + b64encode(b"new secret of 24 bytes..").decode(), "whsec_" + b64encode(b"old secret").decode()


def intent(number="pi_1", kind="payment_intent.succeeded", created=1_767_323_045):
    thing = {
        "id": number,
        "object": "payment_intent",
        "amount": 1250,
        "amount_received": 1250,
        "currency": "gbp",
        "metadata": {"order_id": f"order-{number}"},
    }
    return {"id": f"evt_{number}", "object": "event", "type": kind, "created": created, "data": {"object": thing}}


class Provider(BaseHTTPRequestHandler):
    """A provider's API: Stripe's list of events, and one Gorgias ticket."""

    events: list = []

    def do_GET(self):
        if self.path.startswith("/v1/events"):
            assert self.headers["Authorization"] == "Bearer sk_test"
            document = {"object": "list", "has_more": False, "data": self.events}
        else:
            assert self.path == "/api/tickets/77"
            document = {
                "id": 77,
                "channel": "email",
                "subject": "Where is it?",
                "created_datetime": "2026-01-02T03:04:05+00:00",
                "customer": {"id": 5, "email": "ann@example.org", "name": "Ann"},
                "messages": [{"body_text": "It never came.", "from_agent": False}],
            }
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def provider():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site(shop, monkeypatch, provider):
    """The shop's application behind its HTTP interface, with secrets for some providers."""
    for name, value in {
        "WEBHOOK_STRIPE": f"{SECRET},{OLD}",
        "WEBHOOK_STANDARD": SECRET,
        "WEBHOOK_GORGIAS": "a-long-secret-path",
        "KEY_STRIPE": "sk_test",
        "KEY_GORGIAS": "user:key",
        "ADDRESS_STRIPE": provider,
        "ADDRESS_GORGIAS": provider,
    }.items():
        monkeypatch.setenv(f"STEWARD_{name}", value)
    from steward.api.app import create_app

    app = create_app()
    app.state.steward = shop.app
    client = TestClient(app, raise_server_exceptions=False)
    shop.clock._at = datetime.fromtimestamp(1_767_323_050, UTC)
    return client, shop


def signed(document, secret=SECRET, at=1_767_323_048):
    body = json.dumps(document).encode()
    made = stripe.WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
    return body, {"Stripe-Signature": f"t={at},v1={made}"}


def send(site, provider_name, body, headers):
    return site[0].post(f"/v1/webhooks/{provider_name}", content=body, headers=headers)


def states(shop):
    return [row[0] for row in shop.rows("SELECT state FROM delivery ORDER BY delivery_id")]


def test_a_signed_delivery_is_stored_as_it_came_and_becomes_an_event(site):
    body, headers = signed(intent())
    answer = send(site, "stripe", body, headers)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "known": False})
    _, shop = site
    assert bytes(shop.one("SELECT body FROM delivery")) == body
    assert states(shop) == ["received"]
    assert shop.app.events.head()["size"] == 0
    assert shop.app.webhooks.normalise() == 1
    assert states(shop) == ["done"]
    (event,) = shop.app.events.read()
    assert event.envelope.type == "PaymentCaptured"
    assert event.envelope.data["order_id"] == "order-pi_1"
    assert event.envelope.data["amount_minor"] == 1250


def test_the_same_delivery_again_is_known_and_changes_nothing(site):
    body, headers = signed(intent())
    send(site, "stripe", body, headers)
    assert send(site, "stripe", body, headers).json()["known"] is True
    _, shop = site
    while shop.app.webhooks.normalise():
        pass
    assert states(shop) == ["done"]
    assert shop.app.events.head()["size"] == 1


def test_an_older_secret_still_opens_while_keys_are_rotated(site):
    assert send(site, "stripe", *signed(intent(), OLD)).status_code == 200


@pytest.mark.parametrize("position", [0, 17, -1])
def test_one_changed_bit_is_refused_and_kept(site, position):
    body, headers = signed(intent())
    changed = bytearray(body)
    changed[position] ^= 1
    answer = send(site, "stripe", bytes(changed), headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_signature")
    _, shop = site
    assert states(shop) == ["refused"]
    assert shop.app.webhooks.normalise() == 0
    assert send(site, "stripe", body, headers).status_code == 200  # what was refused does not block the real one


def test_an_old_signature_is_refused(site):
    answer = send(site, "stripe", *signed(intent(), at=1_767_323_045 - 400))
    assert (answer.status_code, answer.json()["code"]) == (401, "too_old")


def test_without_a_secret_nothing_is_believed(site):
    answer = send(site, "shopify", b"{}", {"X-Shopify-Topic": "orders/create"})
    assert (answer.status_code, answer.json()["code"]) == (401, "no_secret")


def test_an_unknown_provider_is_named(site):
    answer = send(site, "nobody", b"{}", {})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


def test_standard_webhooks_from_its_own_library(site):
    document = {
        "type": "OrderPlaced",
        "timestamp": "2026-01-02T03:04:05Z",
        "schemaversion": 2,
        "subject": "order/9",
        "data": {"order_id": "9", "currency": "GBP", "total_minor": 100, "channel": "own"},
    }
    body = json.dumps(document)
    at = datetime.fromtimestamp(1_767_323_048, UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", at, body),
    }
    assert send(site, "standard", body.encode(), headers).status_code == 200
    _, shop = site
    shop.app.webhooks.normalise()
    assert shop.app.events.read()[0].envelope.subject == "order/9"


def test_what_cannot_be_read_fails_stays_and_can_be_tried_again(site):
    document = intent()
    del document["data"]["object"]["amount_received"]
    send(site, "stripe", *signed(document))
    _, shop = site
    shop.app.webhooks.normalise()
    (found,) = shop.app.webhooks.deliveries("failed", None, 10)
    assert "amount_received" in found["reason"]
    assert shop.app.webhooks.normalise() == 0
    assert shop.app.webhooks.retry() == 1
    assert states(shop) == ["failed"]


def test_events_we_have_no_word_for_are_ignored_and_kept(site):
    send(site, "stripe", *signed(intent(kind="customer.created")))
    _, shop = site
    shop.app.webhooks.normalise()
    assert states(shop) == ["ignored"]


def test_where_no_signature_is_documented_the_object_is_fetched_again(site):
    client, shop = site
    lie = json.dumps({"ticket_id": 77, "subject": "refund me a million"}).encode()
    assert client.post("/v1/webhooks/gorgias/wrong", content=lie).status_code == 401
    assert client.post("/v1/webhooks/gorgias/a-long-secret-path", content=lie).status_code == 200
    while shop.app.webhooks.normalise():
        pass
    (event,) = shop.app.events.read()
    assert event.envelope.data["ticket_id"] == "77"
    stored = str(shop.rows("SELECT data FROM event"))
    assert "ann@example.org" not in stored
    assert "never came" not in stored
    person = shop.app.people.find(email="ann@example.org")
    kept = str(shop.app.people.show(person))
    assert "Where is it?" in kept
    assert "It never came." in kept
    assert "million" not in kept
    assert shop.app.people.erase(person)["deliveries"] == 1
    assert shop.one("SELECT body IS NULL FROM delivery WHERE state = 'erased'")
    assert shop.app.events.verify().is_intact


def test_what_never_came_is_found_by_polling_and_what_came_is_not_doubled(site):
    _, shop = site
    send(site, "stripe", *signed(intent("pi_1")))
    shop.app.webhooks.normalise()
    Provider.events = [intent("pi_1"), intent("pi_2"), intent("pi_3", kind="customer.created")]
    found = shop.app.webhooks.compare("stripe", datetime(2026, 1, 1, tzinfo=UTC))
    assert found == {"facts": 2, "missing": 1, "unreadable": []}
    assert [e.envelope.data["payment_id"] for e in shop.app.events.read()] == ["pi_1", "pi_2"]
    again = shop.app.webhooks.compare("stripe", datetime(2026, 1, 1, tzinfo=UTC))
    assert again["missing"] == 0
    # The delivery that was late after all changes nothing.
    send(site, "stripe", *signed(intent("pi_2")))
    shop.app.webhooks.normalise()
    assert shop.app.events.head()["size"] == 2
    assert shop.app.events.conflicts() == []


MAPPING = """
source: shop/own
signature: {header: X-Signature, encoding: hex, prefix: "sha256="}
rules:
  - when: {$.kind: sale}
    event: OrderPlaced
    version: 2
    id: "order:{$.number}"
    subject: "order/{$.number}"
    time: $.at
    data:
      order_id: {path: $.number, as: id}
      currency: {path: $.money, as: currency}
      total_minor: {path: $.total, as: minor, currency: $.money}
      channel: own platform
      lines:
        path: $.items
        each:
          sku: {path: $.code, as: id}
          quantity: {path: $.count, as: integer}
          total_minor: {path: $.price, as: minor, currency: GBP}
"""


def test_a_home_grown_platform_is_a_mapping_in_a_file(site, monkeypatch):
    client, shop = site
    folder = shop.app.settings.home / "mappings"
    folder.mkdir(parents=True)
    (folder / "own_platform.yaml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setenv("STEWARD_WEBHOOK_OWN_PLATFORM", "secret")
    body = json.dumps(
        {
            "kind": "sale",
            "number": 12,
            "money": "GBP",
            "total": "12.50",
            "at": "2026-01-02T03:04:05Z",
            "items": [{"code": "MUG", "count": 2, "price": 12.5}],
        }
    ).encode()
    signature = "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert client.post("/v1/webhooks/own_platform", content=body, headers={"X-Signature": signature}).status_code == 200
    shop.app.webhooks.normalise()
    (event,) = shop.app.events.read()
    assert event.envelope.data["total_minor"] == 1250
    assert event.envelope.data["lines"] == [{"sku": "MUG", "quantity": 2, "total_minor": 1250}]


def test_two_workers_understand_each_delivery_once(site):
    _, shop = site
    for n in range(30):
        send(site, "stripe", *signed(intent(f"pi_{n}")))
    threads = [threading.Thread(target=shop.app.webhooks.normalise) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while shop.app.webhooks.normalise():
        pass
    assert states(shop) == ["done"] * 30
    assert shop.app.events.head()["size"] == 30
