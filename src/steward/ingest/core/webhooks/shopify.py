"""Shopify webhooks: orders, payments, fulfilments, refunds, disputes. The topic and shop are headers.

Shopify signs the body and not the headers. So a topic is believed only where the body itself says the same: an order
is paid where its own status says so, cancelled where it has the time of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from steward.contracts.event import Envelope
from steward.ingest.core.webhooks.model import Ignored, Missing, Part, envelope, guarded, optional_text, person
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import format_instant

# Gateways that tell of their own captures and refunds in webhooks of their own: told twice, money would count twice.
_TELL_THEMSELVES = {"paypal", "stripe"}
_STORE_CREDIT = {"gift_card", "shopify_store_credit", "store_credit"}
_CANCELLED_BY = {"customer": "customer", "fraud": "shop", "inventory": "shop", "staff": "shop"}
_OUTCOMES = {"won": "won", "lost": "lost", "accepted": "accepted"}


def _lines(order: Part, currency: str) -> list[JsonObject]:
    lines: list[JsonObject] = []
    for item in order.at("line_items").items():
        quantity, unit = item.at("quantity").whole(), item.at("price").minor(currency)
        sku = _sku(item)
        reduced = sum(part.at("amount").minor(currency) for part in item.at("discount_allocations").items())
        lines.append(
            {
                "sku": sku,
                "quantity": quantity,
                "unit_minor": unit,
                "total_minor": quantity * unit - reduced,
                "description": optional_text(item.maybe("title"), 300) or "",
            }
        )
    return lines


def _sku(item: Part) -> str:
    return optional_text(item.maybe("sku")) or f"variant:{(item.maybe('variant_id') or item.at('id')).name()}"


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


def _paid(order: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    """The order was paid in full, and when it last changed is when. Who captured it is in the gateway's name."""
    status = order.at("financial_status").text(40)
    if status != "paid":
        return Ignored(f"the order is {status}")
    number, currency = _number(order), order.at("currency").currency()
    gateways = [gateway.name() for gateway in order.at("payment_gateway_names").items()]
    if told := _TELL_THEMSELVES.intersection(gateways):
        return Ignored(f"paid through {', '.join(sorted(told))}, which tells of the payment itself")
    data: JsonObject = {
        "payment_id": f"shopify:{number}",
        "order_id": number,
        "currency": currency,
        "amount_minor": order.at("total_price").minor(currency),
        "processor": gateways[0] if gateways else "shopify",
    }
    at, subject = order.at("updated_at").time(), f"order/{number}"
    return (envelope("PaymentCaptured", f"payment:{number}", source, subject, at, data, 1, subject),)


def _cancelled(order: Part, source: str) -> Envelope:
    number = _number(order)
    reason = optional_text(order.maybe("cancel_reason"))
    data: JsonObject = {
        "order_id": number,
        "reason": reason,
        "cancelled_by": _CANCELLED_BY.get(reason or "", "unknown"),
    }
    at = order.at("cancelled_at").time()
    return envelope("OrderCancelled", f"cancelled:{number}", source, f"order/{number}", at, data, 1, f"order/{number}")


def _fulfilled(part: Part, source: str) -> tuple[Envelope, ...]:
    """One fulfilment; nothing where it did not go out."""
    if part.at("status").text(40) not in {"success", "pending", "open"}:
        return ()
    number, order = part.at("id").name(), part.at("order_id").name()
    data: JsonObject = {
        "order_id": order,
        "fulfilment_id": number,
        "carrier": optional_text(part.maybe("tracking_company")),
        "tracking_code": optional_text(part.maybe("tracking_number")),
        "lines": [
            {"sku": _sku(item), "quantity": item.at("quantity").whole()} for item in part.at("line_items").items()
        ],
    }
    at, subject = part.at("created_at").time(), f"order/{order}"
    return (envelope("OrderFulfilled", f"fulfilment:{number}", source, subject, at, data, 1, subject),)


