"""Products, variants, stock, buyers and the place itself, in the shape of Shopify's REST resources."""

from __future__ import annotations

from typing import Any

from livemarket.faces.business import DAY, iso
from livemarket.faces.sales import SITE, Sales
from livemarket.faces.shelf import Shelf
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.objects import CURRENCY, VENDOR
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major


class Goods:
    """One variant a product. `changed` is when each product last changed, as far as this run saw it."""

    def __init__(self, view: View, shelf: Shelf) -> None:
        self.view = view
        self.shelf = shelf
        self.sales = Sales(view, SITE)
        self.changed: dict[int, int] = {}

    @property
    def skus(self) -> range:
        return range(self.view.world.setting.shop.skus)

    def born(self, sku: int) -> int:
        return int(self.view.world.products.launched[sku]) * DAY

    def updated(self, sku: int) -> int:
        return self.changed.get(sku, self.born(sku))

    def category(self, sku: int) -> str:
        return self.view.world.setting.categories[int(self.view.world.products.category[sku])].name

    def available(self) -> list[int]:
        """What can be sold of every product now."""
        on_hand, reserved = self.shelf.stocks()
        return (on_hand - reserved).tolist()

    def variant(self, sku: int, at: int, available: int) -> dict[str, Any]:
        return {
            "id": ids.variant(sku), "admin_graphql_api_id": ids.gid("ProductVariant", ids.variant(sku)),
            "product_id": ids.product(sku), "title": "Default Title", "option1": "Default Title", "position": 1,
            "sku": names.sku(sku), "price": major(self.shelf.price(sku, at)), "compare_at_price": None,
            "inventory_item_id": ids.item(sku), "inventory_quantity": available, "inventory_policy": "deny",
            "inventory_management": "shopify", "fulfillment_service": "manual", "taxable": True,
            "requires_shipping": True, "grams": int(self.view.world.products.grams[sku]),
            "created_at": iso(self.born(sku)), "updated_at": iso(self.updated(sku)),
        }  # fmt: skip

    def handle(self, sku: int) -> str:
        return f"{names.title(self.view.world, sku)}-{names.sku(sku)}".lower().replace(" ", "-")

    def product(self, sku: int, at: int, available: int) -> dict[str, Any]:
        born = iso(self.born(sku))
        return {
            "id": ids.product(sku), "admin_graphql_api_id": ids.gid("Product", ids.product(sku)),
            "title": names.title(self.view.world, sku), "handle": self.handle(sku), "vendor": VENDOR,
            "product_type": self.category(sku), "body_html": "simulated", "tags": "simulated", "status": "active",
            "created_at": born, "published_at": born, "updated_at": iso(self.updated(sku)), "template_suffix": None,
            "options": [{"name": "Title", "position": 1, "values": ["Default Title"]}], "images": [], "image": None,
            "variants": [self.variant(sku, at, available)],
        }  # fmt: skip

    def customer(self, number: int, first: int) -> dict[str, Any]:
        rows = self.sales.of_customer(number)
        spent = int(self.view.state.orders.at("total", rows).sum())
        last = int(rows[-1]) if len(rows) else None
        return {
            "id": ids.customer(number), "admin_graphql_api_id": ids.gid("Customer", ids.customer(number)),
            "first_name": names.customer(number), "last_name": "", "email": None, "phone": None, "note": None,
            "state": "disabled", "tags": "simulated", "currency": CURRENCY, "verified_email": False,
            "created_at": iso(first), "updated_at": iso(first if last is None else self.view.paid_at(last)),
            "orders_count": len(rows), "total_spent": major(spent),
            "last_order_id": None if last is None else self.sales.number(last),
            "last_order_name": None if last is None else f"#{self.view.order_name(last)}",
        }  # fmt: skip

    def location(self) -> dict[str, Any]:
        born = iso(0)
        return {
            "id": ids.LOCATION, "admin_graphql_api_id": ids.gid("Location", ids.LOCATION), "name": "main",
            "address1": None, "address2": None, "city": None, "zip": None, "province": None, "country": "US",
            "country_code": "US", "phone": None, "active": True, "legacy": False, "created_at": born,
            "updated_at": born,
        }  # fmt: skip

    def level(self, sku: int, available: int) -> dict[str, Any]:
        return {
            "inventory_item_id": ids.item(sku), "location_id": ids.LOCATION, "available": available,
            "updated_at": iso(self.updated(sku)),
            "admin_graphql_api_id": f"{ids.gid('InventoryLevel', ids.LOCATION)}?inventory_item_id={ids.item(sku)}",
        }  # fmt: skip

    def inventory_item(self, sku: int) -> dict[str, Any]:
        cost = int(self.view.world.products.cost[sku])
        return {
            "id": ids.item(sku), "admin_graphql_api_id": ids.gid("InventoryItem", ids.item(sku)),
            "sku": names.sku(sku), "tracked": True, "requires_shipping": True, "cost": major(cost),
            "created_at": iso(self.born(sku)), "updated_at": iso(self.updated(sku)),
        }  # fmt: skip

    def shop(self, domain: str) -> dict[str, Any]:
        return {
            "id": ids.SHOP, "name": "Simulated shop", "email": "", "domain": domain, "myshopify_domain": domain,
            "currency": CURRENCY, "country": "US", "country_code": "US", "country_name": "United States",
            "timezone": "(GMT+00:00) UTC", "iana_timezone": "Etc/UTC", "money_format": "${{amount}}",
            "money_with_currency_format": "${{amount}} USD", "plan_name": "basic", "plan_display_name": "Basic",
            "shop_owner": "simulated", "taxes_included": False, "tax_shipping": None, "created_at": iso(0),
            "primary_location_id": ids.LOCATION,
        }  # fmt: skip
