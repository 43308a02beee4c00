"""Creators: who joined, what they earned, and what they are paid."""

from __future__ import annotations

from steward.contracts.base import Contract, Currency, Digest, Instant, OpenContract, Ratio
from steward.contracts.payloads.commerce import PersonalDetails
from steward.contracts.payloads.fields import Name, NonNegative, Note


class CreatorOnboarded(OpenContract):
    """A creator may sell for the shop from now on."""

    creator_id: Name
    platform: Name | None = None
    commission_rate: Ratio | None = None
    tier: Name | None = None
    creator: PersonalDetails | None = None
    person_id: Name | None = None
    person_digest: Digest | None = None


class CommissionEarned(OpenContract):
    """A creator's share of an order; it can be taken back until `eligible_at`."""

    commission_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    order_id: Name | None = None
    base_minor: NonNegative | None = None
    rate: Ratio | None = None
    eligible_at: Instant | None = None


class CommissionReversed(OpenContract):
    """A commission, or a part of it, is taken back because its order was."""

    commission_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    order_id: Name | None = None
    refund_id: Name | None = None
    reason: Note | None = None


class PayoutEligible(Contract):
    """The return window of these commissions is over: the sum may be paid once somebody approves it."""

    payout_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    commission_ids: tuple[Name, ...] = ()


class PayoutApproved(Contract):
    """People allowed to do so approved a creator's payout; `payee_digest` binds it to the bank details they saw."""

    payout_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    approvers: tuple[Name, ...]
    action_id: Name | None = None
    payee_digest: Digest | None = None


class PayoutProcessed(OpenContract):
    """A creator's payout left our account."""

    payout_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    processor: Name = "unnamed"
    remote_ref: Name | None = None
    reference: Name | None = None
    withheld_minor: NonNegative = 0


class CreatorPayoutLanded(Contract):
    """A statement of the bank, or of the wallet it left from, shows a creator's payout."""

    payout_id: Name
    creator_id: Name
    currency: Currency
    amount_minor: NonNegative
    processor: Name
    remote_ref: Name
    statement_ref: Name


class TierUpgraded(OpenContract):
    """A creator sells on better terms from now on."""

    creator_id: Name
    tier: Name
    previous_tier: Name | None = None
    commission_rate: Ratio | None = None


CREATORS = (
    CreatorOnboarded,
    CommissionEarned,
    CommissionReversed,
    PayoutEligible,
    PayoutApproved,
    PayoutProcessed,
    CreatorPayoutLanded,
    TierUpgraded,
)
