"""What a dispute says to the vendor, and what resolving it posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steward.contracts.base import JsonObject
from steward.contracts.invoice import Audited, BillableFact, Billed, Claim, Settled
from steward.kernel.money import Money

_WORDS = {
    "invoice_overcharge": "more than the contract allows",
    "invoice_twice": "and was billed before",
    "invoice_unordered": "and that did not happen",
    "invoice_quantity": "more units than there were",
    "invoice_price": "at another price than the purchase order's",
    "invoice_sum": "and quantity times unit price makes less",
    "invoice_service": "which the contract does not know",
    "invoice_currency": "in another currency than the contract's",
}


def allotted(
    lines: Sequence[Billed], made: Audited, booked: Sequence[BillableFact], settled: Sequence[Settled] = ()
) -> dict[str, int]:
    """What resolving each claim that is open takes back in the books.

    What the books hold of an invoice beyond what is agreed is given to its claims, in the order of its lines. Agreed is
    also what a person accepted; what was claimed before is out of the books already. A credit that is owed is taken
    back whole where its invoice is in the books at all.
    """
    of = {one.key: one for one in lines}
    room: dict[tuple[str, str], int] = {(one.party, one.subject): one.amount_minor for one in booked}
    currency = {(one.party, one.subject): one.currency for one in booked}
    done = {one.key: one.how for one in settled}
    for one in made.judged:
        key = (of[one.key].vendor, of[one.key].invoice)
        if key in room and one.currency == currency[key]:
            room[key] -= one.amount_minor if done.get(one.key) == "accept" else one.agreed_minor
    for one in settled:
        if one.how == "claim" and (one.vendor, one.invoice) in room:
            room[one.vendor, one.invoice] -= one.posted_minor
    posts: dict[str, int] = {}
    for claim in sorted(made.claims, key=_place):
        key = (claim.vendor, claim.invoice)
        if claim.key in done:
            continue
        if key not in room or claim.currency != currency[key]:
            posts[claim.key] = 0
        elif claim.side == "books":
            posts[claim.key] = claim.amount_minor
        else:
            posts[claim.key] = min(claim.amount_minor, max(room[key], 0))
            room[key] -= posts[claim.key]
    return posts


def _place(claim: Claim) -> tuple[str, str, int, str]:
    return claim.vendor, claim.invoice, int(claim.evidence.get("line", 0)), claim.key


def words(claim: Claim) -> str:
    """What to tell the vendor, in one sentence."""
    told, money = claim.evidence, Money(claim.amount_minor, claim.currency)
    if claim.type == "invoice_credit":
        what = f"{told['service']} of {told.get('subject') or told.get('month')}"
        return f"claim {money} back from {claim.vendor}: the credit for {what} is owed and did not come"
    about = " ".join(str(told[name]) for name in ("service", "subject", "sku") if told.get(name))
    billed = Money(int(told["billed_minor"]), claim.currency)
    why = f" ({told['why']})" if told.get("why") else ""
    place = f"line {told['line']} of {claim.invoice}"
    return f"claim {money} back from {claim.vendor}: {place} bills {billed} for {about}, {_WORDS[claim.type]}{why}"


def posting_of(row: Mapping[str, Any], how: str, against: str) -> JsonObject | None:
    """What resolving it posts: what we owe less, against what the bill was booked to; None where the books hold no more
    than is agreed, where the bill is accepted as it stands, and where no contract says what it is booked to.
    """
    amount, account = int(row["evidence"].get("posts_minor", 0)), row["evidence"].get("account")
    if how != "claim" or not amount or account is None:
        return None
    return {
        "debit": against,
        "credit": account,
        "amount_minor": amount,
        "currency": row["currency"],
    }


def letter(vendor: str, rows: Sequence[Mapping[str, Any]]) -> JsonObject:
    """All that is open with a vendor, as a text to send: each line, and the sum by currency."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["currency"]] = totals.get(row["currency"], 0) + int(row["amount_minor"])
    sums = " and ".join(str(Money(amount, currency)) for currency, amount in sorted(totals.items()))
    if not rows:
        return {"vendor": vendor, "claims": 0, "totals": {}, "text": f"Nothing is open with {vendor}."}
    ask = f"We checked your invoices against our contract and our records, and ask for {sums} back."
    points = [
        f"{n}. {row['suggestion'].partition(': ')[2]}: {Money(row['amount_minor'], row['currency'])}."
        for n, row in enumerate(rows, 1)
    ]
    text = "\n".join([f"To {vendor}", "", ask, "", *points])
    return {"vendor": vendor, "claims": len(rows), "totals": totals, "text": text}
