"""Orders, refunds, transactions and parcels in the shape of Shopify's REST resources, as of a moment."""

from __future__ import annotations

from typing import Any

from livemarket.faces.business import iso
from livemarket.faces.journey import Journey
from livemarket.faces.sales import SITE, Sales
from livemarket.faces.shopify import ids
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major

CURRENCY = names.CURRENCY
GATEWAYS = ("shopify_payments", "paypal")
VENDOR = "Simulated"
EXTRA = {"test": False, "tags": "simulated"}


class Objects:
    """`notes` holds what callers wrote on refunds."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.sales = Sales(view, SITE)
        self.journey = Journey(view)
        self.notes: dict[int, str] = {}

    def line_item(self, row: int, at: int) -> dict[str, Any]:
        view, number = self.view, self.sales.number(row)
        sku, quantity, tax = (view.order(n, row) for n in ("sku", "quantity", "tax"))
        sent = self.journey.shipped(row, at) is not None
        title = names.title(view.world, sku)
        return {
            "id": ids.child(number, 0), "admin_graphql_api_id": ids.gid("LineItem", ids.child(number, 0)),
            "variant_id": ids.variant(sku), "product_id": ids.product(sku), "title": title, "name": title,
            "variant_title": None, "sku": names.sku(sku), "vendor": VENDOR, "quantity": quantity,
            "current_quantity": quantity, "price": major(view.order("price", row)), "total_discount": "0.00",
            "grams": int(view.world.products.grams[sku]), "requires_shipping": True, "taxable": True,
            "gift_card": False, "fulfillment_service": "manual", "product_exists": True, "properties": [],
            "fulfillable_quantity": 0 if sent else quantity, "fulfillment_status": "fulfilled" if sent else None,
            "tax_lines": [{"title": "Sales tax", "price": major(tax)}] if tax else [],
            "variant_inventory_management": "shopify",
        }  # fmt: skip

    def financial_status(self, row: int, at: int) -> str:
        back, total = self.view.refunded(row, at), self.view.order("total", row)
        return "paid" if not back else "refunded" if back >= total else "partially_refunded"

    def updated(self, row: int, at: int) -> int:
        """The last thing that happened to an order by then."""
        moments = [self.view.moment(self.view.state.refunds, r) for r in self.view.refunds_of(row, at)]
        others = (self.journey.shipped(row, at), self.journey.cancelled(row, at), self.view.paid_at(row))
        return max([*moments, *(m for m in others if m is not None)])

    def order(self, row: int, at: int) -> dict[str, Any]:
        view, number, name = self.view, self.sales.number(row), self.view.order_name(row)
        born, off = iso(view.paid_at(row)), self.journey.cancelled(row, at)
        subtotal, shipping, tax, total = (major(view.order(n, row)) for n in ("subtotal", "shipping", "tax", "total"))
        sent, who = self.journey.shipped(row, at), view.order("customer", row)
        left = view.order("total", row) - view.refunded(row, at)
        return EXTRA | {
            "id": number, "admin_graphql_api_id": ids.gid("Order", number), "name": f"#{name}",
            "order_number": number, "number": number, "currency": CURRENCY, "presentment_currency": CURRENCY,
            "created_at": born, "processed_at": born, "updated_at": iso(self.updated(row, at)), "closed_at": None,
            "cancelled_at": None if off is None else iso(off), "cancel_reason": None if off is None else "inventory",
            "confirmed": True, "financial_status": self.financial_status(row, at),
            "fulfillment_status": None if sent is None else "fulfilled", "email": "", "phone": None, "note": None,
            "note_attributes": [], "source_name": "web", "taxes_included": False, "total_discounts": "0.00",
            "subtotal_price": subtotal, "total_line_items_price": subtotal, "total_tax": tax, "total_price": total,
            "current_total_price": major(left), "total_outstanding": "0.00", "discount_codes": [],
            "payment_gateway_names": [GATEWAYS[view.order("processor", row)]],
            "total_shipping_price_set": {
                side: {"amount": shipping, "currency_code": CURRENCY} for side in ("shop_money", "presentment_money")
            },
            "shipping_lines": [{"id": ids.child(number, 1), "title": "Standard", "code": "std", "price": shipping}],
            "tax_lines": [{"title": "Sales tax", "price": tax}] if view.order("tax", row) else [],
            "customer": {"id": ids.customer(who), "first_name": names.customer(who), "last_name": "", "email": None},
            "line_items": [self.line_item(row, at)], "refunds": [self.refund(r, at) for r in view.refunds_of(row, at)],
            "fulfillments": self.fulfillments(row, at),
        }  # fmt: skip

    def fulfillments(self, row: int, at: int) -> list[dict[str, Any]]:
        """The one parcel of an order, once it was sent."""
        sent = self.journey.shipped(row, at)
        if sent is None:
            return []
        number, code = self.sales.number(row), f"trk-{self.view.order_name(row)}"
        scanned, there = self.journey.scanned(row, at), self.journey.delivered(row, at)
        state = "delivered" if there is not None else "in_transit" if scanned is not None else "confirmed"
        last = max(m for m in (sent, scanned, there) if m is not None)
        courier = self.view.world.setting.couriers[self.view.order("courier", row)].name
        return [{
            "id": ids.child(number, 0), "admin_graphql_api_id": ids.gid("Fulfillment", ids.child(number, 0)),
            "order_id": number, "name": f"#{self.view.order_name(row)}.1", "status": "success", "service": "manual",
            "created_at": iso(sent), "updated_at": iso(last), "shipment_status": state, "location_id": ids.LOCATION,
            "tracking_company": courier, "tracking_number": code, "tracking_numbers": [code], "tracking_url": None,
            "tracking_urls": [], "receipt": {}, "line_items": [self.line_item(row, at)],
        }]  # fmt: skip

    def refund_number(self, refund: int) -> int:
        number = self.sales.number(self.view.cell("refunds", "order", refund))
        return ids.child(number, 1 + self.view.cell("refunds", "number", refund))

    def refund(self, refund: int, at: int) -> dict[str, Any]:
        view, number = self.view, self.refund_number(refund)
        row, amount = view.cell("refunds", "order", refund), view.cell("refunds", "amount", refund)
        whole = amount == view.order("total", row)
        born, order = iso(view.moment(view.state.refunds, refund)), self.sales.number(row)
        item = {
            "id": number, "line_item_id": ids.child(order, 0), "quantity": view.order("quantity", row),
            "subtotal": major(view.order("subtotal", row)), "total_tax": major(view.order("tax", row)),
            "restock_type": "no_restock", "location_id": None,
        }  # fmt: skip
        discrepancy = {
            "id": number, "order_id": order, "refund_id": number, "amount": major(-amount), "tax_amount": "0.00",
            "kind": "refund_discrepancy", "reason": "Refund discrepancy",
        }  # fmt: skip
        return {
            "id": number, "admin_graphql_api_id": ids.gid("Refund", number), "order_id": order, "created_at": born,
            "processed_at": born, "note": self.notes.get(number), "restock": False, "user_id": None, "duties": [],
            "refund_line_items": [item | {"line_item": self.line_item(row, at)}] if whole else [],
            "order_adjustments": [] if whole else [discrepancy], "transactions": [self.back(refund)],
        }  # fmt: skip

    def sale(self, row: int) -> dict[str, Any]:
        """The transaction that paid for an order."""
        number = self.sales.number(row)
        own = self._transaction(
            row, ids.child(number, 0), "sale", self.view.order("total", row), self.view.paid_at(row)
        )
        return own | {"parent_id": None}

    def back(self, refund: int) -> dict[str, Any]:
        """The transaction of a refund."""
        view, row = self.view, self.view.cell("refunds", "order", refund)
        moment, amount = view.moment(view.state.refunds, refund), view.cell("refunds", "amount", refund)
        own = self._transaction(row, self.refund_number(refund), "refund", amount, moment)
        return own | {"parent_id": ids.child(self.sales.number(row), 0)}

    def _transaction(self, row: int, number: int, kind: str, amount: int, moment: int) -> dict[str, Any]:
        return {
            "id": number, "admin_graphql_api_id": ids.gid("OrderTransaction", number),
            "order_id": self.sales.number(row), "kind": kind, "gateway": GATEWAYS[self.view.order("processor", row)],
            "status": "success", "message": None, "created_at": iso(moment), "processed_at": iso(moment),
            "amount": major(amount), "currency": CURRENCY, "authorization": None, "error_code": None,
            "source_name": "web", "receipt": {}, "test": False, "location_id": None, "device_id": None, "user_id": None,
        }  # fmt: skip

    def transactions(self, row: int, at: int) -> list[dict[str, Any]]:
        return [self.sale(row), *(self.back(r) for r in self.view.refunds_of(row, at))]
