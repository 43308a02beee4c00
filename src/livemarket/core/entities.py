"""Products, creators and suppliers as they are born: a function of the seed, never of what happens later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core import exact, keyed, quantise
from livemarket.core.arrays import Floats, Ints
from livemarket.core.keyed import Purpose
from livemarket.core.setting import Setting


@dataclass(frozen=True, slots=True)
class Products:
    category: Ints
    usual_price: Ints
    cost: Ints
    grams: Ints
    supplier: Ints
    log_popularity: Floats
    launched: Ints
    word: Ints


@dataclass(frozen=True, slots=True)
class Creators:
    audience: Floats
    skill: Floats
    weight: Floats
    affiliate_ppm: Ints
    site_ppm: Ints


@dataclass(frozen=True, slots=True)
class Suppliers:
    lead_days: Floats
    least_units: Ints
    quality: Floats


def total(values: Floats) -> float:
    """A sum in the order of the array: numpy's own adds in an order that depends on the processor."""
    return float(np.cumsum(values)[-1]) if len(values) else 0.0


def products(setting: Setting, seed: int) -> Products:
    """Popularity is Zipf's law with exponent 0.8; prices lie between their category's bounds, ending in 99."""
    shop = setting.shop
    numbers = np.arange(shop.skus, dtype=np.int64)
    u = keyed.uniforms(seed, numbers, 0, Purpose.PRODUCT, 8)
    category = np.floor(u[:, 0] * len(setting.categories)).astype(np.int64)
    low = np.array([c.price_low for c in setting.categories])[category]
    high = np.array([c.price_high for c in setting.categories])[category]
    price = low + (high - low) * u[:, 1] * u[:, 1]
    price = quantise.minor(price / 100.0) * 100 - 1
    cost_share = np.array([c.cost_share for c in setting.categories])[category]
    cost = quantise.minor(price * cost_share * (0.8 + 0.4 * u[:, 2]))
    grams = quantise.minor(np.array([c.grams for c in setting.categories])[category] * (0.7 + 0.6 * u[:, 3]))
    supplier = np.floor(u[:, 4] * shop.suppliers).astype(np.int64)
    popularity = exact.exp(-0.8 * exact.log(numbers + 3.0))
    launched = -np.floor(u[:, 5] * 400).astype(np.int64)
    word = np.floor(u[:, 6] * 1_000_000).astype(np.int64)
    log_popularity = exact.log(popularity / total(popularity))
    return Products(category, price, cost, grams, supplier, log_popularity, launched, word)


def creators(setting: Setting, seed: int) -> Creators:
    """Audiences follow a Pareto law cut off at thirty times the smallest."""
    numbers = np.arange(setting.shop.creators, dtype=np.int64)
    u = keyed.uniforms(seed, numbers, 0, Purpose.CREATOR, 8)
    tail = exact.exp(-exact.log(u[:, 0]) / setting.number("audience_tail"))
    audience = np.minimum(tail, 30.0)
    weight = 0.3 + u[:, 2]
    affiliate = setting.number("affiliate_rate") * (0.7 + 0.6 * u[:, 3])
    site = setting.number("creator_rate") * (0.8 + 0.4 * u[:, 4])
    # Audiences are scaled so that the mean show of a shop reaches what the shop's size says.
    mean = total(audience * weight) / total(weight)
    return Creators(
        audience / mean, exact.normal(u[:, 1]), weight / total(weight), quantise.ppm(affiliate), quantise.ppm(site)
    )


def suppliers(setting: Setting, seed: int) -> Suppliers:
    numbers = np.arange(setting.shop.suppliers, dtype=np.int64)
    u = keyed.uniforms(seed, numbers, 0, Purpose.SUPPLIER, 4)
    return Suppliers(
        9.0 + 16.0 * u[:, 0],
        20 + np.floor(60 * u[:, 1]).astype(np.int64),
        exact.lognormal(u[:, 2], 0.5),
    )
