"""Totals of settlement and bank files, summed again by other means than the readers': what a taken file must hold.

Each judge takes the bytes of one format and returns the money it finds by currency (minor units) and the totals that do
not hold. Nothing here comes from steward.reconciliation.
"""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from itertools import pairwise

PLACES = {"JPY": 0, "HUF": 2, "KWD": 3, "ISK": 0}


def minor(text, currency):
    return int(Decimal(text.strip()).scaleb(PLACES.get(currency, 2)))


def table(content, delimiter=","):
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    head, *body = [[c.strip() for c in row] for row in rows if any(c.strip() for c in row)]
    names = [" ".join(name.split()).casefold() for name in head]
    return [dict(zip(reversed(names), reversed((row + [""] * len(names))[: len(names)]), strict=True)) for row in body]


def zero_sum(groups, what):
    """Groups with a payout line come to nothing."""
    return [f"{what} {name}: {sum(n for n, _ in lines)}" for name, lines in groups.items()
            if sum(n for n, _ in lines) and any(payout for _, payout in lines)]  # fmt: skip


def stripe(content):
    money, groups = Counter(), {}
    for row in table(content):
        currency = row["currency"].upper()
        net = minor(row["net"], currency)
        money[currency] += net
        if minor(row["gross"], currency) - minor(row["fee"] or "0", currency) != net:
            return money, ["a row does not add up"]
        category = row["reporting_category"]
        payout = row.get("automatic_payout_id") or (row.get("source_id") if category == "payout" else "")
        if payout:
            groups.setdefault((payout, currency), []).append((net, category == "payout"))
    alone = {name: lines for name, lines in groups.items() if len(lines) > 1}
    return money, zero_sum(alone, "payout")


def stripe_json(content):
    document = json.loads(content)
    money = Counter()
    for item in document["data"]:
        money[item["currency"].upper()] += item["net"] // (100 if item["currency"].upper() == "ISK" else 1)
    return money, [] if not document["has_more"] else ["has_more"]


def paypal(content):
    money, wrong, names = Counter(), [], []
    everything, section = Counter(), Counter()
    for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
        if not any(c.strip() for c in row):
            continue
        kind, cells = row[0].strip(), [c.strip() for c in row]
        if kind == "SH":
            section = Counter()
        elif kind == "CH":
            names = [" ".join(n.split()).casefold() for n in cells]
        elif kind == "SB":
            padded = (cells + [""] * len(names))[: len(names)]
            at = dict(zip(reversed(names), reversed(padded), strict=True))  # of equal names the first
            currency = at["gross transaction currency"].upper()
            sign = 1 if at["transaction debit or credit"] == "CR" else -1
            fee = int(at["fee amount"] or 0) * (1 if at["fee debit or credit"] == "CR" else -1)
            gross = sign * int(at["gross transaction amount"])
            for sums in (section, everything):
                sums["rows"] += 1
                sums[currency, "rows"] += 1
                sums[currency, 2 if gross > 0 else 3] += abs(gross)
                sums[currency, 4 if fee > 0 else 5] += abs(fee)
            code = at["transaction event code"][:3]
            idle = code in {"T13", "T98"} or at.get("transactional status") in {"D", "P"}
            if not idle or "transactional status" not in names:
                money[currency] += gross + fee
        elif kind in {"SF", "RF"} and "transactional status" not in names:
            sums = section if kind == "SF" else everything
            currency = cells[1].upper()
            wrong += [f"{kind} {currency} {n}" for n in (2, 3, 4, 5) if int(cells[n]) != sums[currency, n]]
            wrong += [f"{kind} {currency} rows"] if int(cells[18]) != sums[currency, "rows"] else []
        elif kind in {"SF", "SC", "RF", "RC"}:
            sums = section if kind[0] == "S" else everything
            wrong += [f"{kind} rows"] if int(cells[1]) != sums["rows"] else []
    return money, wrong


