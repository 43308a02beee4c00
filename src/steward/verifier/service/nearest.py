"""The nearest parameter that would be allowed: on a DENY, one number of the action moved as little as it takes.

Candidates are the roots, in one parameter alone, of the comparisons in the rules that are not fulfilled: where a side
of a comparison is linear in the parameter, the comparison changes its truth only there. Each candidate is decided
whole, like any action, so what is suggested is what would be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import ceil, floor
from typing import Any

from steward.verifier.core.decide import Situation
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, size_of
from steward.verifier.core.rules import Invariant
from steward.verifier.core.syntax import COMPARISONS, Apply, Node, children
from steward.verifier.core.types import Type
from steward.verifier.core.units import reads
from steward.verifier.core.values import Amount, Uncertain, Value, certain, value_json

TRIES_MAX = 12
_NUMBERS = ("int", "decimal", "money")


def nearest(
    action: dict[str, Any],
    given: Situation,
    broken: list[Invariant],
    params: dict[str, Type],
    is_allowed: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """{parameter: value} of the smallest change of one number that would be allowed, or nothing."""
    candidates: list[tuple[Fraction, str, Value]] = []
    for name, kind in params.items():
        if kind.name in _NUMBERS:
            now = given.values[f"action.{name}"]
            places = {place for rule in broken for place in _places(rule.rule, f"action.{name}", kind, given)}
            candidates += [(abs(place - size_of(now)), name, _like(now, place)) for place in places]
    for distance, name, value in sorted(candidates, key=lambda one: (one[0], one[1], size_of(one[2])))[:TRIES_MAX]:
        moved = {name: value_json(value, params[name])}
        if distance and is_allowed({**action, "params": {**action["params"], **moved}}):
            return moved
    return {}


def _like(now: Value, place: Fraction) -> Value:
    return Amount(place, now.currency) if isinstance(now, Amount) else place


def _places(rule: Node, name: str, kind: Type, given: Situation) -> Iterator[Fraction]:
    """Where a comparison of the rule turns, and the steps to both sides of it."""
    for node in _comparisons(rule):
        if name not in reads(node):
            continue
        for values in _worlds(node, given):
            root = _root(node, name, values)
            if root is None:
                continue
            if kind.name == "decimal":
                yield from (root, root - Fraction(1, 10_000), root + Fraction(1, 10_000))
            else:
                yield from (Fraction(floor(root) + step) for step in (-1, 0, 1))
                yield Fraction(ceil(root) + 1)


def _comparisons(node: Node) -> Iterator[Apply]:
    if isinstance(node, Apply) and node.op in COMPARISONS:
        yield node
    for child in children(node):
        yield from _comparisons(child)


def _worlds(node: Node, given: Situation) -> Iterator[dict[str, Value]]:
    """The known values, with uncertain facts at their least and at their greatest."""
    named: dict[str, Uncertain] = {name: given.uncertain[name] for name in reads(node) if name in given.uncertain}
    yield {**given.values, **{name: certain(fact, fact.high) for name, fact in named.items()}}
    if named:
        yield {**given.values, **{name: certain(fact, fact.low) for name, fact in named.items()}}


def _root(node: Apply, name: str, values: dict[str, Value]) -> Fraction | None:
    """Where the two sides are equal if their difference is linear in the parameter; three points tell."""
    now = values[name]
    base = size_of(now)
    gaps = [_gap(node, {**values, name: _like(now, base + step)}) for step in (0, 1, 2)]
    if any(gap is None for gap in gaps):
        return None
    first, second, third = (gap for gap in gaps if gap is not None)
    slope = second - first
    if slope == 0 or third - second != slope:
        return None
    return base - Fraction(first) / slope


def _gap(node: Apply, values: dict[str, Value]) -> Fraction | None:
    try:
        left, right = (Evaluator(dict(values)).value(arg) for arg in node.args)
    except (Undefined, Undecided, KeyError):
        return None
    is_number = all(isinstance(side, int | Fraction | Amount) and not isinstance(side, bool) for side in (left, right))
    return size_of(left) - size_of(right) if is_number else None
