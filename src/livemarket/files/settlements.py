"""Settlement files in the providers' own published columns: one for each payout, made from the same lines that moved
the balances, then spoilt as far as the error budget says.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from livemarket.core.arrays import Ints
from livemarket.core.money import Kind
from livemarket.core.world import World
from livemarket.files import names
from livemarket.files.faults import Budget, Entry, major

STRIPE = (
    "automatic_payout_id", "automatic_payout_effective_at", "balance_transaction_id", "created", "available_on",
    "currency", "gross", "fee", "net", "reporting_category", "source_id", "charge_id", "payment_intent_id",
    "payment_method_type",
    "description", "payment_metadata[external_identifier]",
)  # fmt: skip
STRIPE_CATEGORIES = {Kind.CHARGE: "charge", Kind.REFUND: "refund", Kind.DISPUTE: "dispute"} | {
    Kind.DISPUTE_WON: "dispute_reversal",
    Kind.COUNTER_FEE: "fee",
    Kind.KEPT: "other_adjustment",
}
STRIPE_PREFIXES = {
    Kind.CHARGE: "ch",
    Kind.REFUND: "re",
    Kind.DISPUTE: "dp",
    Kind.DISPUTE_WON: "dp",
    Kind.COUNTER_FEE: "fee",
    Kind.KEPT: "adj",
}

PAYPAL = (
    "Transaction ID", "Invoice ID", "PayPal Reference ID", "PayPal Reference ID Type", "Transaction Event Code",
    "Transaction Initiation Date", "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount", "Gross Transaction Currency", "Fee Debit or Credit", "Fee Amount", "Fee Currency",
    "Custom Field", "Consumer ID",
    "Payment Tracking ID", "Store ID", "Bank Reference ID", "Credit Transactional Fee",
    "Credit Promotional Fee", "Credit Term",
)  # fmt: skip
PAYPAL_CODES = {Kind.CHARGE: "T0006", Kind.REFUND: "T1107", Kind.DISPUTE: "T1201"} | {
    Kind.DISPUTE_WON: "T1205",
    Kind.COUNTER_FEE: "T0106",
    Kind.SENT: "T0001",
    Kind.KEPT: "T0700",
}


TIKTOK = (
    "Order/adjustment ID", "Type", "Order created time(UTC)", "Order settled time(UTC)", "Currency",
    "Total settlement amount", "Total revenue", "Subtotal after seller discounts", "Subtotal before discounts",
    "Seller discounts",
    "Refund subtotal after seller discounts", "Total fees", "Transaction fee", "Referral fee", "Affiliate commission",
    "Shipping fee", "Adjustment amount", "Related order ID", "Statement ID",
)  # fmt: skip
TIKTOK_TYPES = {
    Kind.SETTLEMENT: "Order",
    Kind.LATE_REFUND: "Refund",
    Kind.RESERVE: "Reserve hold",
    Kind.RELEASE: "Reserve release",
}


def entries(world: World, lines: Ints) -> list[Entry]:
    """A payout's lines as they are before any error."""
    table = world.state.lines
    orders = table.at("order", lines)
    known = np.maximum(orders, 0)
    ids, payments = names.order_ids(world, known), names.payment_ids(world, known)
    columns = (table.at(n, lines).tolist() for n in ("kind", "gross", "fee", "affiliate", "day", "second", "available"))
    placed = world.state.orders.at("day", known).tolist()
    refunded = world.state.orders.at("refund", known).tolist()
    totals = world.state.orders.at("total", known).tolist()
    made: list[Entry] = []
    rows = zip(
        names.line_keys(world, lines), orders.tolist(), ids, payments, placed, refunded, totals, *columns, strict=True
    )
    for line, order, name, payment, born, back, total, kind, gross, fee, affiliate, day, second, available in rows:
        fields = {
            "line": line, "payment": payment, "order": name, "day": day, "second": second, "available": available,
            "born": born, "referral": fee, "affiliate": affiliate, "back": back, "total": total,
        }  # fmt: skip
        reference = name if order >= 0 else f"rsv-{line}"
        if order < 0:
            fields |= {"payment": "", "order": ""}
        made.append(Entry(reference, Kind(kind).name, gross, fee + affiliate, fields))
    return made


def made(world: World, payout: int, budget: Budget) -> tuple[str, str]:
    """The path and the text of one payout's file."""
    one = np.array([payout])
    processor, day = int(world.state.payouts.at("processor", one)[0]), int(world.state.payouts.at("day", one)[0])
    lines = np.flatnonzero(world.state.lines["payout"] == payout)
    name = names.payout(processor, payout)
    provider = ("stripe", "paypal", "tiktok")[processor]
    file = f"settlements/{provider}/{names.calendar_date(day).isoformat()}_{name}.csv"
    written = budget.spoil(file, payout, day, entries(world, lines))
    amount = int(world.state.payouts.at("amount", one)[0])
    return file, (stripe, paypal, tiktok)[processor](name, day, amount, written)


def write(world: World, payout: int, folder: Path, budget: Budget) -> str:
    """One payout's file; returns its path below `folder`."""
    file, text = made(world, payout, budget)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return file


def _stamp(day: int, second: int) -> str:
    return f"{names.calendar_date(day).isoformat()} {names.CLOCK[second]}"


