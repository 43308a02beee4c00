"""Bills line by line, so that they can be audited: the warehouse's by order, a supplier's by delivery."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from livemarket.core.world import World
from livemarket.files import names
from livemarket.files.faults import Budget, Entry, major

WAREHOUSE_COLUMNS = ("invoice_id", "service_date", "order_id", "service", "amount", "currency")
SUPPLIER_COLUMNS = (
    "invoice_id", "invoice_date", "due_date", "supplier_id", "purchase_order_id", "sku", "quantity", "unit_price",
    "amount",
    "currency",
)  # fmt: skip


def _put(folder: Path, file: str, header: tuple[str, ...], rows: list[list[str]]) -> str:
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(header)
    sheet.writerows(rows)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    return file


def warehouse(world: World, day: int, folder: Path, budget: Budget) -> str:
    """The week before `day`: handling and parcel of every order sent, and every return opened."""
    orders = world.state.orders
    made: list[Entry] = []
    services = (
        ("pick_pack", "ship_day", "handling_cost"),
        ("parcel", "ship_day", "parcel_cost"),
        ("return", "back_day", "return_cost"),
    )
    for service, column, price in services:
        rows = np.flatnonzero((orders[column] >= day - 7) & (orders[column] < day))
        cost = int(world.number(price))
        days = orders.at(column, rows).tolist()
        made += [
            Entry(i, service, cost, 0, {"day": d}) for i, d in zip(names.order_ids(world, rows), days, strict=True)
        ]
    invoice = f"3pl-{names.calendar_date(day).isoformat()}"
    file = f"invoices/warehouse-3pl/{invoice}.csv"
    rows_out = [
        [invoice, names.calendar_date(e.fields["day"]).isoformat(), e.reference, e.kind, major(e.net), names.CURRENCY]
        for e in budget.spoil(file, 1 << 20, day, made)
    ]
    return _put(folder, file, WAREHOUSE_COLUMNS, rows_out)


def suppliers(world: World, purchases: list[int], day: int, folder: Path, budget: Budget) -> list[str]:
    """One bill for each delivery of the day."""
    table = world.state.purchases
    files: list[str] = []
    due = names.calendar_date(day + int(world.number("supplier_terms"))).isoformat()
    for row in purchases:
        sku, supplier, units, cost = (
            int(table.at(n, np.array([row]))[0]) for n in ("sku", "supplier", "received", "unit_cost")
        )
        file = f"invoices/suppliers/inv-{row}.csv"
        fields = {"sku": sku, "supplier": supplier, "units": units, "cost": cost}
        entry = Entry(f"inv-{row}", "goods", units * cost, 0, fields)
        out = [
            [e.reference, names.calendar_date(day).isoformat(), due, names.supplier(supplier), f"po-{row}",
             names.sku(sku), str(units), major(cost), major(e.net), names.CURRENCY]
            for e in budget.spoil(file, (2 << 20) + row, day, [entry])
        ]  # fmt: skip
        files.append(_put(folder, file, SUPPLIER_COLUMNS, out))
    return files
