"""Foreign positions at the day's rate: what the trading accounts are out by is gain or loss.

Every conversion credits the trading account of what was bought and debits that of what was sold, each in its own
currency. Valued at today's rates they would add up to zero if rates had not moved: the sum is the result not booked
yet, and booking it brings it back to zero. Source: Selinger, Tutorial on multiple currency accounting (2005).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from steward.kernel.money import exponent, round_half_even


def unbooked_result(
    positions: Mapping[str, int], own: str, rate: Callable[[str], Fraction | None]
) -> tuple[int, list[str]]:
    """The loss (positive) or gain (negative) in minor units of `own`, and currencies without a rate. `positions` are
    the trading accounts' balances by currency, debits positive; `rate` gives major units of `own` for one of another.
    """
    total, missing = Fraction(0), list[str]()
    for currency, amount in sorted(positions.items()):
        if amount == 0:
            continue
        if currency == own:
            total += amount
            continue
        found = rate(currency)
        if found is None:
            missing.append(currency)
        else:
            total += Fraction(amount) * found * Fraction(10) ** (exponent(own) - exponent(currency))
    return round_half_even(total), missing
