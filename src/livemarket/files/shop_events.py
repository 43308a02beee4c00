"""Events about shows, advertisements, goods, prices, tickets, payouts and bills."""

from __future__ import annotations

import json
from collections.abc import Callable

from livemarket import catalog
from livemarket.core.facts import Fact
from livemarket.core.money import SUPPLIER
from livemarket.core.state import PROCESSORS
from livemarket.core.tickets import INTENTS
from livemarket.files import names
from livemarket.files.counts import counted
from livemarket.files.lines import Day, column, money, ratio

PLATFORM = "tiktok_ads"
WAREHOUSE = "warehouse-3pl"


def silent(day: Day, fact: Fact) -> None:
    """Facts that only a provider's face tells: no event of the business has their meaning."""


def _simple(kind: str, subject: str, rows: Callable[[Day, Fact], list[tuple[str, str]]]) -> Callable[[Day, Fact], None]:
    """A writer for events whose id and data come from one function."""

    def write(day: Day, fact: Fact) -> None:
        made = rows(day, fact)
        ids = [i for i, _ in made]
        day.write(kind, column(fact, "second"), ids, [f"{subject}/{i}" for i in ids], [b for _, b in made])

    return write


def _ad_spend(day: Day, fact: Fact) -> list[tuple[str, str]]:
    start, end = names.instant(day.day, 0), names.instant(day.day, 86399)
    return [
        (
            f"{names.ad_set(a)}-{day.date}",
            (
                f'"charge_id":"ads-{a}-{day.date}","platform":"{PLATFORM}",{money(m)},"campaign_id":"{names.ad_set(a)}",'
                f'"period_start":"{start}","period_end":"{end}","impressions":{i},"clicks":{c}'
            ),
        )
        for a, m, i, c in zip(*(column(fact, n) for n in ("ad_set", "amount", "impressions", "clicks")), strict=True)
    ]


def _creative(ad_set: int, born: int) -> str:
    return f"creative-{ad_set:02d}-{born:04d}"


def _tired(day: Day, fact: Fact) -> list[tuple[str, str]]:
    initial = ratio(int(day.world.number("ad_ctr") * 1_000_000 + 0.5))
    return [
        (
            _creative(a, b),
            f'"creative_id":"{_creative(a, b)}","rate":"{ratio(r)}","initial_rate":"{initial}","impressions":{n}',
        )
        for a, b, r, n in zip(*(column(fact, k) for k in ("ad_set", "born", "rate_ppm", "impressions")), strict=True)
    ]


def _new_creative(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (
            _creative(a, day.day),
            f'"creative_id":"{_creative(a, day.day)}","platform":"{PLATFORM}","campaign_id":"{names.ad_set(a)}"',
        )
        for a in column(fact, "ad_set")
    ]


def _budget(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (
            f"{names.ad_set(a)}-{day.date}",
            (
                f'"ad_set_id":"{names.ad_set(a)}","currency":"{names.CURRENCY}","daily_budget_minor":{m},"previous_minor":{b},'
                f'"platform":"{PLATFORM}"'
            ),
        )
        for a, b, m in zip(*(column(fact, n) for n in ("ad_set", "before", "after")), strict=True)
    ]


def _price(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (
            f"{names.sku(s)}-{day.date}",
            f'"sku":"{names.sku(s)}","currency":"{names.CURRENCY}","price_minor":{a},"previous_minor":{b},"reason":"operator"',
        )
        for s, b, a in zip(*(column(fact, n) for n in ("sku", "before", "after")), strict=True)
    ]


def _banned(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (
            f"{names.sku(s)}-{day.date}",
            (
                f'"listing_id":"lst-{names.sku(s)}","channel":"tiktok_shop","reason":"reported content",'
                f'"sku":"{names.sku(s)}","points":8'
            ),
        )
        for s in column(fact, "sku")
    ]


