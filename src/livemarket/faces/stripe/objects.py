"""Stripe's objects, as of a moment, from the world's tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.money import Kind
from livemarket.core.opponents import Intent
from livemarket.faces.business import DAY, unix
from livemarket.faces.view import View
from livemarket.files import names

STRIPE = 0
CURRENCY = names.CURRENCY.lower()
_TYPES = {
    Kind.CHARGE: ("charge", "charge"), Kind.REFUND: ("refund", "refund"), Kind.DISPUTE: ("adjustment", "dispute"),
    Kind.DISPUTE_WON: ("adjustment", "dispute_reversal"), Kind.COUNTER_FEE: ("stripe_fee", "fee"),
    Kind.KEPT: ("adjustment", "other_adjustment"),
}  # fmt: skip
_SOURCES = {Kind.CHARGE: "ch", Kind.REFUND: "re", Kind.DISPUTE: "dp", Kind.DISPUTE_WON: "dp", Kind.COUNTER_FEE: "dp"}
EVIDENCE = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
)  # fmt: skip


class Objects:
    """`notes` holds what callers wrote on objects: metadata, reasons, evidence."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.notes: dict[str, dict[str, Any]] = {}

    def _note(self, key: str, name: str, otherwise: Any) -> Any:
        return self.notes.get(key, {}).get(name, otherwise)

    def line_id(self, line: int) -> str:
        return names.transaction(names.line_keys(self.view.world, np.array([line]))[0])

    def _line(self, row: int, kind: Kind, at: int, number: int | None = None) -> str | None:
        for line in self.view.lines_of(row, at):
            if self.view.cell("lines", "kind", line) != kind:
                continue
            if number is None or self.view.state.numbered.get(line, 0) == number:
                return self.line_id(line)
        return None

    def charge(self, row: int, at: int) -> dict[str, Any]:
        view, name = self.view, self.view.order_name(row)
        total, failed = view.order("total", row), view.failed(row)
        refunded, case = view.refunded(row, at), view.case_of(row, at)
        customer = f"cus_{names.customer(view.order('customer', row))}"
        outcome = {"type": "issuer_declined" if failed else "authorized", "network_status": "approved_by_network"}
        return {
            "id": f"ch_{name}", "object": "charge", "amount": total, "amount_captured": 0 if failed else total,
            "amount_refunded": refunded, "application": None, "application_fee": None, "application_fee_amount": None,
            "balance_transaction": None if failed else self._line(row, Kind.CHARGE, at),
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "calculated_statement_descriptor": "SIMULATED SHOP", "captured": not failed,
            "created": unix(view.paid_at(row)), "currency": CURRENCY, "customer": customer,
            "description": "simulated",
            "disputed": case is not None, "failure_code": "card_declined" if failed else None,
            "failure_message": "Your card was declined." if failed else None, "fraud_details": {}, "invoice": None,
            "livemode": False, "metadata": {"order_id": name}, "on_behalf_of": None,
            "outcome": outcome | ({"network_status": "declined_by_network"} if failed else {}), "paid": not failed,
            "payment_intent": f"pi_{name}", "payment_method": f"pm_{name}",
            "payment_method_details": {"type": "card"}, "receipt_email": None, "receipt_number": None,
            "receipt_url": None, "refunded": 0 < total == refunded, "review": None, "shipping": None,
            "source_transfer": None, "statement_descriptor": None, "statement_descriptor_suffix": None,
            "status": "failed" if failed else "succeeded", "transfer_data": None, "transfer_group": None,
        }  # fmt: skip

    def intent(self, row: int, at: int) -> dict[str, Any]:
        view, name, failed = self.view, self.view.order_name(row), self.view.failed(row)
        total = view.order("total", row)
        return {
            "id": f"pi_{name}", "object": "payment_intent", "amount": total, "amount_capturable": 0,
            "amount_received": 0 if failed else total, "application": None, "application_fee_amount": None,
            "automatic_payment_methods": None, "canceled_at": None, "cancellation_reason": None,
            "capture_method": "automatic", "client_secret": None, "confirmation_method": "automatic",
            "created": unix(view.paid_at(row)), "currency": CURRENCY,
            "customer": f"cus_{names.customer(view.order('customer', row))}", "description": "simulated",
            "invoice": None, "latest_charge": f"ch_{name}", "livemode": False, "metadata": {"order_id": name},
            "next_action": None, "on_behalf_of": None, "payment_method": None if failed else f"pm_{name}",
            "payment_method_options": {}, "payment_method_types": ["card"], "processing": None, "receipt_email": None,
            "review": None, "setup_future_usage": None, "shipping": None, "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method" if failed else "succeeded", "transfer_data": None,
            "transfer_group": None,
        }  # fmt: skip

    def refund_id(self, refund: int) -> str:
        order = self.view.order_name(self.view.cell("refunds", "order", refund))
        return f"re_{names.refund(order, self.view.cell('refunds', 'number', refund))}"

    def refund(self, refund: int, at: int) -> dict[str, Any]:
        view, key = self.view, self.refund_id(refund)
        row, number = view.cell("refunds", "order", refund), view.cell("refunds", "number", refund)
        name = view.order_name(row)
        return {
            "id": key, "object": "refund", "amount": view.cell("refunds", "amount", refund),
            "balance_transaction": self._line(row, Kind.REFUND, at, number), "charge": f"ch_{name}",
            "created": unix(view.moment(view.state.refunds, refund)), "currency": CURRENCY,
            "metadata": self._note(key, "metadata", {}), "payment_intent": f"pi_{name}",
            "reason": self._note(key, "reason", None), "receipt_number": None, "source_transfer_reversal": None,
            "status": "succeeded", "transfer_reversal": None,
        }  # fmt: skip

    def status(self, case: int, at: int) -> str:
        if self.view.case_moment(case, "closed", at) is not None:
            return "won" if self.view.cell("cases", "won", case) else "lost"
        return "needs_response" if self.view.case_moment(case, "answered", at) is None else "under_review"

    def due_by(self, case: int) -> int:
        return (self.view.cell("cases", "day", case) + 10) * DAY - 1

    def dispute(self, case: int, at: int) -> dict[str, Any]:
        view = self.view
        row = view.cell("cases", "order", case)
        name, status = view.order_name(row), self.status(case, at)
        key = f"dp_{name}"
        arrived = 0 <= view.order("deliver_day", row) * DAY <= view.moment(view.state.cases, case)
        answered = view.case_moment(case, "answered", at) is not None
        lines = [n for n in view.lines_of(row, at) if view.cell("lines", "kind", n) in (Kind.DISPUTE, Kind.DISPUTE_WON)]
        return {
            "id": key, "object": "dispute", "amount": view.cell("cases", "amount", case),
            "balance_transactions": [self.transaction(n, at) for n in lines], "charge": f"ch_{name}",
            "created": unix(view.moment(view.state.cases, case)), "currency": CURRENCY,
            "evidence": dict.fromkeys(EVIDENCE) | self._note(key, "evidence", {}),
            "evidence_details": {
                "due_by": unix(self.due_by(case)), "has_evidence": answered or bool(self._note(key, "evidence", {})),
                "past_due": at > self.due_by(case) and not answered, "submission_count": int(answered),
            },
            "is_charge_refundable": False, "livemode": False, "metadata": self._note(key, "metadata", {}),
            "payment_intent": f"pi_{name}", "reason": self._reason(row, arrived=arrived),
            "status": status,
        }  # fmt: skip

    def _reason(self, row: int, *, arrived: bool) -> str:
        """What the cardholder tells the bank."""
        if self.view.order("intent", row) == Intent.STOLEN_CARD:
            return "fraudulent"
        return "product_unacceptable" if arrived else "product_not_received"

    def payout_id(self, payout: int) -> str:
        return names.payout(STRIPE, payout)

    def payout(self, payout: int, at: int) -> dict[str, Any]:
        view, key = self.view, names.payout(STRIPE, payout)
        automatic = payout not in view.state.by_hand
        return {
            "id": key, "object": "payout", "amount": view.cell("payouts", "amount", payout),
            "arrival_date": unix(view.cell("payouts", "lands", payout) * DAY), "automatic": automatic,
            "balance_transaction": f"txn_{key}", "created": unix(view.payout_moment(payout)), "currency": CURRENCY,
            "description": self._note(key, "description", "STRIPE PAYOUT (simulated)"),
            "destination": "ba_simulated", "failure_balance_transaction": None, "failure_code": None,
            "failure_message": None, "livemode": False, "metadata": self._note(key, "metadata", {}),
            "method": "standard", "original_payout": None, "reconciliation_status": "completed",
            "reversed_by": None, "source_type": "card", "statement_descriptor": None,
            "status": "paid" if view.landed_moment(payout) <= at else "in_transit", "type": "bank_account",
        }  # fmt: skip

    def transaction(self, line: int, at: int) -> dict[str, Any]:
        view = self.view
        key = names.line_keys(view.world, np.array([line]))[0]
        kind = Kind(view.cell("lines", "kind", line))
        gross, fee = view.cell("lines", "gross", line), view.cell("lines", "fee", line)
        available = view.cell("lines", "available", line) * DAY
        own_type, category = _TYPES[kind]
        if kind == Kind.COUNTER_FEE:  # a fee by itself is an amount that leaves, not a fee on one
            gross, fee = -fee, 0
        details = {"amount": fee, "application": None, "currency": CURRENCY, "description": "processing (simulated)"}
        return {
            "id": names.transaction(key), "object": "balance_transaction", "amount": gross,
            "available_on": unix(available),
            "created": unix(view.moment(view.state.lines, line)), "currency": CURRENCY, "description": "simulated",
            "exchange_rate": None, "fee": fee, "fee_details": [details | {"type": "stripe_fee"}] if fee else [],
            "net": gross - fee, "reporting_category": category,
            "source": f"{_SOURCES[kind]}_{key[1:]}" if kind in _SOURCES else None,
            "status": "available" if available <= at else "pending", "type": own_type,
        }  # fmt: skip

    def payout_transaction(self, payout: int) -> dict[str, Any]:
        view, amount = self.view, -self.view.cell("payouts", "amount", payout)
        made = unix(view.payout_moment(payout))
        return {
            "id": f"txn_{self.payout_id(payout)}", "object": "balance_transaction", "amount": amount,
            "available_on": made, "created": made, "currency": CURRENCY, "description": "STRIPE PAYOUT (simulated)",
            "exchange_rate": None, "fee": 0, "fee_details": [], "net": amount, "reporting_category": "payout",
            "source": self.payout_id(payout), "status": "available", "type": "payout",
        }  # fmt: skip

    def balance(self, at: int) -> dict[str, Any]:
        ready, waiting = self.view.balance(STRIPE, at)

        def amounts(amount: int) -> list[dict[str, Any]]:
            return [{"amount": amount, "currency": CURRENCY, "source_types": {"card": amount}}]

        return {
            "object": "balance", "available": amounts(ready), "livemode": False, "pending": amounts(waiting),
        }  # fmt: skip

    def customer(self, number: int, born: int) -> dict[str, Any]:
        return {
            "id": f"cus_{names.customer(number)}", "object": "customer", "address": None, "balance": 0,
            "created": unix(born), "currency": CURRENCY, "default_source": None, "delinquent": False,
            "description": "simulated", "discount": None, "email": None, "invoice_prefix": None,
            "invoice_settings": {
                "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
            },
            "livemode": False, "metadata": {}, "name": None, "phone": None, "preferred_locales": [], "shipping": None,
            "tax_exempt": "none", "test_clock": None,
        }  # fmt: skip
