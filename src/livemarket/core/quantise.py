"""The named points where a real number becomes an integer. Beyond them there are no floats."""

from __future__ import annotations

import numpy as np

from livemarket.core.arrays import Floats, Ints

PPM = 1_000_000


def minor(amount: Floats | Ints) -> Ints:
    """Money: the nearest minor unit, halves upwards."""
    return np.floor(amount + 0.5).astype(np.int64)


def count(mean: Floats | Ints, u: Floats) -> Ints:
    """A whole number whose mean is `mean`: rounded down or up by one uniform number."""
    return np.floor(np.maximum(mean, 0.0) + u).astype(np.int64)


def days(length: Floats) -> Ints:
    """A duration in whole days, rounded down."""
    return np.floor(length).astype(np.int64)


def ppm(rate: Floats) -> Ints:
    """A rate in millionths."""
    return np.floor(rate * PPM + 0.5).astype(np.int64)


def share(amount: Ints, rate_ppm: Ints | int) -> Ints:
    """A fee: amount x rate, the nearest minor unit, halves upwards, in integers only."""
    return (amount * rate_ppm + PPM // 2) // PPM
