"""Events about orders, their payments, parcels, returns, refunds and disputes."""

from __future__ import annotations

from collections.abc import Callable

from livemarket.core.aftersales import CONDITIONS
from livemarket.core.arrays import Ints
from livemarket.core.facts import Fact
from livemarket.core.money import REASONS
from livemarket.core.state import CHANNELS, PROCESSORS
from livemarket.files import names
from livemarket.files.lines import Day, column, money

CARRIER_EXTRA = 17


def _subjects(ids: list[str]) -> list[str]:
    return [f"order/{i}" for i in ids]


def _rows(day: Day, fact: Fact) -> tuple[Ints, list[str], list[int]]:
    rows = fact.columns["order"]
    return rows, names.order_ids(day.world, rows), column(fact, "second")


def placed(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = (
        "sku",
        "quantity",
        "price",
        "subtotal",
        "tax",
        "shipping",
        "total",
        "channel",
        "customer",
        "show",
        "creator",
    )
    bodies: list[str] = []
    for i, row in zip(ids, zip(*(day.at(name, rows) for name in wanted), strict=True), strict=True):
        sku, quantity, price, subtotal, tax, shipping, total, channel, customer, show, creator = row
        live = f',"show_id":"{names.show(show)}","creator_id":"{names.creator(creator)}"' if show >= 0 else ""
        bodies.append(
            f'"order_id":"{i}","currency":"{names.CURRENCY}","total_minor":{total},"channel":"{CHANNELS[channel]}",'
            f'"customer_id":"{names.customer(customer)}","tax_minor":{tax},"shipping_minor":{shipping},"simulated":true,'
            f'"lines":[{{"sku":"{names.sku(sku)}","quantity":{quantity},"unit_minor":{price},"total_minor":{subtotal}}}]{live}'
        )
    day.write("OrderPlaced", seconds, ids, _subjects(ids), bodies)


def captured(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    payments = names.payment_ids(day.world, rows)
    wanted = zip(*(day.at(n, rows) for n in ("total", "tax", "shipping", "processor")), strict=True)
    promised: list[str] = []
    bodies: list[str] = []
    for i, p, (total, tax, shipping, processor) in zip(ids, payments, wanted, strict=True):
        body = f'"payment_id":"{p}","order_id":"{i}",{money(total)},"processor":"{PROCESSORS[processor]}"'
        promised.append(body)
        bodies.append(f'{body},"tax_minor":{tax},"shipping_minor":{shipping}')
    day.write("PaymentAuthorized", [max(s - 1, 0) for s in seconds], payments, _subjects(ids), promised)
    day.write("PaymentCaptured", seconds, payments, _subjects(ids), bodies)


def payment_failed(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    payments = names.payment_ids(day.world, rows)
    wanted = zip(ids, payments, day.at("total", rows), day.at("processor", rows), strict=True)
    bodies = [
        f'"payment_id":"{p}","order_id":"{i}","code":"card_declined",{money(t)},"processor":"{PROCESSORS[n]}"'
        for i, p, t, n in wanted
    ]
    day.write("PaymentFailed", seconds, payments, _subjects(ids), bodies)


def cancelled(day: Day, fact: Fact) -> None:
    _, ids, seconds = _rows(day, fact)
    who = (("payment failed", "platform"), ("out of stock", "shop"), ("stopped at the warehouse", "shop"))
    bodies = [
        f'"order_id":"{i}","reason":"{who[by][0]}","cancelled_by":"{who[by][1]}"'
        for i, by in zip(ids, column(fact, "by"), strict=True)
    ]
    day.write("OrderCancelled", seconds, ids, _subjects(ids), bodies)


def charged(kind: str, tag: str) -> Callable[[Day, Fact], None]:
    def write(day: Day, fact: Fact) -> None:
        rows, ids, seconds = _rows(day, fact)
        payments, processors = names.payment_ids(day.world, rows), day.at("processor", rows)
        creators = day.at("creator", rows)
        bodies = [
            f'"fee_id":"{tag}-{i}","processor":"{PROCESSORS[n]}",{money(a)},"kind":"{kind}","order_id":"{i}","payment_id":"{p}"'
            + (f',"reference":"affiliate commission {names.creator(c)}"' if tag == "aff" else "")
            for i, p, n, a, c in zip(ids, payments, processors, column(fact, "amount"), creators, strict=True)
        ]
        day.write("FeeCharged", seconds, [f"{tag}-{i}" for i in ids], _subjects(ids), bodies)

    return write


def commission(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    due = names.instant(day.day + int(day.world.number("creator_due_days")), 36000)
    bodies = [
        f'"commission_id":"com-{i}","creator_id":"{names.creator(c)}",{money(a)},"order_id":"{i}","base_minor":{b},"eligible_at":"{due}"'
        for i, c, a, b in zip(
            ids, day.at("creator", rows), column(fact, "amount"), day.at("subtotal", rows), strict=True
        )
    ]
    day.write("CommissionEarned", seconds, ids, _subjects(ids), bodies)


def commission_back(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    bodies = [
        f'"commission_id":"com-{i}","creator_id":"{names.creator(c)}",{money(a)},"order_id":"{i}",'
        '"reason":"order refunded"'
        for i, c, a in zip(ids, day.at("creator", rows), column(fact, "amount"), strict=True)
    ]
    day.write("CommissionReversed", seconds, ids, _subjects(ids), bodies)


def shipped(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = zip(*(day.at(n, rows) for n in ("sku", "quantity", "cost", "batch", "courier")), strict=True)
    couriers = [c.name for c in day.world.setting.couriers]
    sent: list[str] = []
    costs: list[str] = []
    for i, (sku, quantity, cost, batch, courier) in zip(ids, wanted, strict=True):
        line = (
            f'"lines":[{{"sku":"{names.sku(sku)}","quantity":{quantity},"batch":"batch-{batch}"}}],"warehouse":"main"'
        )
        sent.append(
            f'"order_id":"{i}","fulfilment_id":"ful-{i}","carrier":"{couriers[courier]}","tracking_code":"trk-{i}",{line}'
        )
        costs.append(
            f'"shipment_id":"shp-{i}","order_id":"{i}","currency":"{names.CURRENCY}","cost_minor":{cost},{line}'
        )
    day.write("OrderFulfilled", seconds, ids, _subjects(ids), sent)
    day.write("GoodsShipped", seconds, ids, _subjects(ids), costs)


def scanned(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    couriers = [c.name for c in day.world.setting.couriers]
    bodies = [
        f'"shipment_id":"shp-{i}","tracking_code":"trk-{i}","carrier":"{couriers[c]}","status":"accepted","order_id":"{i}"'
        for i, c in zip(ids, day.at("courier", rows), strict=True)
    ]
    day.write("ShipmentScanned", seconds, ids, _subjects(ids), bodies)


def delivered(day: Day, fact: Fact) -> None:
    _, ids, seconds = _rows(day, fact)
    bodies = [f'"order_id":"{i}","shipment_id":"shp-{i}","tracking_code":"trk-{i}"' for i in ids]
    day.write("OrderDelivered", seconds, ids, _subjects(ids), bodies)


def return_asked(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = zip(ids, *(day.at(n, rows) for n in ("sku", "quantity", "customer", "return_kind")), strict=True)
    said = ("", "changed my mind", "faulty", "never came", "changed my mind", "does not fit")
    bodies = [
        f'"return_id":"ret-{i}","order_id":"{i}","lines":[{{"sku":"{names.sku(s)}","quantity":{q}}}],'
        f'"customer_id":"{names.customer(c)}","reason":"{said[k]}"'
        for i, s, q, c, k in wanted
    ]
    day.write("ReturnRequested", seconds, ids, _subjects(ids), bodies)


def return_received(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = zip(ids, *(day.at(n, rows) for n in ("sku", "quantity", "condition", "cost")), strict=True)
    bodies: list[str] = []
    for i, sku, quantity, condition, cost in wanted:
        grams = 60 if condition == 4 else int(day.world.products.grams[sku]) * quantity + CARRIER_EXTRA
        bodies.append(
            f'"return_id":"ret-{i}","order_id":"{i}","lines":[{{"sku":"{names.sku(sku)}","quantity":{quantity}}}],'
            f'"condition":"{CONDITIONS[condition]}","weight_grams":{grams},"warehouse":"main",'
            f'"currency":"{names.CURRENCY}","cost_minor":{cost // quantity * quantity}'
        )
    day.write("ReturnReceived", seconds, ids, _subjects(ids), bodies)


def refund_asked(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = zip(ids, day.at("total", rows), day.at("customer", rows), column(fact, "reason"), strict=True)
    bodies = [
        f'"refund_id":"ref-{i}","order_id":"{i}",{money(t)},"customer_id":"{names.customer(c)}","reason":"{REASONS[r]}"'
        for i, t, c, r in wanted
    ]
    day.write("RefundRequested", seconds, ids, _subjects(ids), bodies)


def refund_granted(day: Day, fact: Fact) -> None:
    _, ids, seconds = _rows(day, fact)
    bodies = [
        f'"refund_id":"ref-{i}","order_id":"{i}",{money(a)},"approver":"operator"'
        for i, a in zip(ids, column(fact, "amount"), strict=True)
    ]
    day.write("RefundApproved", seconds, ids, _subjects(ids), bodies)


def refunded(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    payments = names.payment_ids(day.world, rows)
    columns = (column(fact, n) for n in ("amount", "tax", "reason"))
    own = [names.refund(i, n) for i, n in zip(ids, column(fact, "number"), strict=True)]
    wanted = zip(ids, own, payments, day.at("processor", rows), day.at("customer", rows), *columns, strict=True)
    bodies = [
        f'"refund_id":"ref-{o}","order_id":"{i}","payment_id":"{p}",{money(a)},"method":"original","tax_minor":{t},'
        f'"processor":"{PROCESSORS[n]}","customer_id":"{names.customer(c)}","reason":"{REASONS[r]}"'
        for i, o, p, n, c, a, t, r in wanted
    ]
    day.write("RefundProcessed", seconds, own, _subjects(ids), bodies)


def defect(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    wanted = zip(ids, day.at("sku", rows), day.at("quantity", rows), day.at("batch", rows), strict=True)
    bodies = [
        f'"defect_id":"def-{i}","sku":"{names.sku(s)}","quantity":{q},"found_in":"return","batch":"batch-{b}","order_id":"{i}"'
        for i, s, q, b in wanted
    ]
    day.write("DefectReported", seconds, ids, _subjects(ids), bodies)


def dispute(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    payments, fee = names.payment_ids(day.world, rows), int(day.world.number("dispute_fee"))
    due = names.instant(day.day + 9, 86399)
    columns = (day.at(n, rows) for n in ("processor", "customer", "intent", "deliver_day"))
    bodies: list[str] = []
    for i, p, a, n, c, intent, arrived in zip(ids, payments, column(fact, "amount"), *columns, strict=True):
        reason = "fraudulent" if intent == 4 else "product_not_received" if arrived < 0 else "product_unacceptable"
        bodies.append(
            f'"dispute_id":"dp-{i}","payment_id":"{p}","order_id":"{i}",{money(a)},"reason":"{reason}","fee_minor":{fee},'
            f'"processor":"{PROCESSORS[n]}","customer_id":"{names.customer(c)}","evidence_due_at":"{due}"'
        )
    day.write("DisputeOpened", seconds, ids, _subjects(ids), bodies)


def evidence(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    bodies = [
        f'"dispute_id":"dp-{i}","processor":"{PROCESSORS[n]}","documents":["tracking","invoice"]'
        for i, n in zip(ids, day.at("processor", rows), strict=True)
    ]
    day.write("EvidenceSubmitted", seconds, ids, _subjects(ids), bodies)
    charged("dispute", "ctr")(day, fact)


def verdict(day: Day, fact: Fact) -> None:
    rows, ids, seconds = _rows(day, fact)
    payments = names.payment_ids(day.world, rows)
    columns = (column(fact, n) for n in ("amount", "won", "fee_back"))
    bodies = [
        f'"dispute_id":"dp-{i}","outcome":"{"won" if w else "lost"}",{money(a)},"fee_returned_minor":{f},'
        f'"payment_id":"{p}","order_id":"{i}","processor":"{PROCESSORS[n]}"'
        for i, p, n, a, w, f in zip(ids, payments, day.at("processor", rows), *columns, strict=True)
    ]
    day.write("DisputeResolved", seconds, ids, _subjects(ids), bodies)


WRITERS: dict[str, Callable[[Day, Fact], None]] = {
    "order": placed,
    "captured": captured,
    "payment_failed": payment_failed,
    "cancelled": cancelled,
    "processing_fee": charged("processing", "fee"),
    "overcharged": charged("processing", "ovr"),
    "referral_fee": charged("referral", "rfl"),
    "affiliate_fee": charged("other", "aff"),
    "commission": commission,
    "commission_back": commission_back,
    "shipped": shipped,
    "scanned": scanned,
    "delivered": delivered,
    "return_asked": return_asked,
    "return_received": return_received,
    "refund_asked": refund_asked,
    "refund_granted": refund_granted,
    "refund": refunded,
    "defect": defect,
    "dispute": dispute,
    "evidence": evidence,
    "verdict": verdict,
}