def _stock_out(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [(f"{names.sku(s)}-{day.date}", f'"sku":"{names.sku(s)}","warehouse":"main"') for s in column(fact, "sku")]


def _stock_low(day: Day, fact: Fact) -> list[tuple[str, str]]:
    pairs = zip(column(fact, "sku"), column(fact, "on_hand"), strict=True)
    return [
        (f"{names.sku(s)}-{day.date}", f'"sku":"{names.sku(s)}","on_hand":{n},"warehouse":"main"') for s, n in pairs
    ]


def _purchase(day: Day, fact: Fact) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for row, sku, supplier, units, cost, arrives in _bought(day, fact, "arrives"):
        total = units * cost
        body = (
            f'"purchase_order_id":"po-{row}","supplier_id":"{names.supplier(supplier)}","currency":"{names.CURRENCY}",'
            f'"total_minor":{total},"expected_at":"{names.instant(arrives, 36000)}",'
            f'"lines":[{{"sku":"{names.sku(sku)}","quantity":{units},"unit_minor":{cost},"total_minor":{total}}}]'
        )
        made.append((f"po-{row}", body))
    return made


def _bought(day: Day, fact: Fact, last: str) -> list[tuple[int, int, int, int, int, int]]:
    rows = fact.columns["purchase"]
    columns = ("sku", "supplier", "units", "unit_cost", last)
    return list(zip(rows.tolist(), *(day.world.state.purchases.at(n, rows).tolist() for n in columns), strict=True))


def inbound(day: Day, fact: Fact) -> None:
    """Goods and their bill come on one day."""
    seconds = column(fact, "second")
    goods: list[str] = []
    bills: list[str] = []
    ids: list[str] = []
    due = names.instant(day.day + int(day.world.number("supplier_terms")), 39000)
    for (row, sku, supplier, units, cost, _), batch in zip(
        _bought(day, fact, "day"), column(fact, "batch"), strict=True
    ):
        ids.append(f"po-{row}")
        who = f'"purchase_order_id":"po-{row}","supplier_id":"{names.supplier(supplier)}","currency":"{names.CURRENCY}"'
        goods.append(
            f'"inbound_id":"inb-{row}",{who},"cost_minor":{units * cost},"warehouse":"main",'
            f'"lines":[{{"sku":"{names.sku(sku)}","quantity":{units},"batch":"batch-{batch}"}}]'
        )
        bills.append(f'"invoice_id":"inv-{row}",{who},"amount_minor":{units * cost},"due_at":"{due}"')
    subjects = [f"purchase/{i}" for i in ids]
    day.write("SupplierInvoiceReceived", seconds, ids, subjects, bills)
    day.write("InboundReceived", seconds, ids, subjects, goods)


def _replenished(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (f"po-{row}", f'"sku":"{names.sku(sku)}","quantity":{units},"warehouse":"main","inbound_id":"inb-{row}"')
        for row, sku, _, units, _, _ in _bought(day, fact, "day")
    ]


def _supplier_paid(day: Day, fact: Fact) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for (row, _, supplier, _, _, _), amount in zip(_bought(day, fact, "day"), column(fact, "amount"), strict=True):
        who = names.supplier(supplier)
        made.append(
            (f"spay-{row}", f'"payment_id":"spay-{row}","supplier_id":"{who}",{money(amount)},"invoice_id":"inv-{row}"')
        )
    return made


def _invoice(day: Day, fact: Fact) -> list[tuple[str, str]]:
    due = names.instant(day.world.business_day_after(day.day, 10), 38000)
    return [
        (
            f"3pl-{day.date}",
            f'"invoice_id":"3pl-{day.date}","provider":"{WAREHOUSE}",{money(a)},"service":"fulfilment","due_at":"{due}"',
        )
        for a in column(fact, "amount")
    ]


def _paid_to(payee: str, tag: str) -> Callable[[Day, Fact], list[tuple[str, str]]]:
    def rows(day: Day, fact: Fact) -> list[tuple[str, str]]:
        return [
            (f"{tag}-{day.date}-{n}", f'"payment_id":"{tag}-{day.date}-{n}","supplier_id":"{payee}",{money(a)}')
            for n, a in enumerate(column(fact, "amount"))
        ]

    return rows


def _creator_paid(day: Day, fact: Fact) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for creator, amount in zip(column(fact, "creator"), column(fact, "amount"), strict=True):
        key = f"cpay-{creator:03d}-{day.date}"
        made.append(
            (key, f'"payout_id":"{key}","creator_id":"{names.creator(creator)}",{money(amount)},"processor":"bank"')
        )
    return made


def _tax_paid(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (
            f"tax-{day.date}",
            (
                f'"adjustment_id":"tax-{day.date}",{money(a)},"debit":"liabilities:tax","credit":"assets:bank",'
                f'"reason":"sales tax paid to the tax office (simulated)"'
            ),
        )
        for a in column(fact, "amount")
    ]


def _payouts(day: Day, fact: Fact) -> list[tuple[int, int, int, int]]:
    rows = fact.columns["payout"]
    columns = (day.world.state.payouts.at(n, rows).tolist() for n in ("processor", "amount", "lands"))
    return list(zip(rows.tolist(), *columns, strict=True))


def _sent(day: Day, fact: Fact) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for row, processor, amount, lands in _payouts(day, fact):
        key, when = names.payout(processor, row), names.instant(lands, 30000)
        made.append(
            (key, f'"payout_id":"{key}","processor":"{PROCESSORS[processor]}",{money(amount)},"arrival_date":"{when}"')
        )
    return made


def _landed(day: Day, fact: Fact) -> list[tuple[str, str]]:
    return [
        (names.payout(p, row), f'"payout_id":"{names.payout(p, row)}","processor":"{PROCESSORS[p]}",{money(a)}')
        for row, p, a, _ in _payouts(day, fact)
    ]


def reserve(day: Day, fact: Fact) -> None:
    for second, row, amount in zip(*(column(fact, n) for n in ("second", "line", "amount")), strict=True):
        kind = "ReserveHeld" if amount < 0 else "ReserveReleased"
        name = names.reserve(day.world, row)
        body = f'"reserve_id":"{name}","processor":"tiktok",{money(abs(amount))}'
        day.write(kind, [second], [name], [f"reserve/{name}"], [body])


def tickets(day: Day, fact: Fact) -> None:
    """Messages by intent and mood, from the shipped texts."""
    rows = fact.columns["ticket"]
    table = day.world.state.tickets
    about = table.at("order", rows)
    ids = [f"tkt-{n}" for n in names.order_ids(day.world, about)]
    intents: list[int] = table.at("intent", rows).tolist()
    moods: list[int] = table.at("mood", rows).tolist()
    orders, skus, customers = names.order_ids(day.world, about), day.at("sku", about), day.at("customer", about)
    wanted = zip(orders, skus, customers, intents, moods, strict=True)
    texts: dict[str, list[str]] = catalog.tickets()
    bodies: list[str] = []
    for key, (order, sku, customer, intent, mood) in zip(ids, wanted, strict=True):
        template: str = texts[INTENTS[intent]][mood]
        text = template.format(order=order, product=names.title(day.world, sku))
        message = json.dumps([{"author": "customer", "text": text}])
        bodies.append(
            f'"ticket_id":"{key}","order_id":"{order}","customer_id":"{names.customer(customer)}","channel":"email","messages":{message}'
        )
    day.write("TicketOpened", column(fact, "second"), ids, [f"ticket/{i}" for i in ids], bodies)


def _solved(day: Day, fact: Fact) -> list[tuple[str, str]]:
    rows = fact.columns["ticket"]
    about = day.world.state.tickets.at("order", rows)
    return [
        (
            f"tkt-{o}",
            f'"ticket_id":"tkt-{o}","order_id":"{o}","resolution":"answered","resolver":"operator","replies":1',
        )
        for o in names.order_ids(day.world, about)
    ]


def paid_early(day: Day, fact: Fact) -> None:
    """Creators and suppliers paid by hand, under the reference the payment was given."""
    state = day.world.state
    for second, row in zip(column(fact, "second"), column(fact, "payment"), strict=True):
        kind, party, amount, wallet = (int(state.payments[n][row]) for n in ("kind", "party", "amount", "wallet"))
        key = json.dumps(state.references[row])[1:-1]
        if kind == SUPPLIER:
            body = f'"payment_id":"{key}","supplier_id":"{names.supplier(party)}",{money(amount)}'
            day.write("SupplierPaid", [second], [key], [f"supplier/{names.supplier(party)}"], [body])
        else:
            source = "paypal" if wallet else "bank"
            body = f'"payout_id":"{key}","creator_id":"{names.creator(party)}",{money(amount)},"processor":"{source}"'
            day.write("PayoutProcessed", [second], [key], [f"creator/{names.creator(party)}"], [body])


WRITERS: dict[str, Callable[[Day, Fact], None]] = {
    "ad_spend": _simple("AdSpendCharged", "campaign", _ad_spend),
    "creative_tired": _simple("CreativeFatigued", "creative", _tired),
    "creative": _simple("CreativeApproved", "creative", _new_creative),
    "budget": _simple("AdSetScaled", "adset", _budget),
    "price": _simple("PriceChanged", "price", _price),
    "banned": _simple("ListingBanned", "listing", _banned),
    "stock_out": _simple("StockOut", "stock", _stock_out),
    "stock_low": _simple("StockLow", "stock", _stock_low),
    "adjusted": counted,
    "purchase": _simple("PurchaseOrderPlaced", "purchase", _purchase),
    "inbound": inbound,
    "replenished": _simple("StockReplenished", "stock", _replenished),
    "supplier_paid": _simple("SupplierPaid", "purchase", _supplier_paid),
    "fulfilment_invoice": _simple("ThirdPartyInvoiceReceived", "invoice", _invoice),
    "fulfilment_paid": _simple("SupplierPaid", "invoice", _paid_to(WAREHOUSE, "3pay")),
    "ads_paid": _simple("SupplierPaid", "invoice", _paid_to(PLATFORM, "apay")),
    "creator_paid": _simple("PayoutProcessed", "creator", _creator_paid),
    "tax_paid": _simple("AccountAdjusted", "tax", _tax_paid),
    "payout": _simple("PayoutSent", "payout", _sent),
    "landed": _simple("PayoutLanded", "payout", _landed),
    "reserve": reserve,
    "paid_early": paid_early,
    "ticket": tickets,
    "ticket_solved": _simple("TicketResolved", "ticket", _solved),
    "ticket_reply": silent,
}
