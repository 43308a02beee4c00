"""The rules policy: do what was proposed if it is proven, otherwise nothing; explore only where it may.

Probabilities are exact fractions over the admissible set, masked before sampling, so that the logged propensity is
the true probability of the choice and off-policy estimates from this log are unbiased (Horvitz & Thompson, 1952).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from math import lcm

NOTHING = "nothing"
PROPOSE = "propose"


def probabilities(admissible: Sequence[str], exploration: Fraction) -> dict[str, Fraction]:
    """Probability of each admissible option: `exploration` on doing nothing, the rest on the proposal."""
    if PROPOSE not in admissible:
        return {NOTHING: Fraction(1)}
    if not exploration:
        return {PROPOSE: Fraction(1), NOTHING: Fraction(0)}
    return {PROPOSE: 1 - exploration, NOTHING: exploration}


def uniform_below(bound: int, seed: str) -> int:
    """An exactly uniform integer below `bound`, from SHA-256 in counter mode with rejection."""
    limit = (1 << 256) // bound * bound
    counter = 0
    while True:
        value = int.from_bytes(hashlib.sha256(f"{seed}/{counter}".encode()).digest(), "big")
        if value < limit:
            return value % bound
        counter += 1


def draw(pmf: dict[str, Fraction], seed: str) -> str:
    """An option with exactly its probability: a uniform integer over the common denominator picks it."""
    denominator = 1
    for weight in pmf.values():
        denominator = lcm(denominator, weight.denominator)
    ticket = uniform_below(denominator, seed)
    for option, weight in pmf.items():
        ticket -= int(weight * denominator)
        if ticket < 0:
            return option
    raise ValueError("probabilities do not sum to one")
