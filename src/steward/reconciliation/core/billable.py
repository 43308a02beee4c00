"""What an event of the log lets somebody bill: parcels, returns, goods received, ad spend, sales; and what the books
took in of a bill itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from steward.contracts.base import JsonObject
from steward.contracts.event import RecordedEvent
from steward.contracts.invoice import BillableFact, FactKind
from steward.kernel.instants import parse_instant

TYPES = (
    "OrderPlaced",
    "OrderFulfilled",
    "GoodsShipped",
    "OrderCancelled",
    "ReturnReceived",
    "PurchaseOrderPlaced",
    "InboundReceived",
    "AdSpendCharged",
    "RefundProcessed",
    "ThirdPartyInvoiceReceived",
    "SupplierInvoiceReceived",
)


def facts_of(event: RecordedEvent) -> list[BillableFact]:
    """The facts of one event; none where nobody could bill it."""
    data, at = event.envelope.data, event.envelope.time
    match event.envelope.type:
        case "PurchaseOrderPlaced":
            return list(_ordered(data, at))
        case "InboundReceived":
            return list(_received(data, at))
        case "ThirdPartyInvoiceReceived" | "SupplierInvoiceReceived" as kind:
            party = "provider" if kind == "ThirdPartyInvoiceReceived" else "supplier_id"
            owed = int(data["amount_minor"]) - int(data.get("tax_minor", 0))
            return [_fact("booked", f"{data[party]}/{data['invoice_id']}", data, at, data["invoice_id"], party, owed)]
        case "AdSpendCharged":
            began = parse_instant(data["period_start"]) if data.get("period_start") else at
            net = int(data["amount_minor"]) - int(data.get("tax_minor", 0))
            key = f"{data['platform']}/{data['charge_id']}"
            return [_fact("ad_spend", key, data, began, data.get("campaign_id") or "", "platform", net)]
        case "RefundProcessed":
            if not data.get("order_id"):
                return []
            return [_fact("refund", str(data["refund_id"]), data, at, data["order_id"], "", int(data["amount_minor"]))]
        case kind:
            return _of_order(kind, event.envelope.id, data, at)


def _of_order(kind: str, event_id: str, data: JsonObject, at: datetime) -> list[BillableFact]:
    order = data.get("order_id")
    if not order:
        return []
    pieces = sum(int(line["quantity"]) for line in data.get("lines") or ())
    match kind:
        case "OrderPlaced":
            return [_fact("sale", str(order), data, at, order, "channel", int(data["total_minor"]), pieces)]
        case "OrderFulfilled":
            key = f"{order}/{data.get('fulfilment_id') or event_id}"
            return [_fact("shipment", key, data, at, order, "warehouse", 0, pieces)]
        case "GoodsShipped":
            return [_fact("goods_out", str(data["shipment_id"]), data, at, order, "warehouse", 0, pieces)]
        case "ReturnReceived":
            return [_fact("return", str(data["return_id"]), data, at, order, "warehouse", 0, pieces)]
        case _:
            return [_fact("cancelled", str(order), data, at, order, "", 0)]


def _fact(
    kind: FactKind, key: str, data: JsonObject, at: datetime, subject: Any, party: str, amount: int, quantity: int = 1
) -> BillableFact:
    who = str(data.get(party) or "") if party else ""
    return BillableFact(kind, key, str(subject), "", who, at, quantity, amount, str(data.get("currency") or ""))


def _ordered(data: JsonObject, at: datetime) -> Iterator[BillableFact]:
    """A purchase order's lines, with the price of a unit where it is whole."""
    order, who, currency = str(data["purchase_order_id"]), str(data["supplier_id"]), str(data["currency"])
    for n, line in enumerate(data.get("lines") or ()):
        quantity = int(line["quantity"])
        total = int(line["total_minor"])
        yield BillableFact("ordered", f"{order}/{n}", order, str(line["sku"]), who, at, quantity, total, currency)


def _received(data: JsonObject, at: datetime) -> Iterator[BillableFact]:
    """Goods that came, by product; what they cost is known by product only where one product came."""
    order = str(data.get("purchase_order_id") or "")
    lines: list[JsonObject] = list(data.get("lines") or ())
    cost = int(data.get("cost_minor") or 0) if len(lines) == 1 else 0
    for n, line in enumerate(lines):
        yield BillableFact(
            "receipt", f"{data['inbound_id']}/{n}", order, str(line["sku"]), str(data.get("supplier_id") or ""), at,
            int(line["quantity"]), cost, str(data.get("currency") or ""),
        )  # fmt: skip