def stripe(payout: str, day: int, amount: int, rows: list[Entry]) -> str:
    """Stripe's itemized payout reconciliation: amounts in major units, net = gross - fee."""
    del amount  # Stripe's report has no line for the payout itself
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(STRIPE)
    for row in rows:
        kind, f = Kind[row.kind], row.fields
        tail = f["order"]
        sheet.writerow([
            payout, _stamp(day, 0), names.transaction(f["line"]), _stamp(f["day"], f["second"]),
            _stamp(f["available"], 0),
            "USD", major(row.gross), major(row.fee), major(row.net), STRIPE_CATEGORIES[kind],
            f"{STRIPE_PREFIXES[kind]}_{f['line'][1:]}",
            f["payment"], f"pi_{tail}" if tail else "", "card", "simulated",
            tail,
        ])  # fmt: skip
    return out.getvalue()


def _side(amount: int) -> str:
    return "CR" if amount >= 0 else "DR"


def paypal_lines(row: Entry) -> list[tuple[str, int, int]]:
    """(code, gross, fee) of each line: PayPal books a chargeback and its fee apart."""
    code = PAYPAL_CODES[Kind[row.kind]]
    if row.kind == "COUNTER_FEE":
        return [(code, -row.fee, 0)]
    if row.kind in {"DISPUTE", "DISPUTE_WON"}:
        fee = [("T0106" if row.fee > 0 else "T0108", -row.fee, 0)] if row.fee else []
        return [(code, row.gross, 0), *fee]
    return [(code, row.gross, row.fee)]


def paypal(payout: str, day: int, amount: int, rows: list[Entry]) -> str:
    """PayPal's settlement report (STL): amounts in minor units, totals by section and report."""
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    date = names.calendar_date(day).strftime("%Y/%m/%d")
    first = names.calendar_date(day - 7).strftime("%Y/%m/%d")
    sheet.writerow(["RH", f"{date} 08:00:00 +0000", "A", "SIMULATEDACCT", 11])
    sheet.writerow(["FH", 1])
    sheet.writerow(["SH", f"{first} 00:00:00 +0000", f"{date} 00:00:00 +0000", "SIMULATEDACCT"])
    sheet.writerow(["CH", *PAYPAL])
    came = went = fees_back = fees = count = 0
    for row in rows:
        f = row.fields
        when = names.calendar_date(f["day"]).strftime("%Y/%m/%d") + f" {names.CLOCK[f['second']]} +0000"
        for code, gross, fee in paypal_lines(row):
            own = f["payment"] if code == "T0006" else names.paypal_transaction(code, f["line"])
            reference = ["", ""] if code == "T0006" or not f["payment"] else [f["payment"], "TXN"]
            charged = [_side(-fee), abs(fee), "USD"] if fee else ["", "", ""]
            sheet.writerow(["SB", own, f["order"], *reference, code, when, when, _side(gross), abs(gross), "USD",
                            *charged, "", "", "", "", "", "", "", ""])  # fmt: skip
            came, went = came + max(gross, 0), went + max(-gross, 0)
            fees, fees_back = fees + max(fee, 0), fees_back + max(-fee, 0)
            count += 1
    when = f"{date} 08:00:00 +0000"
    sheet.writerow(["SB", payout.upper(), "", "", "", "T0400", when, when, _side(-amount), abs(amount), "USD",
                    "", "", "", "", "", "", "", payout, "", "", ""])  # fmt: skip
    came, went = came + max(-amount, 0), went + max(amount, 0)
    totals = ["USD", came, went, fees_back, fees, *["CR", 0] * 6, count + 1]
    sheet.writerow(["SF", *totals])
    sheet.writerow(["SC", count + 1])
    sheet.writerow(["RF", *totals])
    sheet.writerow(["RC", count + 1])
    sheet.writerow(["FF", 1])
    return out.getvalue()


def tiktok(payout: str, day: int, amount: int, rows: list[Entry]) -> str:
    """TikTok Shop's statement as sellers download it: one row for each order or adjustment, fees negative."""
    del amount  # the sum of the first amount column
    out = io.StringIO()
    sheet = csv.writer(out, lineterminator="\n")
    sheet.writerow(TIKTOK)
    for row in rows:
        kind, f = Kind[row.kind], row.fields
        settled = _stamp(f["day"], f["second"]).replace("-", "/")
        order = kind == Kind.SETTLEMENT
        adjusting = kind in {Kind.RESERVE, Kind.RELEASE}
        back = f["total"] - row.gross if order else (-row.gross if kind == Kind.LATE_REFUND else 0)
        subtotal = f["total"] if order else 0
        referral = row.fee - f["affiliate"]
        sheet.writerow([
            row.reference, TIKTOK_TYPES[kind], "" if adjusting else _stamp(f["born"], 0).replace("-", "/"), settled,
            "USD", major(row.net), major(0 if adjusting else row.gross), major(subtotal), major(subtotal), major(0),
            major(-back), major(-row.fee), major(0), major(-referral), major(-f["affiliate"]), major(0),
            major(row.gross if adjusting else 0), "" if adjusting else f["order"], f"{payout}-{day}",
        ])  # fmt: skip
    return out.getvalue()
