"""Shopify webhooks: orders, payments, fulfilments, refunds. The topic and shop are headers."""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded, optional_text, person
from steward.kernel.canonical import JsonObject


def _lines(order: Part, currency: str) -> list[JsonObject]:
    lines: list[JsonObject] = []
    for item in order.at("line_items").items():
        quantity, unit = item.at("quantity").whole(), item.at("price").minor(currency)
        sku = optional_text(item.maybe("sku")) or f"variant:{(item.maybe('variant_id') or item.at('id')).name()}"
        lines.append(
            {
                "sku": sku,
                "quantity": quantity,
                "unit_minor": unit,
                "total_minor": quantity * unit,
                "description": optional_text(item.maybe("title"), 300) or "",
            }
        )
    return lines


def _customer(order: Part) -> JsonObject | None:
    customer, address = order.maybe("customer"), order.maybe("shipping_address")
    names = [optional_text(customer.maybe(key)) for key in ("first_name", "last_name")] if customer else []
    where = (
        {
            "line1": optional_text(address.maybe("address1")),
            "line2": optional_text(address.maybe("address2")),
            "city": optional_text(address.maybe("city")),
            "region": optional_text(address.maybe("province")),
            "postcode": optional_text(address.maybe("zip")),
            "country": optional_text(address.maybe("country_code")),
        }
        if address
        else {}
    )
    email = optional_text(order.maybe("email")) or (optional_text(customer.maybe("email")) if customer else None)
    return person(
        " ".join(name for name in names if name) or None,
        email,
        optional_text(order.maybe("phone")),
        {key: value for key, value in where.items() if value},
    )


def _number(order: Part) -> str:
    return order.at("id").name()


def _placed(order: Part, source: str) -> Envelope:
    number, currency = _number(order), order.at("currency").currency()
    customer = order.maybe("customer")
    shipping = sum(line.at("price").minor(currency) for line in order.at("shipping_lines").items())
    discounts, tax = order.maybe("total_discounts"), order.maybe("total_tax")
    data: JsonObject = {
        "order_id": number,
        "currency": currency,
        "total_minor": order.at("total_price").minor(currency),
        "channel": optional_text(order.maybe("source_name")) or "shopify",
        "lines": _lines(order, currency),
        "customer_id": customer.at("id").name() if customer else None,
        "tax_minor": tax.minor(currency) if tax else 0,
        "shipping_minor": shipping,
        "discount_minor": discounts.minor(currency) if discounts else 0,
        "customer": _customer(order),
    }
    at = order.at("created_at").time()
    return envelope("OrderPlaced", f"order:{number}", source, f"order/{number}", at, data, 2, f"order/{number}")


def _paid(order: Part, source: str) -> Envelope:
    """The order was paid in full. Which processor captured it is in the gateway's name."""
    number, currency = _number(order), order.at("currency").currency()
    gateways = order.at("payment_gateway_names").items()
    processed = order.maybe("processed_at") or order.at("created_at")
    data: JsonObject = {
        "payment_id": f"shopify:{number}",
        "order_id": number,
        "currency": currency,
        "amount_minor": order.at("total_price").minor(currency),
        "processor": gateways[0].name() if gateways else "shopify",
    }
    subject = f"order/{number}"
    return envelope("PaymentCaptured", f"payment:{number}", source, subject, processed.time(), data, 1, subject)


def _cancelled(order: Part, source: str) -> Envelope:
    number = _number(order)
    data: JsonObject = {"order_id": number, "reason": optional_text(order.maybe("cancel_reason"))}
    if data["reason"] == "customer":
        data["cancelled_by"] = "customer"
    at = order.at("cancelled_at").time()
    return envelope("OrderCancelled", f"cancelled:{number}", source, f"order/{number}", at, data, 1, f"order/{number}")


def _fulfilled(part: Part, source: str) -> Envelope:
    number, order = part.at("id").name(), part.at("order_id").name()
    data: JsonObject = {
        "order_id": order,
        "fulfilment_id": number,
        "carrier": optional_text(part.maybe("tracking_company")),
        "tracking_code": optional_text(part.maybe("tracking_number")),
    }
    at = part.at("created_at").time()
    return envelope("OrderFulfilled", f"fulfilment:{number}", source, f"order/{order}", at, data, 1, f"order/{order}")


def _refunded(part: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    """What went back is the sum of the refund's successful refund transactions."""
    number, order = part.at("id").name(), part.at("order_id").name()
    moved = [
        each
        for each in part.at("transactions").items()
        if each.at("kind").text() == "refund" and each.at("status").text() == "success"
    ]
    if not moved:
        return Ignored("no money has moved for this refund")
    currency = moved[0].at("currency").currency()
    if any(each.at("currency").currency() != currency for each in moved):
        raise Missing("$.transactions", "are in several currencies")
    data: JsonObject = {
        "refund_id": number,
        "currency": currency,
        "amount_minor": sum(each.at("amount").minor(currency) for each in moved),
        "method": "store_credit" if moved[0].at("gateway").text() == "gift_card" else "original",
        "order_id": order,
        "payment_id": f"shopify:{order}",
        "processor": moved[0].at("gateway").name(),
        "reason": optional_text(part.maybe("note"), 200),
    }
    at = part.at("created_at").time()
    return (envelope("RefundProcessed", f"refund:{number}", source, f"order/{order}", at, data, 2, f"order/{order}"),)


@guarded
def map_delivery(document: JsonObject, headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """One Shopify webhook, by its topic header. A REST answer wraps the object in its name: both forms are read."""
    topic = headers.get("x-shopify-topic", "")
    source = f"shopify/{headers.get('x-shopify-shop-domain', 'shop')}"
    part = Part(document)
    for wrapper in ("order", "refund", "fulfillment"):
        inner = part.maybe(wrapper) if len(document) == 1 else None
        part = inner or part
    match topic:
        case "orders/create":
            return (_placed(part, source),)
        case "orders/paid":
            return (_paid(part, source),)
        case "orders/cancelled":
            return (_cancelled(part, source),)
        case "fulfillments/create":
            return (_fulfilled(part, source),)
        case "refunds/create":
            return _refunded(part, source)
        case "inventory_levels/update":
            return Ignored("it states a level, not what changed it")
        case "":
            raise Missing("x-shopify-topic", "the header is missing")
        case _:
            return Ignored(f"{topic[:80]} is no event of ours")
