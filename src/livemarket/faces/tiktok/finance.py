"""Statements and payments of the marketplace. One statement for each payment that was sent."""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.money import TIKTOK, Kind
from livemarket.faces.business import DAY, unix
from livemarket.faces.numbers import hashed
from livemarket.faces.tiktok.orders import CURRENCY, Orders
from livemarket.files import names
from livemarket.files.faults import major

RESERVES = {Kind.RESERVE, Kind.RELEASE}


class Finance:
    """Settlements are revenue less fees; what is held back or let go is the payment's reserve."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.view = orders.view

    def rows(self) -> list[int]:
        """Payments sent by now, oldest first."""
        return self.view.payouts(TIKTOK)[::-1]

    def number(self, what: str, payout: int) -> str:
        return str(hashed(f"{what}/{names.payout(TIKTOK, payout)}"))

    def row(self, statement: str) -> int | None:
        return next((row for row in self.rows() if self.number("statement", row) == statement), None)

    def lines(self, payout: int) -> list[int]:
        return np.flatnonzero(self.view.state.lines["payout"] == payout).tolist()

    def amounts(self, line: int) -> dict[str, int]:
        """One line as revenue, fees and reserve."""
        kind = Kind(self.view.cell("lines", "kind", line))
        gross, fee, affiliate = (self.view.cell("lines", n, line) for n in ("gross", "fee", "affiliate"))
        held = gross if kind in RESERVES else 0
        return {"revenue": gross - held, "referral": -fee, "affiliate": -affiliate, "reserve": held}

    def _sums(self, payout: int) -> dict[str, int]:
        every = [self.amounts(line) for line in self.lines(payout)]
        return {name: sum(a[name] for a in every) for name in ("revenue", "referral", "affiliate", "reserve")}

    def moment(self, payout: int) -> int:
        """A statement is dated at its day's beginning."""
        return self.view.payout_moment(payout) // DAY * DAY

    def status(self, payout: int) -> str:
        return "PAID" if self.view.landed_moment(payout) <= self.view.now else "PROCESSING"

    def statement(self, payout: int) -> dict[str, Any]:
        sums = self._sums(payout)
        fees = sums["referral"] + sums["affiliate"]
        return {
            "id": self.number("statement", payout), "statement_time": unix(self.moment(payout)),
            "settlement_amount": major(sums["revenue"] + fees), "currency": CURRENCY,
            "revenue_amount": major(sums["revenue"]), "fee_amount": major(fees), "adjustment_amount": "0.00",
            "payment_status": self.status(payout), "payment_id": self.number("payment", payout),
        }  # fmt: skip

    def payment(self, payout: int) -> dict[str, Any]:
        def money(amount: int) -> dict[str, str]:
            return {"value": major(amount), "currency": CURRENCY}

        sums, amount = self._sums(payout), self.view.cell("payouts", "amount", payout)
        settled = sums["revenue"] + sums["referral"] + sums["affiliate"]
        there = self.status(payout) == "PAID"
        return {
            "id": self.number("payment", payout), "create_time": unix(self.view.payout_moment(payout)),
            "status": self.status(payout), "amount": money(amount), "settlement_amount": money(settled),
            "reserve_amount": money(sums["reserve"]), "payment_amount_before_exchange": money(amount),
            "exchange_rate": "1.000000", "bank_account": "****0001",
            "paid_time": unix(self.view.landed_moment(payout)) if there else 0,
        }  # fmt: skip

    def settled(self, payout: int) -> list[int]:
        """A statement's lines."""
        return [line for line in self.lines(payout) if self.view.cell("lines", "order", line) >= 0]

    def transaction(self, line: int) -> dict[str, Any]:
        """One order of a statement: what was paid, what went back, what TikTok and the affiliate took."""
        row, amounts = self.view.cell("lines", "order", line), self.amounts(line)
        first = self.view.cell("lines", "kind", line) == Kind.SETTLEMENT
        paid = self.view.order("total", row) if first else 0
        fees = amounts["referral"] + amounts["affiliate"]
        key = names.line_keys(self.view.world, np.array([line]))[0]
        return {
            "id": str(hashed(f"transaction/{key}")), "type": "ORDER", "order_id": self.orders.number(row),
            "adjustment_id": "0", "adjustment_order_id": "", "currency": CURRENCY,
            "order_create_time": unix(self.view.paid_at(row)), "settlement_amount": major(amounts["revenue"] + fees),
            "revenue_amount": major(amounts["revenue"]), "customer_payment_amount": major(paid),
            "after_seller_discounts_subtotal_amount": major(paid), "customer_shipping_fee_amount": "0.00",
            "customer_order_refund_amount": major(amounts["revenue"] - paid), "platform_discount_amount": "0.00",
            "fee_amount": major(fees), "referral_fee_amount": major(amounts["referral"]),
            "affiliate_commission_amount": major(amounts["affiliate"]), "transaction_fee_amount": "0.00",
            "shipping_fee_amount": "0.00", "adjustment_amount": "0.00",
        }  # fmt: skip

    def of_order(self, row: int) -> list[int]:
        """The settled lines of an order that were paid by now."""
        own = self.view.lines_of(row, self.view.now)
        paid = set(self.rows())
        return [line for line in own if self.view.cell("lines", "payout", line) in paid]
