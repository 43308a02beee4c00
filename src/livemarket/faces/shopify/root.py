"""What a GraphQL query can start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.connections import Node, Resolver, connection, lazy, windowed
from livemarket.faces.shopify.nodes import Nodes, money
from livemarket.faces.shopify.objects import CURRENCY

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify


class Root:
    """Resolvers by field of QueryRoot."""

    def __init__(self, face: Shopify, nodes: Nodes) -> None:
        self.face = face
        self.nodes = nodes

    def fields(self) -> dict[str, Resolver]:
        nodes, skus = self.nodes, self.face.goods.skus
        one = {
            "order": "Order", "product": "Product", "productVariant": "ProductVariant", "customer": "Customer",
            "inventoryItem": "InventoryItem", "inventoryLevel": "InventoryLevel", "refund": "Refund",
            "fulfillment": "Fulfillment",
        }  # fmt: skip
        made: dict[str, Resolver] = {field: self._one(kind) for field, kind in one.items()}
        lists = {"products": nodes.product, "productVariants": nodes.variant, "inventoryItems": nodes.item}
        made |= {field: windowed(lambda: skus, maker) for field, maker in lists.items()}
        return made | {
            "shop": lazy(self.shop), "node": self._named, "nodes": self._all, "location": self._place,
            "locations": windowed(lambda: [ids.LOCATION], lambda _: nodes.location()), "orders": self.orders,
            "ordersCount": self._count, "customers": windowed(self.buyers, self._buyer),
            "shopifyPaymentsAccount": lazy(self.account),
            "webhookSubscriptions": windowed(self.face.hooks.numbers, self._hook),
        }  # fmt: skip

    def _one(self, kind: str) -> Resolver:
        def resolve(_: Any, **named: str) -> Node | None:
            return self.nodes.find(named["id"]) if named["id"].startswith(f"{ids.PREFIX}{kind}/") else None

        return resolve

    def _named(self, _: Any, **named: str) -> Node | None:
        return self.nodes.find(named["id"])

    def _all(self, _: Any, **named: list[str]) -> list[Node | None]:
        return [self.nodes.find(gid) for gid in named["ids"]]

    def _place(self, _: Any, **named: str | None) -> Node | None:
        return self.nodes.find(named.get("id") or ids.gid("Location", ids.LOCATION))

    def _count(self, _: Any, query: str | None = None) -> Node:
        return {"count": len(self._searched(query))}

    def shop(self) -> Node:
        return {
            "__typename": "Shop", "id": ids.gid("Shop", ids.SHOP), "name": "Simulated shop",
            "myshopifyDomain": self.face.domain, "currencyCode": CURRENCY, "ianaTimezone": "Etc/UTC",
        }  # fmt: skip

    def _searched(self, query: str | None) -> Ints:
        rows = self.face.objects.sales.rows()
        return self.face.search.by_query(rows, query) if query else rows

    def orders(
        self, _: Any, *, sortKey: str = "PROCESSED_AT", reverse: bool = False,  # noqa: N803 - the schema's name
        query: str | None = None, **window: Any,
    ) -> Node:  # fmt: skip
        sales, rows = self.face.objects.sales, self._searched(query)
        if sortKey == "UPDATED_AT":
            rows = rows[np.argsort(sales.updated(rows), kind="stable")]
        elif sortKey == "ID":
            numbers = np.array([sales.number(row) for row in rows.tolist()], dtype=np.int64)
            rows = rows[np.argsort(numbers, kind="stable")]
        return connection((rows[::-1] if reverse else rows).tolist(), self.nodes.order, **window)

    def buyers(self) -> list[int]:
        return sorted(self.face.objects.sales.customers())

    def _buyer(self, who: int) -> Node:
        return self.nodes.customer(who, self.face.objects.sales.customers()[who])

    def _hook(self, number: int) -> Node:
        found = self.face.hooks.node(number)
        if found is None:
            raise LookupError(f"subscription {number} was listed and cannot be found")
        return found

    def account(self) -> Node:
        own = self.face.payouts
        return {
            "__typename": "ShopifyPaymentsAccount", "id": ids.gid("ShopifyPaymentsAccount", ids.SHOP),
            "activated": True, "country": "US", "defaultCurrency": CURRENCY, "balance": [money(own.balance())],
            "payouts": windowed(own.rows, self.nodes.payout),
            "balanceTransactions": windowed(own.lines, self.nodes.balance_transaction),
        }  # fmt: skip
