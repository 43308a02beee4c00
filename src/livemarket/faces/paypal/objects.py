"""PayPal's objects, as of a moment, from the world's tables. Amounts are decimal text."""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.money import Kind
from livemarket.core.opponents import Intent
from livemarket.faces.business import DAY, iso
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major

PAYPAL = 1


def money(minor: int) -> dict[str, str]:
    return {"currency_code": names.CURRENCY, "value": major(minor)}


class Objects:
    """`notes` holds what callers wrote on refunds."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.notes: dict[str, dict[str, Any]] = {}

    def capture_id(self, row: int) -> str:
        return names.payment_ids(self.view.world, np.array([row]))[0]

    def named(self, key: str) -> int | None:
        """The order of a capture's id."""
        if len(key) != 17:
            return None
        try:
            row = self.view.keyed_order(int(key[:3], 16), int(key[3:], 16))
        except ValueError:
            return None
        return row if row is not None and self.view.order("processor", row) == PAYPAL else None

    def refund_id(self, refund: int) -> str:
        line = self.view.cell("refunds", "line", refund)
        return names.paypal_transaction("T1107", names.line_keys(self.view.world, np.array([line]))[0])

    def _fee(self, row: int, at: int) -> int:
        view = self.view
        kept = (n for n in view.lines_of(row, at) if view.cell("lines", "kind", n) == Kind.CHARGE)
        return sum(view.cell("lines", "fee", line) for line in kept)

    def capture(self, row: int, at: int, base: str) -> dict[str, Any]:
        view, key, name = self.view, self.capture_id(row), self.view.order_name(row)
        total, back = view.order("total", row), view.refunded(row, at)
        status = "DECLINED" if view.failed(row) else "COMPLETED"
        if back:
            status = "REFUNDED" if back == total else "PARTIALLY_REFUNDED"
        fee = self._fee(row, at)
        made: dict[str, Any] = {
            "id": key, "status": status, "amount": money(total), "invoice_id": name, "custom_id": name,
            "final_capture": True, "seller_protection": {"status": "ELIGIBLE"},
            "supplementary_data": {"related_ids": {"order_id": f"O{key}"}},
            "create_time": iso(view.paid_at(row)), "update_time": iso(view.paid_at(row)),
            "links": links(base, ("self", f"/v2/payments/captures/{key}", "GET"),
                           ("refund", f"/v2/payments/captures/{key}/refund", "POST"),
                           ("up", f"/v2/checkout/orders/O{key}", "GET")),
        }  # fmt: skip
        if not view.failed(row):
            made["seller_receivable_breakdown"] = {
                "gross_amount": money(total), "paypal_fee": money(fee), "net_amount": money(total - fee),
            }  # fmt: skip
        return made

    def order(self, row: int, at: int, base: str) -> dict[str, Any]:
        view, key = self.view, self.capture_id(row)
        capture = self.capture(row, at, base)
        capture.pop("supplementary_data")
        subtotal, postage, tax = (view.order(n, row) for n in ("subtotal", "shipping", "tax"))
        unit = {
            "reference_id": "default", "custom_id": view.order_name(row), "invoice_id": view.order_name(row),
            "amount": money(view.order("total", row)) | {"breakdown": {
                "item_total": money(subtotal), "shipping": money(postage), "tax_total": money(tax),
            }},
            "items": [{
                "name": names.title(view.world, view.order("sku", row)), "sku": names.sku(view.order("sku", row)),
                "quantity": str(view.order("quantity", row)), "unit_amount": money(view.order("price", row)),
            }],
            "payments": {
                "captures": [capture], "refunds": [self.refund(r, at, base) for r in view.refunds_of(row, at)],
            },
        }  # fmt: skip
        return {
            "id": f"O{key}", "intent": "CAPTURE", "status": "CREATED" if view.failed(row) else "COMPLETED",
            "purchase_units": [unit], "create_time": iso(view.paid_at(row) - 2), "update_time": iso(view.paid_at(row)),
            "links": links(base, ("self", f"/v2/checkout/orders/O{key}", "GET")),
        }  # fmt: skip

    def refund(self, refund: int, at: int, base: str) -> dict[str, Any]:
        view, key = self.view, self.refund_id(refund)
        row, amount = view.cell("refunds", "order", refund), view.cell("refunds", "amount", refund)
        number = view.cell("refunds", "number", refund)
        total = sum(view.cell("refunds", "amount", r) for r in view.refunds_of(row, at)[: number + 1])
        when = iso(view.moment(view.state.refunds, refund))
        return {
            "id": key, "status": "COMPLETED", "amount": money(amount), "invoice_id": view.order_name(row),
            "custom_id": view.order_name(row), "create_time": when, "update_time": when,
            "seller_payable_breakdown": {
                "gross_amount": money(amount), "paypal_fee": money(0), "net_amount": money(amount),
                "total_refunded_amount": money(total),
            },
            "links": links(base, ("self", f"/v2/payments/refunds/{key}", "GET"),
                           ("up", f"/v2/payments/captures/{self.capture_id(row)}", "GET")),
        } | self.notes.get(key, {})  # fmt: skip

    def dispute(self, case: int, at: int, base: str, *, whole: bool) -> dict[str, Any]:
        """One case; the list has it without its transactions and outcome."""
        view = self.view
        row, amount = view.cell("cases", "order", case), view.cell("cases", "amount", case)
        opened, capture = view.moment(view.state.cases, case), self.capture_id(row)
        closed, answered = (view.case_moment(case, what, at) for what in ("closed", "answered"))
        status = "WAITING_FOR_SELLER_RESPONSE" if answered is None else "UNDER_REVIEW"
        key = f"PP-D-{capture}"
        made: dict[str, Any] = {
            "dispute_id": key, "create_time": iso(opened), "update_time": iso(closed or answered or opened),
            "reason": self._reason(row, opened), "status": "RESOLVED" if closed is not None else status,
            "dispute_amount": money(amount), "dispute_life_cycle_stage": "CHARGEBACK", "dispute_channel": "INTERNAL",
            "seller_response_due_date": iso(self.due_by(case)),
            "links": links(base, ("self", f"/v1/customer/disputes/{key}", "GET")),
        }  # fmt: skip
        if not whole:
            state = "REQUIRED_ACTION" if answered is None else "UNDER_PAYPAL_REVIEW"
            return made | {"dispute_state": "RESOLVED" if closed is not None else state}
        if closed is not None:
            won = bool(view.cell("cases", "won", case))
            made["dispute_outcome"] = {"outcome_code": f"RESOLVED_{'SELLER' if won else 'BUYER'}_FAVOUR"}
        made["disputed_transactions"] = [{
            "seller_transaction_id": capture, "create_time": iso(view.paid_at(row)), "transaction_status": "COMPLETED",
            "gross_amount": money(view.order("total", row)), "invoice_number": view.order_name(row),
            "custom": view.order_name(row),
        }]  # fmt: skip
        return made

    def due_by(self, case: int) -> int:
        return (self.view.cell("cases", "day", case) + 10) * DAY - 1

    def _reason(self, row: int, opened: int) -> str:
        if self.view.order("intent", row) == Intent.STOLEN_CARD:  # what the account's owner says
            return "UNAUTHORISED"
        arrived = 0 <= self.view.order("deliver_day", row) * DAY <= opened
        return f"MERCHANDISE_OR_SERVICE_NOT_{'AS_DESCRIBED' if arrived else 'RECEIVED'}"


def links(base: str, *wanted: tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"rel": rel, "href": f"{base}{path}", "method": method} for rel, path, method in wanted]
