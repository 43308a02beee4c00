"""What is walked: how many days, in which steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from steward.kernel.instants import DAY, HOUR

PAPERS_HOUR = 9  # payouts are sent at eight
STRIPE_LATEST = 2 * DAY
"""From this long after the books began, every line in Stripe's payouts is of a payment the books were told of."""
PAYPAL_LATEST = 7 * DAY
"""The same for PayPal, which pays once a week."""
DUE_DAYS = 7
"""The return window of commissions there: in a month's, nothing would become due before the end."""
PAID_LATER = 365
"""The shop's own people pay a commission after so many days, were it not paid before: here the house pays."""
WRONG_AFTER = 5
"""Early enough that what goes wrong then is settled before the end."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Days on which the books fill, in a few large steps; then business days, hour by hour or in steps of more hours.
    `last_hours` makes the last day shorter; 24 is a whole one. `is_wrong` lets processors charge a wrong fee and lose
    an order on the way.
    """

    seed: int = 7
    lead_days: int = 10
    days: int = 2
    last_hours: int = 24
    step_hours: int = 1
    is_wrong: bool = False

    @property
    def total_days(self) -> int:
        return self.lead_days + self.days

    def steps(self, begin: datetime) -> list[Step]:
        """Every step by its end. The books open at `begin`."""
        half = timedelta(hours=12)
        found = [Step(begin + half * n) for n in range(1, 2 * self.lead_days + 1)]
        if self.is_wrong and found:
            found[WRONG_AFTER] = replace(found[WRONG_AFTER], goes_wrong=True)
        opens = begin + DAY * self.lead_days
        hours = 24 * (self.days - 1) + self.last_hours
        papers = [opens + DAY * n + HOUR * PAPERS_HOUR for n in range(self.days)]
        for hour in range(self.step_hours, hours + 1, self.step_hours):
            after, until = opens + HOUR * (hour - self.step_hours), opens + HOUR * hour
            brings = any(after < paper <= until for paper in papers)
            found.append(Step(until, is_business=True, brings_papers=brings))
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """One move of the clock, and what happens in it: people work, papers come, processors go wrong."""

    until: datetime
    is_business: bool = False
    brings_papers: bool = False
    goes_wrong: bool = False
