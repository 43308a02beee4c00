"""Money: integer minor units and an ISO 4217 currency. No floats, ever."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from steward.kernel.errors import BadInput

# Minor-unit exponents that differ from two (ISO 4217, list one).
_EXPONENTS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    "CLF": 4,
    "UYW": 4,
}


def exponent(currency: str) -> int:
    """Digits after the point in one major unit of `currency`."""
    return _EXPONENTS.get(currency, 2)


def is_currency(code: str) -> bool:
    """Whether `code` has the form of an ISO 4217 code (three capital letters)."""
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (pence, cents) of one currency. Adding two currencies raises `BadInput`."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise BadInput(f"amount_minor must be an integer, not {self.amount_minor!r}")
        if not is_currency(self.currency):
            raise BadInput(f"{self.currency!r} is not an ISO 4217 currency code")

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise BadInput(f"cannot combine {self.currency} with {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor <= other.amount_minor

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def allocate(self, weights: list[int]) -> list[Money]:
        """Split by non-negative integer weights without losing a minor unit (largest remainder, ties to
        the earlier part).
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise BadInput("weights must be non-negative and not all zero")
        sign = -1 if self.amount_minor < 0 else 1
        amount = abs(self.amount_minor)
        shares = [amount * weight // total for weight in weights]
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
        for i in by_remainder[: amount - sum(shares)]:
            shares[i] += 1
        return [Money(sign * share, self.currency) for share in shares]

    def __str__(self) -> str:
        digits = exponent(self.currency)
        major = Decimal(self.amount_minor).scaleb(-digits)
        return f"{self.currency} {major:,.{digits}f}"

    def to_json(self) -> dict[str, int | str]:
        return {"amount_minor": self.amount_minor, "currency": self.currency}


def round_half_even(value: Decimal | Fraction) -> int:
    """The nearest integer, ties to the even one (IEEE 754 roundTiesToEven, banker's rounding)."""
    if isinstance(value, Fraction):
        return round(value)
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
