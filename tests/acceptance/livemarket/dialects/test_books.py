"""What was done through the faces is in the files of the run: goods, money and buyers still add up."""

import importlib.util
import json
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[4]
spec = importlib.util.spec_from_file_location("livemarket_audit", ROOT / "tests/oracles/livemarket/audit.py")
audit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(audit)

DAY = 86_400
SITE = "/admin/api/2025-10"


def act(shop, tiktok):
    """A refund, a count up, one down and a price at Shopify; a refund at TikTok; a budget."""
    place = shop.places["shopify"]
    with httpx.Client(
        base_url=place["url"], headers={"X-Shopify-Access-Token": place["access_token"]}, timeout=60
    ) as client:
        order = client.get(f"{SITE}/orders.json", params={"limit": 1, "financial_status": "paid"}).json()["orders"][0]
        refund = {"refund": {"transactions": [{"kind": "refund", "amount": order["total_price"]}]}}
        assert client.post(f"{SITE}/orders/{order['id']}/refunds.json", json=refund).status_code == 201
        for item, delta in ((4_500_000_000_003, 11), (4_500_000_000_004, -2)):
            count = {"inventory_item_id": item, "location_id": 6_884_000_001, "available_adjustment": delta}
            assert client.post(f"{SITE}/inventory_levels/adjust.json", json=count).status_code == 200
    sold = tiktok.good("POST", "/order/202309/orders/search", {"order_status": "DELIVERED"}, {"page_size": "1"})
    given = {"order_id": sold["orders"][0]["id"], "return_type": "REFUND", "return_reason": "seller"}
    tiktok.good("POST", "/return_refund/202309/returns", given)
    place = shop.places["tiktok_ads"]
    group = {"advertiser_id": place["advertiser_id"], "adgroup_id": "1791000000000001", "budget": 99}
    url = f"{place['url']}/open_api/v1.3/adgroup/update/"
    assert httpx.post(url, json=group, headers={"Access-Token": place["access_token"]}).json()["code"] == 0


def test_books_add_up_after_acts_through_the_faces(filed, tmp_path, seller_of):
    with filed(tmp_path / "shop", days=3) as shop:
        shop.advance(DAY + 40_000)
        act(shop, seller_of(shop))
        shop.advance(2 * DAY)
        assert shop.business.over
        assert shop.business.summary
    lines = (tmp_path / "shop" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    assert sorted(e["data"]["delta"] for e in events if e["type"] == "StockAdjusted") == [-2, 11]
    assert {e["data"]["processor"] == "tiktok" for e in events if e["data"].get("reason") == "by_request"} == {
        True,
        False,
    }
    assert [e["data"]["daily_budget_minor"] for e in events if e["type"] == "AdSetScaled"] == [9900]
    assert audit.audit(tmp_path / "shop") == []
    # The control: the same files without one of the counts do not add up.
    kept = [e for e in events if not (e["type"] == "StockAdjusted" and e["data"]["delta"] == 11)]
    text = "".join(json.dumps(e) + "\n" for e in kept)
    (tmp_path / "shop" / "events.jsonl").write_text(text, encoding="utf-8")
    assert any("SKU-0002" in line for line in audit.audit(tmp_path / "shop"))
