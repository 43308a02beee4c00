"""Whatever comes in, the answer is in the dialect: a server that breaks teaches its callers the wrong thing."""

import itertools
import json

import httpx
import pytest

from livemarket.faces.calls import Call

SHAPES = [
    None,
    3,
    -1,
    2**70,
    "x",
    "",
    "12.345",
    "gid://shopify/Order/x",
    True,
    [],
    [3],
    [None],
    [{}],
    {},
    {"id": 1},
    1e300,
]
NAMES = [
    "refund", "variant", "product", "webhook", "inventory_item_id", "location_id", "available", "available_adjustment",
    "skus", "product_ids", "order_id", "return_type", "refund_total", "decision", "create_time_ge", "order_status",
    "seller_skus", "return_ids", "event_type", "address", "budget", "campaign_ids", "adgroup_ids", "operation_status",
    "campaign_id", "adgroup_id", "query", "variables",
]  # fmt: skip
QUERIES = [
    "limit=-1", "limit=x", "since_id=x", "page_info=eA", "page_info=bnVsbA", "ids=x,,1", "created_at_min=moon", "fields=,",
    "page_size=0", "page_size=x", "page_token=%00", "page_token=eA==", "sort_order=x", "statement_time_ge=x", "page=0",
    "filtering=3", "filtering=[]", 'filtering={"campaign_ids": 3}', "dimensions=3", "dimensions=[[]]", "metrics={}",
    "metrics=[{}]", "advertiser_ids=3", "fields=3", "start_date_ge=x&end_date_lt=y", "inventory_item_ids=x", "payout_id=x",
]  # fmt: skip


def bodies():
    yield from (b"", b"[]", b"{", b"\xff\xfe", b"null", b"3", b'"x"')
    for name, shape in itertools.product(NAMES, SHAPES[1:6]):
        yield json.dumps({name: shape}).encode()
    for inner in SHAPES:
        yield json.dumps({"refund": {"transactions": [{"amount": inner, "kind": "refund"}]}}).encode()
        yield json.dumps({"refund": {"refund_line_items": [{"quantity": inner, "line_item_id": inner}]}}).encode()
        yield json.dumps({"refund": {"transactions": inner, "note": inner, "shipping": inner}}).encode()
        yield json.dumps({"variant": {"price": inner}, "product": {"variants": [{"price": inner}]}}).encode()
        yield json.dumps({"skus": [{"id": inner, "price": inner, "inventory": inner}]}).encode()
        yield json.dumps({"webhook": {"topic": inner, "address": inner}}).encode()
        yield json.dumps({"budget": [inner], "campaign_ids": [inner], "operation_status": "ENABLE"}).encode()


def calls(face, known):
    """Every route with every query and, where there is one, every body."""
    head = b', "advertiser_id": "%s"}' % face.advertiser.encode() if face.name == "tiktok_ads" else b"}"
    own = {"shopify": "limit=1", "tiktok_shop": "page_size=1"}.get(face.name) or f"advertiser_id={face.advertiser}"
    for route in face.routes():
        for wanted in ("x", "9" * 30, known):
            found = {name: wanted for name in ("id", "child", "product") if f"{{{name}}}" in route.path}
            found |= {"version": "2025-10"} if "{version}" in route.path else {}
            path = route.path.format(**found)
            queries = QUERIES if route.method == "GET" else [""]
            for query in queries:
                asked = query if query.startswith(("limit", "page_")) else f"{own}&{query}"
                for body in [b""] if route.method == "GET" or wanted != known else bodies():
                    whole = body[:-1] + head if body.startswith(b"{") and body.endswith(b"}") else body
                    yield route, Call(route.method, path, asked, {}, whole, "", found)


@pytest.mark.parametrize("name", ["shopify", "tiktok_shop", "tiktok_ads"])
def test_nothing_breaks_a_face(shop, name):
    """Without sockets, so that there can be thousands; what passes authorisation is all that is tried."""
    face = next(d.face for d in shop.desk.doors if d.face.name == name)
    sales = face.objects.sales if name == "shopify" else face.orders.sales if name == "tiktok_shop" else None
    order = sales.number(int(sales.rows()[-1])) if sales else 1
    known = {"shopify": f"{order}.json", "tiktok_shop": f"{570_000_000_000_000_000 + order}"}.get(name, "1")
    tried = 0
    for route, call in calls(face, known):
        if name == "shopify":
            face.calls.back(face.calls.size)
            face.graph.bucket.back(face.graph.bucket.size)
        answer = route.handler(call)
        assert answer.status < 500, (call, answer)
        json.loads(answer.body)
        tried += 1
    assert tried > 300


def test_the_control_a_face_that_breaks_is_seen(shop):
    """The same reading of an answer, of a handler that fails."""
    with pytest.raises(KeyError):
        face = next(d.face for d in shop.desk.doors if d.face.name == "tiktok_shop")
        face._envelope.guarded(lambda _: {}["nothing"])(Call("GET", "/", "", {}, b""))


@pytest.mark.parametrize(
    "query",
    ["{", "mutation { nothing }", "{ __schema { types { name } } }", "query A { shop { id } } query B { shop { id } }"],
)
def test_graphql_documents_of_every_kind_get_an_answer(shop, query):
    place = shop.places["shopify"]
    headers = {"X-Shopify-Access-Token": place["access_token"]}
    answer = httpx.post(f"{place['url']}/admin/api/2025-10/graphql.json", json={"query": query}, headers=headers)
    assert answer.status_code == 200
    assert ("data" in answer.json()) == ("__schema" in query)
