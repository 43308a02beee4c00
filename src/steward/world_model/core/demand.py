"""Weekly demand by price: log-log, one elasticity a product, shrunk towards the shop's.

For product i in week t with units q and usual price p (both positive):

    log q_it = a_i + b_i (log p_it - mean_i) + w_t + e_it

w_t is the mean residual of the week over all products (season, holidays). b_i is the posterior mean under a normal
prior centred on the shop's pooled slope (partial pooling: Gelman & Hill, Data Analysis Using Regression, ch. 12).
Intervals come from a bank of one-week-ahead errors, each divided by its product's own scale, so that a noisy product
gets a wide interval. Floats live here and nowhere else: what leaves is integers, rounded outwards.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# A product is modelled when it sold in at least this many of the weeks fitted on, and of the latest four.
MIN_WEEKS = 6
MIN_RECENT = 3
_RECENT = 4
# Prior of an elasticity around the shop's own: standard deviation, and the range that makes economic sense.
_PRIOR_SD = 0.75
_ELASTICITY = (-4.0, 0.0)
# A product's error variance is mixed with the shop's as if the shop's had been seen this many times.
_SCALE_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class WeekOf:
    """Units and usual price of one product in one week; week -1 is the last whole one."""

    sku: str
    week: int
    units: int
    price_minor: int


@dataclass(frozen=True, slots=True)
class ProductDemand:
    """What the fit says of one product: usual price, level and elasticity, error scale, weeks it rests on."""

    sku: str
    price_minor: int
    log_level: float
    elasticity: float
    scale: float
    weeks: int

    def median_units(self, price_minor: int) -> float:
        """Units a week at a price."""
        return math.exp(self.log_level + self.elasticity * math.log(price_minor / self.price_minor))


@dataclass(frozen=True, slots=True)
class DemandModel:
    """A fit as of one instant: products by SKU, the pooled elasticity, and the standardised error bank, sorted."""

    products: dict[str, ProductDemand]
    pooled_elasticity: float
    errors: tuple[float, ...]

    def interval(self, sku: str, price_minor: int, level: Fraction) -> tuple[int, int, int] | None:
        """(low, mid, high) units in the coming week at a price; None for a product that is not modelled."""
        product = self.products.get(sku)
        if product is None:
            return None
        median = product.median_units(price_minor)
        tail = float((1 - level) / 2)
        low = median * math.exp(product.scale * quantile(self.errors, tail))
        high = median * math.exp(product.scale * quantile(self.errors, 1 - tail))
        return min(math.floor(low), round(median)), round(median), max(math.ceil(high), round(median))


def quantile(ordered: Sequence[float], probability: float) -> float:
    """The conservative order statistic: for n errors the ceil(p (n + 1))-th, clipped to the sample (Vovk et al.,
    split conformal prediction); zero where nothing has been seen.
    """
    if not ordered:
        return 0.0
    rank = (
        math.ceil(probability * (len(ordered) + 1))
        if probability > 0.5
        else math.floor(probability * (len(ordered) + 1))
    )
    return ordered[min(max(rank, 1), len(ordered)) - 1]


def fit(weeks: Sequence[WeekOf], usual: Mapping[str, int]) -> DemandModel:
    """Fit every product with enough weeks and a `usual` price now (minor units), by the model above."""
    import numpy as np

    panels = {sku: panel for sku, panel in _panels(weeks).items() if usual.get(sku, 0) > 0}
    if not panels:
        return DemandModel({}, 0.0, ())
    season = _season(panels)
    x_parts: dict[str, Floats] = {}
    y_parts: dict[str, Floats] = {}
    for sku, panel in panels.items():
        log_price = np.log(np.array([week.price_minor for week in panel], dtype=float))
        log_units = np.log(np.array([week.units for week in panel], dtype=float))
        adjusted = log_units - np.array([season[week.week] for week in panel])
        x_parts[sku], y_parts[sku] = log_price - log_price.mean(), adjusted
    pooled, noise = _pooled_slope(x_parts, y_parts)
    return _assemble(panels, usual, x_parts, y_parts, (pooled, noise))


def _panels(weeks: Sequence[WeekOf]) -> dict[str, list[WeekOf]]:
    by_sku: dict[str, list[WeekOf]] = defaultdict(list)
    for week in weeks:
        if week.units > 0 and week.price_minor > 0:
            by_sku[week.sku].append(week)
    return {
        sku: sorted(panel, key=lambda week: week.week)
        for sku, panel in sorted(by_sku.items())
        if len(panel) >= MIN_WEEKS and sum(week.week >= -_RECENT for week in panel) >= MIN_RECENT
    }


def _season(panels: dict[str, list[WeekOf]]) -> dict[int, float]:
    """The shop's week effects: mean over products of log units less the product's own mean."""
    residuals: dict[int, list[float]] = defaultdict(list)
    for panel in panels.values():
        logs = [math.log(week.units) for week in panel]
        mean = sum(logs) / len(logs)
        for week, value in zip(panel, logs, strict=True):
            residuals[week.week].append(value - mean)
    return {week: sum(values) / len(values) for week, values in residuals.items()}


def _mean_log_price(panel: list[WeekOf]) -> float:
    import numpy as np

    return float(np.mean([math.log(week.price_minor) for week in panel]))


def _pooled_slope(x_parts: dict[str, Floats], y_parts: dict[str, Floats]) -> tuple[float, float]:
    """The shop's within-product slope and residual variance (fixed-effects least squares)."""
    sxx = sum(float(x @ x) for x in x_parts.values())
    sxy = sum(float(x @ (y_parts[sku] - y_parts[sku].mean())) for sku, x in x_parts.items())
    slope = sxy / sxx if sxx > 0 else 0.0
    squares, count = 0.0, 0
    for sku, x in x_parts.items():
        error = y_parts[sku] - y_parts[sku].mean() - slope * x
        squares += float(error @ error)
        count += len(x) - 1
    return slope, max(squares / max(count, 1), 1e-6)


def _assemble(
    panels: dict[str, list[WeekOf]],
    usual: Mapping[str, int],
    x_parts: dict[str, Floats],
    y_parts: dict[str, Floats],
    shop: tuple[float, float],
) -> DemandModel:
    pooled, noise = shop
    products: dict[str, ProductDemand] = {}
    errors: list[float] = []
    centre = min(max(pooled, _ELASTICITY[0]), _ELASTICITY[1])
    for sku, panel in panels.items():
        x, y = x_parts[sku], y_parts[sku]
        precision = float(x @ x) / noise + 1 / _PRIOR_SD**2
        slope = (float(x @ (y - y.mean())) / noise + centre / _PRIOR_SD**2) / precision
        slope = min(max(slope, _ELASTICITY[0]), _ELASTICITY[1])
        left = y - y.mean() - slope * x
        scale = math.sqrt((float(left @ left) + _SCALE_WEIGHT * noise) / (len(x) + _SCALE_WEIGHT))
        recent = [i for i, week in enumerate(panel) if week.week >= -_RECENT]
        log_usual = math.log(usual[sku])
        mean_log_price = _mean_log_price(panel)
        flat = y - slope * x
        level = float(flat[recent].mean()) + slope * (log_usual - mean_log_price)
        products[sku] = ProductDemand(sku, usual[sku], level, slope, scale, len(panel))
        errors += [
            (float(flat[i]) - float(flat[max(0, i - _RECENT) : i].mean())) / scale
            for i in range(MIN_RECENT, len(panel))
        ]
    return DemandModel(products, pooled, tuple(sorted(errors)))
