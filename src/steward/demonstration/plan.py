"""What is walked: how many days, in which steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from steward.kernel.instants import DAY, HOUR

PAPERS_HOUR = 9  # payouts are sent at eight
STRIPE_LATEST = 2 * DAY
"""From this long after the books began, every line in Stripe's payouts is of a payment the books were told of."""
PAYPAL_LATEST = 7 * DAY
"""The same for PayPal, which pays once a week."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Days on which the books fill, in a few large steps; then business days, hour by hour. `last_hours` makes the last
    day shorter; 24 is a whole one.
    """

    seed: int = 7
    lead_days: int = 7
    days: int = 2
    last_hours: int = 24

    @property
    def total_days(self) -> int:
        return self.lead_days + self.days

    def steps(self, begin: datetime) -> list[Step]:
        """Every step by its end. The books open at `begin`."""
        half = timedelta(hours=12)
        found = [Step(begin + half * n, is_business=False) for n in range(1, 2 * self.lead_days + 1)]
        opens = begin + DAY * self.lead_days
        hours = 24 * (self.days - 1) + self.last_hours
        return found + [Step(opens + HOUR * n, is_business=True) for n in range(1, hours + 1)]


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the clock, and whether people work in it."""

    until: datetime
    is_business: bool

    @property
    def brings_papers(self) -> bool:
        return self.is_business and self.until.hour == PAPERS_HOUR
