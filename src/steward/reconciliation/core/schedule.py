"""What a provider may charge and at which rate it converts, by contract: exact, half to even, in minor units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import TypeVar

from steward.contracts.settlement import Expected, FeeTerms, FxTerms, NettingTerms
from steward.kernel.errors import BadInput
from steward.kernel.money import exponent, round_half_even

PPM = 1_000_000
Terms = FeeTerms | FxTerms | NettingTerms
_T = TypeVar("_T", FeeTerms, FxTerms)


class Schedule:
    """The terms of one provider; two that hold on the same day for the same thing are an error."""

    def __init__(self, terms: Sequence[Terms], provider: str) -> None:
        self._fees: dict[tuple[str, str], list[FeeTerms]] = {}
        self._rates: dict[tuple[str, str], list[FxTerms]] = {}
        self.nets = False
        for one in terms:
            if one.provider != provider:
                continue
            if isinstance(one, NettingTerms):
                self.nets = True
            elif isinstance(one, FeeTerms):
                _add(self._fees.setdefault((one.type, one.currency), []), one)
            else:
                _add(self._rates.setdefault((one.sold, one.bought), []), one)

    def fee(self, move: Expected) -> int | None:
        """The contracted fee of a movement; None where no terms hold."""
        terms = self._fees.get((move.type, move.currency))
        if terms is None:
            return None
        held = _holding(terms, move)
        if held is None:
            return None
        whole, rest = divmod(abs(move.gross_minor) * held.ppm, PPM)
        up = 2 * rest > PPM or (2 * rest == PPM and whole % 2)
        return whole + up + held.fixed_minor

    def converted(self, move: Expected) -> int | None:
        """What the money before conversion is worth by contract; None where it was not converted or no terms hold."""
        held = _holding(self._rates.get((move.origin_currency, move.currency), []), move)
        if held is None:
            return None
        digits = exponent(held.bought) - exponent(held.sold)
        rate = _ratio(held) * Fraction(10) ** digits * Fraction(PPM - held.margin_ppm, PPM)
        return round_half_even(move.origin_minor * rate)


def _ratio(terms: FxTerms) -> Fraction:
    try:
        rate = Fraction(terms.rate)
    except (ValueError, ZeroDivisionError) as error:
        raise BadInput(f"{terms.rate!r} is no rate", where=f"terms of {terms.provider}") from error
    if rate <= 0:
        raise BadInput(f"{terms.rate!r} is no rate", where=f"terms of {terms.provider}")
    return rate


def _add(held: list[_T], one: _T) -> None:
    for other in held:
        if (one.starts or date.min) <= (other.ends or date.max) and (other.starts or date.min) <= (
            one.ends or date.max
        ):
            raise BadInput("two terms hold on the same day for the same lines", where=f"terms of {one.provider}")
    held.append(one)


def _holding(terms: list[_T], move: Expected) -> _T | None:
    for one in terms:
        if (one.starts is None or one.starts <= move.at.date()) and (one.ends is None or move.at.date() <= one.ends):
            return one
    return None
