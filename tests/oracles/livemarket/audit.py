"""An auditor who sees only the files of a run: events, settlements, bank, and the truth to hold them against.

It shares no code with livemarket. The posting rules are written here once more, by hand.
"""

import csv
import json
import re
from collections import Counter, defaultdict
from pathlib import Path


def lines(path: Path):
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def cents(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    whole, _, part = text.lstrip("-").partition(".")
    return sign * (int(whole) * 100 + int(part.ljust(2, "0")))


def postings(event):
    """(account, amount) of one event: debits positive."""
    d, kind = event["data"], event["type"]
    amount = d.get("amount_minor", 0)
    clearing = f"assets:clearing:{d.get('processor')}"
    one = {
        "OpeningBalancePosted": lambda: [(d["account"], amount)],
        "PaymentCaptured": lambda: [(clearing, amount), ("liabilities:tax", -d["tax_minor"])],
        "RefundProcessed": lambda: [(clearing, -amount), ("liabilities:tax", d["tax_minor"])],
        "FeeCharged": lambda: [(clearing, -amount)],
        "ReserveHeld": lambda: [(clearing, -amount), ("assets:reserve:tiktok", amount)],
        "ReserveReleased": lambda: [(clearing, amount), ("assets:reserve:tiktok", -amount)],
        "PayoutSent": lambda: [(clearing, -amount), ("assets:in_transit", amount)],
        "PayoutLanded": lambda: [("assets:in_transit", -amount), ("assets:bank", amount)],
        "DisputeOpened": lambda: [(clearing, -amount - d["fee_minor"]), ("assets:disputes", amount)],
        "DisputeResolved": lambda: [
            ("assets:disputes", -amount),
            (clearing, (amount + d["fee_returned_minor"]) * (d["outcome"] == "won")),
        ],
        "CommissionEarned": lambda: [("liabilities:payable:creators", -amount)],
        "CommissionReversed": lambda: [("liabilities:payable:creators", amount)],
        "PayoutProcessed": lambda: [
            ("liabilities:payable:creators", amount),
            ("assets:bank" if d["processor"] == "bank" else clearing, -amount),
        ],
        "SupplierInvoiceReceived": lambda: [("liabilities:payable:suppliers", -amount)],
        "ThirdPartyInvoiceReceived": lambda: [("liabilities:payable:suppliers", -amount)],
        "AdSpendCharged": lambda: [("liabilities:payable:suppliers", -amount)],
        "SupplierPaid": lambda: [("liabilities:payable:suppliers", amount), ("assets:bank", -amount)],
        "AccountAdjusted": lambda: [(d["debit"], amount), (d["credit"], -amount)],
        "InboundReceived": lambda: [("assets:inventory", d["cost_minor"])],
        "StockAdjusted": lambda: [("assets:inventory", d["cost_minor"] * (1 if d["delta"] > 0 else -1))],
        "GoodsShipped": lambda: [("assets:inventory", -d["cost_minor"])],
        "ReturnReceived": lambda: [("assets:inventory", d["cost_minor"] * (d["condition"] == "as_new"))],
    }.get(kind)
    return one() if one else []


def moved(event):
    """(sku, pieces) into the stock."""
    if event["type"] == "StockAdjusted":
        return [(event["data"]["sku"], event["data"]["delta"])]
    sign = {"InboundReceived": 1, "GoodsShipped": -1}.get(event["type"], 0)
    if event["type"] == "ReturnReceived" and event["data"]["condition"] == "as_new":
        sign = 1
    return [(line["sku"], sign * line["quantity"]) for line in event["data"].get("lines", ()) if sign]


def by_day(out: Path):
    days = defaultdict(list)
    for event in lines(out / "events.jsonl"):
        days[event["time"][:10]].append(event)
    return days


def audit(out: Path, inventory_tolerance: int = 0) -> list[str]:
    """Every way in which the files do not add up; an empty list if they do."""
    wrong = []
    days = by_day(out)
    truth = list(lines(out / "truth" / "days.jsonl"))
    stock = defaultdict(dict)
    for row in lines(out / "truth" / "stock.jsonl"):
        stock[row["date"]][row["sku"]] = row["on_hand"]
    books, pieces = Counter(), Counter(stock[truth[0]["date"]])
    for row in truth[1:]:
        for event in days[row["date"]]:
            for account, amount in postings(event):
                books[account] += amount
            for sku, count in moved(event):
                pieces[sku] += count
        wrong += [
            f"{row['date']} {account}: books {books[account]}, world {amount}"
            for account, amount in row["position"].items()
            if abs(books[account] - amount) > (inventory_tolerance if account == "assets:inventory" else 0)
        ]
        wrong += [
            f"{row['date']} {sku}: counted {pieces[sku]}, on hand {held}"
            for sku, held in stock[row["date"]].items()
            if pieces[sku] != held
        ]
    return [*wrong, *people(days), *buyers(days), *bank(out, days), *settlements(out, days)]


def people(days):
    """Whoever joined a show has left it by its end; a show's own count is what joined."""
    joined, left, told = Counter(), Counter(), {}
    for events in days.values():
        for event in events:
            d = event["data"]
            if event["type"] == "ViewerJoined":
                joined[d["show_id"]] += d["viewers"]
            elif event["type"] == "ViewerLeft":
                left[d["show_id"]] += d["viewers"]
            elif event["type"] == "LiveShowEnded":
                told[d["show_id"]] = d["total_viewers"]
    return [
        f"{show}: {joined[show]} joined, {left[show]} left, {count} told"
        for show, count in told.items()
        if not joined[show] == left[show] == count
    ]


def buyers(days):
    """Nobody gets back more than was paid, refunds and lost disputes together."""
    paid, back = {}, Counter()
    for events in days.values():
        for event in events:
            d = event["data"]
            if event["type"] == "PaymentCaptured":
                paid[d["order_id"]] = d["amount_minor"]
            elif event["type"] == "RefundProcessed" or (event["type"] == "DisputeResolved" and d["outcome"] == "lost"):
                back[d["order_id"]] += d["amount_minor"]
    return [
        f"{order}: paid {paid[order]}, back {amount}"
        for order, amount in back.items()
        if order in paid and amount > paid[order]
    ]


def bank(out: Path, days):
    """Statements follow each other, add up, and hold every payout that landed."""
    wrong, closing, references = [], None, {}
    for path in sorted((out / "bank").glob("*.xml")):
        text = path.read_text(encoding="utf-8")
        balances = dict(re.findall(r"<Cd>(OPBD|CLBD)</Cd>.*?<Amt Ccy=\"USD\">([\d.]+)</Amt>", text))
        entries = re.findall(
            r"<Ntry><Amt Ccy=\"USD\">([\d.]+)</Amt><CdtDbtInd>(\w+)</CdtDbtInd>.*?<EndToEndId>([^<]+)<", text
        )
        total = sum(cents(a) * (1 if side == "CRDT" else -1) for a, side, _ in entries)
        references |= {ref: cents(a) * (1 if side == "CRDT" else -1) for a, side, ref in entries}
        if closing is not None and cents(balances["OPBD"]) != closing:
            wrong.append(f"{path.name} opens with another balance than the one before closed with")
        closing = cents(balances["CLBD"])
        if cents(balances["OPBD"]) + total != closing:
            wrong.append(f"{path.name} does not add up")
    for events in days.values():
        for event in events:
            d = event["data"]
            if event["type"] == "PayoutLanded" and references.get(d["payout_id"]) != d["amount_minor"]:
                wrong.append(f"{d['payout_id']} is not in the bank as it landed")
    return wrong


def nets(path: Path) -> int:
    """What a settlement file says was paid."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if path.parent.name == "paypal":
        body = [r for r in rows if r[0] == "SB" and r[5] != "T0400"]
        gross = sum(int(r[9]) * (1 if r[8] == "CR" else -1) for r in body)
        return gross + sum(int(r[12]) * (1 if r[11] == "CR" else -1) for r in body if r[12])
    column = rows[0].index("net" if path.parent.name == "stripe" else "Total settlement amount")
    return sum(cents(r[column]) for r in rows[1:])


def settlements(out: Path, days):
    """A settlement's lines make its payout, but for the errors that the truth lists."""
    faults = Counter()
    for fault in lines(out / "truth" / "faults.jsonl"):
        faults[fault["file"]] += fault["written_net_minor"] - fault["expected_net_minor"]
    paid = {
        e["data"]["payout_id"]: e["data"]["amount_minor"]
        for events in days.values()
        for e in events
        if e["type"] == "PayoutSent"
    }
    wrong, seen = [], set()
    for path in sorted((out / "settlements").glob("*/*.csv")):
        payout = path.stem.split("_", 1)[1]
        seen.add(payout)
        expected = paid[payout] + faults[f"settlements/{path.parent.name}/{path.name}"]
        if nets(path) != expected:
            wrong.append(f"{path.name}: lines make {nets(path)}, payout and errors {expected}")
    return wrong + [f"{payout} has no file" for payout in paid.keys() - seen]
