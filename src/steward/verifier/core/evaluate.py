"""Evaluates formulas exactly; what is undefined is false in both polarities, so `not` cannot allow it.

Strong Kleene logic (Kleene 1952, section 64) inside: true, false, or None for undefined; a rule passes only
when it is true. Undefined are division by zero, the least of an empty list, and two currencies in one sum.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, cast

from steward.verifier.core.patterns import matches
from steward.verifier.core.polynomials import exact
from steward.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference
from steward.verifier.core.values import Amount, Value

STEPS_MAX = 300_000
_ORDERED: dict[str, Any] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Undefined(Exception):
    """A part of a formula without a value, and why."""


class Undecided(Exception):
    """The rule is beyond a limit (steps, cases, shape), so neither allowed nor denied: a person decides."""


def unit_of(*values: Value) -> str:
    """The one currency of some amounts; a zero without a currency takes part in any. `Undefined` for two."""
    found = ""
    for value in values:
        if isinstance(value, Amount) and value.currency and value.currency != found:
            if found:
                units = {value.currency for value in values if isinstance(value, Amount) and value.currency}
                raise Undefined(f"amounts in {' and '.join(sorted(units))}")
            found = value.currency
    return found


def size_of(value: Value) -> Fraction:
    return value.minor if isinstance(value, Amount) else value


def _like(size: Fraction, unit: str, *values: Value) -> Value:
    for value in values:
        if isinstance(value, Amount):
            return Amount(size, unit)
    return size


def related(op: str, left: Value, right: Value) -> bool:
    """Whether the comparison holds. Numbers of two currencies raise `Undefined`."""
    unit_of(left, right)
    if op in ("=", "!="):
        return (size_of(left) == size_of(right)) == (op == "=")
    return _ORDERED[op](size_of(left), size_of(right))


def arithmetic(op: str, left: Value, right: Value) -> Value:
    one, other = size_of(left), size_of(right)
    if op in ("+", "-"):
        return _like(one + other if op == "+" else one - other, unit_of(left, right), left, right)
    if op == "*":
        return _like(one * other, unit_of(left, right), left, right)
    unit = unit_of(left, right)
    if other == 0:
        raise Undefined("division by zero")
    both = isinstance(left, Amount) and isinstance(right, Amount)
    ratio = exact(Fraction(one) / other)
    return ratio if both else _like(ratio, unit, left)


def extreme(op: str, values: Iterable[Value]) -> Value:
    found = list(values)
    if not found:
        raise Undefined(f"{op} of an empty list")
    unit = unit_of(*found)
    size = (min if op == "min" else max)(size_of(value) for value in found)
    return _like(size, unit, found[0])


def total(values: Iterable[Value]) -> Value:
    """The sum; of no values a bare zero, which every operation takes for a zero of any unit."""
    found = list(values)
    return _like(sum(map(size_of, found), exact(0)), unit_of(*found), *found)


def in_order(source: Value) -> list[Value]:
    """The elements of a list as they stand, those of a set sorted, so that answers are the same every time."""
    return sorted(source, key=str) if isinstance(source, frozenset) else list(source)  # pyright: ignore[reportUnknownArgumentType]


def field_of(name: str, values: dict[str, Value]) -> Value:
    """The value of a dotted name: as it stands, else as a field of a bound record."""
    if name in values:
        return values[name]
    head, _, field = name.partition(".")
    return values[head][field]


class Evaluator:
    """Evaluates over ground values by name. `reasons` collects why parts were undefined."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values
        self.reasons: list[str] = []
        self.steps = STEPS_MAX

    def truth(self, node: Node) -> bool | None:
        """True, false, or None where undefined."""
        self.steps -= 1
        if self.steps < 0:
            raise Undecided("more steps than a rule may take")
        match node:
            case Apply() if node.op in COMPARISONS:
                return self.atom(node)
            case Apply(op="not"):
                inner = self.truth(node.args[0])
                return None if inner is None else not inner
            case Apply(op="and" | "or" | "implies"):
                left = self.truth(node.args[0])
                if node.op == "implies":
                    left = None if left is None else not left
                wins = node.op != "and"
                return wins if left is wins else _either(wins, iter((left, self.truth(node.args[1]))))
            case Fold(op="all" | "any"):
                return _either(node.op == "any", self.each(node, self.truth))
            case Choose():
                condition = self.truth(node.condition)
                return None if condition is None else self.truth(node.yes if condition else node.no)
            case _:
                return self.atom(node)

    def atom(self, node: Node) -> bool | None:
        try:
            return self.value(node)
        except Undefined as undefined:
            self.reasons.append(str(undefined))
            return None

    def each(self, node: Fold, function: Any) -> Iterator[Any]:
        """`function` of the body for every element, in order; a set in sorted order."""
        source = self.value(node.source)
        items: list[Value] = in_order(source)
        for item in items:
            self.values[node.variable] = item
            try:
                yield function(node.body)
            finally:
                del self.values[node.variable]

    def value(self, node: Node) -> Value:
        """The value of a formula of any type; raises `Undefined` where it has none."""
        self.steps -= 1
        if self.steps < 0:
            raise Undecided("more steps than a rule may take")
        match node:
            case Reference():
                return field_of(node.name, self.values)
            case Apply():
                return self.apply(node)
            case Literal(kind="bool" | "number" | "text" | "duration"):
                return node.value
            case Literal():
                return Amount(cast("Fraction", node.value), node.kind)
            case Choose():
                return self.value(node.yes if self.known(node.condition) else node.no)
            case Braces():
                return frozenset(self.value(item) for item in node.items)
            case Fold():
                return self.fold(node)

    def known(self, node: Node) -> bool:
        found = self.truth(node)
        if found is None:
            raise Undefined(self.reasons[-1] if self.reasons else "an undefined condition")
        return found

    def fold(self, node: Fold) -> Value:
        if node.op in ("all", "any"):
            return self.known(node)
        if node.op == "count":
            return sum(self.each(node, self.known))
        if node.op == "sum":
            return total(self.each(node, self.value))
        return extreme(node.op, self.each(node, self.value))

    def apply(self, node: Apply) -> Value:
        op = node.op
        if op in ("and", "or", "implies", "not"):
            return self.known(node)
        args = [self.value(arg) for arg in node.args]
        if op in COMPARISONS:
            return related(op, args[0], args[1])
        if op == "in":
            return True in [related("=", args[0], item) for item in args[1]]  # all of them, so undefined shows
        if op == "matches":
            return matches(args[0], args[1])
        if op in ("min", "max"):
            return extreme(op, args)
        if len(args) == 2:
            return arithmetic(op, args[0], args[1])
        size = size_of(args[0])
        size = abs(size) if op == "abs" else exact(math.floor(size)) if op == "floor" else -size
        return _like(size, unit_of(args[0]), args[0])


def _either(wins: bool, found: Iterator[bool | None]) -> bool | None:
    """Disjunction when `wins` is true, conjunction when it is false, of three-valued truths."""
    result: bool | None = not wins
    for one in found:
        if one is wins:
            return wins
        result = None if one is None else result
    return result
