"""Orders, payments and refunds as the shop reports them. Unknown keys are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from steward.contracts.base import Currency, OpenContract

# A thousand million million minor units: far beyond any shop, far inside 64 bits however many are added up.
_MOST = 10**15
Minor = Annotated[int, Field(strict=True, ge=-_MOST, le=_MOST)]
NonNegative = Annotated[int, Field(strict=True, ge=0, le=_MOST)]
Name = Annotated[str, Field(min_length=1, max_length=256)]


class Line(OpenContract):
    """One line of an order or refund. `unit_minor` is absent where a unit costs a fraction of a minor unit."""

    sku: Name
    quantity: Minor
    total_minor: Minor
    unit_minor: Minor | None = None
    description: str | None = None


class OrderPlaced(OpenContract):
    order_id: Name
    currency: Currency
    total_minor: Minor
    lines: tuple[Line, ...] = ()
    customer_id: Name | None = None
    channel: str | None = None
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0


class PaymentCaptured(OpenContract):
    payment_id: Name
    order_id: Name
    currency: Currency
    amount_minor: NonNegative
    tax_minor: NonNegative = 0
    shipping_minor: NonNegative = 0
    processor: Name = "unnamed"


class RefundProcessed(OpenContract):
    refund_id: Name
    currency: Currency
    amount_minor: Minor
    lines: tuple[Line, ...] = ()
    order_id: Name | None = None
    payment_id: Name | None = None
    customer_id: Name | None = None
    reason: str | None = None
    processor: Name = "unnamed"
