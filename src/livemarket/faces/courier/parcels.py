"""Labels and tracking as of a moment. Every parcel has a label: the warehouse's, or the shop's own from before."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.state import Status
from livemarket.faces.business import DAY, Business, iso
from livemarket.faces.journey import Journey
from livemarket.faces.numbers import packed, unpacked
from livemarket.faces.view import View
from livemarket.files import names

PLACE = {"city_locality": "Springfield", "state_province": "IL", "postal_code": "62701", "country_code": "US"}
SAID = {
    "NY": "Not Yet In System", "AC": "Accepted", "IT": "In Transit", "DE": "Delivered", "UN": "Unknown",
}  # fmt: skip
DETAIL = {"NY": "AWAITING_PICKUP_DROP_OFF", "AC": "RECEIVED_BY_CARRIER", "IT": "IN_TRANSIT", "DE": "DELIVERED"}


@dataclass
class Bought:
    """A label the shop made itself."""

    moment: int
    courier: int
    voided: int | None = None


def amount(minor: int) -> dict[str, Any]:
    """A sum of money. The description wants a number; it is made from digits, nobody reckons with it."""
    return {"currency": names.CURRENCY.lower(), "amount": float(f"{minor // 100}.{minor % 100:02d}")}


class Parcels:
    """Read-only but for `bought`, which the acts fill."""

    def __init__(self, business: Business) -> None:
        self.view = View(business)
        self.journey = Journey(self.view)
        self.bought: dict[int, Bought] = {}

    def couriers(self) -> list[str]:
        return [courier.name for courier in self.view.world.setting.couriers]

    def number(self, row: int) -> int:
        return packed(self.view.order("day", row), self.view.order("key", row))

    def rows(self) -> Ints:
        """Orders that have a label by now, the newest first."""
        rows, moments = self.journey.sent(self.view.now)
        own = {
            row: made.moment for number, made in self.bought.items()
            if (row := self.view.keyed_order(*unpacked(number))) is not None and row not in set(rows.tolist())
        }  # fmt: skip
        rows = np.concatenate([rows, np.array(list(own), dtype=np.int64)])
        moments = np.concatenate([moments, np.array(list(own.values()), dtype=np.int64)])
        return rows[np.lexsort((-rows, -moments))]

    def labelled(self, row: int) -> int:
        """When the label that counts was made."""
        own, sent = self.bought.get(self.number(row)), self.journey.shipped(row, self.view.now)
        if own and (own.voided is None or sent is None):
            return own.moment
        return self.view.now if sent is None else sent

    def named(self, label: str) -> int | None:
        """The order of a label."""
        text = label.removeprefix("se-")
        row = self.view.keyed_order(*unpacked(int(text))) if text.isdigit() and len(text) < 19 else None
        if row is None:
            return None
        known = self.number(row) in self.bought or self.journey.shipped(row, self.view.now) is not None
        return row if known else None

    def tracked(self, code: str) -> int | None:
        """The order of a tracking number."""
        row = self.view.named_order(code.removeprefix("trk-"))
        return self.named(f"se-{self.number(row)}") if row is not None else None

    def waits(self, row: int) -> bool:
        """Whether its parcel is still to be picked."""
        here = self.view.order("status", row) not in {Status.FAILED, Status.OVERSOLD, Status.CANCELLED}
        return here and self.journey.shipped(row, self.view.now) is None

    def courier(self, row: int, at: int) -> int:
        own = self.bought.get(self.number(row))
        if own and self.journey.shipped(row, at) is None:
            return own.courier
        return self.view.order("courier", row)

    def voided(self, row: int) -> int | None:
        own = self.bought.get(self.number(row))
        return own.voided if own and self.journey.shipped(row, self.view.now) is None else None

    def status(self, row: int, at: int) -> str:
        if self.journey.delivered(row, at) is not None:
            return "DE"
        scanned = self.journey.scanned(row, at)
        if scanned is None:
            return "NY"
        return "AC" if at - scanned < DAY else "IT"

    def _shipment(self, row: int, at: int) -> dict[str, Any]:
        name, order = names.customer(self.view.order("customer", row)), self.view.order_name(row)
        sku, courier = self.view.order("sku", row), self.courier(row, at)
        address = {
            "address_line1": "1 Simulated Street", "phone": "000-000-0000", "address_residential_indicator": "unknown",
        } | PLACE  # fmt: skip
        grams = int(self.view.world.products.grams[sku]) * self.view.order("quantity", row)
        weight = {"value": grams, "unit": "gram"}
        return {
            "shipment_id": f"se-s{self.number(row)}", "carrier_id": f"se-c{courier + 1}",
            "service_code": f"{self.couriers()[courier]}_ground", "external_order_id": order,
            "external_shipment_id": f"shp-{order}", "ship_date": iso(self.labelled(row)),
            "created_at": iso(self.labelled(row)), "modified_at": iso(self.labelled(row)),
            "shipment_status": "cancelled" if self.voided(row) is not None else "label_purchased",
            "ship_to": address | {"name": name}, "ship_from": address | {"name": "Simulated warehouse"},
            "return_to": address | {"name": "Simulated warehouse"}, "is_return": False, "confirmation": "none",
            "insurance_provider": "none", "tags": [], "total_weight": weight, "warehouse_id": "se-w1", "customs": None,
            "advanced_options": {}, "packages": [{"package_code": "package", "weight": weight}],
            "items": [{"name": names.title(self.view.world, sku), "sku": names.sku(sku),
                       "quantity": self.view.order("quantity", row)}],
        }  # fmt: skip

    def label(self, row: int, at: int, base: str) -> dict[str, Any]:
        number, courier, voided = self.number(row), self.courier(row, at), self.voided(row)
        made, cost = iso(self.labelled(row)), int(self.view.world.number("parcel_cost"))
        status = {"NY": "in_transit", "AC": "in_transit", "IT": "in_transit", "DE": "delivered"}
        made_status = status[self.status(row, at)] if self.journey.shipped(row, at) is not None else "unknown"
        place = f"{base}/v1/downloads/{number}/label"
        shipment = self._shipment(row, at)
        grams = shipment["total_weight"]
        return {
            "label_id": f"se-{number}", "status": "voided" if voided is not None else "completed",
            "shipment_id": f"se-s{number}", "external_shipment_id": shipment["external_shipment_id"],
            "external_order_id": shipment["external_order_id"], "shipment": shipment, "ship_date": made,
            "created_at": made, "shipment_cost": amount(cost), "insurance_cost": amount(0), "rate_details": [],
            "tracking_number": names.tracking(self.view.order_name(row)), "is_return_label": False,
            "is_international": False, "carrier_id": f"se-c{courier + 1}", "charge_event": "carrier_default",
            "service_code": shipment["service_code"], "package_code": "package", "voided": voided is not None,
            "voided_at": None if voided is None else iso(voided), "label_format": "pdf", "label_layout": "4x6",
            "display_scheme": "label", "trackable": True, "carrier_code": self.couriers()[courier],
            "tracking_status": made_status, "label_download": {"href": f"{place}.pdf", "pdf": f"{place}.pdf"},
            "packages": [{"package_id": 1, "package_code": "package", "weight": grams, "sequence": 1,
                          "tracking_number": names.tracking(self.view.order_name(row))}],
        }  # fmt: skip

    def tracking(self, row: int, at: int, base: str) -> dict[str, Any]:
        """Where a parcel is. A lost one is in transit for ever: no courier says that it lost something."""
        status, courier = self.status(row, at), self.courier(row, at)
        sent, code = self.journey.shipped(row, at), names.tracking(self.view.order_name(row))
        came = self.journey.delivered(row, at)
        usual = ceil(self.view.world.setting.couriers[courier].days) + 1
        moments = ((sent, "NY"), (self.journey.scanned(row, at), "AC"), (came, "DE"))
        dates = {
            "ship_date": sent, "estimated_delivery_date": None if sent is None else sent + usual * DAY,
            "actual_delivery_date": came,
        }  # fmt: skip
        made: dict[str, Any] = {
            "tracking_number": code, "tracking_url": f"{base}/track/{code}", "status_code": status,
            "status_detail_code": DETAIL[status], "carrier_code": self.couriers()[courier], "carrier_id": courier + 1,
            "status_description": SAID[status], "status_detail_description": SAID[status],
            "carrier_status_code": status, "carrier_detail_code": status, "carrier_status_description": SAID[status],
            "exception_description": "",
            "events": [
                {
                    "occurred_at": iso(moment), "carrier_occurred_at": iso(moment), "description": SAID[what],
                    "company_name": self.couriers()[courier], "signer": "", "event_code": what,
                    "carrier_detail_code": what, "status_code": what, "status_detail_code": DETAIL[what],
                    "status_description": SAID[what], "status_detail_description": SAID[what],
                    "carrier_status_code": what, "carrier_status_description": SAID[what],
                } | PLACE
                for moment, what in reversed(moments) if moment is not None
            ],
        }  # fmt: skip
        return made | {name: iso(moment) for name, moment in dates.items() if moment is not None}
