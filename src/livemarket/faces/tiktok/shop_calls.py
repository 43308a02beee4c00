"""What each path of the Shop does. Handlers take a call whose signature was checked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from livemarket.core.acts import Verb
from livemarket.core.arrays import Ints
from livemarket.faces import amounts, givebacks, shapes
from livemarket.faces.business import DAY, moment_of
from livemarket.faces.calls import Call
from livemarket.faces.shapes import an_object
from livemarket.faces.tiktok import goods
from livemarket.faces.tiktok.envelope import Refused
from livemarket.faces.tiktok.orders import ASKED, COMPLETE, CURRENCY, OWN, STATUSES
from livemarket.files import names
from livemarket.files.faults import major

if TYPE_CHECKING:
    from livemarket.faces.tiktok.shop import TikTokShop

Row = TypeVar("Row")
Action = Callable[[Call], Any]
INVALID, INTERNAL = 36_009_004, 36_009_003
FAR_MOMENT = 1 << 40


def invalid(message: str) -> Refused:
    return Refused(INVALID, message, 400)


def body(call: Call) -> dict[str, Any]:
    """The body as an object."""
    try:
        document = an_object(amounts.decoded(call.body))
    except ValueError as error:
        raise invalid("The body is not JSON.") from error
    if document is None:
        raise invalid("The body is not an object.")
    return document


def objects(asked: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects in a body."""
    found = shapes.objects(asked.get(name))
    if not found:
        raise invalid(f"{name} is a required list of objects")
    return found


def texts(asked: dict[str, Any], name: str) -> list[str]:
    """A list of texts in a body; empty if it is not there."""
    found = shapes.texts(asked.get(name) or [])
    if found is None:
        raise invalid(f"{name} is a list of texts")
    return found


def whole(asked: dict[str, Any], name: str) -> int | None:
    """A time of the body or the query, as seconds."""
    value = asked.get(name)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    if value is None or type(value) is int:
        return value
    raise invalid(f"{name} is a whole number")


def page(
    call: Call, name: str, rows: Sequence[Row], key: Callable[[Row], str], made: Callable[[Row], Any], most: int,
) -> dict[str, Any]:  # fmt: skip
    """One page; the token names the last row that was given, so that new rows before it shift nothing."""
    size, token = call.asked("page_size", "20"), call.asked("page_token")
    if not size.isdecimal() or not 1 <= int(size) <= most:
        raise invalid(f"page_size is from 1 to {most}")
    start = 0
    if token:
        try:
            last = base64.urlsafe_b64decode(token).decode()
            start = [key(row) for row in rows].index(last) + 1
        except ValueError as error:
            raise invalid("page_token is invalid") from error
    chosen = rows[start : start + int(size)]
    more = start + int(size) < len(rows)
    following = base64.urlsafe_b64encode(key(chosen[-1]).encode()).decode() if more and chosen else ""
    return {name: [made(row) for row in chosen], "next_page_token": following, "total_count": len(rows)}


