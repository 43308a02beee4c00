"""REST writes: refunds, prices, stock, webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livemarket.core.acts import Verb
from livemarket.faces import amounts, givebacks
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.shapes import an_object, objects
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.rest import Action, Refused, number
from livemarket.faces.webhooks import Endpoint
from livemarket.files.faults import major

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify

_REFUND = frozenset({
    "order_id", "transactions", "refund_line_items", "note", "notify", "currency", "shipping", "user_id",
    "prefix_options",
})  # fmt: skip


def body(call: Call, name: str = "") -> dict[str, Any]:
    """The object in the body, or the one of this name in it."""
    try:
        document = amounts.decoded(call.body)
    except ValueError as error:
        raise Refused(400, {name or "base": "expected JSON"}) from error
    outer = an_object(document) or {}
    inner = an_object(outer.get(name) if name else document)
    if inner is None:
        raise Refused(400, {name or "base": "Required parameter missing or invalid"})
    return inner


def parts(asked: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list; an absent one is empty."""
    found = objects(asked.get(name) or [])
    if found is None:
        raise Refused(422, {name: ["is a list of objects"]})
    return found


class Writes:
    """What can be changed by REST."""

    def __init__(self, face: Shopify) -> None:
        self.face = face

    def table(self) -> list[tuple[str, str, Action]]:
        return [
            ("POST", "orders/{id}/refunds.json", self.refund),
            ("POST", "orders/{id}/refunds/calculate.json", self.calculate),
            ("PUT", "products/{id}", self.product), ("PUT", "variants/{id}", self.variant),
            ("PUT", "products/{product}/variants/{id}", self.variant),
            ("POST", "inventory_levels/adjust.json", self.adjust), ("POST", "inventory_levels/set.json", self.set),
            ("GET", "webhooks.json", self.hooks), ("POST", "webhooks.json", self.listen),
            ("GET", "webhooks/{id}", self.hook), ("DELETE", "webhooks/{id}", self.forget),
        ]  # fmt: skip

    def refund(self, call: Call) -> Answer:
        """Money moves by `transactions` alone."""
        row, asked = self.face.reads.row(call), body(call, "refund")
        unknown = set(asked) - _REFUND
        if unknown:
            raise Refused(422, {min(unknown): ["is not known in this world"]})
        sale, total = self.face.objects.sale(row), 0
        for one in parts(asked, "transactions"):
            amount = amounts.minor(one.get("amount"))
            if amount is None or one.get("kind") not in {"refund", "suggested_refund"}:
                raise Refused(422, {"transactions": ["a refund has a kind and an amount with two decimals"]})
            if one.get("parent_id") not in {None, sale["id"]} or one.get("gateway") not in {None, sale["gateway"]}:
                raise Refused(422, {"transactions": ["money goes back by the payment it came from"]})
            total += amount
        if any(item.get("restock_type", "no_restock") != "no_restock" for item in parts(asked, "refund_line_items")):
            raise Refused(422, {"refund_line_items": ["stock moves when parcels do: no_restock"]})
        made = self.face.refund(row, total, asked.get("note"))
        if isinstance(made, str):
            raise Refused(422, {"base": [made]})
        return answered(201, {"refund": self.face.objects.refund(made, self.face.view.now)})

    def calculate(self, call: Call) -> Answer:
        """What giving these pieces back would cost, and what could be given back at most."""
        row, asked = self.face.reads.row(call), body(call, "refund")
        view, sale = self.face.view, self.face.objects.sale(row)
        left, pieces = givebacks.left(view, row), 0
        for item in parts(asked, "refund_line_items"):
            quantity = item.get("quantity")
            if item.get("line_item_id") != ids.child(sale["order_id"], 0) or not isinstance(quantity, int):
                raise Refused(422, {"refund_line_items": ["no such line, or no quantity"]})
            pieces += quantity
        if not 0 <= pieces <= view.order("quantity", row):
            raise Refused(422, {"refund_line_items": ["more than was bought"]})
        goods, tax = view.order("subtotal", row), view.order("tax", row)
        suggested = (goods + tax) * pieces // view.order("quantity", row)
        shipping = an_object(asked.get("shipping")) or {}
        if shipping.get("full_refund"):
            suggested += view.order("shipping", row)
        transaction = {
            "order_id": sale["order_id"], "kind": "suggested_refund", "gateway": sale["gateway"],
            "parent_id": sale["id"], "amount": major(min(suggested, left)), "currency": sale["currency"],
            "maximum_refundable": major(left),
        }  # fmt: skip
        shipping = {
            "amount": "0.00",
            "tax": "0.00",
            "maximum_refundable": major(min(view.order("shipping", row), left)),
        }
        made = {"shipping": shipping, "refund_line_items": parts(asked, "refund_line_items"), "duties": []}
        return answered(200, {"refund": made | {"transactions": [transaction], "currency": sale["currency"]}})

    def _priced(self, sku: int, asked: dict[str, Any]) -> None:
        """A variant as a caller wants it: its price may differ from what it is, nothing else may."""
        now = self.face.goods.variant(sku, self.face.view.now, self.face.goods.available()[sku])
        for name, value in asked.items():
            if name not in {"price", "updated_at", "inventory_quantity"} and value != now.get(name):
                raise Refused(422, {name: ["cannot be changed in this world"]})
        price = amounts.minor(asked.get("price", now["price"]))
        if not price:
            raise Refused(422, {"price": ["must be an amount above zero"]})
        if major(price) != now["price"] and self.face.business.act(Verb.PRICE, sku, price) is None:
            raise Refused(429, "This object cannot be changed right now. Try again.")

    def variant(self, call: Call) -> Answer:
        sku = self.face.reads.sku(call, "ProductVariant")
        self._priced(sku, body(call, "variant"))
        return self.face.reads.variant(call)

    def product(self, call: Call) -> Answer:
        sku = self.face.reads.sku(call, "Product")
        now, asked = self.face.goods.product(sku, self.face.view.now, 0), body(call, "product")
        for name, value in asked.items():
            if name not in {"variants", "updated_at"} and value != now.get(name):
                raise Refused(422, {name: ["cannot be changed in this world"]})
        for variant in parts(asked, "variants"):
            self._priced(sku, variant)
        return self.face.reads.product(call)

    def _level(self, asked: dict[str, Any]) -> int:
        item, place = asked.get("inventory_item_id"), asked.get("location_id")
        sku = ids.sku_of("InventoryItem", item, len(self.face.goods.skus)) if isinstance(item, int) else None
        if sku is None or place != ids.LOCATION:
            raise Refused(404, "Not Found")
        return sku

    def _counted(self, sku: int, delta: int, status: int) -> Answer:
        available = self.face.goods.available()[sku]
        if available + delta < 0:
            raise Refused(422, {"available": ["this world has no stock below nothing"]})
        if self.face.count(sku, delta) is None:
            raise Refused(429, "This object cannot be changed right now. Try again.")
        return answered(status, {"inventory_level": self.face.goods.level(sku, self.face.goods.available()[sku])})

    def adjust(self, call: Call) -> Answer:
        asked = body(call)
        sku, delta = self._level(asked), asked.get("available_adjustment")
        if not isinstance(delta, int):
            raise Refused(422, {"available_adjustment": ["must be a whole number"]})
        return self._counted(sku, delta, 200)

    def set(self, call: Call) -> Answer:
        asked = body(call)
        sku, wanted = self._level(asked), asked.get("available")
        if not isinstance(wanted, int):
            raise Refused(422, {"available": ["must be a whole number"]})
        return self._counted(sku, wanted - self.face.goods.available()[sku], 200)

    def hooks(self, call: Call) -> Answer:
        hooks = self.face.hooks
        return answered(200, {"webhooks": [hooks.rest(e) for e in hooks.post.endpoints.values()]})

    def listen(self, call: Call) -> Answer:
        asked = body(call, "webhook")
        made = self.face.hooks.subscribe(str(asked.get("topic", "")), str(asked.get("address", "")))
        if isinstance(made, str):
            word, _, rest = made.partition(" ")
            raise Refused(422, {word: [rest]})
        return answered(201, {"webhook": self.face.hooks.rest(made)})

    def _hook(self, call: Call) -> Endpoint:
        found = self.face.hooks.post.endpoints.get(str(number(call)))
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def hook(self, call: Call) -> Answer:
        return answered(200, {"webhook": self.face.hooks.rest(self._hook(call))})

    def forget(self, call: Call) -> Answer:
        del self.face.hooks.post.endpoints[self._hook(call).id]
        return answered(200, {})
