"""Products of the marketplace: one SKU each, one warehouse."""

from __future__ import annotations

from typing import Any

from livemarket.core.carry_out import FAR
from livemarket.faces.business import DAY, unix
from livemarket.faces.shelf import Shelf
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major

_PRODUCT, _SKU = 1_729_000_000_000_000_001, 1_731_000_000_000_000_001
WAREHOUSE = "7100000000000000001"
MOST_MINOR = 760_000  # the dearest product there may be


def product_id(sku: int) -> str:
    return str(_PRODUCT + sku)


def sku_id(sku: int) -> str:
    return str(_SKU + sku)


def sku_of(text: str, skus: int) -> int | None:
    """The product with this id."""
    sku = int(text) - _PRODUCT if text.isdecimal() else -1
    return sku if 0 <= sku < skus else None


class Goods:
    """As of now."""

    def __init__(self, view: View, shelf: Shelf) -> None:
        self.view = view
        self.shelf = shelf
        self.changed: dict[int, int] = {}
        self.bans: dict[int, int] = {}  # when each product was banned, as far as this run saw it

    @property
    def skus(self) -> range:
        return range(self.view.world.setting.shop.skus)

    def status(self, sku: int) -> str:
        until, today = int(self.view.state.banned_until[sku]), self.view.now // DAY
        if until == FAR:
            return "SELLER_DEACTIVATED"
        if until <= today:
            return "ACTIVATE"
        begun = until - int(self.view.world.number("listing_ban_days")) < today or sku in self.bans
        return "PLATFORM_DEACTIVATED" if begun else "ACTIVATE"  # a ban of this evening is not known at noon

    def available(self) -> list[int]:
        on_hand, reserved = self.shelf.stocks()
        return (on_hand - reserved).tolist()

    def product(self, sku: int, available: int) -> dict[str, Any]:
        price = major(self.shelf.price(sku))
        born = int(self.view.world.products.launched[sku]) * DAY
        return {
            "id": product_id(sku), "title": names.title(self.view.world, sku), "status": self.status(sku),
            "sales_regions": ["US"], "create_time": unix(born), "update_time": unix(self.changed.get(sku, born)),
            "is_not_for_sale": False,
            "skus": [{
                "id": sku_id(sku), "seller_sku": names.sku(sku),
                "price": {"currency": names.CURRENCY, "sale_price": price, "tax_exclusive_price": price},
                "inventory": [{"warehouse_id": WAREHOUSE, "quantity": available}],
            }],
        }  # fmt: skip
