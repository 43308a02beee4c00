"""Bills line by line, so that they can be audited: the warehouse's by order, a supplier's by delivery, the advertising
platform's by campaign and day, the marketplace's by order it settled.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from livemarket.core.facts import Fact, Facts
from livemarket.core.world import World
from livemarket.files import names
from livemarket.files.bill_faults import BY_DAY, BY_DELIVERY, BY_ORDER, BillLine, Memory, Wrongs, spoil
from livemarket.files.faults import Budget, major

WAREHOUSE_COLUMNS = ("invoice_id", "service_date", "order_id", "service", "amount", "currency")
SUPPLIER_COLUMNS = (
    "invoice_id", "invoice_date", "due_date", "supplier_id", "purchase_order_id", "sku", "quantity", "unit_price",
    "amount",
    "currency",
)  # fmt: skip
ADS_COLUMNS = ("invoice_id", "spend_date", "campaign_id", "amount", "currency")
COMMISSION_COLUMNS = ("invoice_id", "order_date", "settled_at", "order_id", "fee_type", "amount", "currency")
SETTLED_AT = 86399  # the fee leaves out what was refunded on the day of its settlement: it is told at the day's end


def _put(folder: Path, file: str, header: tuple[str, ...], rows: list[list[str]]) -> str:
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(header)
    sheet.writerows(rows)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    return file


def _date(day: int) -> str:
    return names.calendar_date(day).isoformat()


class Bills:
    """Everybody's bills of one run, which began on day `since`."""

    def __init__(self, folder: Path, budget: Budget, since: int) -> None:
        self.folder = folder
        self.budget = budget
        self.since = since
        self.memory: dict[str, Memory] = {}
        self.spent: list[BillLine] = []
        self.settled: list[BillLine] = []

    def _spoilt(
        self, vendor: str, paper: tuple[str, int, int], lines: list[BillLine], wrongs: Wrongs
    ) -> list[BillLine]:
        memory = self.memory.setdefault(vendor, Memory())
        return spoil(self.budget, paper, lines, wrongs, memory, self.since)

    def warehouse(self, world: World, day: int) -> str:
        """The week before `day`: handling and parcel of every order sent, and every return opened."""
        orders = world.state.orders
        made: list[BillLine] = []
        services = (
            ("pick_pack", "ship_day", "handling_cost"),
            ("parcel", "ship_day", "parcel_cost"),
            ("return", "back_day", "return_cost"),
        )
        for service, column, price in services:
            rows = np.flatnonzero((orders[column] >= day - 7) & (orders[column] < day))
            cost = int(world.number(price))
            days = orders.at(column, rows).tolist()
            made += [BillLine(service, i, d, cost) for i, d in zip(names.order_ids(world, rows), days, strict=True)]
        invoice = f"3pl-{_date(day)}"
        file = f"invoices/warehouse-3pl/{invoice}.csv"
        lines = self._spoilt("warehouse", (file, 1 << 20, day), made, BY_ORDER)
        rows_out = [
            [invoice, _date(one.day), one.subject, one.service, major(one.amount), one.currency] for one in lines
        ]
        return _put(self.folder, file, WAREHOUSE_COLUMNS, rows_out)

    def suppliers(self, world: World, purchases: list[int], day: int) -> list[str]:
        """One bill for each delivery of the day."""
        table = world.state.purchases
        files: list[str] = []
        due = _date(day + int(world.number("supplier_terms")))
        for row in purchases:
            sku, supplier, units, cost = (
                int(table.at(n, np.array([row]))[0]) for n in ("sku", "supplier", "received", "unit_cost")
            )
            vendor = names.supplier(supplier)
            file = f"invoices/suppliers/inv-{row}.csv"
            line = BillLine("goods", f"po-{row}", day, units * cost, names.sku(sku), units, cost)
            lines = self._spoilt(vendor, (file, (2 << 20) + row, day), [line], BY_DELIVERY)
            out = [
                [f"inv-{row}", _date(day), due, vendor, one.subject, one.sku, str(one.units), major(one.unit),
                 major(one.amount), one.currency]
                for one in lines
            ]  # fmt: skip
            files += [_put(self.folder, file, SUPPLIER_COLUMNS, out)] if out else []
        return files

    def weekly(self, world: World, day: int, facts: Facts) -> list[str]:
        """On Mondays, what advertising and the marketplace took in the days before, since the run began."""
        files: list[str] = []
        if names.calendar_date(day).weekday() == 0:
            files += [self._ads(day)] if self.spent else []
            files += [self._commission(day)] if self.settled else []
            self.spent, self.settled = [], []
        for fact in facts.items:
            if fact.kind == "ad_spend":
                self.spent += _spent(fact, day)
            elif fact.kind == "referral_fee":
                self.settled += _settled(world, fact, day)
        return files

    def _ads(self, day: int) -> str:
        """Ends in a row with the sum of each currency."""
        invoice = f"ads-{_date(day)}"
        file = f"invoices/tiktok_ads/{invoice}.csv"
        lines = self._spoilt("ads", (file, 3 << 20, day), self.spent, BY_DAY)
        rows = [[invoice, _date(one.day), one.subject, major(one.amount), one.currency] for one in lines]
        for currency in sorted({one.currency for one in lines}):
            total = sum(one.amount for one in lines if one.currency == currency)
            rows.append([invoice, "", "TOTAL", major(total), currency])
        return _put(self.folder, file, ADS_COLUMNS, rows)

    def _commission(self, day: int) -> str:
        invoice = f"fees-{_date(day)}"
        file = f"invoices/tiktok_shop/{invoice}.csv"
        lines = self._spoilt("marketplace", (file, 4 << 20, day), self.settled, BY_ORDER)
        rows = [
            [invoice, _date(one.day), names.instant(one.settled, SETTLED_AT), one.subject, one.service,
             major(one.amount), one.currency]
            for one in lines
        ]  # fmt: skip
        return _put(self.folder, file, COMMISSION_COLUMNS, rows)


def _spent(fact: Fact, day: int) -> list[BillLine]:
    pairs = zip(fact.columns["ad_set"].tolist(), fact.columns["amount"].tolist(), strict=True)
    return [BillLine("ad_spend", names.ad_set(a), day, amount) for a, amount in pairs if amount]


def _settled(world: World, fact: Fact, day: int) -> list[BillLine]:
    rows = fact.columns["order"]
    placed = world.state.orders.at("day", rows).tolist()
    wanted = zip(names.order_ids(world, rows), placed, fact.columns["amount"].tolist(), strict=True)
    return [BillLine("referral", order, born, amount, settled=day) for order, born, amount in wanted]
