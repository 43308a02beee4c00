"""Events about shows, advertisements, goods, prices, tickets, payouts and bills."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from livemarket import catalog
from livemarket.core.facts import Fact
from livemarket.core.money import SUPPLIER
from livemarket.core.state import CHANNELS, PROCESSORS, Status
from livemarket.core.tickets import INTENTS
from livemarket.files import names
from livemarket.files.counts import counted
from livemarket.files.lines import Day, column, money, ratio

PLATFORM = "tiktok_ads"
WAREHOUSE = "warehouse-3pl"


def shows(day: Day, fact: Fact) -> None:
    """Planned four hours before, started."""
    ids = [names.show(k) for k in column(fact, "show")]
    subjects = [f"show/{i}" for i in ids]
    starts, planned_for = column(fact, "second"), column(fact, "planned")
    who = [
        f'"channel":"{CHANNELS[n]}","creator_id":"{names.creator(c)}"'
        for n, c in zip(column(fact, "channel"), column(fact, "creator"), strict=True)
    ]
    planned = [
        f'"show_id":"{i}","starts_at":"{names.instant(day.day, s)}",{w},"planned_minutes":{n // 60}'
        for i, s, w, n in zip(ids, starts, who, planned_for, strict=True)
    ]
    day.write("LiveShowScheduled", [max(s - 14400, 0) for s in starts], ids, subjects, planned)
    begun = [f'"show_id":"{i}",{w}' for i, w in zip(ids, who, strict=True)]
    day.write("LiveShowStarted", starts, ids, subjects, begun)


def shows_over(day: Day, fact: Fact) -> None:
    """Ended, with the platform's own count."""
    orders = day.world.state.orders
    recent = np.flatnonzero(orders["day"][-20000:] == day.day) + max(orders.length - 20000, 0)
    live = recent[(orders.at("show", recent) >= 0) & (orders.at("status", recent) != int(Status.FAILED))]
    keys = fact.columns["show"]
    place = np.searchsorted(keys, orders.at("show", live))
    sold = np.bincount(place, minlength=len(keys)).tolist()
    sales = np.bincount(place, weights=orders.at("subtotal", live), minlength=len(keys)).astype(np.int64).tolist()
    ids = [names.show(k) for k in keys.tolist()]
    subjects, ends = [f"show/{i}" for i in ids], column(fact, "second")
    ended = [
        f'"show_id":"{i}","peak_viewers":{p},"total_viewers":{v},"orders":{n},"currency":"{names.CURRENCY}","sales_minor":{m}'
        for i, p, v, n, m in zip(ids, column(fact, "peak"), column(fact, "viewers"), sold, sales, strict=True)
    ]
    day.write("LiveShowEnded", ends, ids, subjects, ended)
    gone = [f'"show_id":"{i}","viewers":{n},"watching":0' for i, n in zip(ids, column(fact, "last"), strict=True)]
    day.write("ViewerLeft", ends, [f"{i}-end" for i in ids], subjects, gone)


def silent(day: Day, fact: Fact) -> None:
    """Facts that only a provider's face tells: no event of the business has their meaning."""


def slots(day: Day, fact: Fact) -> None:
    """One product after the other: pinned, perhaps cheaper, so many came and went."""
    wanted = ("second", "show", "slot", "sku", "price", "drop_ppm", "previous", "joined", "watching", "left")
    rows = list(zip(*(column(fact, n) for n in wanted), strict=True))
    seconds = [r[0] for r in rows]
    show_ids = [names.show(r[1]) for r in rows]
    ids = [f"{i}-{r[2]:02d}" for i, r in zip(show_ids, rows, strict=True)]
    subjects = [f"show/{i}" for i in show_ids]
    pinned = [
        f'"show_id":"{i}","sku":"{names.sku(r[3])}","slot":"{r[2]}","currency":"{names.CURRENCY}","price_minor":{r[4]}'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ProductPinned", seconds, ids, subjects, pinned)
    cheap = [n for n, r in enumerate(rows) if r[5] > 0]
    drops = [
        f'"show_id":"{show_ids[n]}","sku":"{names.sku(rows[n][3])}","currency":"{names.CURRENCY}",'
        f'"price_minor":{rows[n][4]},"previous_minor":{rows[n][6]}'
        for n in cheap
    ]
    day.write("PriceDropped", [seconds[n] for n in cheap], [ids[n] for n in cheap], [subjects[n] for n in cheap], drops)
    came = [
        f'"show_id":"{i}","viewers":{r[7]},"watching":{r[8]},"window_seconds":600'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ViewerJoined", seconds, ids, subjects, came)
    left = [
        f'"show_id":"{i}","viewers":{r[9]},"watching":{r[8]},"window_seconds":600'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ViewerLeft", seconds, ids, subjects, left)


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
    "show": shows,
    "show_over": shows_over,
    "slot": slots,
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
