"""Facts that are intervals of the past: nothing is fitted, so what never happened yet is not in them.

Each says what it is an interval of. Where the past is too short there is no fact, and a rule that needs it escalates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from steward.contracts.base import Json
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import DAY, WEEK, floor_day
from steward.state import State
from steward.world_model.core.empirical import order_interval

LEVEL = Fraction(4, 5)
NOT_MODELLED = frozenset({"ads.revenue", "ads.margin", "ads.lift"})
"""Asked of the world model, and known to no model yet: sales are not attributed to campaigns, and costs are assumed."""

PAST = frozenset({"discount.stacked", "losses.day", "returns.share", "demand.week", "disputes.share"})
_DAYS, _DISCOUNT_DAYS = 28, 28
_RETURN_WEEKS, _DEMAND_WEEKS, _DISPUTE_WEEKS = 8, 9, 4


def past_fact(state: State, name: str, params: JsonObject, at: datetime, currency: str) -> Json:
    """One of PAST as of the start of the day; None where the history does not reach back far enough."""
    day = floor_day(at)
    span = state.span()
    reach = {"discount.stacked": _DISCOUNT_DAYS * DAY, "losses.day": _DAYS * DAY, "returns.share": _RETURN_WEEKS * WEEK}
    reach |= {"demand.week": _DEMAND_WEEKS * WEEK, "disputes.share": _DISPUTE_WEEKS * WEEK}
    if span is None or span[0] > day - reach[name]:
        return None
    if name == "discount.stacked":
        most = state.discount_most(day - _DISCOUNT_DAYS * DAY, day)
        return None if most is None else {"low": "0", "high": str(Fraction(most, 10_000))}
    if name == "losses.day":
        low, _, high = order_interval(state.rest_of_day_refunds(day, _DAYS), LEVEL)
        return {end: {"amount_minor": value, "currency": currency} for end, value in (("low", low), ("high", high))}
    if name == "demand.week":
        weeks = [state.sku_units(params["sku"], day - (n + 1) * WEEK, day - n * WEEK) for n in range(_DEMAND_WEEKS)]
        return {"low": min(weeks), "high": max(weeks)}
    if name == "returns.share":
        return _shares(state.weekly_money(day, _RETURN_WEEKS), "refunds", "sales")
    return _shares(state.weekly_money(day, _DISPUTE_WEEKS), "disputes", "captures")


def _shares(weeks: Sequence[JsonObject], part: str, whole: str) -> Json:
    """The least and the largest share of a week; None where one week has nothing to take a share of."""
    if not all(week[whole] > 0 for week in weeks):
        return None
    shares = [Fraction(week[part], week[whole]) for week in weeks]
    return {"low": str(min(shares)), "high": str(max(shares))}