class ShopCalls:
    """Reads, then acts."""

    def __init__(self, face: TikTokShop) -> None:
        self.face = face

    def table(self) -> list[tuple[str, str, Action]]:
        made: list[tuple[str, str, Action]] = [
            ("GET", "/authorization/202309/shops", self.shops),
            ("POST", "/order/202309/orders/search", self.orders), ("GET", "/order/202309/orders", self.details),
            ("GET", "/product/202309/products/{id}", self.product),
            ("POST", "/product/202309/products/{id}/prices/update", self.prices),
            ("POST", "/product/202309/products/{id}/inventory/update", self.inventory),
            ("POST", "/product/202309/products/activate", lambda call: self.listed(call, Verb.LIST)),
            ("POST", "/product/202309/products/deactivate", lambda call: self.listed(call, Verb.UNLIST)),
            ("POST", "/return_refund/202309/returns/search", self.returns),
            ("POST", "/return_refund/202309/returns", self.give_back),
            ("POST", "/return_refund/202309/returns/{id}/approve", self.approve),
            ("GET", "/finance/202309/statements", self.statements), ("GET", "/finance/202309/payments", self.payments),
            ("GET", "/finance/202309/statements/{id}/statement_transactions", self.transactions),
            ("GET", "/finance/202309/orders/{id}/statement_transactions", self.of_order),
            ("GET", "/analytics/202509/shop_lives/performance", self.lives),
        ]  # fmt: skip
        versions = ("202309", "202312", "202502")
        return made + [("POST", f"/product/{v}/products/search", self.products) for v in versions]

    def shops(self, call: Call) -> Any:
        return {"shops": [{
            "id": self.face.shop_id, "name": "Simulated shop", "region": "US", "seller_type": "LOCAL",
            "cipher": self.face.cipher, "code": "SIM00001",
        }]}  # fmt: skip

    def orders(self, call: Call) -> Any:
        asked, own = body(call), self.face.orders
        rows, now = own.sales.rows(), own.view.now
        updated = call.asked("sort_field", "create_time") == "update_time"
        for name, column in (("create_time", own.sales.paid), ("update_time", self._updated)):
            low, high = whole(asked, f"{name}_ge"), whole(asked, f"{name}_lt")
            if low is not None:
                rows = rows[column(rows) >= moment_of(low)]
            if high is not None:
                rows = rows[column(rows) < moment_of(high)]
        if asked.get("order_status"):
            if str(asked["order_status"]) not in STATUSES:
                raise invalid(f"order_status is one of {', '.join(STATUSES)}")
            rows = rows[own.latest(rows)[0] == STATUSES.index(asked["order_status"])]
        if updated:
            rows = rows[np.argsort(own.latest(rows)[1], kind="stable")]
        found: list[int] = rows.tolist()
        if asked.get("buyer_user_id"):
            found = [r for r in found if names.customer(own.view.order("customer", r)) == asked["buyer_user_id"]]
        if call.asked("sort_order", "DESC") == "DESC":
            found.reverse()
        return page(call, "orders", found, own.number, lambda row: own.order(row, now), 100)

    def _updated(self, rows: Ints) -> Ints:
        return self.face.orders.latest(rows)[1]

    def details(self, call: Call) -> Any:
        ids = [text for text in call.asked("ids").split(",") if text]
        if not 1 <= len(ids) <= 50:
            raise invalid("ids is a required field, 50 at most")
        rows = [self.face.orders.row(text) for text in ids]
        return {"orders": [self.face.orders.order(row, self.face.view.now) for row in rows if row is not None]}

    def _sku(self, call: Call) -> int:
        sku = goods.sku_of(call.found["id"], len(self.face.goods.skus))
        if sku is None:
            raise Refused(12_052_001, "Product does not exist.", 404)
        return sku

    def products(self, call: Call) -> Any:
        asked, own = body(call), self.face.goods
        status, wanted, available = str(asked.get("status", "ALL")), texts(asked, "seller_skus"), own.available()
        rows = [
            sku for sku in own.skus
            if status in {"ALL", own.status(sku)} and (not wanted or names.sku(sku) in wanted)
        ]  # fmt: skip
        return page(call, "products", rows, goods.product_id, lambda sku: own.product(sku, available[sku]), 100)

    def product(self, call: Call) -> Any:
        sku = self._sku(call)
        return self.face.goods.product(sku, self.face.goods.available()[sku])

    def _own(self, one: dict[str, Any], sku: int) -> None:
        if one.get("id") != goods.sku_id(sku):
            raise invalid("The SKU is not one of this product.")

    def prices(self, call: Call) -> Any:
        """Buyers see the new price from the next morning."""
        sku = self._sku(call)
        for one in objects(body(call), "skus"):
            self._own(one, sku)
            price = an_object(one.get("price"))
            if price is None or price.get("currency") != CURRENCY:
                raise invalid("price has an amount and the shop's currency")
            amount = amounts.minor(price.get("amount"))
            if not amount or amount > goods.MOST_MINOR:
                raise invalid(f"amount is from 0.01 to {major(goods.MOST_MINOR)}")
            self._act(Verb.PRICE, sku, amount)
        return {}

    def inventory(self, call: Call) -> Any:
        """What can be sold is set to a quantity."""
        sku = self._sku(call)
        for one in objects(body(call), "skus"):
            self._own(one, sku)
            places = objects(one, "inventory")
            if len(places) != 1 or places[0].get("warehouse_id", goods.WAREHOUSE) != goods.WAREHOUSE:
                raise invalid("There is one warehouse.")
            quantity = places[0].get("quantity")
            if type(quantity) is not int or not 0 <= quantity < 99_999:
                raise invalid("quantity is a whole number below 99999")
            delta = quantity - self.face.goods.available()[sku]
            if delta:
                self._act(Verb.ADJUST, sku, delta)
        return {"errors": []}

    def listed(self, call: Call, verb: Verb) -> Any:
        ids = shapes.a_list(body(call).get("product_ids"))
        if ids is None or not 1 <= len(ids) <= 20:
            raise invalid("product_ids has from 1 to 20 ids")
        errors: list[dict[str, Any]] = []
        for text in ids:
            sku = goods.sku_of(str(text), len(self.face.goods.skus))
            if sku is None:
                errors.append(
                    {"code": 12_052_001, "message": "Product does not exist.", "detail": {"product_id": text}}
                )
            else:
                self._act(verb, sku, 0)
        return {"errors": errors}

    def _act(self, verb: Verb, entity: int, amount: int) -> int:
        moment = self.face.business.act(verb, entity, amount)
        if moment is None:
            raise Refused(INTERNAL, "The system is busy. Try again.", 500)
        return moment

    def returns(self, call: Call) -> Any:
        asked, own = body(call), self.face.orders
        found = own.every_return()
        lists = (("return_ids", "return_id"), ("order_ids", "order_id"), ("return_types", "return_type"),
                 ("return_status", "return_status"))  # fmt: skip
        for many, name in lists:
            wanted = texts(asked, many)
            if wanted:
                found = [made for made in found if made[name] in wanted]
        for name in ("create_time", "update_time"):
            low, high = whole(asked, f"{name}_ge"), whole(asked, f"{name}_lt")
            found = [m for m in found if (low or 0) <= m[name] < (FAR_MOMENT if high is None else high)]
        field = "update_time" if call.asked("sort_field") == "update_time" else "create_time"
        found.sort(key=lambda made: made[field], reverse=call.asked("sort_order", "ASC") == "DESC")
        return page(call, "return_orders", found, lambda made: made["return_id"], lambda made: made, 50)

    def _given(self, row: int, amount: int) -> int:
        """A refund now: its row."""
        given = givebacks.give_back(self.face.business, self.face.view, row, amount)
        if given.why is not None:
            raise Refused(25_026_003, f"The refund is not possible: {given.why.value}.", 400)
        return given.refund

    def give_back(self, call: Call) -> Any:
        """A refund by the shop. Goods stay with the buyer: it cannot make a parcel come back."""
        asked = body(call)
        row = self.face.orders.row(str(asked.get("order_id", "")))
        if row is None:
            raise Refused(25_001_001, "The order does not exist.", 404)
        if asked.get("return_type") != "REFUND":
            raise invalid("return_type is REFUND in this world")
        if not asked.get("return_reason"):
            raise invalid("return_reason is a required field")
        if asked.get("currency", CURRENCY) != CURRENCY:
            raise invalid("currency is the order's")
        left = givebacks.left(self.face.view, row)
        amount = amounts.minor(asked["refund_total"]) if "refund_total" in asked else left
        if amount is None:
            raise invalid("refund_total is an amount with two decimals")
        refund = self._given(row, amount)
        own = self.face.orders.return_id(row, OWN + self.face.view.cell("refunds", "number", refund))
        known = [made["return_id"] for made in self.face.orders.returns(row, self.face.view.now)]
        return {"return_id": own if own in known else known[0], "return_status": COMPLETE}  # the buyer's, if one waits

    def approve(self, call: Call) -> Any:
        """The shop says yes to what a buyer asked: all that is left goes back now."""
        named = self.face.orders.return_named(call.found["id"])
        now = self.face.view.now
        made = [] if named is None else self.face.orders.returns(named[0], now)
        found = next((m for m in made if m["return_id"] == call.found["id"]), None)
        if named is None or found is None or named[1] != ASKED:
            raise Refused(25_001_001, "The return does not exist.", 404)
        if body(call).get("decision") not in {"APPROVE_REFUND", "APPROVE_RECEIVED_PACKAGE"}:
            raise invalid("decision is APPROVE_REFUND or APPROVE_RECEIVED_PACKAGE in this world")
        if found["return_status"] == COMPLETE:
            raise Refused(25_026_003, "The return is complete.", 400)
        self._given(named[0], givebacks.left(self.face.view, named[0]))
        return {}

    def _dated(self, call: Call, rows: list[int], name: str, moment: Callable[[int], int]) -> list[int]:
        """Rows between two times of the query, in the order it asks for."""
        asked: dict[str, Any] = dict(call.pairs())
        if asked.get("sort_field", name) != name:
            raise invalid(f"sort_field is {name}")
        low, high = whole(asked, f"{name}_ge"), whole(asked, f"{name}_lt")
        first = -FAR_MOMENT if low is None else moment_of(low)
        last = FAR_MOMENT if high is None else moment_of(high)
        found = [row for row in rows if first <= moment(row) < last]
        return found[::-1] if asked.get("sort_order", "ASC") == "DESC" else found

    def statements(self, call: Call) -> Any:
        own = self.face.finance
        rows = self._dated(call, own.rows(), "statement_time", own.moment)
        if call.asked("payment_status"):
            rows = [row for row in rows if own.status(row) == call.asked("payment_status")]
        return page(call, "statements", rows, lambda row: own.number("statement", row), own.statement, 100)

    def payments(self, call: Call) -> Any:
        own = self.face.finance
        rows = self._dated(call, own.rows(), "create_time", own.view.payout_moment)
        return page(call, "payments", rows, lambda row: own.number("payment", row), own.payment, 100)

    def transactions(self, call: Call) -> Any:
        own = self.face.finance
        payout = own.row(call.found["id"])
        if payout is None:
            raise Refused(INVALID, "The statement does not exist.", 404)
        lines = sorted(own.settled(payout), key=lambda line: own.view.paid_at(own.view.cell("lines", "order", line)))
        if call.asked("sort_order", "ASC") == "DESC":
            lines.reverse()
        statement = own.statement(payout)
        made = page(call, "statement_transactions", lines, lambda n: own.transaction(n)["id"], own.transaction, 100)
        head = {"statement_id": statement["id"]} | {k: v for k, v in statement.items() if k.endswith("_amount")}
        return made | head | {"statement_time": statement["statement_time"], "currency": CURRENCY}

    def of_order(self, call: Call) -> Any:
        row = self.face.orders.row(call.found["id"])
        if row is None:
            raise Refused(25_001_001, "The order does not exist.", 404)
        lines = [self.face.finance.transaction(line) for line in self.face.finance.of_order(row)]
        return {"order_id": call.found["id"], "currency": CURRENCY, "statement_transactions": lines}

    def lives(self, call: Call) -> Any:
        try:
            first, last = (date.fromisoformat(call.asked(name)) for name in ("start_date_ge", "end_date_lt"))
        except ValueError as error:
            raise invalid("start_date_ge and end_date_lt are dates") from error
        days = [(day - names.calendar_date(0)).days * DAY for day in (first, last)]
        found = self.face.lives.ended(days[0], days[1])
        made = page(call, "live_stream_sessions", found, lambda m: m["id"], lambda m: m, 100)
        return made | {"latest_available_date": self.face.lives.latest()}
