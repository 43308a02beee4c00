"""Orders, shipments and stock as the warehouse shows them, as of a moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.fulfilment import PICK_SECOND
from livemarket.core.orders import CUTOFF_SECOND
from livemarket.core.state import CHANNELS, Status
from livemarket.faces.business import DAY, Business, iso
from livemarket.faces.journey import Journey
from livemarket.faces.numbers import packed, unpacked
from livemarket.faces.shelf import Shelf
from livemarket.faces.view import PAID_AFTER, View
from livemarket.files import names

CENTER = {"id": 1, "name": "main"}
WAVE_END = PICK_SECOND + 12_600  # the last parcel of a day is ready by then
SCAN_WITHIN = DAY  # a parcel without a scan for longer is told of
LOGS = ("Received", "Picked, packed and labelled", "Scanned by the carrier", "Delivered", "Cancelled")


class Objects:
    """Read-only."""

    def __init__(self, business: Business) -> None:
        self.view = View(business)
        self.journey = Journey(self.view)
        self.shelf = Shelf(business)

    def orders(self) -> Ints:
        """Orders that were paid for by now, newest first."""
        table = self.view.state.orders
        moment = table["day"] * DAY + table["second"] + PAID_AFTER
        rows = np.flatnonzero((table["status"] != Status.FAILED) & (moment <= self.view.now))
        return rows[np.lexsort((-rows, -moment[rows]))]

    def number(self, row: int) -> int:
        return packed(self.view.order("day", row), self.view.order("key", row))

    def named(self, text: str) -> int | None:
        """The row of an order's number, or of its reference."""
        if text.startswith("lm"):
            row = self.view.named_order(text)
        else:
            row = self.view.keyed_order(*unpacked(int(text))) if text.isdigit() and len(text) < 19 else None
        return None if row is None or self.view.failed(row) else row

    def promised(self, row: int) -> int:
        """By when it is to be ready: the same business day if it came before the cut-off, else the next one."""
        day = self.view.order("day", row) + (self.view.order("second", row) >= CUTOFF_SECOND)
        if day % 7 >= 5:
            day += 7 - day % 7
        return day * DAY + WAVE_END

    def short(self, row: int) -> bool:
        """Whether it was sold without being there."""
        oversold = self.view.order("status", row) in {Status.OVERSOLD, Status.CANCELLED}
        return oversold and row not in self.view.state.stopped

    def status(self, row: int, at: int) -> tuple[str, str]:
        """Of the order, and of its shipment."""
        if self.journey.cancelled(row, at) is not None:
            return "Cancelled", "Cancelled"
        if self.journey.scanned(row, at) is not None:
            return "Fulfilled", "Completed"
        if self.journey.shipped(row, at) is not None:
            return "Fulfilled", "LabeledCreated"
        return ("Exception", "Exception") if self.short(row) else ("Processing", "Processing")

    def details(self, row: int, at: int) -> list[dict[str, Any]]:
        """What is worth knowing beside the status: out of stock, picking is late, or the carrier has not scanned it."""
        sent, made = self.journey.shipped(row, at), list[tuple[int, str, str]]()
        shipment = self.status(row, at)[1]
        if shipment == "Exception":
            made.append((1, "OutOfStock", "Sold, but not on the shelf"))
        if shipment == "Processing" and at > self.promised(row):
            made.append((2, "PickingLate", "Not picked by the promised hour"))
        if sent is not None and shipment == "LabeledCreated" and at - sent > SCAN_WITHIN:
            made.append((3, "AwaitingCarrierScan", "Labelled, but not scanned by the carrier for a day"))
        return [
            {"id": n, "name": name, "description": why, "inventory_id": None, "exception_fulfillment_center_id": None}
            for n, name, why in made
        ]

    def promise(self, row: int, at: int) -> str:
        sent = self.journey.shipped(row, at)
        if sent is not None:
            return "FulfilledOnTime" if sent <= self.promised(row) else "FulfilledLate"
        if self.short(row):
            return "AwaitingInventoryAllocation"
        if self.journey.cancelled(row, at) is not None:
            return "Unavailable"
        return "PendingOnTime" if at <= self.promised(row) else "PendingLate"

    def recipient(self, row: int) -> dict[str, Any]:
        """People of this world have no names and no streets."""
        name = names.customer(self.view.order("customer", row))
        address = {
            "address1": "1 Simulated Street", "address2": "", "company_name": "", "city": "Springfield", "state": "IL",
            "country": "US", "zip_code": "62701",
        }  # fmt: skip
        return {"name": name, "address": address, "email": f"{name}@simulated.example", "phone_number": ""}

    def shipment(self, row: int, at: int) -> dict[str, Any]:
        number, sku = self.number(row), self.view.order("sku", row)
        sent, quantity = self.journey.shipped(row, at), self.view.order("quantity", row)
        committed = 0 if self.short(row) or self.status(row, at)[0] == "Cancelled" else quantity
        item: dict[str, Any] = {
            "id": sku + 1, "name": names.title(self.view.world, sku), "quantity": quantity,
            "quantity_committed": committed, "lot": "", "expiration_date": None, "serial_numbers": [],
            "is_dangerous_goods": False,
        }  # fmt: skip
        made: dict[str, Any] = {
            "id": number, "order_id": number, "reference_id": self.view.order_name(row), "location": CENTER,
            "created_date": iso(self.view.paid_at(row)), "status": self.status(row, at)[1],
            "status_details": self.details(row, at), "estimated_fulfillment_date": iso(self.promised(row)),
            "estimated_fulfillment_date_status": self.promise(row, at),
            "actual_fulfillment_date": None if sent is None else iso(sent),
            "last_update_at": iso(self.updated(row, at)),
            "ship_option": "Standard", "package_material_type": "Box", "require_signature": False,
            "invoice_amount": None, "insurance_value": None, "recipient": self.recipient(row),
            "products": [{
                "id": sku + 1, "reference_id": names.sku(sku), "sku": names.sku(sku),
                "name": names.title(self.view.world, sku), "inventory_items": [item],
            }],
        }  # fmt: skip
        if sent is not None:
            courier = self.view.world.setting.couriers[self.view.order("courier", row)].name
            code = names.tracking(self.view.order_name(row))
            made["tracking"] = {
                "carrier": courier, "carrier_service": "Standard", "tracking_number": code,
                "tracking_url": f"https://tracking.example/{courier}/{code}",
            }  # fmt: skip
        return made

    def logs(self, row: int, at: int) -> list[dict[str, Any]]:
        """What happened to the parcel; the numbers of the kinds are this world's own."""
        moments = (
            self.view.paid_at(row), self.journey.shipped(row, at), self.journey.scanned(row, at),
            self.journey.delivered(row, at), self.journey.cancelled(row, at),
        )  # fmt: skip
        made = [(moment, n) for n, moment in enumerate(moments) if moment is not None and moment <= at]
        return [
            {
                "log_type_id": n + 1, "log_type_name": LOGS[n].split()[0].strip(","), "log_type_text": LOGS[n],
                "timestamp": iso(moment), "metadata": {},
            }
            for moment, n in sorted(made)
        ]  # fmt: skip

    def updated(self, row: int, at: int) -> int:
        moments = (
            self.view.paid_at(row), self.journey.shipped(row, at), self.journey.scanned(row, at),
            self.journey.cancelled(row, at),
        )  # fmt: skip
        return max(moment for moment in moments if moment is not None)

    def order(self, row: int, at: int) -> dict[str, Any]:
        sku, placed = self.view.order("sku", row), iso(self.view.paid_at(row))
        channel = self.view.order("channel", row)
        product = {"id": sku + 1, "reference_id": names.sku(sku), "sku": names.sku(sku)}
        return {
            "id": self.number(row), "reference_id": self.view.order_name(row),
            "order_number": self.view.order_name(row),
            "created_date": placed, "purchase_date": placed, "status": self.status(row, at)[0], "type": "DTC",
            "channel": {"id": channel + 1, "name": CHANNELS[channel]}, "shipping_method": "Standard",
            "recipient": self.recipient(row), "products": [product | {"quantity": self.view.order("quantity", row)}],
            "tags": [], "shipments": [self.shipment(row, at)],
        }  # fmt: skip

    def inventory(self, sku: int, stocks: tuple[Ints, Ints], awaiting: int) -> dict[str, Any]:
        on_hand, committed = int(stocks[0][sku]), int(stocks[1][sku])
        free = max(on_hand - committed, 0)
        center = CENTER | {
            "onhand_quantity": on_hand, "committed_quantity": committed, "fulfillable_quantity": free,
            "awaiting_quantity": awaiting, "internal_transfer_quantity": 0,
        }  # fmt: skip
        return {
            "id": sku + 1, "name": f"{names.title(self.view.world, sku)} {names.sku(sku)}", "is_digital": False,
            "is_case_pick": False, "is_lot": False, "is_active": True, "packaging_attribute": "None",
            "total_onhand_quantity": on_hand, "total_committed_quantity": committed, "total_fulfillable_quantity": free,
            "total_awaiting_quantity": awaiting, "total_exception_quantity": 0, "total_internal_transfer_quantity": 0,
            "total_backordered_quantity": 0, "fulfillable_quantity_by_fulfillment_center": [center],
            "fulfillable_quantity_by_lot": [],
        }  # fmt: skip
