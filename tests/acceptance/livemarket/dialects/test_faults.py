"""Faults on demand in the new dialects: limits, outages, and a reply that is lost after its effect."""

import httpx
import pytest

GRAPHQL = "/admin/api/2025-10/graphql.json"


def fault(shop, kind, face, **more):
    answer = shop.control.post("/_livemarket/faults", json={"kind": kind, "face": face, **more})
    assert answer.status_code == 201


def test_limits_and_outages_speak_the_dialect(shop, seller_of):
    place = shop.places["shopify"]
    headers = {"X-Shopify-Access-Token": place["access_token"]}
    with httpx.Client(base_url=place["url"], headers=headers, timeout=60) as client:
        fault(shop, "rate_limit", "shopify")
        said = client.post(GRAPHQL, json={"query": "{ shop { name } }"})
        assert (said.status_code, said.json()["errors"][0]["extensions"]["code"]) == (200, "THROTTLED")
        fault(shop, "rate_limit", "shopify", retry_after=4)
        limited = client.get("/admin/api/2025-10/shop.json")
        assert (limited.status_code, limited.headers["retry-after"]) == (429, "4.0")
        fault(shop, "outage", "shopify")
        assert client.get("/admin/api/2025-10/shop.json").status_code == 503
        assert client.get("/admin/api/2025-10/shop.json").status_code == 200
    fault(shop, "outage", "tiktok_shop")
    assert seller_of(shop).call("GET", "/authorization/202309/shops").json()["code"] == 36_009_003
    ads = shop.places["tiktok_ads"]
    fault(shop, "rate_limit", "tiktok_ads")
    url, head = f"{ads['url']}/open_api/v1.3/campaign/get/", {"Access-Token": ads["access_token"]}
    assert httpx.get(url, headers=head).json()["code"] == 40_100


def test_a_lost_reply_has_had_its_effect_and_the_key_gives_it_again(shop, seller_of):
    seller = seller_of(shop)
    order = seller.good("POST", "/order/202309/orders/search", {}, {"page_size": "9"})["orders"][8]
    given = {"order_id": order["id"], "return_type": "REFUND", "return_reason": "seller", "refund_total": "0.50"}
    before = shop.business.world.state.refunds.length
    fault(shop, "lose_reply", "tiktok_shop")
    with pytest.raises(httpx.HTTPError):
        seller.call("POST", "/return_refund/202309/returns", given, {"idempotency_key": "lost"})
    assert shop.business.world.state.refunds.length == before + 1
    seller.good("POST", "/return_refund/202309/returns", given, {"idempotency_key": "lost"})
    assert shop.business.world.state.refunds.length == before + 1
    # The control: without a key the same call is another refund.
    seller.good("POST", "/return_refund/202309/returns", given)
    assert shop.business.world.state.refunds.length == before + 2
