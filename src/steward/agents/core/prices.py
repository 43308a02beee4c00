"""Offer architect: which prices to move, from fitted demand and an assumed cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import floor

from steward.contracts.action import ActionProposal, Principal
from steward.kernel.ids import derived_id, idempotency_key
from steward.kernel.instants import business_date, unix_ms
from steward.kernel.money import Money

AGENT = Principal(id="agent:offer-architect")
# Steps looked at on each side, as fractions of the allowed move.
_STEPS = (Fraction(1, 3), Fraction(2, 3), Fraction(1))


@dataclass(frozen=True, slots=True)
class PriceCase:
    """What the agent knows of one product: usual price and assumed cost (minor units), units a week and elasticity."""

    sku: str
    price_minor: int
    cost_minor: int
    units_week: float
    elasticity: float


@dataclass(frozen=True, slots=True)
class Move:
    """A price and what it promises a week over the present one, in minor units."""

    case: PriceCase
    price_minor: int
    gain_minor: int


def best_move(case: PriceCase, allowed: Fraction) -> Move | None:
    """The price inside the allowed move with most profit a week; None where the present one is best."""
    best: Move | None = None
    for step in _STEPS:
        for sign in (-1, 1):
            # Towards the present price, so that rounding never carries a move past its limit.
            move = floor(case.price_minor * step * allowed)
            price = case.price_minor + sign * move
            if price <= 0 or price == case.price_minor:
                continue
            gain = round(profit(case, price) - profit(case, case.price_minor))
            if gain > 0 and (best is None or gain > best.gain_minor):
                best = Move(case, price, gain)
    return best


def profit(case: PriceCase, price_minor: int) -> float:
    """Minor units a week: (price - cost) x units, with constant-elasticity demand."""
    units = case.units_week * (price_minor / case.price_minor) ** case.elasticity
    return (price_minor - case.cost_minor) * units


def best_moves(cases: Iterable[PriceCase], allowed: Fraction, at_least_minor: int, most: int) -> list[Move]:
    """The moves worth proposing, most promising first, ties by product."""
    moves = [move for case in cases if (move := best_move(case, allowed))]
    worth = [move for move in moves if move.gain_minor >= at_least_minor]
    return sorted(worth, key=lambda move: (-move.gain_minor, move.case.sku))[:most]


def propose_price(move: Move, currency: str, at: datetime) -> ActionProposal:
    case = move.case
    key = idempotency_key("price.set", case.sku, business_date(at).isoformat())
    return ActionProposal(
        id=derived_id("act", unix_ms(at), key),
        key=key,
        kind="price.set",
        params={"sku": case.sku, "price": {"amount_minor": move.price_minor, "currency": currency}},
        principal=AGENT,
        at=at,
        why=(
            f"from {Money(case.price_minor, currency)} to {Money(move.price_minor, currency)} promises "
            f"{Money(move.gain_minor, currency)} more profit a week at elasticity {case.elasticity:.2f} "
            f"and an assumed cost of {Money(case.cost_minor, currency)}"
        ),
        evidence={
            "price_minor": case.price_minor,
            "cost_minor": case.cost_minor,
            "units_week": round(case.units_week),
            "elasticity_milli": round(1000 * case.elasticity),
            "gain_minor": move.gain_minor,
        },
    )
