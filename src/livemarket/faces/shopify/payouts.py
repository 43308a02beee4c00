"""Shopify Payments: the card processor's payouts and lines under Shopify's names.

There is one card processor in this world. A shop reads it here or at Stripe; whoever adds up both counts twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from livemarket.core.money import Kind
from livemarket.faces.business import DAY, iso
from livemarket.faces.numbers import hashed
from livemarket.faces.shopify import ids
from livemarket.faces.shopify.objects import CURRENCY, Objects
from livemarket.files import names
from livemarket.files.faults import major

CARD = 0
TYPES = {
    Kind.CHARGE: ("charge", "charge"), Kind.REFUND: ("refund", "Payments::Refund"),
    Kind.DISPUTE: ("dispute", "Payments::Dispute"), Kind.DISPUTE_WON: ("dispute", "Payments::Dispute"),
    Kind.COUNTER_FEE: ("adjustment", "adjustment"), Kind.KEPT: ("adjustment", "adjustment"),
}  # fmt: skip
_PARTS = {"charge": "charges", "refund": "refunds", "dispute": "adjustments", "adjustment": "adjustments"}


class Payouts:
    """Rows of payouts and lines at the card processor, newest first."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.view = objects.view

    def rows(self) -> list[int]:
        return self.view.payouts(CARD)

    def number(self, payout: int) -> int:
        return hashed(names.payout(CARD, payout))

    def row(self, number: int) -> int | None:
        return next((row for row in self.rows() if self.number(row) == number), None)

    def status(self, payout: int) -> str:
        return "paid" if self.view.landed_moment(payout) <= self.view.now else "in_transit"

    def day(self, payout: int) -> int:
        return self.view.payout_moment(payout) // DAY

    def _amounts(self, line: int) -> tuple[Kind, int, int]:
        """Kind, gross and fee. A fee by itself is an amount that leaves, not a fee on one."""
        kind = Kind(self.view.cell("lines", "kind", line))
        gross, fee = self.view.cell("lines", "gross", line), self.view.cell("lines", "fee", line)
        return (kind, -fee, 0) if kind == Kind.COUNTER_FEE else (kind, gross, fee)

    def payout(self, payout: int) -> dict[str, Any]:
        sums: Counter[str] = Counter()
        for line in np.flatnonzero(self.view.state.lines["payout"] == payout).tolist():
            kind, gross, fee = self._amounts(line)
            part = _PARTS[TYPES[kind][0]]
            sums[f"{part}_gross_amount"] += gross
            sums[f"{part}_fee_amount"] += fee
        parts = ("adjustments", "charges", "refunds", "reserved_funds", "retried_payouts")
        return {
            "id": self.number(payout), "status": self.status(payout), "currency": CURRENCY,
            "date": names.calendar_date(self.day(payout)).isoformat(),
            "amount": major(self.view.cell("payouts", "amount", payout)),
            "summary": {f"{p}_{w}_amount": major(sums[f"{p}_{w}_amount"]) for p in parts for w in ("fee", "gross")},
        }  # fmt: skip

    def lines(self, payout: int | None = None) -> list[int]:
        """Lines that were made by now, of one payout if it is named."""
        rows = self.view.lines(CARD)
        return rows if payout is None else [r for r in rows if self.view.cell("lines", "payout", r) == payout]

    def payout_of(self, line: int) -> int | None:
        """The payout a line was sent with, if it was by now."""
        payout = self.view.cell("lines", "payout", line)
        return payout if payout >= 0 and self.view.payout_moment(payout) <= self.view.now else None

    def transaction(self, line: int) -> dict[str, Any]:
        view, payout = self.view, self.payout_of(line)
        kind, gross, fee = self._amounts(line)
        own, source = TYPES[kind]
        row = view.cell("lines", "order", line)
        order = self.objects.sales.number(row) if row >= 0 else None
        place = 0 if kind != Kind.REFUND else 1 + view.state.numbered.get(line, 0)
        key = names.line_keys(view.world, np.array([line]))[0]
        return {
            "id": hashed(f"transaction/{key}"), "type": own, "test": False,
            "payout_id": None if payout is None else self.number(payout),
            "payout_status": "pending" if payout is None else self.status(payout), "currency": CURRENCY,
            "amount": major(gross), "fee": major(fee), "net": major(gross - fee),
            "source_id": hashed(f"source/{key}"), "source_type": source, "source_order_id": order,
            "source_order_transaction_id": None if order is None else ids.child(order, place),
            "processed_at": iso(view.moment(view.state.lines, line)),
        }  # fmt: skip

    def sent(self, payout: int) -> dict[str, Any]:
        """The line of the payout itself: what leaves the balance."""
        amount = major(-self.view.cell("payouts", "amount", payout))
        return {
            "id": hashed(f"transaction/{names.payout(CARD, payout)}"), "type": "payout", "test": False,
            "payout_id": self.number(payout), "payout_status": self.status(payout), "currency": CURRENCY,
            "amount": amount, "fee": "0.00", "net": amount, "source_id": self.number(payout), "source_type": "payout",
            "source_order_id": None, "source_order_transaction_id": None,
            "processed_at": iso(self.view.payout_moment(payout)),
        }  # fmt: skip

    def entries(self, payout: int | None = None) -> list[tuple[int, int]]:
        """(1, row) for payouts and (0, row) for lines, newest first, each payout before the lines it carried."""
        own = self.rows() if payout is None else [payout]
        rows = [(self.view.moment(self.view.state.lines, r), 0, r) for r in self.lines(payout)]
        rows += [(self.view.payout_moment(r), 1, r) for r in own]
        rows.sort(key=lambda row: (-row[0], -row[1], -row[2]))
        return [(what, row) for _, what, row in rows]

    def entry_number(self, entry: tuple[int, int]) -> int:
        what, row = entry
        name = names.payout(CARD, row) if what else names.line_keys(self.view.world, np.array([row]))[0]
        return hashed(f"transaction/{name}")

    def shown(self, entry: tuple[int, int]) -> dict[str, Any]:
        return self.sent(entry[1]) if entry[0] else self.transaction(entry[1])

    def balance(self) -> str:
        ready, waiting = self.view.balance(CARD, self.view.now)
        return major(ready + waiting)
