"""The nearest parameter that would be allowed: on a DENY, one number of the action moved as little as it takes.

Candidates are the roots, in one parameter alone, of the comparisons in all rules of the kind: where the sides of a
comparison are linear in the parameter, it changes its truth only there, so among whole numbers nothing nearer than all
of them is allowed. Those at which a rule is seen to fail are dropped by evaluating it; what is left is decided whole,
like any action, nearest first, so what is suggested is what would be allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from math import ceil, floor
from typing import Any

from steward.verifier.core.decide import Situation
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, size_of
from steward.verifier.core.rules import Invariant
from steward.verifier.core.syntax import COMPARISONS, Apply, Node, children
from steward.verifier.core.types import Type
from steward.verifier.core.units import reads
from steward.verifier.core.values import Amount, Value, certain, value_json

TRIES_MAX = 12
_ENDS, _ENDS_MAX = (True, False), 3
_NUMBERS = ("int", "decimal", "money")


def nearest(
    action: dict[str, Any],
    given: Situation,
    rules: Sequence[Invariant],
    params: dict[str, Type],
    is_allowed: Callable[[dict[str, Any]], bool],
) -> dict[str, Any]:
    """{parameter: value} of the smallest change of one number that would be allowed, or nothing."""
    candidates: list[tuple[Fraction, str, Value]] = []
    for name, kind in params.items():
        if kind.name in _NUMBERS:
            now = given.values[f"action.{name}"]
            places = {place for rule in rules for place in _places(rule.rule, f"action.{name}", kind, given)}
            candidates += [(abs(place - size_of(now)), name, _like(now, place)) for place in places]
    tries = 0
    for distance, name, value in sorted(candidates, key=lambda one: (one[0], one[1], size_of(one[2]))):
        if not distance or _fails(rules, {**given.values, f"action.{name}": value}, given):
            continue
        moved = {name: value_json(value, params[name])}
        if is_allowed({**action, "params": {**action["params"], **moved}}):
            return moved
        tries += 1
        if tries == TRIES_MAX:
            break
    return {}


def _fails(rules: Sequence[Invariant], values: dict[str, Value], given: Situation) -> bool:
    """Whether a rule is seen to fail: it is not true with known facts and some ends of the uncertain ones."""
    return any(_truth(rule.rule, world) is False for rule in rules for world in _worlds(rule.rule, values, given))


def _truth(rule: Node, values: dict[str, Value]) -> bool | None:
    """Whether a rule is true, an undefined one being not; None where a fact is missing or it takes too long."""
    try:
        return Evaluator(dict(values)).truth(rule) is True
    except (Undecided, KeyError):
        return None


def _like(now: Value, place: Fraction) -> Value:
    return Amount(place, now.currency) if isinstance(now, Amount) else place


def _places(rule: Node, name: str, kind: Type, given: Situation) -> Iterator[Fraction]:
    """Where a comparison of the rule turns, and the steps to both sides of it."""
    for node in _comparisons(rule):
        if name not in reads(node):
            continue
        for values in _worlds(node, given.values, given):
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


def _worlds(node: Node, values: dict[str, Value], given: Situation) -> Iterator[dict[str, Value]]:
    """The known values with uncertain facts at their ends: every choice of ends of a few, of many the two extremes."""
    named = {name: given.uncertain[name] for name in sorted(reads(node)) if name in given.uncertain}
    choices = (
        product((True, False), repeat=len(named)) if len(named) <= _ENDS_MAX else ([end] * len(named) for end in _ENDS)
    )
    for choice in choices:
        chosen = zip(named.items(), choice, strict=True)
        yield {**values, **{name: certain(fact, fact.high if high else fact.low) for (name, fact), high in chosen}}


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