def _delivered(part: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    status = optional_text(part.maybe("shipment_status")) or "not known"
    if status != "delivered":
        return Ignored(f"the parcel is {status}")
    number, order = part.at("id").name(), part.at("order_id").name()
    data: JsonObject = {
        "order_id": order,
        "shipment_id": number,
        "carrier": optional_text(part.maybe("tracking_company")),
        "tracking_code": optional_text(part.maybe("tracking_number")),
    }
    at, subject = part.at("updated_at").time(), f"order/{order}"
    return (envelope("OrderDelivered", f"delivered:{number}", source, subject, at, data, 1, subject),)


def _refunded(part: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    """What went back is the sum of the refund's successful refund transactions."""
    number, order = part.at("id").name(), part.at("order_id").name()
    moved = [
        each
        for each in part.at("transactions").items()
        if each.at("kind").text() == "refund"
        and each.at("status").text() == "success"
        and each.at("gateway").text() not in _TELL_THEMSELVES
    ]
    if not moved:
        return Ignored("no money has moved for this refund, or its processor tells of it itself")
    currency = moved[0].at("currency").currency()
    if any(each.at("currency").currency() != currency for each in moved):
        raise Missing("$.transactions", "are in several currencies")
    ways = {"store_credit" if each.at("gateway").text() in _STORE_CREDIT else "original" for each in moved}
    data: JsonObject = {
        "refund_id": number,
        "currency": currency,
        "amount_minor": sum(each.at("amount").minor(currency) for each in moved),
        "method": ways.pop() if len(ways) == 1 else "other",
        "lines": [_refund_line(item, currency) for item in part.at("refund_line_items").items()],
        "order_id": order,
        "payment_id": f"shopify:{order}",
        "processor": moved[0].at("gateway").name(),
        "reason": optional_text(part.maybe("note"), 200),
    }
    at = (part.maybe("processed_at") or part.at("created_at")).time()
    return (envelope("RefundProcessed", f"refund:{number}", source, f"order/{order}", at, data, 2, f"order/{order}"),)


def _refund_line(item: Part, currency: str) -> JsonObject:
    """`subtotal` is what the pieces cost after discounts; older versions do not say it."""
    sold, quantity, subtotal = item.at("line_item"), item.at("quantity").whole(), item.maybe("subtotal")
    return {
        "sku": _sku(sold),
        "quantity": quantity,
        "total_minor": subtotal.minor(currency) if subtotal else quantity * sold.at("price").minor(currency),
    }


def _dispute(part: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    """A dispute of Shopify Payments: it opens as a chargeback, and ends when it has an outcome."""
    if part.at("type").text(40) != "chargeback":
        return Ignored("an inquiry: the bank asks and has taken nothing back")
    number, currency, status = part.at("id").name(), part.at("currency").currency(), part.at("status").text(40)
    order, due = part.maybe("order_id"), part.maybe("evidence_due_by")
    data: JsonObject = {
        "dispute_id": number,
        "currency": currency,
        "amount_minor": part.at("amount").minor(currency),
        "order_id": order.name() if order else None,
        "processor": "shopify_payments",
    }
    subject, story = f"dispute/{number}", f"order/{order.name()}" if order else None
    opened = {
        "reason": part.at("reason").text(200),
        "network_reason": optional_text(part.maybe("network_reason_code")),
        "evidence_due_at": format_instant(due.time()) if due else None,
    }
    at = part.at("initiated_at").time()
    made = [envelope("DisputeOpened", f"dispute_opened:{number}", source, subject, at, data | opened, 1, story)]
    ended = part.maybe("finalized_on")
    if status in _OUTCOMES and ended:
        key, outcome = f"dispute_resolved:{number}", {"outcome": _OUTCOMES[status]}
        made.append(envelope("DisputeResolved", key, source, subject, ended.time(), data | outcome, 1, story))
    return tuple(made)


def _level(part: Part, source: str) -> tuple[Envelope, ...] | Ignored:
    """Shopify states a level and not what changed it. That nothing is left is a fact all the same."""
    left = part.at("available").value
    if left is None or part.at("available").whole() > 0:
        return Ignored("it states a level, not what changed it")
    item, place, at = part.at("inventory_item_id").name(), part.at("location_id").name(), part.at("updated_at").time()
    sku, warehouse = f"inventory_item:{item}", f"location:{place}"
    data: JsonObject = {"sku": sku, "warehouse": warehouse}
    key = f"stock_out:{item}:{place}:{format_instant(at)}"
    return (envelope("StockOut", key, source, f"stock/{sku}", at, data),)


@guarded
def map_delivery(document: JsonObject, headers: Mapping[str, str]) -> tuple[Envelope, ...] | Ignored:
    """One Shopify webhook, by its topic header. A REST answer wraps the object in its name: both forms are read."""
    topic = headers.get("x-shopify-topic", "")
    source = f"shopify/{headers.get('x-shopify-shop-domain', 'shop')}"
    part = Part(document)
    for wrapper in ("order", "refund", "fulfillment", "dispute", "inventory_level"):
        inner = part.maybe(wrapper) if len(document) == 1 else None
        part = inner or part
    match topic:
        case "orders/create":
            return (_placed(part, source),)
        case "orders/paid":
            return _paid(part, source)
        case "orders/cancelled":
            return (_cancelled(part, source),)
        case "orders/fulfilled":
            sent = [each for one in part.at("fulfillments").items() for each in _fulfilled(one, source)]
            return tuple(sent) or Ignored("the order lists no fulfilment that went out")
        case "fulfillments/create":
            return _fulfilled(part, source) or Ignored("the fulfilment did not go out")
        case "fulfillments/update":
            return _delivered(part, source)
        case "refunds/create":
            return _refunded(part, source)
        case "disputes/create" | "disputes/update":
            return _dispute(part, source)
        case "inventory_levels/update":
            return _level(part, source)
        case "":
            raise Missing("x-shopify-topic", "the header is missing")
        case _:
            return Ignored(f"{topic[:80]} is no event of ours")
