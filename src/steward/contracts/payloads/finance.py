"""Money between the shop and everybody but its customers: settlements, fees, payouts, suppliers, corrections."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Currency, Digest, Instant, OpenContract, Ratio
from steward.contracts.payloads.commerce import StockLine
from steward.contracts.payloads.fields import Minor, Name, NonNegative, Note


class SettlementLine(OpenContract):
    """One line of a provider's statement; `net_minor` is `gross_minor` less `fee_minor`."""

    reference: Name
    kind: Literal[
        "payment", "refund", "dispute", "fee", "tax", "reserve", "payout", "conversion", "adjustment", "other"
    ]
    net_minor: Minor
    gross_minor: Minor | None = None
    fee_minor: Minor = 0
    order_id: Name | None = None
    payment_id: Name | None = None


class SettlementReceived(OpenContract):
    """A provider's statement arrived; the amounts are its own until they are matched."""

    settlement_id: Name
    provider: Name
    currency: Currency
    net_minor: Minor
    opening_minor: Minor | None = None
    closing_minor: Minor | None = None
    period_start: Instant | None = None
    period_end: Instant | None = None
    payout_id: Name | None = None
    file_digest: Digest | None = None
    lines: tuple[SettlementLine, ...] = ()


class SettlementReconciled(Contract):
    """Every line of a statement is matched or named as a mismatch."""

    settlement_id: Name
    provider: Name
    currency: Currency
    net_minor: Minor
    matched: NonNegative
    mismatches: NonNegative = 0
    rounding_minor: Minor = 0


class ReconciliationMismatch(Contract):
    """What a statement says and what the books say differ."""

    mismatch_id: Name
    settlement_id: Name
    code: Literal[
        "missing",
        "duplicate",
        "amount",
        "fee",
        "rate",
        "date",
        "orphan_refund",
        "unknown_kind",
        "negative_payout",
        "reserve",
        "fx",
        "unknown_type",
        "currency",
        "split",
        "late",
        "chargeback",
        "invoice_overcharge",
        "invoice_twice",
        "invoice_unordered",
        "invoice_quantity",
        "invoice_price",
        "invoice_sum",
        "invoice_service",
        "invoice_currency",
        "invoice_credit",
    ]
    currency: Currency
    expected_minor: Minor
    actual_minor: Minor
    reference: Name | None = None
    reason: Note | None = None


class FeeCharged(OpenContract):
    """A processor or platform kept a fee."""

    fee_id: Name
    processor: Name
    currency: Currency
    amount_minor: NonNegative
    kind: Literal["processing", "referral", "dispute", "subscription", "payout", "conversion", "other"] = "other"
    reference: Name | None = None
    order_id: Name | None = None
    payment_id: Name | None = None


class TaxWithheld(OpenContract):
    """A platform collected tax and pays it to the authority itself."""

    withholding_id: Name
    processor: Name
    currency: Currency
    amount_minor: NonNegative
    jurisdiction: Name | None = None
    order_id: Name | None = None
    settlement_id: Name | None = None


class ReserveHeld(OpenContract):
    """A processor holds back part of what it owes us."""

    reserve_id: Name
    processor: Name
    currency: Currency
    amount_minor: NonNegative
    release_at: Instant | None = None
    settlement_id: Name | None = None


class ReserveReleased(OpenContract):
    """What was held back is ours to be paid out."""

    reserve_id: Name
    processor: Name
    currency: Currency
    amount_minor: NonNegative
    settlement_id: Name | None = None


class PayoutSent(OpenContract):
    """A processor sent our money to the bank; a negative amount was taken from it."""

    payout_id: Name
    processor: Name
    currency: Currency
    amount_minor: Minor
    arrival_date: Instant | None = None
    settlement_id: Name | None = None


class PayoutLanded(OpenContract):
    """The bank has what a processor sent."""

    payout_id: Name
    processor: Name
    currency: Currency
    amount_minor: Minor
    bank_account: Name = "main"
    statement_ref: Name | None = None


class GiftCardIssued(OpenContract):
    """A gift card was sold or given: we owe goods of its value."""

    gift_card_id: Name
    currency: Currency
    amount_minor: NonNegative
    paid_minor: NonNegative = 0
    order_id: Name | None = None
    customer_id: Name | None = None
    processor: Name = "unnamed"
    expires_at: Instant | None = None


class GiftCardRedeemed(OpenContract):
    """A gift card paid for an order, or for a part of it."""

    gift_card_id: Name
    currency: Currency
    amount_minor: NonNegative
    order_id: Name
    customer_id: Name | None = None


