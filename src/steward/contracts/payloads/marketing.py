"""Campaigns, creatives and trends."""

from __future__ import annotations

from typing import Literal

from steward.contracts.base import Contract, Currency, Instant, OpenContract, Ratio
from steward.contracts.payloads.fields import Name, NonNegative, Note


class CampaignLaunched(OpenContract):
    """A campaign spends money from now on, up to its budget."""

    campaign_id: Name
    platform: Name
    currency: Currency
    daily_budget_minor: NonNegative | None = None
    name: Note | None = None
    objective: Name | None = None
    show_id: Name | None = None
    skus: tuple[Name, ...] = ()
    ends_at: Instant | None = None


class CreativeApproved(OpenContract):
    """A creative may be shown: the platform's review, or ours, let it pass."""

    creative_id: Name
    platform: Name | None = None
    campaign_id: Name | None = None
    creator_id: Name | None = None
    approver: Name | None = None


class CreativeFatigued(Contract):
    """A creative works measurably less well than it did; the rates are clicks per impression."""

    creative_id: Name
    rate: Ratio
    initial_rate: Ratio
    impressions: NonNegative | None = None
    half_life_days: Ratio | None = None


class AdSetScaled(OpenContract):
    """An ad set's daily budget was changed."""

    ad_set_id: Name
    currency: Currency
    daily_budget_minor: NonNegative
    previous_minor: NonNegative | None = None
    platform: Name | None = None
    campaign_id: Name | None = None
    action_id: Name | None = None


class AdSetPaused(OpenContract):
    """An ad set spends nothing from now on."""

    ad_set_id: Name
    platform: Name | None = None
    campaign_id: Name | None = None
    reason: Note | None = None
    action_id: Name | None = None


class BudgetExhausted(OpenContract):
    """A campaign or ad set has spent what it may."""

    scope: Literal["campaign", "ad_set", "account"]
    scope_id: Name
    currency: Currency
    spent_minor: NonNegative
    budget_minor: NonNegative | None = None
    platform: Name | None = None


class TrendDetected(Contract):
    """A topic is asked for far more often than before; `score` is the burst's z-score."""

    trend_id: Name
    topic: Note
    score: Ratio
    source: Name | None = None
    window_hours: NonNegative | None = None
    mentions: NonNegative | None = None
    skus: tuple[Name, ...] = ()


MARKETING = (
    CampaignLaunched,
    CreativeApproved,
    CreativeFatigued,
    AdSetScaled,
    AdSetPaused,
    BudgetExhausted,
    TrendDetected,
)
