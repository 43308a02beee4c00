"""Forecasts: what an option would do, with an interval."""

from __future__ import annotations

from steward.contracts.base import Contract, Instant, JsonObject, Ratio


class Forecast(Contract):
    """`quantity` (unit last in its name) between `low` and `high` with probability `level`, if the past is a guide."""

    id: str
    option: str
    quantity: str
    low: int
    mid: int
    high: int
    level: Ratio
    horizon_end: Instant
    basis: JsonObject