def adyen(content):
    money, groups = Counter(), {}
    for row in table(content):
        currency = row["net currency"].upper()
        net = (
            minor(row["net credit (nc)"], currency)
            if row["net credit (nc)"]
            else -minor(row["net debit (nc)"], currency)
        )
        money[currency] += net
        batch = (row["merchant account"], row["batch number"], currency)
        groups.setdefault(batch, []).append((net, row["type"].casefold() == "merchantpayout"))
    return money, zero_sum(groups, "batch")


def checkout_payouts(content):
    money, wrong = Counter(), []
    for row in table(content):
        currency = row["holding currency"].upper()
        paid = minor(row["payout amount"], currency)
        money[currency] -= paid
        names = list(row)[: list(row).index("payout amount")]  # the names come last to first
        if sum(minor(row[name] or "0", currency) for name in names) != paid:
            wrong.append(row["payout id"])
    return money, wrong


def checkout_breakdown(content):
    money = Counter()
    for row in table(content):
        money[row["holding currency"].upper()] += minor(row["net in holding currency"], row["holding currency"].upper())
    return money, []


def tiktok(content):
    money = Counter()
    for row in table(content):
        money[row["currency"].upper()] += minor(row["total settlement amount"], row["currency"].upper())
    return money, []


def shopify_transactions(content):
    money, groups = Counter(), {}
    for item in json.loads(content)["transactions"]:
        if item.get("test") is not True:
            currency = item["currency"].strip().upper()
            net = minor(str(item["net"]), currency)
            money[currency] += net
            payout = (str(item.get("payout_id")).strip(), currency)
            groups.setdefault(payout, []).append((net, item["type"].strip() == "payout"))
    return money, zero_sum(groups, "payout")


def shopify_payouts(content):
    money, wrong = Counter(), []
    for item in json.loads(content)["payouts"]:
        currency, paid = item["currency"].strip().upper(), minor(str(item["amount"]), item["currency"].strip().upper())
        makes = sum(
            minor(str(v), currency) * (-1 if k.endswith("_fee_amount") else 1) for k, v in item["summary"].items()
        )
        wrong += [str(item["id"])] if makes != paid else []
        money[currency] -= paid if item["status"].strip() not in {"failed", "canceled"} else 0
    return money, wrong


def amazon(content):
    stated, found, currency = {}, Counter(), {}
    for row in table(content, "\t"):
        key = row["settlement-id"]
        if row["total-amount"]:
            currency[key] = row["currency"].upper()
            stated[key] = minor(row["total-amount"].replace(",", "."), currency[key])
        else:
            found[key] += minor(row["amount"].replace(",", "."), currency[key])
    money = Counter()
    for key, made in found.items():
        money[currency[key]] += made
    return money, [key for key in stated if stated[key] != found[key]]


def _sided(node, path=""):
    amount = node.find(f"{path}Amt")
    currency = amount.get("Ccy").strip().upper()
    sign = {"CRDT": 1, "DBIT": -1}[node.findtext("CdtDbtInd").strip()]
    return sign * minor(amount.text, currency), currency


def _status(entry):
    return (entry.findtext("Sts/Cd") or entry.findtext("Sts")).strip()


