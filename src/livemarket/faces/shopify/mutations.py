"""What a GraphQL mutation does. Refusals of the business are `userErrors`, as the schema has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livemarket.core.acts import Verb
from livemarket.faces import amounts
from livemarket.faces.business import iso
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.connections import Node
from livemarket.faces.shopify.nodes import Nodes

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify

REASONS = (
    "correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received",
    "movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created",
    "reservation_deleted", "reservation_updated", "restock", "safety_stock", "shrinkage",
)  # fmt: skip
TOO_SOON = "This object cannot be changed right now. Try again."


def trouble(message: str, *field: str, code: str | None = None) -> Node:
    return {"field": list(field) or None, "message": message, "code": code}


class Mutations:
    """Resolvers by field of Mutation."""

    def __init__(self, face: Shopify, nodes: Nodes) -> None:
        self.face = face
        self.nodes = nodes

    def fields(self) -> dict[str, Any]:
        return {
            "productVariantsBulkUpdate": self.prices, "refundCreate": self.refund,
            "inventoryAdjustQuantities": self.adjust, "inventorySetQuantities": self.set,
            "webhookSubscriptionCreate": self.face.hooks.created,
            "webhookSubscriptionDelete": self.face.hooks.deleted,
        }  # fmt: skip

    def prices(self, _: Any, *, productId: str, variants: list[Node]) -> Node:  # noqa: N803 - the schema's name
        """All or none: the first trouble stops everything."""
        skus = len(self.face.goods.skus)
        number = ids.number_of("Product", productId)
        sku = None if number is None else ids.sku_of("Product", number, skus)
        nothing: Node = {"product": None, "productVariants": None, "userErrors": []}
        if sku is None:
            return nothing | {
                "userErrors": [trouble("Product does not exist", "productId", code="PRODUCT_DOES_NOT_EXIST")]
            }
        errors: list[Node] = []
        wanted: int | None = None
        for n, variant in enumerate(variants):
            at = ("variants", str(n))
            if "id" not in variant:
                errors.append(
                    trouble("Product variant is missing ID attribute", *at, code="PRODUCT_VARIANT_ID_MISSING")
                )
            elif ids.number_of("ProductVariant", variant["id"] or "") != ids.variant(sku):
                errors.append(
                    trouble("Product variant does not exist", *at, "id", code="PRODUCT_VARIANT_DOES_NOT_EXIST")
                )
            elif "price" in variant:
                wanted = amounts.minor(variant["price"])
                if not wanted:
                    errors.append(trouble("Price is an amount above zero", *at, "price", code="INVALID_INPUT"))
        if not errors and wanted and self.face.business.act(Verb.PRICE, sku, wanted) is None:
            errors.append(trouble(TOO_SOON, "variants", code="INVALID_INPUT"))
        if errors:
            return nothing | {"product": self.nodes.product(sku), "userErrors": errors}
        return nothing | {"product": self.nodes.product(sku), "productVariants": [self.nodes.variant(sku)]}

    def refund(self, _: Any, **named: Node) -> Node:
        """Money moves by `transactions` alone, as it does there. Goods come back by parcel only."""
        asked = named["input"]
        number = ids.number_of("Order", asked["orderId"])
        row = None if number is None else self.face.objects.sales.row(number)
        if row is None or number is None:
            return {"order": None, "refund": None, "userErrors": [trouble("Order does not exist", "orderId")]}
        sale = ids.gid("OrderTransaction", ids.child(number, 0))
        total, errors = 0, list[Node]()
        for n, one in enumerate(asked.get("transactions") or []):
            at = ("transactions", str(n))
            amount = amounts.minor(one["amount"])
            if one["kind"] != "REFUND":
                errors.append(trouble("Kind is not a valid transaction", *at, "kind"))
            if one["orderId"] != asked["orderId"] or one.get("parentId") not in {None, sale}:
                errors.append(trouble("Parent transaction is not of this order", *at, "parentId"))
            if one["gateway"] != self.face.objects.sale(row)["gateway"]:
                errors.append(trouble("Money goes back by the gateway it came from", *at, "gateway"))
            if amount is None:
                errors.append(trouble("Amount is not a number with two decimals", *at, "amount"))
            total += amount or 0
        for n, item in enumerate(asked.get("refundLineItems") or []):
            if item["restockType"] != "NO_RESTOCK":
                errors.append(
                    trouble("Stock moves when parcels do: NO_RESTOCK", "refundLineItems", str(n), "restockType")
                )
        if errors:
            return {"order": self.nodes.order(row), "refund": None, "userErrors": errors}
        made = self.face.refund(row, total, asked.get("note"))
        if isinstance(made, str):
            return {"order": self.nodes.order(row), "refund": None, "userErrors": [trouble(made, "transactions")]}
        return {"order": self.nodes.order(row), "refund": self.nodes.refund(made), "userErrors": []}

    def adjust(self, _: Any, **named: Node) -> Node:
        asked = named["input"]
        errors = self._counting(asked, "changes", ("available",), "INVALID_QUANTITY_NAME")
        changes: list[tuple[int, int]] = []
        if not errors:
            available = self.face.goods.available()
            for n, one in enumerate(asked["changes"]):
                sku = self._sku(one["inventoryItemId"])
                available[sku] += one["delta"]
                changes.append((sku, one["delta"]))
                if available[sku] < 0:
                    errors.append(
                        trouble(
                            "This world has no stock below nothing", "input", "changes", str(n), "delta",
                            code="INVALID_QUANTITY_TOO_LOW",
                        )
                    )  # fmt: skip
        return self._group(asked, changes, errors)

    def set(self, _: Any, **named: Node) -> Node:
        """To a quantity, from the one the caller believes in unless it says that it does not matter."""
        asked = named["input"]
        errors = self._counting(asked, "quantities", ("available", "on_hand"), "INVALID_NAME")
        changes: list[tuple[int, int]] = []
        if not errors:
            on_hand, reserved = self.face.goods.shelf.stocks()
            now = (on_hand if asked["name"] == "on_hand" else on_hand - reserved).tolist()
            for n, one in enumerate(asked["quantities"]):
                sku, at = self._sku(one["inventoryItemId"]), ("input", "quantities", str(n))
                believed = one.get("compareQuantity")
                if one["quantity"] < 0:
                    errors.append(trouble("Not below zero", *at, "quantity", code="INVALID_QUANTITY_NEGATIVE"))
                elif not asked["ignoreCompareQuantity"] and believed is None:
                    errors.append(trouble("compareQuantity is needed", *at, code="COMPARE_QUANTITY_REQUIRED"))
                elif not asked["ignoreCompareQuantity"] and believed != now[sku]:
                    errors.append(trouble("It is another quantity now", *at, code="COMPARE_QUANTITY_STALE"))
                changes.append((sku, one["quantity"] - now[sku]))
                now[sku] = one["quantity"]
        return self._group(asked, changes, errors)

    def _sku(self, gid: str) -> int:
        number = ids.number_of("InventoryItem", gid)
        sku = None if number is None else ids.sku_of("InventoryItem", number, len(self.face.goods.skus))
        return -1 if sku is None else sku

    def _counting(self, asked: Node, part: str, names: tuple[str, ...], wrong_name: str) -> list[Node]:
        """Troubles that both kinds of counting can have."""
        errors: list[Node] = []
        if asked["name"] not in names:
            errors.append(trouble(f"The quantity name is {' or '.join(names)}", "input", "name", code=wrong_name))
        if asked["reason"] not in REASONS:
            errors.append(trouble("The specified reason is invalid", "input", "reason", code="INVALID_REASON"))
        for n, one in enumerate(asked[part]):
            at = ("input", part, str(n))
            if self._sku(one["inventoryItemId"]) < 0:
                errors.append(trouble("No such inventory item", *at, "inventoryItemId", code="INVALID_INVENTORY_ITEM"))
            if ids.number_of("Location", one["locationId"]) != ids.LOCATION:
                errors.append(trouble("No such location", *at, "locationId", code="INVALID_LOCATION"))
        return errors

    def _group(self, asked: Node, changes: list[tuple[int, int]], errors: list[Node]) -> Node:
        """Carry out what was counted, or nothing of it."""
        if errors:
            return {"inventoryAdjustmentGroup": None, "userErrors": errors}
        made: list[Node] = []
        for sku, delta in changes:
            counted = self.face.count(sku, delta)
            if counted is None:
                errors.append(trouble(TOO_SOON, "input"))
                continue
            left = self.face.goods.available()[sku]
            made.append({
                "name": asked["name"], "delta": counted, "quantityAfterChange": left, "item": self.nodes.item(sku),
                "location": self.nodes.location(),
            })  # fmt: skip
        now = self.face.view.now
        group = {
            "__typename": "InventoryAdjustmentGroup", "id": ids.gid("InventoryAdjustmentGroup", now),
            "createdAt": iso(now), "reason": asked["reason"],
            "referenceDocumentUri": asked.get("referenceDocumentUri"), "changes": made,
        }  # fmt: skip
        return {"inventoryAdjustmentGroup": group if made else None, "userErrors": errors}
