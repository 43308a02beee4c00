"""Senders that speak our words already, over Standard Webhooks; and TikTok Shop, whose deliveries carry only ids."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.contracts.payloads import CURRENT
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded
from steward.kernel.canonical import JsonObject

_TIKTOK_STATUSES = {"CANCEL": "OrderCancelled", "CANCELLED": "OrderCancelled", "DELIVERED": "OrderDelivered"}


@guarded
def map_standard(document: JsonObject, headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """`{type, timestamp, data}` where `type` is a name of the event catalog and `data` its payload. `id` names the
    fact; without one the delivery's own id does, which stays the same on every attempt.
    """
    part = Part(document)
    kind, data = part.at("type").name(), part.at("data").value
    if not isinstance(data, dict):
        raise Missing("$.data", "is no object")
    own = part.maybe("id")
    number = own.name() if own else headers.get("webhook-id") or headers.get("svix-id") or ""
    if not number:
        raise Missing("webhook-id", "the header is missing, and the document has no id")
    version, subject, story = part.maybe("schemaversion"), part.maybe("subject"), part.maybe("correlationid")
    return (
        envelope(
            kind,
            number,
            (part.maybe("source") or Part("standard")).name(),
            subject.name() if subject else f"delivery/{number[:200]}",
            part.at("timestamp").time(),
            data,  # pyright: ignore[reportUnknownArgumentType]
            version.whole() if version else CURRENT.get(kind, 1),
            story.name() if story else None,
        ),
    )


@guarded
def map_tiktok_shop(document: JsonObject, _headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """A TikTok Shop webhook of type 1, a change of an order's status. Amounts and lines are not in it: an order
    comes in through the shop's own feed or a poll; only what the delivery itself states becomes an event.
    """
    part = Part(document)
    if part.at("type").whole() != 1:
        return Ignored(f"type {part.at('type').whole()} is no event of ours")
    data = part.at("data")
    order, status = data.at("order_id").name(), data.at("order_status").text()
    source, at = f"tiktok_shop/{part.at('shop_id').name()}", (data.maybe("update_time") or part.at("timestamp")).time()
    event_type = _TIKTOK_STATUSES.get(status)
    if event_type is None:
        return Ignored(f"status {status[:60]}: needs the order's details", refetch=("order", order))
    key = f"{'cancelled' if event_type == 'OrderCancelled' else 'delivered'}:{order}"
    fields: JsonObject = {"order_id": order}
    if event_type == "OrderCancelled":
        fields["cancelled_by"] = "unknown"
    return (envelope(event_type, key, source, f"order/{order}", at, fields, 1, f"order/{order}"),)
