"""Help desk, warehouse, couriers and live shows over sockets: each dialect's habits, and what acts do to the world."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import os
from pathlib import Path

import httpx
import jsonschema
import pytest
import referencing
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

DAY = 86400


@pytest.fixture
def desk(shop):
    with shop.client("helpdesk", shop.faces["helpdesk"]["oauth_token"]) as client:
        yield client


@pytest.fixture
def warehouse(shop):
    with shop.client("warehouse", shop.faces["warehouse"]["token"]) as client:
        yield client


@pytest.fixture
def courier(shop):
    face = shop.faces["courier"]
    with httpx.Client(
        base_url=face["url"], headers={"api-key": face["api_key"]}, trust_env=False, timeout=60
    ) as client:
        yield client


@pytest.fixture
def show(shop):
    with shop.client("show", shop.faces["show"]["token"]) as client:
        yield client


def now(shop):
    return shop.control.get("/_livemarket/clock").json()["unix"]


def to_hour(shop, hour, weekday=None):
    """On to the next such hour, of a working day if none is named."""
    days = {0, 1, 2, 3, 4} if weekday is None else {weekday}
    here = now(shop)
    at = here - here % DAY + hour * 3600
    while at <= here or dt.datetime.fromtimestamp(at, dt.UTC).weekday() not in days:
        at += DAY
    shop.go(at - here)


# ---- help desk ---------------------------------------------------------------------------------------------------


def tickets(desk, status=""):
    """All tickets, page by page."""
    made, path = [], "/api/v2/tickets.json?page[size]=100"
    while path:
        page = desk.get(path).json()
        made += page["tickets"]
        path = page["links"]["next"] if page["meta"]["has_more"] else None
    return [t for t in made if t["status"] in status.split(",")] if status else made


def test_tickets_come_by_cursor_and_by_external_id(desk):
    first = desk.get("/api/v2/tickets", params={"page[size]": 7}).json()
    assert (len(first["tickets"]), first["meta"]["has_more"]) == (7, True)
    second = desk.get(first["links"]["next"]).json()
    assert not {t["id"] for t in first["tickets"]} & {t["id"] for t in second["tickets"]}
    back = desk.get(second["links"]["prev"]).json()
    assert back["tickets"] == first["tickets"]
    everything = tickets(desk)
    assert len({t["id"] for t in everything}) == len(everything)
    one = everything[-1]
    assert desk.get("/api/v2/tickets", params={"external_id": one["external_id"]}).json()["tickets"] == [one]
    hits = desk.get("/api/v2/search.json", params={"query": f"type:ticket external_id:{one['external_id']}"}).json()
    assert [hit["id"] for hit in hits["results"]] == [one["id"]]
    person = desk.get(f"/api/v2/users/{one['requester_id']}.json").json()["user"]
    found = desk.get("/api/v2/users/search", params={"external_id": person["external_id"]}).json()
    assert (found["count"], found["users"][0]["id"]) == (1, one["requester_id"])
    assert desk.get("/api/v2/tickets", params={"page[after]": "nothing"}).status_code == 400


def test_the_help_desk_knows_its_callers_and_says_no_in_its_own_words(shop, desk):
    face = shop.faces["helpdesk"]
    basic = httpx.BasicAuth(f"{face['email']}/token", face["api_token"])
    ask = lambda auth: httpx.get(f"{face['url']}/api/v2/users/me", auth=auth, trust_env=False)
    assert ask(basic).json()["user"]["role"] == "agent"
    wrong = ask(httpx.BasicAuth(face["email"], face["api_token"]))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "Couldn't authenticate you")
    assert desk.get("/api/v2/tickets/35.json").json() == {"error": "RecordNotFound", "description": "Not found"}
    shop.fault("rate_limit", "helpdesk", retry_after=17)
    limited = desk.get("/api/v2/tickets")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "17")
    ticket = tickets(desk)[-1]
    bad = desk.put(f"/api/v2/tickets/{ticket['id']}.json", json={"ticket": {"status": "done"}})
    assert (bad.status_code, bad.json()["error"], "status" in bad.json()["details"]) == (422, "RecordInvalid", True)
    old = tickets(desk, "closed")[0]
    assert desk.put(f"/api/v2/tickets/{old['id']}", json={"ticket": {"status": "open"}}).status_code == 422


def test_an_answer_and_solving_reach_the_world_and_are_told(shop, desk, listener):
    types = [f"zen:event-type:ticket.{what}" for what in ("comment_added", "status_changed")]
    hook = desk.post("/api/v2/webhooks", json={"webhook": {
        "name": "n", "endpoint": listener.url, "http_method": "POST", "request_format": "json", "status": "active",
        "subscriptions": types}}).json()["webhook"]  # fmt: skip
    secret = desk.get(f"/api/v2/webhooks/{hook['id']}/signing_secret").json()["signing_secret"]["secret"]
    to_hour(shop, 20)
    while not (fresh := tickets(desk, "new")):
        shop.go(3600)
    ticket = fresh[-1]
    path = f"/api/v2/tickets/{ticket['id']}.json"
    update = {"status": "solved", "comment": {"body": "It is on its way <3", "public": True}, "priority": "high",
              "safe_update": True, "updated_stamp": ticket["updated_at"]}  # fmt: skip
    made = desk.put(path, json={"ticket": update}).json()
    assert (made["ticket"]["status"], made["ticket"]["priority"]) == ("solved", "high")
    assert [e["type"] for e in made["audit"]["events"]] == ["Comment", "Change"]
    assert desk.put(path, json={"ticket": update}).status_code == 409  # its stamp is old now
    said = desk.get(f"/api/v2/tickets/{ticket['id']}/comments").json()["comments"]
    assert [c["body"] for c in said] == [ticket["description"], "It is on its way <3"]
    got = listener.until(lambda all_: len([1 for _, b, _ in all_ if str(ticket["id"]).encode() in b]) >= 2)
    own = [(h, b) for h, b, _ in got if str(ticket["id"]).encode() in b]
    desk.delete(f"/api/v2/webhooks/{hook['id']}")
    for raw, body in own:
        headers = {k.lower(): v for k, v in raw.items()}
        stamp = headers["x-zendesk-webhook-signature-timestamp"].encode()
        right = base64.b64encode(hmac.new(secret.encode(), stamp + body, hashlib.sha256).digest()).decode()
        assert headers["x-zendesk-webhook-signature"] == right
    assert {json.loads(b)["type"] for _, b in own} == set(types)
    shop.go(5 * DAY)
    assert desk.get(path).json()["ticket"]["status"] == "closed"
    again = desk.get(f"/api/v2/tickets/{ticket['id']}/comments").json()["comments"]
    assert again == said  # the desk's own people did not answer it once more


# ---- warehouse ---------------------------------------------------------------------------------------------------


def test_the_warehouse_shows_cut_offs_stock_and_late_scans(shop, warehouse):
    to_hour(shop, 13)
    orders = warehouse.get("/1.0/order", params={"Limit": 250}).json()
    waiting = [o for o in orders if o["status"] == "Processing"]
    assert waiting
    for order in waiting:
        bought = dt.datetime.fromisoformat(order["created_date"])
        ready = dt.datetime.fromisoformat(order["shipments"][0]["estimated_fulfillment_date"])
        assert ready.weekday() < 5
        if bought.weekday() < 5:
            assert (ready.date() == bought.date()) == (bought.hour < 14 or bought.strftime("%H%M%S") <= "140002")
    tracked = warehouse.get("/1.0/order", params={"Limit": 250, "HasTracking": "true", "Page": 2}).json()
    sent = [o["shipments"][0] for o in tracked if o["status"] == "Fulfilled"]
    assert all(s["tracking"]["tracking_number"] and s["actual_fulfillment_date"] for s in sent)
    assert {s["status"] for s in sent} >= {"Completed"}
    older = (
        o["shipments"][0]
        for page in range(2, 8)
        for o in warehouse.get("/1.0/order", params={"Limit": 250, "HasTracking": "true", "Page": page}).json()
    )
    assert any(scan_delay(warehouse, s) > 2 * DAY for s in older)  # a few in a hundred, and the log tells
    items = warehouse.get("/1.0/inventory").json()
    for item in items:
        assert item["total_fulfillable_quantity"] == max(
            item["total_onhand_quantity"] - item["total_committed_quantity"], 0
        )
    committed = sum(o["products"][0]["quantity"] for o in every_waiting(warehouse))
    assert sum(item["total_committed_quantity"] for item in items) == committed


def scan_delay(warehouse, shipment):
    logs = {
        log["log_type_id"]: log["timestamp"] for log in warehouse.get(f"/1.0/shipment/{shipment['id']}/logs").json()
    }
    moments = [dt.datetime.fromisoformat(logs[n]) for n in (2, 3) if n in logs]
    return (moments[1] - moments[0]).total_seconds() if len(moments) == 2 else 0


def every_waiting(warehouse):
    """Orders that are not picked, the oldest first: those go out first."""
    made, page = [], 1
    while True:
        asked = {"Limit": 250, "HasTracking": "false", "SortOrder": "Oldest", "Page": page}
        reply = warehouse.get("/1.0/order", params=asked)
        made += [o for o in reply.json() if o["status"] == "Processing"]
        if page >= int(reply.headers["total-pages"]):
            return made
        page += 1


def test_a_cancelled_order_never_leaves_and_the_refund_is_another_matter(shop, warehouse, listener):
    hook = warehouse.post(
        "/2026-01/webhook", json={"subscription_url": listener.url, "topics": ["order.shipment.cancelled"]}
    ).json()
    to_hour(shop, 13)
    order = every_waiting(warehouse)[0]
    made = warehouse.post(f"/1.0/order/{order['id']}/cancel")
    assert (made.status_code, made.json()["status"]) == (200, "Success")
    mine = order["reference_id"].encode()  # other orders may be cancelled at the same time
    told = listener.until(lambda got: any(mine in body for _, body, _ in got))
    headers, body, _ = next(one for one in told if mine in one[1])
    warehouse.delete(f"/2026-01/webhook/{hook['id']}")
    headers = {k.lower(): v for k, v in headers.items()}
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}"
    assert json.loads(body)["reference_id"] == order["reference_id"]
    assert warehouse.post(f"/1.0/order/{order['id']}/cancel").json()["status"] == "Failure"
    to_hour(shop, 20)
    after = warehouse.get(f"/1.0/order/{order['id']}").json()
    assert (after["status"], "tracking" in after["shipments"][0]) == ("Cancelled", False)
    gone = warehouse.get("/1.0/order", params={"Limit": 10, "HasTracking": "true"}).json()[0]
    assert warehouse.post(f"/1.0/order/{gone['id']}/cancel").status_code == 422


def test_what_is_ordered_arrives_after_the_suppliers_time(shop, warehouse):
    center = {"fulfillment_center": {"id": 1}, "package_type": "Package", "box_packaging_type": "EverythingInOneBox"}
    few = center | {"boxes": [{"tracking_number": "", "box_items": [{"inventory_id": 2, "quantity": 1}]}]}
    refused = warehouse.post("/2.0/receiving", json=few)
    assert (refused.status_code, "no fewer than" in refused.json()["box_items"][0]) == (422, True)
    before = warehouse.get("/1.0/inventory/2").json()["total_awaiting_quantity"]
    box = {"tracking_number": "t", "box_items": [{"inventory_id": n, "quantity": 90} for n in (2, 3)]}
    made = warehouse.post("/2.0/receiving", json=center | {"boxes": [box], "purchase_order_number": "PO-9"}).json()
    assert (made["status"], len(made["inventory_quantities"])) == ("Awaiting", 2)
    assert warehouse.get("/1.0/inventory/2").json()["total_awaiting_quantity"] == before + 90
    found = warehouse.get("/2.0/receiving", params={"PurchaseOrderNumbers": "PO-9"}).json()
    assert [row["id"] for row in found] == [made["id"]]
    other = warehouse.post("/2.0/receiving", json=center | {"boxes": [box], "purchase_order_number": "PO-10"}).json()
    assert warehouse.post(f"/2.0/receiving/{other['id']}/cancel").json()["status"] == "Cancelled"
    expected = dt.datetime.fromisoformat(made["expected_arrival_date"]).timestamp()
    shop.go(int(expected - now(shop)) - 60)
    assert warehouse.get(f"/2.0/receiving/{made['id']}").json()["status"] in {"Awaiting", "PartiallyArrived"}
    shop.go(3600)
    came = warehouse.get(f"/2.0/receiving/{made['id']}").json()
    assert came["status"] in {"Completed", "PartiallyArrived"}  # one purchase in fifty never comes
    assert {q["received_quantity"] for q in came["inventory_quantities"]} in ({90}, {0, 90})
    assert warehouse.get(f"/2.0/receiving/{other['id']}").json()["inventory_quantities"][0]["received_quantity"] == 0
    done = [row for row in warehouse.get("/2.0/receiving", params={"Statuses": "Completed"}).json() if row]
    assert all(q["received_quantity"] == q["expected_quantity"] for row in done for q in row["inventory_quantities"])


# ---- couriers ----------------------------------------------------------------------------------------------------


def test_a_label_chooses_the_courier_and_its_parcel_is_told_of(shop, courier, warehouse, listener):
    hook = courier.post("/v1/environment/webhooks", json={"url": listener.url, "event": "track"}).json()
    to_hour(shop, 11)
    order, other = every_waiting(warehouse)[:2]
    carriers = courier.get("/v1/carriers").json()["carriers"]
    chosen = carriers[-1]
    ask = lambda o: {"shipment": {"external_order_id": o["reference_id"], "carrier_id": chosen["carrier_id"],
                                  "service_code": chosen["services"][0]["service_code"]}}  # fmt: skip
    label = courier.post("/v1/labels", json=ask(order)).json()
    assert (label["status"], label["carrier_code"]) == ("completed", chosen["carrier_code"])
    assert courier.post("/v1/labels", json=ask(order)).json()["errors"][0]["error_code"] == "identifier_conflict"
    void = courier.post("/v1/labels", json=ask(other)).json()
    assert courier.put(f"/v1/labels/{void['label_id']}/void").json()["approved"] is True
    assert courier.get(f"/v1/labels/{void['label_id']}").json()["voided"] is True
    to_hour(shop, 20)
    gone = warehouse.get(f"/1.0/order/{order['id']}").json()["shipments"][0]
    assert gone["tracking"]["carrier"] == chosen["carrier_code"]
    late = courier.put(f"/v1/labels/{label['label_id']}/void").json()
    assert (late["approved"], late["reason_code"]) == (False, "label_already_used")
    got = listener.until(lambda all_: [b for _, b, _ in all_ if label["tracking_number"].encode() in b])
    courier.delete(f"/v1/environment/webhooks/{hook['webhook_id']}")
    headers, body = next((h, b) for h, b, _ in got if label["tracking_number"].encode() in b)
    headers = {k.lower(): v for k, v in headers.items()}
    key = courier.get("/jwks", headers={"api-key": ""}).json()["keys"][0]
    number = lambda text: int.from_bytes(base64.urlsafe_b64decode(text + "=="))
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    signature = base64.b64decode(headers["x-shipengine-rsa-sha256-signature"])
    signed = headers["x-shipengine-timestamp"].encode() + b"." + body
    public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed + b" ", padding.PKCS1v15(), hashes.SHA256())
    shop.go(12 * DAY)
    tracked = courier.get(
        "/v1/tracking", params={"carrier_code": chosen["carrier_code"], "tracking_number": label["tracking_number"]}
    ).json()
    codes = [event["status_code"] for event in tracked["events"]]
    assert codes in (["DE", "AC", "NY"], ["AC", "NY"])
    assert tracked["status_code"] == ("DE" if len(codes) == 3 else "IT")


def test_labels_and_tracking_fit_the_official_description(shop, courier, warehouse):
    path = Path(os.environ.get("STEWARD_TEST_DATA") or "/nowhere") / "openapi/shipengine_openapi.yaml"
    if not path.exists():
        pytest.skip("STEWARD_TEST_DATA names no folder with openapi/")
    described = strict(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["components"]["schemas"])
    registry = referencing.Registry().with_resource(
        "official:", referencing.jsonschema.DRAFT202012.create_resource(described)
    )

    def fits(name, document):
        checker = jsonschema.Draft202012Validator({"$ref": f"official:#/{name}"}, registry=registry)
        return [f"{list(e.absolute_path)}: {e.message[:150]}" for e in checker.iter_errors(document)]

    to_hour(shop, 11)
    order = every_waiting(warehouse)[0]
    bought = courier.post("/v1/labels", json={
        "shipment": {"external_order_id": order["reference_id"], "carrier_id": "se-c1"}}).json()  # fmt: skip
    labels = courier.get("/v1/labels", params={"page_size": 40}).json()
    for name, document in [
        ("list_labels_response_body", labels),
        ("label", bought),
        ("get_carriers_response_body", courier.get("/v1/carriers").json()),
        ("void_label_response_body", courier.put(f"/v1/labels/{bought['label_id']}/void").json()),
        ("error_response_body", courier.get("/v1/labels/se-1").json()),
        *[
            ("tracking_information", courier.get(f"/v1/labels/{one['label_id']}/track").json())
            for one in labels["labels"][:12]
        ],
    ]:
        assert fits(name, document) == [], name
    assert fits("label", bought | {"status": "lost"})  # the controls
    assert fits("list_labels_response_body", labels | {"total": "many"})


def strict(schema):
    """OpenAPI's references and nullable in the words of JSON Schema."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": f"official:#/{schema['$ref'].rsplit('/', 1)[1]}"}
    # The description forbids further properties in each part of an allOf, which no object of two parts can meet.
    left_out = {"nullable", "example", "additionalProperties"}
    made = {key: strict(value) for key, value in schema.items() if key not in left_out}
    return {"anyOf": [{"type": "null"}, made]} if schema.get("nullable") is True else made


