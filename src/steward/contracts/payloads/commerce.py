"""Orders, payments, parcels, returns, refunds, stock and prices as the shop reports them. Unknown keys are kept."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Currency, Digest, Instant, OpenContract
from steward.contracts.payloads.fields import Minor, Name, NonNegative, Note


class Line(OpenContract):
    """One line of an order or refund. `unit_minor` is absent where a unit costs a fraction of a minor unit."""

    sku: Name
    quantity: Minor
    total_minor: Minor
    unit_minor: Minor | None = None
    description: str | None = None


class StockLine(OpenContract):
    """How many of one product were moved, without a price."""

    sku: Name
    quantity: NonNegative
    batch: Name | None = None


class Address(OpenContract):
    """Where a person can be reached by post."""

    line1: Note | None = None
    line2: Note | None = None
    city: Name | None = None
    region: Name | None = None
    postcode: Name | None = None
    country: Name | None = None


class PersonalDetails(OpenContract):
    """Who somebody is; it leaves the event before the event is stored."""

    name: Name | None = None
    email: Name | None = None
    phone: Name | None = None
    address: Address | None = None


class OrderPlacedV1(OpenContract):
    """A customer ordered; where it was sold may be left out."""

    order_id: Name
    currency: Currency
    total_minor: Minor
    lines: tuple[Line, ...] = ()
    customer_id: Name | None = None
    channel: str | None = None
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0


class OrderPlaced(OpenContract):
    """A customer ordered on a channel; `total_minor` is what is owed after the discount."""

    order_id: Name
    currency: Currency
    total_minor: Minor
    channel: str
    lines: tuple[Line, ...] = ()
    customer_id: Name | None = None
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0
    discount_minor: NonNegative = 0
    show_id: Name | None = None
    creator_id: Name | None = None
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class PaymentAuthorized(OpenContract):
    """A processor promises the customer's money and does not hold it yet."""

    payment_id: Name
    order_id: Name
    currency: Currency
    amount_minor: NonNegative
    processor: Name = "unnamed"
    expires_at: Instant | None = None


class PaymentFailed(OpenContract):
    """A processor refused to authorize or capture."""

    payment_id: Name
    code: Name
    order_id: Name | None = None
    currency: Currency | None = None
    amount_minor: NonNegative | None = None
    processor: Name = "unnamed"
    message: Note | None = None


class PaymentCaptured(OpenContract):
    """A processor holds the customer's money for us."""

    payment_id: Name
    order_id: Name
    currency: Currency
    amount_minor: NonNegative
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0
    processor: Name = "unnamed"


class OrderCancelled(OpenContract):
    """An order will not be sent."""

    order_id: Name
    reason: Note | None = None
    cancelled_by: Literal["customer", "shop", "platform", "unknown"] = "unknown"


class OrderFulfilled(OpenContract):
    """An order, or the part of it in `lines`, left the warehouse."""

    order_id: Name
    fulfilment_id: Name | None = None
    carrier: Name | None = None
    tracking_code: Name | None = None
    warehouse: Name | None = None
    lines: tuple[StockLine, ...] = ()


class ShipmentScanned(OpenContract):
    """A carrier saw a parcel; a scan is not a receipt."""

    shipment_id: Name
    tracking_code: Name
    carrier: Name
    status: Literal[
        "label_created", "accepted", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "unknown"
    ]
    location: Note | None = None
    order_id: Name | None = None
    weight_grams: NonNegative | None = None


class OrderDelivered(OpenContract):
    """A carrier says that the customer has the parcel; it may know the parcel and not the order."""

    order_id: Name | None = None
    shipment_id: Name | None = None
    tracking_code: Name | None = None
    carrier: Name | None = None
    signed: bool = False


class ReturnRequested(OpenContract):
    """A customer wants to send goods back."""

    return_id: Name
    order_id: Name
    lines: tuple[StockLine, ...] = ()
    customer_id: Name | None = None
    reason: Note | None = None
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class ReturnReceived(OpenContract):
    """Goods came back and were looked at; `weight_grams` is what the parcel weighed."""

    return_id: Name
    order_id: Name | None = None
    lines: tuple[StockLine, ...] = ()
    condition: Literal["as_new", "used", "damaged", "wrong_item", "empty", "unknown"] = "unknown"
    weight_grams: NonNegative | None = None
    warehouse: Name | None = None
    currency: Currency | None = None
    cost_minor: NonNegative | None = None


class RefundRequested(OpenContract):
    """Somebody asks for money back."""

    refund_id: Name
    currency: Currency
    amount_minor: NonNegative
    order_id: Name | None = None
    payment_id: Name | None = None
    customer_id: Name | None = None
    return_id: Name | None = None
    reason: Note | None = None
    lines: tuple[Line, ...] = ()
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class RefundApproved(OpenContract):
    """The shop agreed to give money back and has not done so yet."""

    refund_id: Name
    currency: Currency
    amount_minor: NonNegative
    approver: Name | None = None
    order_id: Name | None = None
    payment_id: Name | None = None


class RefundProcessedV1(OpenContract):
    """Money went back to a customer; how is not said."""

    refund_id: Name
    currency: Currency
    amount_minor: Minor
    lines: tuple[Line, ...] = ()
    order_id: Name | None = None
    payment_id: Name | None = None
    customer_id: Name | None = None
    reason: str | None = None
    processor: Name = "unnamed"


class RefundProcessed(OpenContract):
    """Money went back to a customer: to where it came from, as store credit or otherwise."""

    refund_id: Name
    currency: Currency
    amount_minor: Minor
    method: Literal["original", "store_credit", "other", "unknown"]
    lines: tuple[Line, ...] = ()
    order_id: Name | None = None
    payment_id: Name | None = None
    customer_id: Name | None = None
    reason: str | None = None
    processor: Name = "unnamed"
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0
    fee_returned_minor: NonNegative = 0
    customer: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class StockLow(OpenContract):
    """A product fell below the level at which it should be ordered again."""

    sku: Name
    on_hand: Minor
    threshold: NonNegative | None = None
    warehouse: Name | None = None


class StockOut(OpenContract):
    """Nothing of a product is left to sell."""

    sku: Name
    warehouse: Name | None = None
    channel: Name | None = None


class StockReplenished(OpenContract):
    """More of a product can be sold."""

    sku: Name
    quantity: NonNegative
    on_hand: Minor | None = None
    warehouse: Name | None = None
    inbound_id: Name | None = None


class StockAdjusted(OpenContract):
    """A count or a loss changed the stock of a product by `delta`."""

    sku: Name
    delta: Minor
    reason: Literal["count", "damage", "loss", "found", "transfer", "other"] = "other"
    on_hand: Minor | None = None
    warehouse: Name | None = None
    currency: Currency | None = None
    cost_minor: NonNegative | None = None


class PriceChanged(OpenContract):
    """The list price of a product is another from now on."""

    sku: Name
    currency: Currency
    price_minor: NonNegative
    previous_minor: NonNegative | None = None
    channel: Name | None = None
    reason: Note | None = None


COMMERCE = (
    OrderPlaced,
    PaymentAuthorized,
    PaymentFailed,
    PaymentCaptured,
    OrderCancelled,
    OrderFulfilled,
    ShipmentScanned,
    OrderDelivered,
    ReturnRequested,
    ReturnReceived,
    RefundRequested,
    RefundApproved,
    RefundProcessed,
    StockLow,
    StockOut,
    StockReplenished,
    StockAdjusted,
    PriceChanged,
)
