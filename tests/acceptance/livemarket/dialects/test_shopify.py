"""Shopify's dialect over real sockets: the official SDK, GraphQL, REST, webhooks, and that acts change the world."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

DAY = 86_400
ROOT = "/admin/api/2025-10"
ORDERS = """
query Some($first: Int!, $after: String) {
  orders(first: $first, after: $after, reverse: true, query: "financial_status:paid") {
    edges { cursor node { ...One } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
fragment One on Order {
  id name displayFinancialStatus displayFulfillmentStatus
  totalPriceSet { shopMoney { amount currencyCode } }
  transactions { id kind gateway }
  lineItems(first: 2) { nodes { sku quantity } }
}
"""
SDK = """
import json, shopify, sys
port, token = sys.argv[1:]
shopify.Session.setup(protocol="http", myshopify_domain="0.0.1", port=int(port))
shopify.ShopifyResource.activate_session(shopify.Session("127.0.0.1", "2025-10", token))
first = shopify.Order.find(limit=3, status="any")
second = first.next_page()
order = shopify.Order.find(first[0].id)
sale = [t for t in shopify.Transaction.find(order_id=order.id) if t.kind == "sale"][0]
back = shopify.Refund.create({"order_id": order.id, "note": "by the SDK", "transactions": [
    {"parent_id": sale.id, "amount": "1.00", "kind": "refund", "gateway": sale.gateway}]})
product = shopify.Product.find(limit=1)[0]
variant = shopify.Variant.find(product.variants[0].id)
before, variant.price = variant.price, "19.95"
saved = variant.save()
item, place = variant.inventory_item_id, shopify.Location.find()[0].id
calculated = shopify.Refund.calculate(order.id, refund_line_items=[
    {"line_item_id": order.line_items[0].id, "quantity": 1, "restock_type": "no_restock"}])
payouts = shopify.Payouts.find(limit=2)
lines = shopify.Transactions.find(payout_id=payouts[0].id)
hook = shopify.Webhook.create({"topic": "products/update", "address": "http://127.0.0.1:9/none", "format": "json"})
answer = json.loads(shopify.GraphQL().execute("{ shop { name } }"))
print(json.dumps({
    "orders": [o.id for o in first] + [o.id for o in second], "order": order.id, "errors": back.errors.full_messages(),
    "refund": back.transactions[0].amount, "after": shopify.Order.find(order.id).financial_status, "before": before,
    "saved": saved, "price": shopify.Variant.find(variant.id).price, "payout": payouts[0].amount,
    "nets": [t.net for t in lines if t.type != "payout"], "hook": bool(hook.id and hook.destroy() is None),
    "shop": answer["data"]["shop"]["name"],
    "set": shopify.InventoryLevel.set(place, item, 77).available,
    "most": calculated.transactions[0].maximum_refundable, "total": order.current_total_price,
    "variants": [v.sku for v in shopify.Variant.find(product_id=product.id)],
    "level": shopify.InventoryLevel.find(location_ids=str(shopify.Location.find()[0].id))[0].available,
}))
"""


@pytest.fixture(scope="module")
def client(shop):
    place = shop.places["shopify"]
    with httpx.Client(
        base_url=place["url"], timeout=60, headers={"X-Shopify-Access-Token": place["access_token"]}
    ) as c:
        yield c


@pytest.fixture(autouse=True)
def full_buckets(shop):
    """Limits are in real time; each test starts with what a caller has who waited."""
    face = next(d.face for d in shop.desk.doors if d.face.name == "shopify")
    face.calls.back(face.calls.size)
    face.graph.bucket.back(face.graph.bucket.size)
    return face


@pytest.fixture
def asked(client):
    def ask(query, **variables):
        answer = client.post(f"{ROOT}/graphql.json", json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


def paid(asked):
    """The newest order of which everything is paid and nothing given back."""
    return asked(ORDERS, first=1)["data"]["orders"]["edges"][0]["node"]


def give(asked, order, amount, **changed):
    one = {"orderId": order["id"], "amount": amount, "kind": "REFUND"} | {
        "gateway": order["transactions"][0]["gateway"],
        "parentId": order["transactions"][0]["id"],
    }
    text = """mutation($input: RefundInput!) { refundCreate(input: $input) {
      refund { id note totalRefundedSet { shopMoney { amount } } order { displayFinancialStatus } }
      userErrors { field message } } }"""
    return asked(text, input={"orderId": order["id"], "note": "because", "transactions": [one | changed]})


def test_the_official_sdk_works_unchanged(shop):
    place = shop.places["shopify"]
    port = place["url"].rpartition(":")[2]
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SDK, port, place["access_token"]], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert len(set(said["orders"])) == 6
    assert said["errors"] == []
    assert (said["refund"], said["after"]) == ("1.00", "partially_refunded")
    assert said["saved"] is True
    assert said["price"] == "19.95" != said["before"]
    cents = sum(round(float(net) * 100) for net in said["nets"])
    assert cents == round(float(said["payout"]) * 100)
    assert (said["set"], said["variants"]) == (77, ["SKU-0000"])
    assert round(float(said["most"]) * 100) == round(float(said["total"]) * 100) - 100
    assert said["hook"]
    assert said["shop"] == "Simulated shop"
    assert said["level"] >= 0


def test_a_connection_gives_every_order_once(asked, client):
    seen, after = [], None
    for _ in range(4):
        page = asked(ORDERS, first=5, after=after)["data"]["orders"]
        seen += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"]
    assert len(set(seen)) == 20
    rest = client.get(f"{ROOT}/orders.json", params={"limit": 20, "status": "any", "financial_status": "paid"})
    assert [o["admin_graphql_api_id"] for o in rest.json()["orders"]] == seen
    back = asked("""query($before: String) { orders(last: 5, before: $before, reverse: true, query: "financial_status:paid")
      { nodes { id } pageInfo { hasPreviousPage } } }""", before=after)  # fmt: skip
    assert [n["id"] for n in back["data"]["orders"]["nodes"]] == seen[14:19]


def test_what_is_asked_wrongly_is_said_so(asked, client):
    assert asked("{ shop { nonsense } }")["errors"][0]["message"].startswith("Cannot query field")
    assert "first or last" in asked("{ orders { nodes { id } } }")["errors"][0]["message"]
    assert (
        "not searched by" in asked('{ orders(first: 1, query: "moon:full") { nodes { id } } }')["errors"][0]["message"]
    )
    assert client.get("/admin/api/2024-10/orders.json").status_code == 404
    assert client.get(f"{ROOT}/orders/1.json").json() == {"errors": "Not Found"}
    assert client.get(f"{ROOT}/orders.json", params={"page_info": "x"}).status_code == 400
    wrong = httpx.get(str(client.base_url) + f"{ROOT}/shop.json", headers={"X-Shopify-Access-Token": "no"})
    assert wrong.status_code == 401
    assert "Invalid API key" in wrong.json()["errors"]


def test_every_query_says_what_it_cost_and_too_much_is_throttled(asked, full_buckets):
    cost = asked(ORDERS, first=10)["extensions"]["cost"]
    # 2 + 10 orders x (itself, two of its price, one transaction, 2 + 2 lines)
    assert cost["requestedQueryCost"] == 2 + 10 * (1 + 2 + 1 + 2 + 2)
    assert cost["actualQueryCost"] == 2 + 10 * (1 + 2 + 1 + 2 + 1)
    assert cost["throttleStatus"]["restoreRate"] == 100
    dear = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } } }"
    assert asked(dear)["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert full_buckets.graph.bucket.take(full_buckets.graph.bucket.left() - 50)
    refused = asked(ORDERS, first=40)
    assert refused["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in refused
    assert refused["extensions"]["cost"]["actualQueryCost"] is None


def test_rest_has_a_bucket_of_calls(client, full_buckets):
    answer = client.get(f"{ROOT}/shop.json")
    assert answer.headers["x-shopify-shop-api-call-limit"].endswith("/40")
    for _ in range(200):  # a slow machine gets some calls back on the way
        full_buckets.calls.take(full_buckets.calls.left())
        answer = client.get(f"{ROOT}/shop.json")
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2.0"


def test_a_refund_moves_the_money_of_the_world(asked, client, shop):
    order = paid(asked)
    row = shop.business.world.state.refunds.length
    made = give(asked, order, "2.50")["data"]["refundCreate"]
    assert made["userErrors"] == []
    assert made["refund"]["order"]["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert shop.business.world.state.refunds["amount"][row:].max() == 250
    number = order["id"].rpartition("/")[2]
    refunds = client.get(f"{ROOT}/orders/{number}/refunds.json").json()["refunds"]
    assert [(r["note"], r["transactions"][0]["amount"]) for r in refunds] == [("because", "2.50")]


@pytest.mark.parametrize(
    ("amount", "changed", "said"),
    [
        ("99999.00", {}, "more than is left"), ("0.00", {}, "less than one"), ("1.005", {}, "two decimals"),
        ("1.00", {"gateway": "elsewhere"}, "gateway"), ("1.00", {"parentId": "gid://shopify/OrderTransaction/64"}, "Parent"),
    ],
)  # fmt: skip
def test_a_refund_that_cannot_be_is_a_user_error_and_moves_nothing(asked, shop, amount, changed, said):
    acts = shop.business.done
    made = give(asked, paid(asked), amount, **changed)["data"]["refundCreate"]
    assert made["refund"] is None
    assert said in made["userErrors"][0]["message"]
    assert shop.business.done == acts


def test_a_price_holds_from_the_next_morning(asked, shop):
    """The same world lived without the price sells more of the product; today nothing differs."""
    product = asked("{ products(first: 9) { nodes { id variants(first: 1) { nodes { id sku price } } } } }")
    chosen = product["data"]["products"]["nodes"][8]
    variant = chosen["variants"]["nodes"][0]
    other = shop.business.morning.fork()
    text = """mutation($p: ID!, $v: [ProductVariantsBulkInput!]!) { productVariantsBulkUpdate(productId: $p, variants: $v)
      { productVariants { price } userErrors { code field } } }"""
    done = asked(text, p=chosen["id"], v=[{"id": variant["id"], "price": "500.00"}])["data"][
        "productVariantsBulkUpdate"
    ]
    assert done == {"productVariants": [{"price": "500.00"}], "userErrors": []}
    for wrong, code in (
        ({"id": variant["id"], "price": "-1"}, "INVALID_INPUT"), ({"price": "1"}, "PRODUCT_VARIANT_ID_MISSING"),
        ({"id": "gid://shopify/ProductVariant/1", "price": "1"}, "PRODUCT_VARIANT_DOES_NOT_EXIST"),
    ):  # fmt: skip
        refused = asked(text, p=chosen["id"], v=[wrong])["data"]["productVariantsBulkUpdate"]
        assert refused["userErrors"][0]["code"] == code
    from livemarket.core.step import step

    now = shop.business.living.fork()
    for _ in range(4):
        step(now)
        step(other)
    step(other)  # it was taken a day earlier
    first, sku = shop.business.morning.day, int(variant["sku"].removeprefix("SKU-"))

    def sold(world, day):
        orders = world.state.orders
        return int(orders["quantity"][(orders["sku"] == sku) & (orders["day"] == day)].sum())

    assert sold(now, first) == sold(other, first)
    assert sum(sold(now, d) for d in range(first + 1, first + 5)) < sum(
        sold(other, d) for d in range(first + 1, first + 5)
    )


def test_stock_is_counted_up_and_down_and_never_below_nothing(asked, shop):
    item = "gid://shopify/InventoryItem/4500000000006"
    place = asked("{ locations(first: 1) { nodes { id } } }")["data"]["locations"]["nodes"][0]["id"]
    text = "query($i: ID!, $l: ID!) { inventoryItem(id: $i) { inventoryLevel(locationId: $l) { quantities(names: [%s]) { quantity } } } }"

    def available():
        got = asked(text % '"available"', i=item, l=place)["data"]["inventoryItem"]["inventoryLevel"]
        return got["quantities"][0]["quantity"]

    before = available()
    adjust = """mutation($input: InventoryAdjustQuantitiesInput!) { inventoryAdjustQuantities(input: $input)
      { inventoryAdjustmentGroup { changes { delta quantityAfterChange } } userErrors { code } } }"""
    change = {"inventoryItemId": item, "locationId": place}
    head = {"reason": "cycle_count_available", "name": "available"}
    for delta in (-3, 5):
        made = asked(adjust, input=head | {"changes": [change | {"delta": delta}]})["data"]["inventoryAdjustQuantities"]
        before += delta
        assert made["userErrors"] == []
        assert made["inventoryAdjustmentGroup"]["changes"] == [{"delta": delta, "quantityAfterChange": before}]
    assert available() == before
    for wrong, code in (
        (head | {"changes": [change | {"delta": -before - 1}]}, "INVALID_QUANTITY_TOO_LOW"),
        (head | {"reason": "moon", "changes": [change | {"delta": 1}]}, "INVALID_REASON"),
        (head | {"changes": [{"inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": place, "delta": 1}]}, "INVALID_INVENTORY_ITEM"),
    ):  # fmt: skip
        assert asked(adjust, input=wrong)["data"]["inventoryAdjustQuantities"]["userErrors"][0]["code"] == code
    change_to = """mutation($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input)
      { inventoryAdjustmentGroup { changes { delta } } userErrors { code } } }"""
    quantity = change | {"quantity": before - 2}
    stale = asked(change_to, input=head | {"quantities": [quantity | {"compareQuantity": before + 1}]})
    assert stale["data"]["inventorySetQuantities"]["userErrors"][0]["code"] == "COMPARE_QUANTITY_STALE"
    made = asked(change_to, input=head | {"quantities": [quantity | {"compareQuantity": before}]})
    assert made["data"]["inventorySetQuantities"]["inventoryAdjustmentGroup"]["changes"] == [{"delta": -2}]
    assert available() == before - 2


def test_webhooks_are_signed_over_the_raw_body(asked, shop, ear):
    secret = shop.places["shopify"]["webhook_secret"]
    text = """mutation($t: WebhookSubscriptionTopic!, $u: String!) { webhookSubscriptionCreate(topic: $t,
      webhookSubscription: {uri: $u}) { webhookSubscription { id topic } userErrors { message } } }"""
    for topic in ("ORDERS_CREATE", "REFUNDS_CREATE", "PRODUCTS_UPDATE"):
        assert asked(text, t=topic, u=ear.url)["data"]["webhookSubscriptionCreate"]["userErrors"] == []
    again = asked(text, t="ORDERS_CREATE", u=ear.url)["data"]["webhookSubscriptionCreate"]
    assert "taken" in again["userErrors"][0]["message"]
    order = paid(asked)
    give(asked, order, "0.75")
    headers, body = ear.wait(lambda h, _: h["x-shopify-topic"] == "refunds/create")
    made = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    assert headers["x-shopify-hmac-sha256"] == made
    assert json.loads(body)["transactions"][0]["amount"] == "0.75"
    altered = base64.b64encode(hmac.new(secret.encode(), body + b" ", hashlib.sha256).digest()).decode()
    assert altered != headers["x-shopify-hmac-sha256"]
    shop.control.post("/_livemarket/faults", json={"kind": "duplicate", "face": "shopify"})
    shop.advance(7_200)
    _, body = ear.wait(lambda h, _: h["x-shopify-topic"] == "orders/create")
    assert json.loads(body)["financial_status"] == "paid"
    ear.wait(lambda h, _: named(ear, "orders/create").count(h["x-shopify-webhook-id"]) > 1)
    names = named(ear, "orders/create")
    assert len(names) == len(set(names)) + 1  # the one that was doubled has the same name twice


def named(ear, topic):
    """The names of the messages heard of one topic."""
    return [headers["x-shopify-webhook-id"] for headers, _ in list(ear.heard) if headers["x-shopify-topic"] == topic]


def test_payouts_are_what_their_lines_make(client):
    payouts = client.get(f"{ROOT}/shopify_payments/payouts.json", params={"limit": 5}).json()["payouts"]
    assert len(payouts) == 5
    for payout in payouts:
        lines = client.get(
            f"{ROOT}/shopify_payments/balance/transactions.json", params={"payout_id": payout["id"], "limit": 250}
        )
        nets = [line["net"] for line in lines.json()["transactions"]]
        cents = [round(float(net) * 100) for net in nets]
        assert sum(cents) == 0  # the payout's own line takes out what the others brought
        summary = payout["summary"]
        total = sum(round(float(v) * 100) * (1 if "gross" in k else -1) for k, v in summary.items())
        assert total == round(float(payout["amount"]) * 100)


def fields(sample):
    return set(sample) - {"admin_graphql_api_id"}


@pytest.mark.skipif("STEWARD_TEST_DATA" not in os.environ, reason="STEWARD_TEST_DATA names no folder of samples")
@pytest.mark.parametrize(
    ("file", "path", "absent"),
    [
        ("payouts", "shopify_payments/payouts.json", set()),
        ("payouts_transactions", "shopify_payments/balance/transactions.json", set()),
        ("balance", "shopify_payments/balance.json", set()),
        ("products", "products.json", set()),
        ("inventory_levels", "inventory_levels.json?location_ids=6884000001", set()),
        ("locations", "locations.json", {"deleted_at", "country_name", "province_code"}),
    ],
)  # fmt: skip
def test_resources_have_the_fields_of_published_samples(client, file, path, absent):
    """Samples of the provider's own SDK (there is no description to validate against)."""
    folder = Path(os.environ["STEWARD_TEST_DATA"]) / "samples" / "shopify"
    if not (folder / f"{file}.json").exists():
        pytest.skip(f"no {file}.json in {folder}")
    sample = json.loads((folder / f"{file}.json").read_text())
    wanted = sample if isinstance(sample, list) else next(iter(sample.values()))
    ours = next(iter(client.get(f"{ROOT}/{path}").json().values()))
    assert fields(wanted[0]) - set(ours[0]) <= absent
