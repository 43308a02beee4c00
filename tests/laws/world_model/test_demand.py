"""Statistics, seeded; tolerances come from standard errors, not from tuning."""

import math
from fractions import Fraction

import numpy as np
import pytest

from steward.world_model.core.demand import WeekOf, fit, quantile
from steward.world_model.core.empirical import order_interval


def simulated(elasticity, noise, products=150, weeks=9, seed=1):
    random = np.random.default_rng(seed)
    panel = []
    for i in range(products):
        level = random.normal(4.5, 0.5)
        for week in range(-weeks, 0):
            price = float(round(500 * math.exp(random.normal(0, 0.15))))
            units = math.exp(level + elasticity * math.log(price / 500) + random.normal(0, noise))
            panel.append(WeekOf(f"S{i:03}", week, max(1, round(units)), int(price)))
    return panel, {f"S{i:03}": 500 for i in range(products)}


@pytest.mark.parametrize("elasticity", [-2.0, -1.0, -0.5])
def test_a_known_elasticity_is_recovered(elasticity):
    panel, usual = simulated(elasticity, noise=0.3)
    # Standard error of a pooled slope: noise / (sd of log price * sqrt(observations)); four of them.
    tolerance = 4 * 0.3 / (0.15 * math.sqrt(len(panel)))
    assert abs(fit(panel, usual).pooled_elasticity - elasticity) < tolerance


def test_intervals_cover_the_next_week_as_promised():
    held = covered = 0
    for seed in range(6):
        panel, usual = simulated(-1.0, noise=0.4, weeks=10, seed=seed)
        past = [WeekOf(w.sku, w.week + 1, w.units, w.price_minor) for w in panel if w.week < -1]
        model = fit(past, usual)
        for week in (w for w in panel if w.week == -1):
            low, _, high = model.interval(week.sku, week.price_minor, Fraction(4, 5))
            held += 1
            covered += low <= week.units <= high
    # Binomial(900, 0.8) has a standard deviation of 12; the fit's own error widens what is to be expected a little.
    assert 0.8 - 5 * 12 / 900 < covered / held < 0.8 + 6 * 12 / 900


def test_products_with_few_weeks_or_no_price_are_left_out():
    panel, usual = simulated(-1.0, 0.3, products=3)
    thin = [week for week in panel if week.sku != "S000" or week.week >= -3]
    model = fit(thin, {**usual, "S001": 0})
    assert set(model.products) == {"S002"}
    assert model.interval("S000", 500, Fraction(4, 5)) is None


def test_nothing_to_fit_is_an_empty_model():
    assert fit([], {}).products == {}


@pytest.mark.parametrize("price", [1, 400, 500, 600, 5000])
def test_intervals_are_ordered_integers(price):
    panel, usual = simulated(-1.0, 0.5)
    low, mid, high = fit(panel, usual).interval("S000", price, Fraction(4, 5))
    assert 0 <= low <= mid <= high
    assert {type(low), type(mid), type(high)} == {int}


def test_order_statistics_are_conservative():
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.9) == 4.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.1) == 1.0
    assert quantile([], 0.5) == 0.0


def test_an_order_interval_covers_at_least_its_level():
    random = np.random.default_rng(3)
    days = random.integers(0, 1000, size=(4000, 29))
    inside = 0
    for row in days.tolist():
        low, _, high = order_interval(row[:-1], Fraction(4, 5))
        inside += low <= row[-1] <= high
    # Binomial(4000, 0.8): standard deviation 25.3; five of them below nominal would be a fault.
    assert inside > 3200 - 5 * 25.3


def test_no_past_is_no_interval():
    assert order_interval([], Fraction(4, 5)) == (0, 0, 0)
