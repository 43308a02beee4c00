"""TikTok's two dialects over real sockets: signatures, envelopes, pages, and that acts change the world."""

import hashlib
import hmac
import json
import os
import time
from pathlib import Path

import httpx
import jsonschema
import numpy as np
import pytest
import yaml

from livemarket.core.step import step

DAY = 86_400
FIRST = 1_767_571_200  # 2026-01-05, the run's first midnight


@pytest.fixture
def seller(shop, seller_of):
    return seller_of(shop)


def orders(seller, body=None, **query):
    return seller.good("POST", "/order/202309/orders/search", body or {}, {"page_size": "5"} | query)


@pytest.mark.parametrize(
    ("changed", "token", "status", "code"),
    [
        ({"sign": "0" * 64}, None, 401, 106_001), ({"page_size": "6"}, None, 401, 106_001),
        ({"timestamp": "1"}, None, 400, 36_009_004), ({"app_key": "other"}, None, 400, 36_009_004),
        ({}, "other", 401, 105_001),
    ],
)  # fmt: skip
def test_a_call_that_is_not_signed_as_it_was_sent_is_refused(seller, changed, token, status, code):
    answer = seller.call("POST", "/order/202309/orders/search", {}, {"page_size": "5"}, changed, token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_body_is_signed_too(seller, tiktok_sign):
    path, place = "/order/202309/orders/search", seller.place
    asked = {"app_key": place["app_key"], "timestamp": str(int(time.time())), "shop_cipher": place["shop_cipher"]}
    asked["sign"] = tiktok_sign(place["app_secret"], path, asked, "{}")
    headers = {"x-tts-access-token": place["access_token"]}
    answer = seller.client.post(path, params=asked, content='{"order_status": "DELIVERED"}', headers=headers)
    assert answer.json()["code"] == 106_001


def test_pages_give_every_order_once_and_details_agree(seller):
    seen, token = [], ""
    for _ in range(3):
        page = orders(seller, page_token=token)
        seen += page["orders"]
        token = page["next_page_token"]
    assert len({o["id"] for o in seen}) == 15
    assert [o["create_time"] for o in seen] == sorted((o["create_time"] for o in seen), reverse=True)
    ids = ",".join(o["id"] for o in seen[:3])
    assert seller.good("GET", "/order/202309/orders", query={"ids": ids})["orders"] == seen[:3]
    only = orders(seller, {"order_status": "DELIVERED", "create_time_ge": FIRST - 20 * DAY})
    assert {o["status"] for o in only["orders"]} == {"DELIVERED"}
    for order in only["orders"]:
        pay = order["payment"]
        assert pay["total_amount"] == pay["sub_total"]
        assert len(order["line_items"]) >= 1
    assert seller.call("GET", "/order/202309/nowhere").json()["code"] == 36_009_009
    assert seller.call("GET", "/order/202309/orders/search").json()["code"] == 36_009_010


def test_statuses_of_many_orders_are_those_of_each(shop):
    """Lists are cut from arrays, objects are made one by one: both say the same."""
    own = next(d.face for d in shop.desk.doors if d.face.name == "tiktok_shop").orders
    rows = own.sales.rows()
    places, since = own.latest(rows)
    chosen = np.concatenate([np.flatnonzero(places == n)[-25:] for n in range(6)]).tolist()
    assert len({int(places[n]) for n in chosen}) == 6
    from livemarket.faces.tiktok.orders import STATUSES

    for n in chosen:
        assert own.states(int(rows[n]), own.view.now)[-1] == (STATUSES[places[n]], since[n])


def test_a_refund_moves_money_once_under_its_key(seller, shop, ear):
    hook = {"event_type": "RETURN_STATUS_CHANGE", "address": ear.url}
    seller.good("PUT", "/event/202309/webhooks", hook)
    order = orders(seller)["orders"][0]
    asked = {"order_id": order["id"], "return_reason": "seller", "return_type": "REFUND", "refund_total": "1.25",
             "currency": "USD"}  # fmt: skip
    before, balance = shop.business.world.state.refunds.length, int(shop.business.world.state.balances[2])
    path = "/return_refund/202309/returns"
    first = seller.good("POST", path, asked, {"idempotency_key": "one"})
    again = seller.call("POST", path, asked, {"idempotency_key": "one"})
    # the key is the same and so is the body; time and signature differ, as they must
    assert again.json()["data"] == first
    assert again.headers["idempotent-replayed"] == "true"
    assert first["return_status"] == "RETURN_OR_REFUND_REQUEST_COMPLETE"
    assert shop.business.world.state.refunds.length == before + 1
    assert int(shop.business.world.state.balances[2]) == balance - 125
    found = seller.good("POST", "/return_refund/202309/returns/search", {"return_ids": [first["return_id"]]})
    assert found["return_orders"][0]["refund_amount"]["refund_total"] == "1.25"
    too_much = seller.call("POST", path, asked | {"refund_total": "99999.00"})
    assert too_much.json()["code"] != 0
    assert "more than is left" in too_much.json()["message"]
    headers, body = ear.wait(lambda _, d: d["data"]["return_id"] == first["return_id"])
    secret, key = seller.place["app_secret"], seller.place["app_key"]
    assert headers["authorization"] == hmac.new(secret.encode(), key.encode() + body, hashlib.sha256).hexdigest()
    assert json.loads(body)["type"] == 12


def test_what_a_buyer_asks_for_can_be_approved(seller):
    asked = {"return_status": ["BUYER_SHIPPED_ITEM"], "create_time_ge": FIRST}
    waiting = seller.good("POST", "/return_refund/202309/returns/search", asked, {"page_size": "50"})["return_orders"]
    assert waiting
    assert all(r["role"] == "BUYER" for r in waiting)
    own = waiting[0]["return_id"]
    path = f"/return_refund/202309/returns/{own}/approve"
    assert seller.call("POST", path, {"decision": "REPLACE"}).json()["code"] == 36_009_004
    seller.good("POST", path, {"decision": "APPROVE_RECEIVED_PACKAGE"})
    now = seller.good("POST", "/return_refund/202309/returns/search", {"return_ids": [own]})["return_orders"][0]
    assert now["return_status"] == "RETURN_OR_REFUND_REQUEST_COMPLETE"
    assert seller.call("POST", path, {"decision": "APPROVE_RECEIVED_PACKAGE"}).json()["code"] != 0


def test_prices_and_stock_and_listings_are_changed(seller, shop):
    product = seller.good("POST", "/product/202309/products/search", {"status": "ALL"}, {"page_size": "3"})["products"][
        2
    ]
    sku = product["skus"][0]
    assert product["status"] == "ACTIVATE"
    path = f"/product/202309/products/{product['id']}"
    price = {"skus": [{"id": sku["id"], "price": {"amount": "12.34", "currency": "USD"}}]}
    seller.good("POST", f"{path}/prices/update", price)
    wanted = sku["inventory"][0]["quantity"] + 7
    seller.good("POST", f"{path}/inventory/update", {"skus": [{"id": sku["id"], "inventory": [{"quantity": wanted}]}]})
    seller.good("POST", "/product/202309/products/deactivate", {"product_ids": [product["id"]]})
    now = seller.good("GET", path)
    assert now["skus"][0]["price"]["sale_price"] == "12.34"
    assert now["skus"][0]["inventory"][0]["quantity"] == wanted
    assert now["status"] == "SELLER_DEACTIVATED"
    assert int(shop.business.world.state.price[2]) == 1234
    seller.good("POST", "/product/202309/products/activate", {"product_ids": [product["id"]]})
    assert seller.good("GET", path)["status"] == "ACTIVATE"
    dear = {"skus": [{"id": sku["id"], "price": {"amount": "99999", "currency": "USD"}}]}
    assert seller.call("POST", f"{path}/prices/update", dear).json()["code"] == 36_009_004


def cents(text):
    whole, _, part = text.lstrip("-").partition(".")
    return (-1 if text.startswith("-") else 1) * (int(whole) * 100 + int(part))


def test_statements_are_what_their_orders_make_and_payments_what_statements_and_reserves_make(seller, shop):
    query = {"sort_field": "statement_time", "page_size": "8", "sort_order": "DESC"}
    statements = seller.good("GET", "/finance/202309/statements", query=query)["statements"]
    query = {"sort_field": "create_time", "page_size": "8", "sort_order": "DESC"}
    payments = {p["id"]: p for p in seller.good("GET", "/finance/202309/payments", query=query)["payments"]}
    assert len(statements) == 8
    sent = set(shop.business.world.state.payouts["amount"].tolist())
    for statement in statements:
        path = f"/finance/202309/statements/{statement['id']}/statement_transactions"
        rows, token = [], ""
        while True:
            page = seller.good("GET", path, query={"page_size": "100", "page_token": token})
            rows += page["statement_transactions"]
            token = page["next_page_token"]
            if not token:
                break
        assert len(rows) == page["total_count"]
        for name in ("settlement_amount", "revenue_amount", "fee_amount"):
            assert sum(cents(row[name]) for row in rows) == cents(statement[name])
        payment = payments[statement["payment_id"]]
        assert payment["settlement_amount"]["value"] == statement["settlement_amount"]
        amount = cents(payment["amount"]["value"])
        assert amount == cents(statement["settlement_amount"]) + cents(payment["reserve_amount"]["value"])
        assert amount in sent


def test_shows_that_are_over_are_told_with_their_sales(seller):
    query = {"start_date_ge": "2026-01-05", "end_date_lt": "2026-01-08"}
    told = seller.good("GET", "/analytics/202509/shop_lives/performance", query=query)
    assert told["live_stream_sessions"]
    for show in told["live_stream_sessions"]:
        assert show["end_time"] > show["start_time"] >= FIRST
        gmv = cents(show["sales_performance"]["gmv"]["amount"])
        assert (gmv > 0) == (show["sales_performance"]["sku_orders"] > 0)
    assert sum(s["sales_performance"]["sku_orders"] for s in told["live_stream_sessions"]) > 10


# Advertising


class Advertiser:
    def __init__(self, place):
        self.own = place["advertiser_id"]
        self.client = httpx.Client(
            base_url=f"{place['url']}/open_api/v1.3", headers={"Access-Token": place["access_token"]}, timeout=60
        )

    def ask(self, method, path, **given):
        answer = self.client.request(method, path, **given)
        said = answer.json()
        assert set(said) == {"code", "message", "request_id", "data"}
        return said

    def get(self, path, **query):
        query = {k: v if isinstance(v, str) else json.dumps(v) for k, v in query.items()}
        return self.ask("GET", path, params={"advertiser_id": self.own} | query)

    def post(self, path, **body):
        return self.ask("POST", path, json={"advertiser_id": self.own} | body)


@pytest.fixture
def ads(shop):
    made = Advertiser(shop.places["tiktok_ads"])
    yield made
    made.client.close()


def test_the_advertising_api_knows_its_callers(shop, ads):
    url = f"{shop.places['tiktok_ads']['url']}/open_api/v1.3/campaign/get/"
    assert httpx.get(url).json()["code"] == 40_104
    assert httpx.get(url, headers={"Access-Token": "x"}).json()["code"] == 40_105
    assert ads.ask("GET", "/campaign/get/", params={"advertiser_id": "1"})["code"] == 40_001


def test_the_report_is_what_the_world_spent(ads, shop, warmed):
    asked = {"report_type": "BASIC", "data_level": "AUCTION_ADGROUP", "dimensions": ["adgroup_id", "stat_time_day"],
             "metrics": ["spend", "impressions", "clicks", "ctr", "cpm", "complete_payment_roas"],
             "start_date": "2026-01-05", "end_date": "2026-01-11"}  # fmt: skip
    report = ads.get("/report/integrated/get/", **asked)["data"]
    sets = shop.business.world.setting.shop.ad_sets
    assert report["page_info"]["total_number"] == 3 * sets  # three days are over; today is not told
    budgets = sum(cents(row["metrics"]["spend"]) for row in report["list"])
    assert budgets == 3 * int(warmed.state.ad_budget.sum())
    for row in report["list"]:
        m = row["metrics"]
        assert abs(cents(m["ctr"]) / 100 - 100 * int(m["clicks"]) / int(m["impressions"])) <= 0.0051
    total = ads.get(
        "/report/integrated/get/", **asked | {"data_level": "AUCTION_ADVERTISER", "dimensions": ["advertiser_id"]}
    )
    assert cents(total["data"]["list"][0]["metrics"]["spend"]) == budgets
    assert ads.get("/report/integrated/get/", **asked | {"metrics": ["moon"]})["code"] == 40_002


def test_a_budget_is_spent_from_the_next_day_and_a_paused_one_is_not(ads, shop):
    group = ads.get("/adgroup/get/")["data"]["list"][0]
    campaign = ads.get("/smart_plus/campaign/get/")["data"]["list"][1]
    today = int(shop.business.morning.state.ad_budget[0])
    done = ads.post("/adgroup/budget/update/", budget=[
        {"adgroup_id": group["adgroup_id"], "budget": 71.5}, {"adgroup_id": "1", "budget": 50},
        {"adgroup_id": group["adgroup_id"], "budget": 1},
    ])["data"]  # fmt: skip
    assert done["adgroup_ids"] == [group["adgroup_id"]]
    assert len(done["error_list"]) == 2
    off = ads.post(
        "/smart_plus/campaign/status/update/", campaign_ids=[campaign["campaign_id"]], operation_status="DISABLE"
    )
    assert off["code"] == 0
    assert (
        ads.get("/campaign/get/", filtering={"campaign_ids": [group["campaign_id"]]})["data"]["list"][0]["budget"]
        == 71.5
    )
    after = ads.get("/smart_plus/campaign/get/")["data"]["list"][1]
    assert (after["operation_status"], after["budget"]) == ("DISABLE", campaign["budget"])
    living = shop.business.living
    facts = {int(a): int(m) for f in living.facts.items if f.kind == "ad_spend"
             for a, m in zip(f.columns["ad_set"], f.columns["amount"], strict=True)}  # fmt: skip
    assert facts[0] == today  # today's money was spent in the morning
    other = living.fork()
    step(other)
    spend = {int(a): int(m) for f in other.facts.items if f.kind == "ad_spend"
             for a, m in zip(f.columns["ad_set"], f.columns["amount"], strict=True)}  # fmt: skip
    assert spend == {0: 7150, 1: 0}
    ads.post("/smart_plus/campaign/status/update/", campaign_ids=[campaign["campaign_id"]], operation_status="ENABLE")
    assert np.array_equal(shop.business.living.state.ad_budget, [7150, round(campaign["budget"] * 100)])


OFFICIAL = {
    "report_integrated_get": ("get", "/report/integrated/get/"),
    "smart_plus_campaign_get": ("get", "/smart_plus/campaign/get/"),
    "smart_plus_adgroup_get": ("get", "/smart_plus/adgroup/get/"), "advertiser_info": ("get", "/advertiser/info/"),
    "smart_plus_campaign_update": ("post", "/smart_plus/campaign/update/"),
    "smart_plus_campaign_status_update": ("post", "/smart_plus/campaign/status/update/"),
    "smart_plus_adgroup_status_update": ("post", "/smart_plus/adgroup/status/update/"),
    "smart_plus_adgroup_update": ("post", "/smart_plus/adgroup/update/"),
}  # fmt: skip


@pytest.mark.skipif("STEWARD_TEST_DATA" not in os.environ, reason="STEWARD_TEST_DATA names no folder of descriptions")
@pytest.mark.parametrize("file", OFFICIAL)
def test_calls_and_answers_fit_the_official_description(ads, file):
    """What is sent fits its parameters or body, what comes back fits its envelope and only names fields it names."""
    folder = Path(os.environ["STEWARD_TEST_DATA"]) / "openapi" / "tiktok_business_api"
    if not (folder / f"{file}.yml").exists():
        pytest.skip(f"no {file}.yml in {folder}")
    document = yaml.load((folder / f"{file}.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    method, path = OFFICIAL[file]
    described = document["paths"][path][method]
    campaign, group = ads.get("/campaign/get/")["data"]["list"][0], ads.get("/adgroup/get/")["data"]["list"][0]
    sent = {
        "report_integrated_get": {"report_type": "BASIC", "data_level": "AUCTION_CAMPAIGN", "dimensions": ["campaign_id"],
                                  "metrics": ["spend"], "start_date": "2026-01-05", "end_date": "2026-01-07"},
        "advertiser_info": {"advertiser_ids": [ads.own]}, "smart_plus_campaign_get": {}, "smart_plus_adgroup_get": {},
        "smart_plus_campaign_update": {"campaign_id": campaign["campaign_id"], "budget": 44.25},
        "smart_plus_adgroup_update": {"adgroup_id": group["adgroup_id"], "budget": 45},
        "smart_plus_campaign_status_update": {"campaign_ids": [campaign["campaign_id"]], "operation_status": "ENABLE"},
        "smart_plus_adgroup_status_update": {"adgroup_ids": [group["adgroup_id"]], "operation_status": "ENABLE"},
    }[file]  # fmt: skip
    if method == "get":
        known = {p["name"] for p in described["parameters"]}
        assert set(sent) <= known
        assert {p["name"] for p in described["parameters"] if p["required"]} <= {
            *sent,
            "Access-Token",
            "advertiser_id",
        }
        answer = ads.get(path, **sent)
    else:
        jsonschema.validate(
            {"advertiser_id": ads.own} | sent, described["requestBody"]["content"]["application/json"]["schema"]
        )
        answer = ads.post(path, **sent)
    jsonschema.validate(answer, described["responses"]["200"]["content"]["application/json"]["schema"])
    assert answer["code"] == 0
    rules = described["x-open-rules"]["response_rule"]
    lists = {name.partition("[")[0]: (rule[0] if isinstance(rule, list) else {}) for name, rule in rules.items()}
    for name, value in answer["data"].items():
        assert name in lists, name
        if lists[name] and isinstance(value, list) and value:
            assert set(value[0]) <= set(lists[name]), (name, set(value[0]) - set(lists[name]))
