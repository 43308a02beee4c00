"""Adyen: settlement details and payments accounting reports. Amounts are major units of the settlement currency.

A batch of settlement details ends in its payout, and its lines and the payout come to nothing together; a batch
without a payout carries no total. An accounting report follows each payment through registers: only its booking into
the payable balance is money of a settlement.
"""

from __future__ import annotations

from datetime import UTC, datetime

from steward.contracts.settlement import LineType, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, minor_or_zero
from steward.reconciliation.readers.draft import Draft, Gathering, digest_key, held, refs, stem
from steward.reconciliation.readers.moments import local, zone
from steward.reconciliation.readers.tables import Header, cell, header_of, rows, text_of

TYPES: dict[str, LineType] = {
    "settled": "payment", "refunded": "refund", "refundedreversed": "refund_reversal", "paidout": "transfer",
    "settledreversed": "adjustment", "chargeback": "dispute", "secondchargeback": "dispute",
    "chargebackreversed": "dispute_reversal", "secondchargebackreversed": "dispute_reversal", "fee": "fee",
    "paymentcost": "fee", "misccosts": "fee", "invoicededuction": "fee", "merchantpayout": "payout",
    "payoutreversal": "payout_reversal", "merchantpayoutreversed": "payout_reversal", "merchantpayin": "transfer",
    "balancetransfer": "transfer", "internaltransfer": "transfer", "depositcorrection": "adjustment",
    "reserveadjustment": "adjustment", "manualcorrected": "adjustment", "bankinstructionreturned": "payout_reversal",
    "advancementcommission": "fee", "advancement": "transfer",
}  # fmt: skip
_REGISTERS = {
    "received", "authorised", "sentforsettle", "sentforrefund", "sentforpayout", "refused", "refusedbybank", "expired",
    "cancelled", "error", "capturefailed", "refundfailed", "settledexternally", "refundedexternally", "retried",
    "chargebackexternally", "notificationofchargeback", "requestforinformation", "notificationoffraud",
}  # fmt: skip
_FEES = ("Commission", "Markup", "Scheme Fees", "Interchange")


def read(content: bytes, name: str) -> Reading:
    table = rows(text_of(content))
    header = header_of(table)
    if header.has("Record Type", "Payable (SC)"):
        columns, draft = _Columns(header, "SC"), Draft("adyen", "adyen payments accounting report")
    else:
        columns, draft = _Columns(header, "NC"), Draft("adyen", "adyen settlement details report")
    payouts: dict[int, int] = {}
    for number, cells in table:
        try:
            gathering = columns.add(draft, number, cells, stem(name))
        except BadInput as error:
            draft.take(number, error)
            continue
        if gathering and gathering.lines[-1].type == "payout":
            payouts[id(gathering)] = number
    for gathering in draft.ordered():
        line = payouts.get(id(gathering), 0)
        if line:
            rest = sum(entry.net_minor for entry in gathering.lines if entry.type != "payout")
            sent = rest - gathering.net()
            draft.total(rest == sent, f"payout of {gathering.id} is the sum of its lines", line, gathering.currency,
                        sent, rest)  # fmt: skip
    return draft.reading()