# ---- live shows --------------------------------------------------------------------------------------------------


def test_a_live_show_follows_the_shop(shop, show, listener):
    hook = show.post("/v1/webhooks", json={"url": listener.url}).json()
    coming = show.get("/v1/shows", params={"status": "scheduled"}).json()["shows"]
    assert len(coming) >= 7
    off, chosen = coming[2], coming[4]
    assert show.post(f"/v1/shows/{off['id']}/end").json()["status"] == "cancelled"
    planned = show.post(f"/v1/shows/{chosen['id']}/price_drop", json={"percent": 30, "slot": 1}).json()
    assert planned["slots"][1]["drop_percent"] == 30
    start = int(dt.datetime.fromisoformat(chosen["starts_at"]).timestamp())
    shop.go(start - now(shop) + 60)
    live = show.get(f"/v1/shows/{chosen['id']}").json()
    assert (live["status"], live["slots"][1]["drop_percent"]) == ("live", 30)
    assert "clicks" not in live["slots"][0]  # the slot still runs
    again = {"idempotency-key": f"drop-{chosen['id']}"}
    ask = {"percent": 60, "slot": 2}
    first, second = (show.post(f"/v1/shows/{chosen['id']}/price_drop", json=ask, headers=again) for _ in range(2))
    assert first.json() == second.json()
    price = live["slots"][2]["price_minor"] * 100 // (100 - live["slots"][2]["drop_percent"])
    assert abs(first.json()["slots"][2]["price_minor"] - price * 40 // 100) <= 1
    assert show.post(f"/v1/shows/{chosen['id']}/pin", json={"sku": "SKU-0001", "slot": 0}).status_code == 409
    on_shelf = live["slots"][0]["sku"]
    pinned = show.post(f"/v1/shows/{chosen['id']}/pin", json={"sku": on_shelf, "slot": 3})
    assert pinned.status_code in {200, 422}  # sold out in the meantime, perhaps
    assert pinned.status_code == 422 or pinned.json()["slots"][3]["sku"] == on_shelf
    shop.go(4 * 600)
    ended = show.post(f"/v1/shows/{chosen['id']}/end").json()
    assert len(ended["slots"]) == 5
    shop.go(3600)
    over = show.get(f"/v1/shows/{chosen['id']}").json()
    assert over["status"] == "ended"
    assert (dt.datetime.fromisoformat(over["ended_at"]) - dt.datetime.fromisoformat(over["starts_at"])).seconds == 3000
    assert over["total_viewers"] == sum(slot["joined"] for slot in over["slots"])
    assert show.post(f"/v1/shows/{chosen['id']}/end").status_code == 409
    assert show.get(f"/v1/shows/{off['id']}").json()["status"] == "cancelled"
    got = listener.until(lambda all_: [b for _, b, _ in all_ if f"show.ended/{chosen['id']}".encode() in b])
    show.delete(f"/v1/webhooks/{hook['id']}")
    told = [json.loads(b) for _, b, _ in got]
    assert all(t["data"]["show_id"] != off["id"] for t in told)
    mine = [t["type"] for t in told if t["data"]["show_id"] == chosen["id"]]
    assert sorted(mine) == ["show.ended", *["show.slot_started"] * 5, "show.started"]
    headers, body, _ = got[0]
    stamp, made = dict(part.split("=") for part in headers["livemarket-signature"].split(",")).values()
    assert made == hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("topics", [[{}], [["order.shipped"]], [1], "order.shipped", [], None])
def test_topics_of_another_shape_are_refused(warehouse, topics):
    made = warehouse.post("/2026-01/webhook", json={"subscription_url": "http://127.0.0.1:9", "topics": topics})
    assert (made.status_code, list(made.json())) == (422, ["topics"])
