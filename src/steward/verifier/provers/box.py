"""Closed-form certificates for one inequality over intervals: no solver, well under a millisecond.

A linear form over a box is least at a corner, and the distance to that corner is the certificate. A form that
is affine in each of two variables is the Bernstein combination of its four corner values (Garloff 1993): its
multipliers are those values over the widths, on products of two bounds (Handelman 1988, degree two).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

from steward.verifier.core.polynomials import Poly, value_at
from steward.verifier.provers.context import Atom, Context

Term = tuple[tuple[int, ...], Fraction]


def normal_form(terms: list[Term], minus_constant: Fraction, strict: Fraction) -> list[Any] | None:
    """Terms scaled so that -constant + strict multipliers is one; None if that is not positive."""
    total = minus_constant + strict
    if minus_constant < 0 or total <= 0:
        return None
    merged: dict[tuple[int, tuple[int, ...]], Fraction] = {}
    for indices, scale in terms:
        key = (len(indices), tuple(sorted(indices)))
        merged[key] = merged.get(key, Fraction(0)) + scale / total
    return [[*key[1], str(scale)] for key, scale in sorted(merged.items()) if scale]


def _linear(atom: Atom, bounds: dict[str, Any]) -> list[Any] | None:
    index, op, poly = atom
    terms: list[Term] = [((index,), Fraction(1))]
    least = -poly.get((), Fraction(0))
    for monomial, value in poly.items():
        if not monomial:
            continue
        end = bounds[monomial[0]][1 if value > 0 else 0]
        if end is None:
            return None
        bound, place, slope = end
        terms.append(((place,), abs(value) / slope))
        least -= value * bound
    return normal_form(terms, least, Fraction(int(op == ">")))


def _bilinear(atom: Atom, bounds: dict[str, Any], names: tuple[str, str]) -> list[Any] | None:
    index, op, poly = atom
    ends = [bounds[name] for name in names]
    if any(end is None for pair in ends for end in pair) or any(low[0] >= high[0] for low, high in ends):
        return None
    corners = {
        sides: -value_at(poly, {name: ends[i][sides[i]][0] for i, name in enumerate(names)})
        for sides in product((0, 1), repeat=2)
    }
    least = min(corners.values())
    base = Fraction(0) if op == ">" else least
    if least < 0:
        return None
    terms: list[Term] = [((index,), Fraction(1))]
    area = (ends[0][1][0] - ends[0][0][0]) * (ends[1][1][0] - ends[1][0][0])
    for (a, b), value in corners.items():
        (_, i, slope), (_, j, other) = (
            ends[0][1 - a],
            ends[1][1 - b],
        )  # the bound that vanishes at the far corner
        terms.append(((i, j), (value - base) / area / slope / other))
    return normal_form(terms, base, Fraction(int(op == ">")))


def box_leaf(context: Context) -> list[Any] | None:
    """A combination refuting one atom against the bounds, or None."""
    bounds = context.bounds()
    for atom in reversed(context.atoms):
        _, op, poly = atom
        if not any(poly):
            found = _constant(atom)
        elif op == "=":
            continue
        elif all(len(monomial) <= 1 for monomial in poly):
            found = _linear(atom, bounds)
        else:
            names = _two(poly)
            found = _bilinear(atom, bounds, names) if names else None
        if found is not None:
            return found
    return None


def _constant(atom: Atom) -> list[Any] | None:
    index, op, poly = atom
    value = poly.get((), Fraction(0))
    if op == "=" and value:
        return [[index, str(-1 / value)]]
    return normal_form([((index,), Fraction(1))], -value, Fraction(int(op == ">"))) if op != "=" else None


def _two(poly: Poly) -> tuple[str, str] | None:
    names = sorted({name for monomial in poly for name in monomial})
    affine = all(len(monomial) == len(set(monomial)) for monomial in poly)
    return (names[0], names[1]) if len(names) == 2 and affine else None
