"""Polynomials with rational coefficients, and formulas over them as the checker reads them.

A polynomial maps a monomial (its variables in order, repeated for powers) to its coefficient. A formula is
the checker's JSON: [">=", p], [">", p], ["=", p] against zero, ["and", ...], ["or", ...]; no parts is true,
or false.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

Poly = dict[tuple[str, ...], Fraction]
Formula = list[Any]

TRUE: Formula = ["and"]
FALSE: Formula = ["or"]


def exact(value: Fraction | int) -> Fraction:
    """A whole number as an integer: equal, and ten times faster to add and multiply. Nothing is divided here, so no
    float can come of it, and what is read from JSON (as provers do) are fractions again.
    """
    return cast("Fraction", value.numerator if value.denominator == 1 else value)


_ZERO, _ONE = exact(0), exact(1)
_UNIT: Poly = {(): _ONE}


def constant(value: Fraction | int) -> Poly:
    return {(): exact(value)} if value != 0 else {}


def variable(name: str) -> Poly:
    return {(name,): _ONE}


def plus(left: Poly, right: Poly, factor: Fraction | int = 1) -> Poly:
    """The sum left + factor * right."""
    result = dict(left)
    for monomial, value in right.items():
        found = result.get(monomial, _ZERO) + factor * value
        if found:
            result[monomial] = found
        else:
            result.pop(monomial, None)
    return result


def times(left: Poly, right: Poly) -> Poly:
    if _UNIT in (left, right):
        return right if left == _UNIT else left
    result: Poly = {}
    for a, x in left.items():
        for b, y in right.items():
            monomial = tuple(sorted(a + b))
            result[monomial] = result.get(monomial, _ZERO) + x * y
    return {monomial: value for monomial, value in result.items() if value}


def scaled(poly: Poly, factor: Fraction | int) -> Poly:
    return {monomial: value * factor for monomial, value in poly.items()} if factor else {}


def constant_of(poly: Poly) -> Fraction | None:
    """The value of a polynomial without variables, else None."""
    if not poly:
        return Fraction(0)
    return poly[()] if len(poly) == 1 and () in poly else None


def value_at(poly: Poly, point: dict[str, Fraction]) -> Fraction:
    total = Fraction(0)
    for monomial, value in poly.items():
        for name in monomial:
            value *= point[name]  # noqa: PLW2901 - the running product of one term
        total += value
    return total


def to_json(poly: Poly) -> list[list[str]]:
    """The one JSON form: terms in ascending order of monomials, coefficients in lowest terms."""
    return [[str(poly[monomial]), *monomial] for monomial in sorted(poly)]


def from_json(terms: list[list[str]]) -> Poly:
    return {tuple(term[1:]): Fraction(term[0]) for term in terms}


def holds(op: str, value: Fraction) -> bool:
    return value >= 0 if op == ">=" else value > 0 if op == ">" else value == 0


def atom(op: str, poly: Poly) -> Formula:
    """`poly` against zero; decided at once when it has no variables."""
    value = constant_of(poly)
    if value is None:
        return [op, to_json(poly)]
    return TRUE if holds(op, value) else FALSE


def _joined(word: str, parts: list[Formula]) -> Formula:
    """and/or without its neutral parts, flattened; its absorbing element absorbs."""
    absorbing = FALSE if word == "and" else TRUE
    if len(parts) == 2 and (parts[0] == [word] or parts[1] == [word]):  # the neutral one: nearly always
        return parts[1] if parts[0] == [word] else parts[0]
    found: list[Formula] = []
    for part in parts:
        if part == absorbing:
            return absorbing
        for one in part[1:] if part[0] == word else [part]:
            if one not in found:
                found.append(one)
    return found[0] if len(found) == 1 else [word, *found]


def both(*parts: Formula) -> Formula:
    return _joined("and", list(parts))


def either(*parts: Formula) -> Formula:
    return _joined("or", list(parts))


def negated(formula: Formula) -> Formula:
    word = formula[0]
    if word in ("and", "or"):
        parts = [negated(part) for part in formula[1:]]
        return either(*parts) if word == "and" else both(*parts)
    poly = from_json(formula[1])
    if word == "=":
        return either(atom(">", poly), atom(">", scaled(poly, -1)))
    return atom(">" if word == ">=" else ">=", scaled(poly, -1))


def true_at(formula: Formula, point: dict[str, Fraction]) -> bool:
    """Whether a formula holds at a point that gives every variable a value."""
    if formula[0] == "and":
        return all(true_at(part, point) for part in formula[1:])
    if formula[0] == "or":
        return any(true_at(part, point) for part in formula[1:])
    return holds(formula[0], value_at(from_json(formula[1]), point))


def size(formula: Formula) -> int:
    return 1 + sum(size(part) for part in formula[1:]) if formula[0] in ("and", "or") else 1 + len(formula[1])
