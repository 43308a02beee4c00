"""What the control face knows beyond all others: the papers as they would be dropped on a server, and what moved.

The latter is for judging a run and never for the platform that is judged: money at each processor and at the bank
since the run began, and what was done wrong on purpose. Why anybody did anything stays hidden here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.acts import Verb
from livemarket.core.money import Kind
from livemarket.core.position import position
from livemarket.core.state import PROCESSORS, Status
from livemarket.faces.business import DAY, Business, iso
from livemarket.faces.faults import Faults
from livemarket.faces.view import View
from livemarket.files import bank, names, settlements
from livemarket.files.faults import Budget


class Known:
    """Reads the world behind the faces as of now; `overcharge` is the one thing it does to it."""

    def __init__(self, business: Business, faults: Faults) -> None:
        self._business = business
        self._faults = faults
        self._view = View(business)

    def papers(self) -> list[dict[str, Any]]:
        """Settlement files of payouts that were sent by now, the oldest first."""
        view = self._view
        rows = [(view.payout_moment(row), row, n) for n in range(len(PROCESSORS)) for row in view.payouts(n)]
        return [
            {"provider": PROCESSORS[n], "payout": names.payout(n, row), "sent_at": iso(at)}
            for at, row, n in sorted(rows)
            if at >= self._business.first * DAY
        ]

    def paper(self, payout: str) -> str | None:
        """The settlement file of one payout, with the run's share of wrong lines."""
        view, budget = self._view, Budget(self._business.seed, self._business.error_ppm)
        for processor in range(len(PROCESSORS)):
            for row in view.payouts(processor):
                if names.payout(processor, row) == payout:
                    return settlements.made(view.world, row, budget)[1]
        return None

    def moved(self) -> dict[str, Any]:
        """What moved since the run began. Amounts in minor units; a line's fee is what was kept."""
        orders = self._view.state.orders
        made = orders["day"] * DAY + orders["second"]
        mine = (made >= self._business.first * DAY) & (made <= self._view.now)
        failed = mine & (orders["status"] == int(Status.FAILED))
        return {
            "simulated": True, "now": iso(self._view.now), "orders": int(mine.sum()), "failed": int(failed.sum()),
            "lines": self._lines(), "bank": self._bank(), "wrong": list(self._faults.wrong),
            "position": self._position(),
        }  # fmt: skip

    def _position(self) -> dict[str, int] | None:
        """What is owned and owed, at midnight; in the middle of a day nobody has counted."""
        if self._business.over:
            return position(self._view.world)
        return position(self._business.morning) if self._view.now % DAY == 0 else None

    def _lines(self) -> list[dict[str, Any]]:
        view, table = self._view, self._view.state.lines
        after = table["day"] >= self._business.first
        rows = np.flatnonzero(after & (table["day"] * DAY + table["second"] <= view.now))
        entries = settlements.entries(view.world, rows)
        processors, payouts = table.at("processor", rows).tolist(), table.at("payout", rows).tolist()
        return [
            {
                "provider": PROCESSORS[n], "kind": entry.kind.lower(), "order": entry.fields["order"],
                "gross_minor": entry.gross, "fee_minor": entry.fee,
                "payout": names.payout(n, payout) if payout >= 0 and view.payout_moment(payout) <= view.now else None,
            }
            for entry, n, payout in zip(entries, processors, payouts, strict=True)
        ]  # fmt: skip

    def _bank(self) -> list[dict[str, Any]]:
        table = self._view.state.bank_lines
        rows = np.flatnonzero((table["day"] >= self._business.first) & (table["day"] * DAY <= self._view.now))
        return [bank.described(self._view.world, row) for row in rows.tolist()]

    def overcharge(self, face: str, amount: int) -> dict[str, Any] | None:
        """Let a processor keep so much more for the newest payment that is in no payout; None where there is none."""
        view, processor = self._view, {"stripe": 0, "paypal": 1}.get(face)
        if processor is None or amount <= 0:
            raise ValueError("face is stripe or paypal; amount is a whole number of minor units, more than nothing")
        for row in view.paid_orders(processor).tolist():
            kinds = {Kind(view.cell("lines", "kind", line)): line for line in view.lines_of(row, view.now)}
            line = kinds.get(Kind.CHARGE)
            if line is None or set(kinds) != {Kind.CHARGE} or view.cell("lines", "payout", line) >= 0:
                continue
            at = self._business.act(Verb.OVERCHARGE, row, amount)
            if at is None:
                return None
            order = view.order_name(row)
            payment = f"pi_{order}" if processor == 0 else names.payment_ids(view.world, np.array([row]))[0]
            wrong = {"fault": "wrong_fee", "provider": face, "payment_id": payment, "order_id": order}
            self._faults.wrong.append(wrong | {"amount_minor": amount})
            return self._faults.wrong[-1]
        return None
