"""Checkout.com: settlement breakdown (a row for each movement) and payouts (a row for each payout with its parts).

Breakdown: net is gross and deduction (deductions are negative), and the deduction is its parts. Payouts: the payout
is the sum of its parts. The times are UTC, which is Checkout.com's default.
"""

from __future__ import annotations

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, minor_or_zero
from steward.reconciliation.readers.draft import Draft, digest_key, held, refs, stem
from steward.reconciliation.readers.moments import instant
from steward.reconciliation.readers.tables import Header, cell, header_of, rows, text_of

TYPES: dict[str, LineType] = {
    "charge": "payment", "capture": "payment", "refund": "refund", "refund reversal": "refund_reversal",
    "chargeback": "dispute", "chargeback reversal": "dispute_reversal", "representment": "dispute_reversal",
    "second chargeback": "dispute", "void": "fee", "merchant payout": "fee", "network token provisioning": "fee",
    "network token update": "fee", "account updater": "fee", "authentication": "fee", "risk engine": "fee",
    "payout": "payout", "adjustment": "adjustment", "reserve": "reserve_hold", "reserve release": "reserve_release",
    "transfer in": "transfer", "transfer out": "transfer",
}  # fmt: skip
_PARTS = ("Processing Fee", "Scheme Fee", "Interchange", "Tax")


def read(content: bytes, name: str) -> Reading:
    table = rows(text_of(content))
    header = header_of(table)
    payouts = header.has("Payout Amount")
    one = _Payouts(header) if payouts else _Breakdown(header)
    draft = Draft("checkoutcom", f"checkout.com {'payouts' if payouts else 'settlement breakdown'}")
    for number, cells in table:
        try:
            header.check(cells)
            one.add(draft, number, cells, stem(name))
        except BadInput as error:
            draft.take(number, error)
    return draft.reading()


class _Breakdown:
    def __init__(self, header: Header) -> None:
        need, held_in = header.need, " In Holding Currency"
        self.entity, self.kind, self.payment = need("Client Entity ID"), need("Type"), need("Payment ID")
        self.reference, self.when, self.currency = need("Reference"), need("Processed On"), need("Holding Currency")
        self.payout, self.action = need("Payout ID"), header.maybe("Action ID")
        self.gross, self.deduction, self.net = (need(f"{n}{held_in}") for n in ("Gross", "Deduction", "Net"))
        self.parts = [need(f"{name}{held_in}") for name in _PARTS]
        self.reserve = need(f"Reserve{held_in}")

    def add(self, draft: Draft, number: int, cells: list[str], fallback: str) -> None:
        currency = currency_code(cell(cells, self.currency))
        gross, cost, net = (minor(cell(cells, p), currency) for p in (self.gross, self.deduction, self.net))
        reserve = minor_or_zero(cell(cells, self.reserve), currency)
        parts = [cell(cells, place) for place in self.parts]
        raw, payment, payout = cell(cells, self.kind), cell(cells, self.payment), cell(cells, self.payout)
        if any(minor_or_zero(part, currency) for part in parts):
            made = sum(minor_or_zero(part, currency) for part in parts)
            if cost not in {made, made + reserve}:
                raise BadInput(f"the deduction {cost} is not its parts {made} (minor units)")
        kept = reserve if net == gross + cost + reserve else 0
        amounts = held(gross, -cost, net - kept)
        kind = TYPES.get(raw.casefold(), "unknown")
        at = instant(cell(cells, self.when))
        outside = refs([
            ("transaction", cell(cells, self.action) or payment), ("payment", payment),
            ("order", cell(cells, self.reference)), ("payout", payout),
        ])  # fmt: skip
        gathering = draft.of_payout(payout, fallback, "", currency)
        gathering.account = gathering.account or cell(cells, self.entity)
        key = f"{cell(cells, self.action) or payment} {raw}" if payment else digest_key(raw, at, gross, net)
        gathering.add(number, key, kind, raw, amounts, at, at.date(), outside)
        if kept:
            what: LineType = "reserve_hold" if kept < 0 else "reserve_release"
            gathering.add(number, f"{key} reserve", what, f"{raw} reserve", (kept, 0, kept), at, at.date(), outside)


class _Payouts:
    def __init__(self, header: Header) -> None:
        need = header.need
        self.header = header
        self.entity, self.currency = need("Client Entity ID"), need("Holding Currency")
        self.payout, self.when = need("Payout ID"), need("Payout Date")
        self.amount = need("Payout Amount")
        self.parts = range(self.amount + 1, header.width)

    def add(self, draft: Draft, number: int, cells: list[str], fallback: str) -> None:
        currency, payout = currency_code(cell(cells, self.currency)), cell(cells, self.payout)
        if not payout:
            raise BadInput("no payout id")
        paid = minor(cell(cells, self.amount), currency)
        makes = sum(minor_or_zero(cell(cells, place), currency) for place in self.parts)
        draft.total(paid == makes, f"payout {payout} is the sum of its parts", number, currency, paid, makes)
        at = instant(cell(cells, self.when))
        kind: LineType = "payout" if paid >= 0 else "payout_reversal"
        gathering = draft.of_payout("", fallback, "", currency)
        gathering.account = gathering.account or cell(cells, self.entity)
        gathering.add(number, payout, kind, "payout", (-paid, 0, -paid), at, at.date(), refs([("payout", payout)]))
