"""Live shows as the streaming platform reports them, and what the system switched in them."""

from __future__ import annotations

from steward.contracts.base import Contract, Currency, Instant, OpenContract
from steward.contracts.payloads.fields import Name, NonNegative, Note


class LiveShowScheduled(OpenContract):
    """A show is planned."""

    show_id: Name
    starts_at: Instant
    title: Note | None = None
    channel: Name | None = None
    creator_id: Name | None = None
    planned_minutes: NonNegative | None = None
    skus: tuple[Name, ...] = ()


class LiveShowStarted(OpenContract):
    """A show is on air."""

    show_id: Name
    channel: Name | None = None
    creator_id: Name | None = None
    broadcast_id: Name | None = None


class LiveShowEnded(OpenContract):
    """A show is over; the figures are the platform's own count."""

    show_id: Name
    peak_viewers: NonNegative | None = None
    total_viewers: NonNegative | None = None
    orders: NonNegative | None = None
    currency: Currency | None = None
    sales_minor: NonNegative | None = None
    reason: Note | None = None


class ProductPinned(OpenContract):
    """A product is shown on top of the stream."""

    show_id: Name
    sku: Name
    slot: Name | None = None
    currency: Currency | None = None
    price_minor: NonNegative | None = None


class PriceDropped(OpenContract):
    """A product costs less during a show."""

    show_id: Name
    sku: Name
    currency: Currency
    price_minor: NonNegative
    previous_minor: NonNegative | None = None
    until: Instant | None = None


class ViewerJoined(OpenContract):
    """So many viewers came since the last report: a count, never a person."""

    show_id: Name
    viewers: NonNegative
    watching: NonNegative | None = None
    window_seconds: NonNegative | None = None


class ViewerLeft(OpenContract):
    """So many viewers went since the last report: a count, never a person."""

    show_id: Name
    viewers: NonNegative
    watching: NonNegative | None = None
    window_seconds: NonNegative | None = None


class SlotSwitched(Contract):
    """The system put another product or offer into a slot of a running show."""

    show_id: Name
    slot: Name
    sku: Name
    previous_sku: Name | None = None
    offer_id: Name | None = None
    action_id: Name | None = None
    reason: Note | None = None


LIVE = (
    LiveShowScheduled,
    LiveShowStarted,
    LiveShowEnded,
    ProductPinned,
    PriceDropped,
    ViewerJoined,
    ViewerLeft,
    SlotSwitched,
)