class _Columns:
    """The columns of either report; `side` is the currency in brackets of the fee columns."""

    def __init__(self, header: Header, side: str) -> None:
        need, maybe = header.need, header.maybe
        self.header = header
        self.accounting = side == "SC"
        self.merchant, self.payment = need("Merchant Account"), need("Psp Reference")
        self.order, self.zone = need("Merchant Reference"), need("TimeZone")
        self.fees = [need(f"{name} ({side})") for name in _FEES]
        if self.accounting:
            self.when, self.kind, self.other = (
                need("Booking Date"),
                need("Record Type"),
                need("Modification Psp Reference"),
            )
            self.currency, self.payable = need("Settlement Currency"), need("Payable (SC)")
            self.batch = maybe("Payable Batch", "Batch Number")
            self.own, self.captured = need("Payment Currency"), need("Captured (PC)")
        else:
            self.when, self.kind, self.other = need("Creation Date"), need("Type"), need("Modification Reference")
            self.currency, self.debit, self.credit = (
                need("Net Currency"),
                need("Net Debit (NC)"),
                need("Net Credit (NC)"),
            )
            self.gross_currency = need("Gross Currency")
            self.gross = need("Gross Debit (GC)"), need("Gross Credit (GC)")
            self.batch = need("Batch Number")

    def add(self, draft: Draft, number: int, cells: list[str], fallback: str) -> Gathering | None:
        self.header.check(cells)
        raw = cell(cells, self.kind)
        if self.accounting and raw.casefold() in _REGISTERS:
            draft.moved_nothing(number, f"{raw}: the payment moved between registers, not into the payable balance")
            return None
        currency = currency_code(cell(cells, self.currency))
        fee = sum(minor_or_zero(cell(cells, place), currency) for place in self.fees)
        net = self._net(cells, currency)
        amounts = net + fee, fee, net
        self._agrees(cells, currency, amounts)
        kind = TYPES.get(raw.casefold(), "unknown")
        payment, other, batch = (cell(cells, place) for place in (self.payment, self.other, self.batch))
        at = _when(cell(cells, self.when), cell(cells, self.zone))
        if kind == "payout" and not other:
            raise BadInput("a payout without its reference")
        key = f"{other} {raw}" if other and payment else digest_key(raw, other, at, net)
        gathering = self._gathering(draft, cells, batch, currency, fallback)
        payout = other.split()[0] if kind == "payout" else ""
        gathering.payout_id = payout or gathering.payout_id
        named = {"refund": "refund", "dispute": "dispute"}.get(kind, "transaction")
        outside = refs([
            ("transaction", payment), ("payment", payment), ("order", cell(cells, self.order)),
            (named, other if payment else ""), ("payout", payout), ("reference", other if not payment else ""),
        ])  # fmt: skip
        gathering.add(number, key, kind, raw, amounts, at.astimezone(UTC), at.date(), outside)
        return gathering

    def _net(self, cells: list[str], currency: str) -> int:
        if self.accounting:
            return minor(cell(cells, self.payable), currency)
        debit, credit = cell(cells, self.debit), cell(cells, self.credit)
        if bool(debit) == bool(credit):
            raise BadInput("a row has either a net debit or a net credit")
        amount = minor(credit or debit, currency)
        return amount if credit else -amount

    def _agrees(self, cells: list[str], currency: str, amounts: tuple[int, int, int]) -> None:
        """Where the payment's own currency is the settlement's, its gross is net and fees together."""
        if self.accounting:
            captured = cell(cells, self.captured)
            if captured and currency_code(cell(cells, self.own)) == currency:
                held(-minor(captured, currency), amounts[1], amounts[2])
            return
        debit, credit = (cell(cells, place) for place in self.gross)
        if (debit or credit) and currency_code(cell(cells, self.gross_currency)) == currency:
            gross = minor_or_zero(credit, currency) - minor_or_zero(debit, currency)
            held(gross, amounts[1], amounts[2])

    def _gathering(self, draft: Draft, cells: list[str], batch: str, currency: str, fallback: str) -> Gathering:
        merchant = cell(cells, self.merchant)
        if not merchant:
            raise BadInput("no merchant account")
        if not batch and not self.accounting:
            raise BadInput("no batch number")
        named = f"{merchant} batch {batch}" if batch else f"{merchant} {fallback}"
        key = (merchant, batch, currency)
        if key in draft.gatherings:
            return draft.gatherings[key]
        other = any(known[:2] == key[:2] for known in draft.gatherings)
        return draft.gathering(key, f"{named} {currency}" if other else named, merchant, currency)


def _when(text: str, abbreviation: str) -> datetime:
    return local(text, zone(abbreviation))
