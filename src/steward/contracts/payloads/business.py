"""The business's operations: listings, disputes, support, suppliers and quality."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Currency, Digest, Instant, OpenContract
from steward.contracts.payloads.commerce import Line, PersonalDetails, StockLine
from steward.contracts.payloads.fields import Message, Name, NonNegative, Note


class ListingPublished(OpenContract):
    """A product can be bought on a channel."""

    listing_id: Name
    sku: Name
    channel: Name
    title: Note | None = None
    currency: Currency | None = None
    price_minor: NonNegative | None = None
    action_id: Name | None = None


class ListingUpdated(OpenContract):
    """The content of a listing changed; `changed` names the fields."""

    listing_id: Name
    changed: tuple[Name, ...] = ()
    sku: Name | None = None
    channel: Name | None = None
    action_id: Name | None = None


class ListingRejected(OpenContract):
    """A channel did not take a listing; it can be mended and sent again."""

    listing_id: Name
    channel: Name
    reason: Note
    code: Name | None = None
    sku: Name | None = None


class ListingBanned(OpenContract):
    """A channel took a listing down and counts it against the shop."""

    listing_id: Name
    channel: Name
    reason: Note
    code: Name | None = None
    sku: Name | None = None
    points: NonNegative | None = None
    appeal_until: Instant | None = None


class DisputeOpened(OpenContract):
    """A customer's bank takes a payment back until the case is decided."""

    dispute_id: Name
    currency: Currency
    amount_minor: NonNegative
    reason: Note
    payment_id: Name | None = None
    order_id: Name | None = None
    customer_id: Name | None = None
    processor: Name = "unnamed"
    fee_minor: NonNegative = 0
    evidence_due_at: Instant | None = None
    network_reason: Name | None = None
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class EvidenceSubmitted(OpenContract):
    """The shop's side of a dispute was sent; there is no second try."""

    dispute_id: Name
    processor: Name = "unnamed"
    evidence_digest: Digest | None = None
    documents: tuple[Name, ...] = ()
    action_id: Name | None = None


class DisputeResolved(OpenContract):
    """A dispute is decided; a chargeback is a dispute that was lost or accepted."""

    dispute_id: Name
    outcome: Literal["won", "lost", "accepted"]
    currency: Currency
    amount_minor: NonNegative
    fee_returned_minor: NonNegative = 0
    payment_id: Name | None = None
    order_id: Name | None = None
    processor: Name = "unnamed"


class TicketMessage(OpenContract):
    """One message of a ticket and who wrote it."""

    author: Literal["customer", "agent", "system"]
    text: Message


class TicketOpenedV1(OpenContract):
    """A customer asked for something, in one message."""

    ticket_id: Name
    message: Message
    channel: Name | None = None
    topic: Note | None = None
    customer_id: Name | None = None
    order_id: Name | None = None
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class TicketOpened(OpenContract):
    """A customer asked for something; what was written before comes along, oldest first."""

    ticket_id: Name
    messages: tuple[TicketMessage, ...] = ()
    channel: Name | None = None
    topic: Note | None = None
    customer_id: Name | None = None
    order_id: Name | None = None
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class TicketResolved(OpenContract):
    """A ticket is closed."""

    ticket_id: Name
    resolution: Literal["answered", "refunded", "replaced", "credited", "refused", "duplicate", "other"] = "other"
    resolver: Name | None = None
    order_id: Name | None = None
    customer_id: Name | None = None
    replies: NonNegative | None = None
    satisfaction: NonNegative | None = None


class PromiseMade(Contract):
    """The system told somebody that something will be done, and names the action that does it."""

    promise_id: Name
    action_id: Name
    due_at: Instant
    what: Note
    ticket_id: Name | None = None
    order_id: Name | None = None
    customer_id: Name | None = None


class PromiseKept(Contract):
    """What was promised is done."""

    promise_id: Name
    action_id: Name | None = None
    late_seconds: NonNegative = 0


class SupplierQuoted(OpenContract):
    """A supplier named a price."""

    quote_id: Name
    supplier_id: Name
    sku: Name
    currency: Currency
    unit_minor: NonNegative
    minimum_quantity: NonNegative | None = None
    lead_days: NonNegative | None = None
    valid_until: Instant | None = None


class PurchaseOrderPlaced(OpenContract):
    """The shop ordered goods from a supplier."""

    purchase_order_id: Name
    supplier_id: Name
    currency: Currency
    total_minor: NonNegative
    lines: tuple[Line, ...] = ()
    expected_at: Instant | None = None
    quote_id: Name | None = None
    action_id: Name | None = None


class InboundReceived(OpenContract):
    """Goods arrived in a warehouse."""

    inbound_id: Name
    lines: tuple[StockLine, ...]
    purchase_order_id: Name | None = None
    supplier_id: Name | None = None
    warehouse: Name | None = None
    currency: Currency | None = None
    cost_minor: NonNegative | None = None


class DefectReported(OpenContract):
    """Pieces of a product are not as they should be."""

    defect_id: Name
    sku: Name
    quantity: NonNegative
    severity: Literal["minor", "major", "critical", "unknown"] = "unknown"
    found_in: Literal["sample", "inbound", "return", "ticket", "review", "other"] = "other"
    batch: Name | None = None
    order_id: Name | None = None
    supplier_id: Name | None = None
    description: Note | None = None


BUSINESS = (
    ListingPublished,
    ListingUpdated,
    ListingRejected,
    ListingBanned,
    DisputeOpened,
    EvidenceSubmitted,
    DisputeResolved,
    TicketOpened,
    TicketResolved,
    PromiseMade,
    PromiseKept,
    SupplierQuoted,
    PurchaseOrderPlaced,
    InboundReceived,
    DefectReported,
)
