"""Logarithm, exponential and quantiles out of +, -, x, / and square roots alone.

IEEE 754 rounds these operations in one way only, whereas libraries differ in the last bit of exp and log. So every
machine gets the same bits, and the same integers after quantising.
"""

from __future__ import annotations

import numpy as np

from livemarket.core.arrays import Floats, Ints

_LN2_HIGH = 6.93147180369123816490e-01  # the first 33 bits, so that k * _LN2_HIGH is exact
_LN2_LOW = 1.90821492927058770002e-10
_PER_LN2 = 1.4426950408889634
_EXP = [
    1.0 / 6227020800.0,
    1.0 / 479001600.0,
    1.0 / 39916800.0,
    1.0 / 3628800.0,
    1.0 / 362880.0,
    1.0 / 40320.0,
    1.0 / 5040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
]
_LOG = [
    1.0 / 21.0,
    1.0 / 19.0,
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
]

# Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988).
_CENTRE_TOP = [
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
]
_CENTRE_LOW = [
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
]
_TAIL_TOP = [
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
]
_TAIL_LOW = [
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
]

_LARGE_MEAN = 16.0


def _horner(coefficients: list[float], x: Floats) -> Floats:
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def exp(x: Floats | Ints) -> Floats:
    """e^x for -700 < x < 700: x = k ln 2 + r with |r| < 0.35, a Taylor polynomial of degree 13 for e^r."""
    x = np.asarray(x, dtype=np.float64)
    k = np.rint(x * _PER_LN2)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    return np.ldexp(_horner(_EXP, r), k.astype(np.int32))


def log(x: Floats | Ints) -> Floats:
    """Ln x for x > 0: x = m 2^e, ln m = 2 artanh((m - 1) / (m + 1)) as a series."""
    mantissa, exponent = np.frexp(np.asarray(x, dtype=np.float64))
    small = mantissa < 0.7071067811865476
    mantissa = np.where(small, mantissa * 2.0, mantissa)
    e = exponent - small
    s = (mantissa - 1.0) / (mantissa + 1.0)
    return e * _LN2_HIGH + (2.0 * s * _horner(_LOG, s * s) + e * _LN2_LOW)


def normal(u: Floats) -> Floats:
    """The standard normal quantile of u, for u from 2^-33 to 1 - 2^-33."""
    q = u - 0.5
    near = 0.180625 - q * q
    centre = q * _horner(_CENTRE_TOP, near) / _horner(_CENTRE_LOW, near)
    far = np.sqrt(-log(np.minimum(u, 1.0 - u))) - 1.6
    tail = _horner(_TAIL_TOP, far) / _horner(_TAIL_LOW, far)
    return np.where(np.abs(q) <= 0.425, centre, np.where(q < 0, -tail, tail))


def lognormal(u: Floats, sigma: float) -> Floats:
    """A lognormal factor with median 1."""
    return exp(normal(u) * sigma)


def poisson(mean: Floats | Ints, u: Floats) -> Ints:
    """The Poisson quantile of u: by adding up probabilities below a mean of 16, else Cornish and Fisher's expansion
    (1938) of the normal quantile, mean + z sqrt(mean) + (z^2 - 1) / 6.
    """
    mean = np.maximum(np.asarray(mean, dtype=np.float64), 0.0)
    z = normal(u)
    root = np.sqrt(mean)
    large = np.maximum(np.floor(mean + z * root + (z * z - 1.0) / 6.0 + 0.5), 0.0).astype(np.int64)
    few = np.flatnonzero(mean < _LARGE_MEAN)
    if not len(few):
        return large
    m, rest = mean[few], u[few]
    probability = exp(-m)
    below, count = probability.copy(), np.zeros(len(few), dtype=np.int64)
    for k in range(1, 80):
        more = rest > below
        if not more.any():
            break
        count += more
        probability = probability * m / k
        below = below + probability
    large[few] = count
    return large
