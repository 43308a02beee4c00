"""Parcels: EasyPost trackers and ShipBob orders. A scan, and that a parcel arrived."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded, optional_text
from steward.kernel.canonical import JsonObject

_STATUSES = {
    "pre_transit": "label_created",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "available_for_pickup": "in_transit",
    "delivered": "delivered",
    "return_to_sender": "returned",
    "failure": "exception",
    "error": "exception",
    "cancelled": "exception",
}


@guarded
def map_easypost(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """An EasyPost event about a tracker: every scan it lists is one event, and so is the delivery."""
    event = Part(document)
    kind = event.at("description").text()
    if kind not in {"tracker.created", "tracker.updated"}:
        return Ignored(f"{kind[:80]} is no event of ours")
    tracker = event.at("result")
    number, code = tracker.at("id").name(), tracker.at("tracking_code").name()
    carrier = optional_text(tracker.maybe("carrier")) or "unknown"
    shipment = tracker.maybe("shipment_id")
    is_return = tracker.at("is_return").value is True  # a return that arrived is with us, not with the customer
    common: JsonObject = {
        "shipment_id": shipment.name() if shipment else number,
        "tracking_code": code,
        "carrier": carrier,
    }
    made: list[Envelope] = []
    for scan in tracker.at("tracking_details").items():
        status, at = scan.at("status").text(60), scan.at("datetime").time()
        place = scan.maybe("tracking_location")
        city = optional_text(place.maybe("city")) if place else None
        key = f"{code}:{status}:{at.isoformat()}"
        data = {**common, "status": _STATUSES.get(status, "unknown"), "location": city}
        made.append(envelope("ShipmentScanned", f"scan:{key}", "easypost", f"shipment/{code}", at, data))
        if status == "delivered" and not is_return:
            made.append(envelope("OrderDelivered", f"delivered:{code}", "easypost", f"shipment/{code}", at, common))
    return tuple(made) or Ignored("the tracker lists no scan yet")


@guarded
def map_shipbob(document: JsonObject, headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """A ShipBob webhook by its topic: `order.shipped` and `order.shipment.delivered`."""
    topic = headers.get("x-webhook-topic") or headers.get("shipbob-topic", "")
    part = Part(document)
    match topic.replace("_", "."):
        case "order.shipped":
            order = (part.maybe("reference_id") or part.at("id")).name()
            return tuple(_shipped(shipment, order) for shipment in part.at("shipments").items()) or Ignored(
                "the order lists no shipment"
            )
        case "order.shipment.delivered" | "shipment.delivered":
            return (_delivered(part),)
        case "":
            raise Missing("x-webhook-topic", "the header is missing")
        case _:
            return Ignored(f"{topic[:80]} is no event of ours")


def _shipped(shipment: Part, order: str) -> Envelope:
    number = shipment.at("id").name()
    tracking = shipment.maybe("tracking")
    data: JsonObject = {
        "order_id": order,
        "fulfilment_id": number,
        "carrier": optional_text(tracking.maybe("carrier")) if tracking else None,
        "tracking_code": optional_text(tracking.maybe("tracking_number")) if tracking else None,
    }
    at = (shipment.maybe("actual_fulfillment_date") or shipment.at("created_date")).time()
    subject = f"order/{order}"
    return envelope("OrderFulfilled", f"fulfilment:{number}", "shipbob", subject, at, data, 1, subject)


def _delivered(shipment: Part) -> Envelope:
    number, order = shipment.at("id").name(), (shipment.maybe("reference_id") or shipment.at("order_id")).name()
    tracking = shipment.maybe("tracking")
    data: JsonObject = {
        "shipment_id": number,
        "order_id": order,
        "carrier": optional_text(tracking.maybe("carrier")) if tracking else None,
        "tracking_code": optional_text(tracking.maybe("tracking_number")) if tracking else None,
    }
    at = shipment.at("delivery_date").time()
    subject = f"order/{order}"
    return envelope("OrderDelivered", f"delivered:{number}", "shipbob", subject, at, data, 1, subject)