def camt(content):
    root = ET.fromstring(re.sub(rb'\sxmlns="[^"]*"', b"", content, count=1))
    money, wrong = Counter(), []
    for part in ("Stmt", "Rpt", "Ntfctn"):
        for statement in root.findall(f"*/{part}"):
            entries = [(*_sided(e), _status(e)) for e in statement.findall("Ntry")]
            for amount, currency, status in entries:
                money[currency] += amount if status != "INFO" else 0
            booked = sum(amount for amount, _, status in entries if status == "BOOK")
            balances = {}
            for node in statement.findall("Bal"):
                code = (node.findtext("Tp/CdOrPrtry/Cd") or "").strip()
                balances[code] = _sided(node)
            opening, closing = balances.get("OPBD") or balances.get("PRCD"), balances.get("CLBD")
            if opening and closing and opening[0] + booked != closing[0]:
                wrong.append(f"{part} balances")
            if part == "Stmt" and not (opening and closing) and len([c for c in balances if c == "ITBD"]) == 0:
                wrong.append("no balances")
            currency = entries[0][1] if entries else "EUR"
            told = [(amount, status) for amount, _, status in entries if status != "INFO"]
            for name, signs in (("TtlNtries", (True, False)), ("TtlCdtNtries", (True,)), ("TtlDbtNtries", (False,))):
                total = statement.find(f"TxsSummry/{name}")
                if total is not None:
                    chosen = [abs(amount) for amount, _ in told if (amount >= 0) in signs]
                    if total.findtext("NbOfNtries") and int(total.findtext("NbOfNtries")) != len(chosen):
                        wrong.append(f"{name} number")
                    if total.findtext("Sum") and minor(total.findtext("Sum"), currency) != sum(chosen):
                        wrong.append(f"{name} sum")
    return money, wrong


def mt940(content):
    text = content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    money, wrong = Counter(), []
    for part in re.split(r"(?m)^[\x01\x02]*(?=:20:)", text)[1:]:
        message = re.split(r"(?m)^-(?:[}\x03].*|XXX)?\s*$", part)[0]
        opening = re.search(r"(?m)^:60[FM]:([CD])\d{6}([A-Z]{3})(\d+,\d*)", message)
        closing = re.search(r"(?m)^:62[FM]:([CD])\d{6}([A-Z]{3})(\d+,\d*)", message)
        told = opening[2] if opening else re.search(r"(?m)^:(?:34F:|90[DC]:\d+)([A-Z]{3})", message)[1]
        amounts = []
        for mark, figures in re.findall(
            r"(?m)^:61:\d{6}(?:\d{4}| {4})?(R[CD]|E[CD]|[CD])[A-Z]?(\d+,?\d*)[A-Z]", message
        ):
            sign = 1 if mark in {"C", "EC", "RD"} else -1
            amounts.append(sign * minor(figures.replace(",", ".").rstrip("."), told))
        money[told] += sum(amounts)
        if opening and closing:
            ends = [
                minor(b[3].replace(",", ".").rstrip("."), told) * (1 if b[1] == "C" else -1) for b in (opening, closing)
            ]
            wrong += ["balances"] if ends[0] + sum(amounts) != ends[1] or opening[2] != closing[2] else []
        for side, number, figures in re.findall(r"(?m)^:90([DC]):(\d+)[A-Z]{3}(\d+,\d*)", message):
            chosen = [abs(a) for a in amounts if a and (a < 0) == (side == "D")]
            right = int(number) == len(chosen) and minor(figures.replace(",", ".").rstrip("."), told) == sum(chosen)
            wrong += [] if right else [f"90{side}"]
    return money, wrong


def bank_table(content):
    def number(text):
        return int(Decimal(text.replace(".", "").replace(",", ".")).scaleb(2))

    rows = table(content, ";")
    steps = [(number(row["betrag"]), number(row["saldo"])) for row in rows]
    down = all(a[1] + b[0] == b[1] for a, b in pairwise(steps))
    up = all(b[1] + a[0] == a[1] for a, b in pairwise(steps))
    money = Counter()
    for row, step in zip(rows, steps, strict=True):
        money[row["währung"].upper()] += step[0]
    currencies = {row["währung"].upper() for row in rows}
    return money, [] if down or up or len(currencies) > 1 else ["balance"]


def market_table(content):
    money, wrong, sums, stated = Counter(), [], Counter(), []
    for row in table(content):
        if row["kind"] == "note":
            continue
        paid = minor(row["paid"], "USD")
        if row["kind"] == "payout":
            stated.append((row["batch"], paid))
        else:
            sums[row["batch"]] += paid
        money["USD"] += -paid if row["kind"] == "payout" else paid
    seen = Counter(batch for batch, _ in stated)
    wrong += [batch for batch, paid in stated if paid != sums[batch] and seen[batch] == 1]
    return money, wrong