class StoreCreditIssued(OpenContract):
    """A customer may buy for this much without paying."""

    credit_id: Name
    customer_id: Name
    currency: Currency
    amount_minor: NonNegative
    order_id: Name | None = None
    refund_id: Name | None = None
    reason: Note | None = None
    expires_at: Instant | None = None


class CurrencyConverted(OpenContract):
    """Money of one currency became money of another; `rate` is bought units for one sold unit."""

    conversion_id: Name
    sold_currency: Currency
    sold_minor: NonNegative
    bought_currency: Currency
    bought_minor: NonNegative
    rate: Ratio | None = None
    processor: Name = "unnamed"


class BadDebtWrittenOff(Contract):
    """What somebody owes us will not come any more."""

    write_off_id: Name
    currency: Currency
    amount_minor: NonNegative
    account: Name
    reason: Note
    approver: Name | None = None


class AccountAdjusted(Contract):
    """A person corrected the books: this much from one account to another, with the reason."""

    adjustment_id: Name
    currency: Currency
    amount_minor: NonNegative
    debit: Name
    credit: Name
    reason: Note
    approver: Name | None = None
    corrects: Name | None = None


class OpeningBalancePosted(Contract):
    """What an account held when these books began; a debit is positive."""

    account: Name
    currency: Currency
    amount_minor: Minor
    as_of: Instant


class SupplierInvoiceReceived(OpenContract):
    """A supplier wants to be paid for goods."""

    invoice_id: Name
    supplier_id: Name
    currency: Currency
    amount_minor: NonNegative
    tax_minor: NonNegative = 0
    purchase_order_id: Name | None = None
    due_at: Instant | None = None
    payee_digest: Digest | None = None


class SupplierPaid(OpenContract):
    """Money went to a supplier."""

    payment_id: Name
    supplier_id: Name
    currency: Currency
    amount_minor: NonNegative
    invoice_id: Name | None = None
    bank_account: Name = "main"
    remote_ref: Name | None = None
    reference: Name | None = None
    action_id: Name | None = None


class SupplierPaymentLanded(Contract):
    """A statement of the bank shows a payment to a supplier."""

    payment_id: Name
    supplier_id: Name
    invoice_id: Name
    currency: Currency
    amount_minor: NonNegative
    remote_ref: Name
    statement_ref: Name


class ThirdPartyInvoiceReceived(OpenContract):
    """A warehouse, carrier or other service wants to be paid."""

    invoice_id: Name
    provider: Name
    currency: Currency
    amount_minor: NonNegative
    tax_minor: NonNegative = 0
    service: Literal["fulfilment", "shipping", "storage", "software", "agency", "other"] = "other"
    due_at: Instant | None = None
    file_digest: Digest | None = None


class GoodsShipped(OpenContract):
    """Goods left the shop's stock for a customer, at what they cost us."""

    shipment_id: Name
    order_id: Name
    currency: Currency
    cost_minor: NonNegative
    lines: tuple[StockLine, ...] = ()
    warehouse: Name | None = None


class SampleSent(OpenContract):
    """Goods left the shop's stock for a creator, at what they cost us."""

    sample_id: Name
    creator_id: Name
    sku: Name
    currency: Currency
    cost_minor: NonNegative
    quantity: NonNegative = 1
    shipment_id: Name | None = None
    action_id: Name | None = None


class AdSpendCharged(OpenContract):
    """An advertising platform charged for what it showed."""

    charge_id: Name
    platform: Name
    currency: Currency
    amount_minor: NonNegative
    tax_minor: NonNegative = 0
    campaign_id: Name | None = None
    period_start: Instant | None = None
    period_end: Instant | None = None


class PeriodClosed(Contract):
    """The books up to an instant are final; `digest` covers the trial balance."""

    period: Name
    closes_at: Instant
    digest: Digest
    closed_by: Name
    unreconciled: NonNegative = 0


FINANCE = (
    SettlementReceived,
    SettlementReconciled,
    ReconciliationMismatch,
    FeeCharged,
    TaxWithheld,
    ReserveHeld,
    ReserveReleased,
    PayoutSent,
    PayoutLanded,
    GiftCardIssued,
    GiftCardRedeemed,
    StoreCreditIssued,
    CurrencyConverted,
    BadDebtWrittenOff,
    AccountAdjusted,
    OpeningBalancePosted,
    SupplierInvoiceReceived,
    SupplierPaid,
    SupplierPaymentLanded,
    ThirdPartyInvoiceReceived,
    GoodsShipped,
    SampleSent,
    AdSpendCharged,
    PeriodClosed,
)
