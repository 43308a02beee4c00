"""GraphQL objects as of now, made from the REST ones. Fields that cost work are functions: they run if asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from livemarket.faces import givebacks
from livemarket.faces.business import iso
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.connections import Node, firsts, lazy, windowed
from livemarket.faces.shopify.objects import CURRENCY
from livemarket.files import names
from livemarket.files.faults import major

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify

QUANTITIES: tuple[str, ...] = ("available", "on_hand", "committed", "incoming")


def money(amount: str) -> Node:
    return {"amount": amount, "currencyCode": CURRENCY}


def bag(minor: int) -> Node:
    return {"shopMoney": money(major(minor)), "presentmentMoney": money(major(minor))}


class Nodes:
    """One method for each type, by row or product number."""

    def __init__(self, face: Shopify) -> None:
        self.face = face
        self.objects = face.objects
        self.goods = face.goods
        self.view = face.view

    def find(self, gid: str) -> Node | None:
        """Whatever a global id names."""
        for kind, made in self.kinds().items():
            number = ids.number_of(kind, gid)
            if number is not None:
                return made(number, gid)
        return None

    def kinds(self) -> dict[str, Callable[[int, str], Node | None]]:
        return {
            "Order": lambda n, _: self._at(self.objects.sales.row(n), self.order),
            "Refund": lambda n, _: self._at(self._refund_row(n), self.refund),
            "LineItem": lambda n, _: self._child(n, self.line_item),
            "Fulfillment": lambda n, _: self._child(n, self._parcel), "OrderTransaction": lambda n, _: self.paid(n),
            "Product": lambda n, _: self._at(self._sku("Product", n), self.product),
            "ProductVariant": lambda n, _: self._at(self._sku("ProductVariant", n), self.variant),
            "InventoryItem": lambda n, _: self._at(self._sku("InventoryItem", n), self.item),
            "InventoryLevel": self._level_named, "Customer": lambda n, _: self._buyer(n),
            "Location": lambda n, _: self.location() if n == ids.LOCATION else None,
            "WebhookSubscription": lambda n, _: self.face.hooks.node(n),
            "ShopifyPaymentsPayout": lambda n, _: self._at(self.face.payouts.row(n), self.payout),
        }  # fmt: skip

    def _sku(self, kind: str, number: int) -> int | None:
        return ids.sku_of(kind, number, len(self.goods.skus))

    def _at(self, row: int | None, made: Callable[[int], Node]) -> Node | None:
        return None if row is None else made(row)

    def _child(self, number: int, made: Callable[[int], Node | None]) -> Node | None:
        order, place = ids.parent(number)
        row = self.objects.sales.row(order) if not place else None
        return None if row is None else made(row)

    def _parcel(self, row: int) -> Node | None:
        return next(iter(self.fulfillments(row)), None)

    def _refund_row(self, number: int) -> int | None:
        row = self.objects.sales.row(ids.parent(number)[0])
        found = [] if row is None else self.view.refunds_of(row, self.view.now)
        return next((r for r in found if self.objects.refund_number(r) == number), None)

    def order(self, row: int) -> Node:
        made = self.objects.order(row, self.view.now)
        numbers = {n: self.view.order(n, row) for n in ("subtotal", "shipping", "tax", "total", "customer")}
        back = self.view.refunded(row, self.view.now)
        return {
            "__typename": "Order", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "name": made["name"], "createdAt": made["created_at"], "processedAt": made["processed_at"],
            "updatedAt": made["updated_at"], "cancelledAt": made["cancelled_at"],
            "cancelReason": None if made["cancel_reason"] is None else made["cancel_reason"].upper(),
            "closed": False, "closedAt": None, "confirmed": True, "test": False, "tags": ["simulated"], "note": None,
            "email": None, "sourceName": "web", "currencyCode": CURRENCY,
            "displayFinancialStatus": made["financial_status"].upper(),
            "displayFulfillmentStatus": "FULFILLED" if made["fulfillment_status"] else "UNFULFILLED",
            "paymentGatewayNames": made["payment_gateway_names"], "refundable": back < numbers["total"],
            "subtotalPriceSet": bag(numbers["subtotal"]), "totalPriceSet": bag(numbers["total"]),
            "totalTaxSet": bag(numbers["tax"]), "totalShippingPriceSet": bag(numbers["shipping"]),
            "totalDiscountsSet": bag(0), "totalRefundedSet": bag(back),
            "currentTotalPriceSet": bag(numbers["total"] - back), "netPaymentSet": bag(numbers["total"] - back),
            "customer": lazy(lambda: self._buyer(ids.customer(numbers["customer"]))),
            "transactions": firsts(
                lambda: [self.transaction(t) for t in self.objects.transactions(row, self.view.now)]
            ),
            "refunds": firsts(lambda: [self.refund(r) for r in self.view.refunds_of(row, self.view.now)]),
            "fulfillments": firsts(lambda: self.fulfillments(row)),
            "lineItems": windowed(lambda: [row], self.line_item),
        }  # fmt: skip

    def line_item(self, row: int) -> Node:
        made, sku = self.objects.line_item(row, self.view.now), self.view.order("sku", row)
        price, quantity = self.view.order("price", row), made["quantity"]
        whole = givebacks.left(self.view, row) == self.view.order("total", row)
        return {
            "__typename": "LineItem", "id": made["admin_graphql_api_id"], "name": made["name"],
            "title": made["title"], "sku": made["sku"], "quantity": quantity, "currentQuantity": quantity,
            "refundableQuantity": quantity if whole else 0, "unfulfilledQuantity": made["fulfillable_quantity"],
            "originalUnitPriceSet": bag(price), "discountedUnitPriceSet": bag(price),
            "originalTotalSet": bag(price * quantity), "variant": lazy(lambda: self.variant(sku)),
            "product": lazy(lambda: self.product(sku)),
        }  # fmt: skip

    def transaction(self, made: Node) -> Node:
        parent = made["parent_id"]
        minor = bag_of(made["amount"])
        return {
            "__typename": "OrderTransaction", "id": made["admin_graphql_api_id"], "kind": made["kind"].upper(),
            "status": "SUCCESS", "gateway": made["gateway"], "amountSet": minor, "createdAt": made["created_at"],
            "processedAt": made["processed_at"], "test": False,
            "parentTransaction": lazy(lambda: None if parent is None else self.paid(parent)),
        }  # fmt: skip

    def paid(self, number: int) -> Node | None:
        """A transaction by its number."""
        row = self.objects.sales.row(ids.parent(number)[0])
        found = [] if row is None else self.objects.transactions(row, self.view.now)
        return next((self.transaction(t) for t in found if t["id"] == number), None)

    def refund(self, refund: int) -> Node:
        made, row = self.objects.refund(refund, self.view.now), self.view.cell("refunds", "order", refund)
        return {
            "__typename": "Refund", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "createdAt": made["created_at"], "note": made["note"],
            "totalRefundedSet": bag(self.view.cell("refunds", "amount", refund)),
            "order": lazy(lambda: self.order(row)),
            "transactions": windowed(lambda: [refund], lambda r: self.transaction(self.objects.back(r))),
        }  # fmt: skip

    def fulfillments(self, row: int) -> list[Node]:
        return [self._sent(made, row) for made in self.objects.fulfillments(row, self.view.now)]

    def _sent(self, made: Node, row: int) -> Node:
        now = self.view.now
        scanned, there = self.objects.journey.scanned(row, now), self.objects.journey.delivered(row, now)
        tracking = {"company": made["tracking_company"], "number": made["tracking_number"], "url": None}
        return {
            "__typename": "Fulfillment", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "name": made["name"], "status": "SUCCESS", "displayStatus": made["shipment_status"].upper(),
            "createdAt": made["created_at"], "updatedAt": made["updated_at"],
            "inTransitAt": None if scanned is None else iso(scanned),
            "deliveredAt": None if there is None else iso(there), "totalQuantity": self.view.order("quantity", row),
            "trackingInfo": firsts(lambda: [tracking]), "location": lazy(self.location),
        }  # fmt: skip

    def _buyer(self, number: int) -> Node | None:
        who = ids.customer_of(number)
        first = self.objects.sales.customers().get(who)
        return None if first is None else self.customer(who, first)

    def customer(self, who: int, first: int) -> Node:
        made = self.goods.customer(who, first)
        orders = windowed(lambda: self.objects.sales.of_customer(who).tolist(), self.order)
        return {
            "__typename": "Customer", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "displayName": names.customer(who), "firstName": made["first_name"], "lastName": None, "email": None,
            "createdAt": made["created_at"], "updatedAt": made["updated_at"], "numberOfOrders": made["orders_count"],
            "amountSpent": money(made["total_spent"]), "tags": ["simulated"], "orders": orders,
        }  # fmt: skip

    def product(self, sku: int) -> Node:
        made = self.goods.product(sku, self.view.now, 0)
        return {
            "__typename": "Product", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "title": made["title"], "handle": made["handle"], "vendor": made["vendor"],
            "productType": made["product_type"], "status": "ACTIVE", "tags": ["simulated"],
            "createdAt": made["created_at"], "updatedAt": made["updated_at"], "publishedAt": made["published_at"],
            "totalInventory": lazy(lambda: self.goods.available()[sku]),
            "variants": windowed(lambda: [sku], self.variant),
        }  # fmt: skip

    def variant(self, sku: int) -> Node:
        made = self.goods.variant(sku, self.view.now, 0)
        return {
            "__typename": "ProductVariant", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "title": made["title"], "displayName": f"{names.title(self.view.world, sku)} - {made['title']}",
            "sku": made["sku"], "price": made["price"], "compareAtPrice": None, "position": 1, "taxable": True,
            "inventoryQuantity": lazy(lambda: self.goods.available()[sku]), "createdAt": made["created_at"],
            "updatedAt": made["updated_at"], "inventoryItem": lazy(lambda: self.item(sku)),
            "product": lazy(lambda: self.product(sku)),
        }  # fmt: skip

    def item(self, sku: int) -> Node:
        made = self.goods.inventory_item(sku)

        def at(_: Any, locationId: str) -> Node | None:  # noqa: N803 - the schema's name
            return self.level(sku) if ids.number_of("Location", locationId) == ids.LOCATION else None

        return {
            "__typename": "InventoryItem", "id": made["admin_graphql_api_id"], "legacyResourceId": made["id"],
            "sku": made["sku"], "tracked": True, "unitCost": money(made["cost"]), "createdAt": made["created_at"],
            "updatedAt": made["updated_at"], "variant": lazy(lambda: self.variant(sku)),
            "inventoryLevel": at,
            "inventoryLevels": windowed(lambda: [sku], self.level),
        }  # fmt: skip

    def level(self, sku: int) -> Node:
        def quantities(_: Any, names: list[str]) -> list[Node]:
            on_hand, reserved = self.goods.shelf.stock(sku)
            incoming = self.goods.shelf.incoming(sku)
            known: dict[str, int] = dict(
                zip(QUANTITIES, (on_hand - reserved, on_hand, reserved, incoming), strict=True)
            )
            return [{"name": name, "quantity": known.get(name, 0)} for name in names]

        return {
            "__typename": "InventoryLevel", "id": self.goods.level(sku, 0)["admin_graphql_api_id"],
            "item": lazy(lambda: self.item(sku)), "location": lazy(self.location),
            "updatedAt": iso(self.goods.updated(sku)), "quantities": quantities,
        }  # fmt: skip

    def _level_named(self, number: int, gid: str) -> Node | None:
        item = gid.rpartition("inventory_item_id=")[2]
        sku = ids.sku_of("InventoryItem", int(item), len(self.goods.skus)) if item.isdecimal() else None
        return self.level(sku) if number == ids.LOCATION and sku is not None else None

    def location(self) -> Node:
        return {
            "__typename": "Location", "id": ids.gid("Location", ids.LOCATION), "legacyResourceId": ids.LOCATION,
            "name": "main", "isActive": True,
            "inventoryLevels": windowed(lambda: self.goods.skus, self.level),
        }  # fmt: skip

    def payout(self, payout: int) -> Node:
        own = self.face.payouts
        return {
            "__typename": "ShopifyPaymentsPayout", "id": ids.gid("ShopifyPaymentsPayout", own.number(payout)),
            "legacyResourceId": own.number(payout), "issuedAt": iso(self.view.payout_moment(payout)),
            "net": money(major(self.view.cell("payouts", "amount", payout))), "status": own.status(payout).upper(),
        }  # fmt: skip

    def balance_transaction(self, line: int) -> Node:
        made, payout = self.face.payouts.transaction(line), self.face.payouts.payout_of(line)
        order = made["source_order_id"]
        row = self.view.cell("lines", "order", line)
        return {
            "__typename": "ShopifyPaymentsBalanceTransaction",
            "id": ids.gid("ShopifyPaymentsBalanceTransaction", made["id"]), "type": made["type"].upper(),
            "test": False, "transactionDate": made["processed_at"], "amount": money(made["amount"]),
            "fee": money(made["fee"]), "net": money(made["net"]),
            "associatedOrder": None if order is None else {
                "id": ids.gid("Order", order), "name": f"#{self.view.order_name(row)}",
            },
            "associatedPayout": {"id": None, "status": None} if payout is None else {
                "id": ids.gid("ShopifyPaymentsPayout", made["payout_id"]), "status": made["payout_status"].upper(),
            },
        }  # fmt: skip


def bag_of(amount: str) -> Node:
    return {"shopMoney": money(amount), "presentmentMoney": money(amount)}
