"""Orders and returns of the marketplace, as of a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.aftersales import ReturnKind
from livemarket.core.arrays import Ints
from livemarket.core.state import Status, Word
from livemarket.faces.business import DAY, unix
from livemarket.faces.journey import Journey
from livemarket.faces.numbers import CHILDREN
from livemarket.faces.sales import MARKET, Sales
from livemarket.faces.tiktok import goods
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major

CURRENCY = names.CURRENCY
BASE = 570_000_000_000_000_000  # ids have eighteen digits
SETTLED_SECOND, JUDGED_SECOND = 7_200, 84_200
ASKED, OWN = 1, 32  # children of an order: the buyer's return, the shop's own refunds
STATUSES = ("AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED", "CANCELLED")
COMPLETE = "RETURN_OR_REFUND_REQUEST_COMPLETE"
_REASONS = {
    ReturnKind.CHANGED_MIND: "no_longer_needed", ReturnKind.DEFECTIVE: "defective",
    ReturnKind.NOT_RECEIVED: "package_not_received", ReturnKind.EMPTY_BOX: "no_longer_needed",
    ReturnKind.WARDROBING: "no_longer_needed",
}  # fmt: skip


class Orders:
    """What buyers said, never what they meant."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.sales = Sales(view, MARKET)
        self.journey = Journey(view)
        self._returns: tuple[int, list[dict[str, Any]]] = (-1, [])

    def number(self, row: int) -> str:
        return str(BASE + self.sales.number(row))

    def row(self, text: str) -> int | None:
        return self.sales.row(int(text) - BASE) if text.isdecimal() and BASE <= int(text) < 2 * BASE else None

    def states(self, row: int, at: int) -> list[tuple[str, int]]:
        """Each status and since when, the latest last."""
        settled = self.view.order("settled_day", row) * DAY + SETTLED_SECOND
        delivered = self.journey.delivered(row, at)
        found = [
            ("AWAITING_SHIPMENT", self.view.paid_at(row)), ("AWAITING_COLLECTION", self.journey.shipped(row, at)),
            ("IN_TRANSIT", self.journey.scanned(row, at)), ("DELIVERED", delivered),
            ("COMPLETED", settled if 0 <= settled <= at and delivered is not None else None),
            ("CANCELLED", self.journey.cancelled(row, at)),
        ]  # fmt: skip
        return [(name, moment) for name, moment in found if moment is not None]

    def latest(self, rows: Ints) -> tuple[Ints, Ints]:
        """The places in STATUSES of many orders as of now, and since when: `states` for all of them at once."""
        world, orders, now = self.view.world, self.view.state.orders, self.view.now

        def drawn(first: int, span: int, word: Word) -> Ints:
            return first + np.floor(span * world.word(word, rows)).astype(np.int64)

        sent, there = orders.at("ship_day", rows), orders.at("deliver_day", rows)
        slow = world.word(Word.SCAN, rows) < world.number("dispatch_late")
        scanned = np.where(sent >= 0, (sent + 3 * slow) * DAY + drawn(68_400, 14_400, Word.SCAN), -1)
        delivered = np.where(there >= 0, there * DAY + drawn(28_800, 39_600, Word.TRANSIT), -1)
        settled = np.where(
            orders.at("settled_day", rows) >= 0, orders.at("settled_day", rows) * DAY + SETTLED_SECOND, -1
        )
        settled = np.where((delivered >= 0) & (delivered <= now), settled, -1)
        off = orders.at("status", rows) == Status.CANCELLED
        cancelled = np.where(off, (orders.at("day", rows) + 1) * DAY + drawn(32_400, 7_200, Word.PICK), -1)
        place, since = np.zeros(len(rows), dtype=np.int64), self.sales.paid(rows)
        for n, moment in enumerate((self.sales.shipped(rows), scanned, delivered, settled, cancelled), start=1):
            reached = (moment >= 0) & (moment <= now)
            place, since = np.where(reached, n, place), np.where(reached, moment, since)
        return place, since

    def order(self, row: int, at: int) -> dict[str, Any]:
        view, name = self.view, self.view.order_name(row)
        states = dict(self.states(row, at))
        status, since = self.states(row, at)[-1]
        sku, quantity = view.order("sku", row), view.order("quantity", row)
        subtotal, shipping, tax, total = (major(view.order(n, row)) for n in ("subtotal", "shipping", "tax", "total"))
        price, who, born = major(view.order("price", row)), view.order("customer", row), unix(view.paid_at(row))
        courier = view.world.setting.couriers[view.order("courier", row)].name if "IN_TRANSIT" in states else ""
        line: dict[str, Any] = {
            "sku_id": goods.sku_id(sku), "product_id": goods.product_id(sku), "seller_sku": names.sku(sku),
            "product_name": names.title(view.world, sku), "sku_name": "Default", "original_price": price,
            "sale_price": price, "platform_discount": "0.00", "seller_discount": "0.00", "sku_type": "NORMAL",
            "currency": CURRENCY, "display_status": status, "is_gift": False, "shipping_provider_name": courier,
            "tracking_number": f"trk-{name}" if "AWAITING_COLLECTION" in states else "", "item_tax": [],
        }  # fmt: skip
        return {
            "id": self.number(row), "status": status, "create_time": born, "paid_time": born,
            "update_time": unix(since), "user_id": names.customer(who), "buyer_email": "", "buyer_message": "",
            "fulfillment_type": "FULFILLMENT_BY_SELLER", "shipping_type": "SELLER", "delivery_type": "HOME_DELIVERY",
            "is_cod": False, "is_sample_order": False, "is_on_hold_order": False, "is_replacement_order": False,
            "is_buyer_request_cancel": False, "payment_method_name": "Simulated", "warehouse_id": goods.WAREHOUSE,
            "shipping_provider": courier, "tracking_number": line["tracking_number"],
            "cancel_reason": "Out of stock" if status == "CANCELLED" else "",
            "cancellation_initiator": "SELLER" if status == "CANCELLED" else "",
            "cancel_time": unix(states["CANCELLED"]) if "CANCELLED" in states else 0,
            "collection_time": unix(states["IN_TRANSIT"]) if "IN_TRANSIT" in states else 0,
            "delivery_time": unix(states["DELIVERED"]) if "DELIVERED" in states else 0,
            "packages": [{"id": f"{self.sales.number(row) * CHILDREN}"}] if "AWAITING_COLLECTION" in states else [],
            "payment": {
                "currency": CURRENCY, "sub_total": subtotal, "shipping_fee": shipping, "tax": tax,
                "total_amount": total, "original_total_product_price": subtotal, "original_shipping_fee": shipping,
                "seller_discount": "0.00", "platform_discount": "0.00", "shipping_fee_seller_discount": "0.00",
                "shipping_fee_platform_discount": "0.00", "product_tax": tax, "shipping_fee_tax": "0.00",
            },
            "line_items": [{"id": self.line_id(row, n)} | line for n in range(quantity)],  # one for each piece
        }  # fmt: skip

    def line_id(self, row: int, piece: int) -> str:
        return str(BASE + self.sales.number(row) * CHILDREN + piece)

    def return_id(self, row: int, place: int) -> str:
        return str(4 * BASE + self.sales.number(row) * CHILDREN + place)

    def return_named(self, text: str) -> tuple[int, int] | None:
        """The order and place of a return; it need not exist."""
        if not text.isdecimal() or not 4 * BASE <= int(text) < 8 * BASE:
            return None
        number, place = divmod(int(text) - 4 * BASE, CHILDREN)
        row = self.sales.row(number)
        return None if row is None else (row, place)

    def returns(self, row: int, at: int) -> list[dict[str, Any]]:
        """The buyer's return, if one was asked for by then, and the shop's own refunds."""
        asked = self.journey.return_asked(row, at)
        refunds, found = self.view.refunds_of(row, at), list[dict[str, Any]]()
        if asked is not None:
            later = [r for r in refunds if self.view.moment(self.view.state.refunds, r) >= asked]
            found.append(self._asked(row, asked, later, at))
            refunds = [r for r in refunds if r not in later]
        for refund in refunds:
            born = self.view.moment(self.view.state.refunds, refund)
            place = OWN + self.view.cell("refunds", "number", refund)
            amount = self.view.cell("refunds", "amount", refund)
            own = {"role": "SELLER", "return_type": "REFUND", "return_status": COMPLETE, "return_reason": "seller"}
            found.append(self._shape(row, place, amount, born, born) | own | {"can_buyer_keep_item": True})
        return found

    def _asked(self, row: int, asked: int, refunds: list[int], at: int) -> dict[str, Any]:
        kind = ReturnKind(self.view.order("return_kind", row))
        back, last = self.journey.returned(row, at), asked
        needs_parcel = kind != ReturnKind.NOT_RECEIVED
        status = "BUYER_SHIPPED_ITEM" if needs_parcel else "RETURN_OR_REFUND_REQUEST_PENDING"
        action = "SELLER_RESPOND_RECEIVE_PACKAGE" if needs_parcel else "SELLER_RESPOND_REFUND"
        waits = not needs_parcel or back is not None
        amount = self.view.order("total", row)
        refused = self._refused(row, at)
        if refunds:
            status, waits = COMPLETE, False
            amount = sum(self.view.cell("refunds", "amount", r) for r in refunds)
            last = self.view.moment(self.view.state.refunds, refunds[-1])
        elif refused is not None:
            status, waits, last = "REFUND_OR_RETURN_REQUEST_REJECT", False, refused
        made = self._shape(row, ASKED, amount, asked, last if back is None or last > back else back)
        return made | {
            "role": "BUYER", "return_type": "RETURN_AND_REFUND" if needs_parcel else "REFUND",
            "return_status": status, "return_reason": _REASONS[kind], "can_buyer_keep_item": not needs_parcel,
            "seller_next_action_response": [{"action": action, "deadline": unix(last + 4 * DAY)}] if waits else [],
        }  # fmt: skip

    def _refused(self, row: int, at: int) -> int | None:
        """When a person said no."""
        table = self.view.state.decisions
        own = (table["kind"] == 0) & (table["entity"] == row) & (table["after"] == 0)
        moments = [day * DAY + JUDGED_SECOND for day in table["day"][np.flatnonzero(own)].tolist()]
        return next((m for m in moments if m <= at), None)

    def _shape(self, row: int, place: int, amount: int, born: int, last: int) -> dict[str, Any]:
        sku, money = self.view.order("sku", row), {"currency": CURRENCY, "refund_total": major(amount)}
        return {
            "return_id": self.return_id(row, place), "order_id": self.number(row), "create_time": unix(born),
            "update_time": unix(last), "arbitration_status": "", "shipment_type": "PLATFORM",
            "refund_amount": money | {"refund_subtotal": major(amount), "refund_tax": "0.00"},
            "seller_next_action_response": list[Any](),
            "return_line_items": [{
                "return_line_item_id": self.return_id(row, place), "order_line_item_id": self.line_id(row, 0),
                "sku_id": goods.sku_id(sku), "seller_sku": names.sku(sku), "refund_amount": money,
                "product_name": names.title(self.view.world, sku), "sku_name": "Default",
            }],
        }  # fmt: skip

    def every_return(self) -> list[dict[str, Any]]:
        """All of them as of now; kept until the clock moves, so that further pages cost little."""
        now = self.view.now
        if self._returns[0] != now:
            self._returns = (now, [made for row in self.with_returns() for made in self.returns(row, now)])
        return list(self._returns[1])

    def with_returns(self) -> list[int]:
        """Orders of the marketplace of which something was asked back or given back by now."""
        orders, table = self.view.state.orders, self.view.state.refunds
        rows = self.sales.rows()
        back = set(table["order"].tolist())
        asked = orders.at("return_day", rows)
        return [row for row, day in zip(rows.tolist(), asked.tolist(), strict=True) if day >= 0 or row in back]
