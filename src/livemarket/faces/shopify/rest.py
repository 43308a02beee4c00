"""REST reads: resources by number, and lists with filters and `Link` cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from livemarket.faces.business import moment_of
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.pages import by_cursor
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.times import when
from livemarket.files import names

if TYPE_CHECKING:
    from livemarket.faces.shopify.face import Shopify

MOST, USUAL = 250, 50
_PAGING = frozenset({"limit", "fields", "page_info", "since_id"})
Params = dict[str, str]
Action = Callable[[Call], Answer]


class Refused(Exception):
    """An answer with `errors` in it."""

    def __init__(self, status: int, errors: Any) -> None:
        super().__init__(str(errors))
        self.status = status
        self.errors = errors

    def answer(self) -> Answer:
        return answered(self.status, {"errors": self.errors})


def number(call: Call, name: str = "id") -> int:
    """The number in a path such as orders/123.json."""
    text = call.found[name].removesuffix(".json")
    if not text.isdecimal() or len(text) > 18:
        raise Refused(404, "Not Found")
    return int(text)


def cut(document: dict[str, Any], fields: str) -> dict[str, Any]:
    """Only the fields that were asked for."""
    wanted = {name.strip() for name in fields.split(",")} if fields else set[str]()
    return {name: value for name, value in document.items() if name in wanted} if wanted else document


def _token(params: Params, way: str, last: int) -> str:
    inside = json.dumps({"params": params, "way": way, "last": last}, separators=(",", ":"))
    return base64.urlsafe_b64encode(inside.encode()).decode().rstrip("=")


def _opened(token: str) -> tuple[Params, str, str]:
    try:
        inside = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        params: Params = {str(k): str(v) for k, v in inside["params"].items()}
        return params, str(inside["way"]), str(int(inside["last"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(400, {"page_info": "Invalid value."}) from error


def page(
    call: Call, name: str, known: frozenset[str], listed: Callable[[Params], Sequence[int]],
    made: Callable[[int], dict[str, Any]],
) -> Answer:  # fmt: skip
    """One page of a list and where the next ones are. A cursor carries the filters it was made under."""
    given = dict(call.pairs())
    params, way, last = given, "next", ""
    if "page_info" in given:
        if set(given) - {"limit", "fields", "page_info"}:
            raise Refused(400, {"page_info": "Only limit and fields go with it."})
        params, way, last = _opened(given["page_info"])
        params |= {k: given[k] for k in ("limit", "fields") if k in given}
    unknown = set(params) - known - _PAGING
    if unknown:
        raise Refused(400, {min(unknown): "This world does not know this filter."})
    limit = params.get("limit", str(USUAL))
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST:
        raise Refused(400, {"limit": f"is from 1 to {MOST}"})
    every = [str(n) for n in listed(params)]
    sides = {"after": last} if way == "next" else {"before": last}
    found = by_cursor(every, int(limit), **sides)
    if found is None:
        raise Refused(400, {"page_info": "Invalid value."})
    chosen, more = found
    links: list[str] = []
    kept = {k: v for k, v in params.items() if k not in {"limit", "fields", "page_info"}}
    again = {k: params[k] for k in ("limit", "fields") if k in params}
    for side, there, edge in (
        ("previous", bool(last) if way == "next" else more, chosen[:1]),
        ("next", more if way == "next" else True, chosen[-1:]),
    ):
        if there and edge:
            query = urlencode(again | {"page_info": _token(kept, side, int(edge[0]))})
            links.append(f'<{call.base}{call.path}?{query}>; rel="{side}"')
    answer = answered(200, {name: [cut(made(int(n)), params.get("fields", "")) for n in chosen]})
    if links:
        answer.headers["link"] = ", ".join(links)
    return answer


def since(params: Params) -> int:
    """The number after which a list begins."""
    text = params.get("since_id") or "0"
    if not text.isdecimal():
        raise Refused(400, {"since_id": "is a number"})
    return int(text)


_ORDER_FILTERS = frozenset({
    "ids", "status", "financial_status", "fulfillment_status", "created_at_min", "created_at_max", "updated_at_min",
    "updated_at_max", "processed_at_min", "processed_at_max", "order",
})  # fmt: skip


def _moment(params: Params, name: str) -> int | None:
    if name not in params:
        return None
    unix = when(params[name])
    if unix is None:
        raise Refused(400, {name: "expected a time such as 2026-01-05T00:00:00Z"})
    return moment_of(unix)


class Reads:
    """What can be read by REST."""

    def __init__(self, face: Shopify) -> None:
        self.face = face

    def table(self) -> list[tuple[str, str, Action]]:
        return [
            ("GET", "orders.json", self.orders), ("GET", "orders/count.json", self.orders_count),
            ("GET", "orders/{id}", self.order), ("GET", "orders/{id}/refunds.json", self.refunds),
            ("GET", "orders/{id}/refunds/{child}", self.refund),
            ("GET", "orders/{id}/transactions.json", self.transactions),
            ("GET", "orders/{id}/fulfillments.json", self.fulfillments),
            ("GET", "products.json", self.products), ("GET", "products/count.json", self.products_count),
            ("GET", "products/{id}", self.product), ("GET", "variants/{id}", self.variant),
            ("GET", "products/{id}/variants.json", self.variants),
            ("GET", "products/{product}/variants/{id}", self.variant),
            ("GET", "customers.json", self.customers), ("GET", "customers/{id}", self.customer),
            ("GET", "locations.json", self.locations), ("GET", "inventory_levels.json", self.levels),
            ("GET", "inventory_items/{id}", self.item), ("GET", "shop.json", self.shop),
            ("GET", "shopify_payments/balance.json", self.balance),
            ("GET", "shopify_payments/payouts.json", self.payouts),
            ("GET", "shopify_payments/payouts/{id}", self.payout),
            ("GET", "shopify_payments/balance/transactions.json", self.balance_transactions),
        ]  # fmt: skip

    def row(self, call: Call) -> int:
        """The order that a path names."""
        row = self.face.objects.sales.row(number(call))
        if row is None:
            raise Refused(404, "Not Found")
        return row

    def _orders(self, params: Params) -> list[int]:
        """Numbers of orders that fit, the newest first; ascending numbers if `since_id` is asked for."""
        face, sales = self.face, self.face.objects.sales
        rows = sales.rows()[::-1]
        moments = {"created_at": sales.paid, "processed_at": sales.paid, "updated_at": sales.updated}
        for name, column in moments.items():
            low, high = _moment(params, f"{name}_min"), _moment(params, f"{name}_max")
            if low is not None:
                rows = rows[column(rows) >= low]
            if high is not None:
                rows = rows[column(rows) <= high]
        rows = face.search.by_state(
            rows, params.get("status", "open"), params.get("financial_status", "any"),
            params.get("fulfillment_status", "any"),
        )  # fmt: skip
        found = [sales.number(row) for row in rows.tolist()]
        if "ids" in params:
            wanted = {text.strip() for text in params["ids"].split(",")}
            found = [n for n in found if str(n) in wanted]
        if "since_id" in params:
            found = sorted(n for n in found if n > since(params))
        return found[::-1] if params.get("order", "").endswith("asc") and "since_id" not in params else found

    def orders(self, call: Call) -> Answer:
        at = self.face.view.now
        return page(call, "orders", _ORDER_FILTERS, self._orders, lambda n: self.face.objects.order(self._known(n), at))

    def _known(self, order: int) -> int:
        row = self.face.objects.sales.row(order)
        if row is None:
            raise LookupError(f"order {order} was listed and cannot be found")
        return row

    def orders_count(self, call: Call) -> Answer:
        return answered(200, {"count": len(self._orders(dict(call.pairs())))})

    def order(self, call: Call) -> Answer:
        made = self.face.objects.order(self.row(call), self.face.view.now)
        return answered(200, {"order": cut(made, call.asked("fields"))})

    def refunds(self, call: Call) -> Answer:
        at = self.face.view.now
        return answered(
            200, {"refunds": [self.face.objects.refund(r, at) for r in self.face.view.refunds_of(self.row(call), at)]}
        )

    def refund(self, call: Call) -> Answer:
        row, wanted, at = self.row(call), number(call, "child"), self.face.view.now
        for refund in self.face.view.refunds_of(row, at):
            if self.face.objects.refund_number(refund) == wanted:
                return answered(200, {"refund": self.face.objects.refund(refund, at)})
        raise Refused(404, "Not Found")

    def transactions(self, call: Call) -> Answer:
        return answered(200, {"transactions": self.face.objects.transactions(self.row(call), self.face.view.now)})

    def fulfillments(self, call: Call) -> Answer:
        return answered(200, {"fulfillments": self.face.objects.fulfillments(self.row(call), self.face.view.now)})

    def sku(self, call: Call, kind: str) -> int:
        """The product that a path names by a number of this kind."""
        sku = ids.sku_of(kind, number(call), len(self.face.goods.skus))
        if sku is None:
            raise Refused(404, "Not Found")
        return sku

    def products(self, call: Call) -> Answer:
        goods, at, available = self.face.goods, self.face.view.now, self.face.goods.available()
        skus = {ids.product(sku): sku for sku in goods.skus}

        def listed(params: Params) -> list[int]:
            found = [n for n in skus if n > since(params)]
            wanted = params.get("ids")
            return [n for n in found if str(n) in wanted.split(",")] if wanted else found

        return page(
            call, "products", frozenset({"ids"}), listed, lambda n: goods.product(skus[n], at, available[skus[n]])
        )

    def products_count(self, call: Call) -> Answer:
        return answered(200, {"count": len(self.face.goods.skus)})

    def product(self, call: Call) -> Answer:
        sku = self.sku(call, "Product")
        made = self.face.goods.product(sku, self.face.view.now, self.face.goods.available()[sku])
        return answered(200, {"product": cut(made, call.asked("fields"))})

    def variants(self, call: Call) -> Answer:
        sku = self.sku(call, "Product")
        made = self.face.goods.variant(sku, self.face.view.now, self.face.goods.available()[sku])
        return answered(200, {"variants": [made]})

    def variant(self, call: Call) -> Answer:
        sku = self.sku(call, "ProductVariant")
        made = self.face.goods.variant(sku, self.face.view.now, self.face.goods.available()[sku])
        return answered(200, {"variant": cut(made, call.asked("fields"))})

    def customers(self, call: Call) -> Answer:
        first = {ids.customer(number): (number, at) for number, at in self.face.objects.sales.customers().items()}

        def listed(params: Params) -> list[int]:
            return sorted(n for n in first if n > since(params))

        return page(call, "customers", frozenset(), listed, lambda n: self.face.goods.customer(*first[n]))

    def customer(self, call: Call) -> Answer:
        wanted = ids.customer_of(number(call))
        first = self.face.objects.sales.customers()
        if wanted not in first:
            raise Refused(404, "Not Found")
        return answered(200, {"customer": self.face.goods.customer(wanted, first[wanted])})

    def locations(self, call: Call) -> Answer:
        return answered(200, {"locations": [self.face.goods.location()]})

    def levels(self, call: Call) -> Answer:
        items, places = call.asked("inventory_item_ids"), call.asked("location_ids")
        if not items and not places:
            raise Refused(422, {"inventory_levels": ["inventory_item_ids or location_ids must be set"]})
        goods, available = self.face.goods, self.face.goods.available()
        skus = {ids.item(sku): sku for sku in goods.skus}
        wanted = set(items.split(",")) if items else {str(n) for n in skus}
        here = not places or str(ids.LOCATION) in places.split(",")

        def listed(params: Params) -> list[int]:
            return [n for n in skus if str(n) in wanted and here]

        known = frozenset({"inventory_item_ids", "location_ids"})
        return page(call, "inventory_levels", known, listed, lambda n: goods.level(skus[n], available[skus[n]]))

    def item(self, call: Call) -> Answer:
        return answered(200, {"inventory_item": self.face.goods.inventory_item(self.sku(call, "InventoryItem"))})

    def shop(self, call: Call) -> Answer:
        return answered(200, {"shop": self.face.goods.shop(self.face.domain)})

    def balance(self, call: Call) -> Answer:
        return answered(200, {"balance": [{"currency": "USD", "amount": self.face.payouts.balance()}]})

    def payouts(self, call: Call) -> Answer:
        own = self.face.payouts
        rows = {own.number(row): row for row in own.rows()}
        known = frozenset({"date", "date_min", "date_max", "status"})

        def listed(params: Params) -> list[int]:
            if not set(params) & known:
                return list(rows)
            low, high = params.get("date_min", ""), params.get("date_max", "9999")
            exact, status = params.get("date"), params.get("status")
            found: list[int] = []
            for n, row in rows.items():
                day = names.calendar_date(own.day(row)).isoformat()
                if low <= day <= high and exact in {None, day} and status in {None, own.status(row)}:
                    found.append(n)
            return found

        return page(call, "payouts", known, listed, lambda n: own.payout(rows[n]))

    def payout(self, call: Call) -> Answer:
        row = self.face.payouts.row(number(call))
        if row is None:
            raise Refused(404, "Not Found")
        return answered(200, {"payout": self.face.payouts.payout(row)})

    def balance_transactions(self, call: Call) -> Answer:
        own = self.face.payouts
        made: dict[int, tuple[int, int]] = {}

        def listed(params: Params) -> list[int]:
            payout = None
            if "payout_id" in params:
                payout = own.row(int(params["payout_id"])) if params["payout_id"].isdecimal() else None
                if payout is None:
                    return []
            made.update({own.entry_number(entry): entry for entry in own.entries(payout)})
            return list(made)

        return page(call, "transactions", frozenset({"payout_id"}), listed, lambda n: own.shown(made[n]))
