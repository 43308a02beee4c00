"""Searches values at which an obligation's goal is false: corners first, then a model of Z3.

What is found is only a suggestion; the core evaluates the rule there, exactly, before anyone is refused for
it.
"""
# pyright: basic
# z3 ships without usable types, and nothing found here is trusted.

from __future__ import annotations

import time
from fractions import Fraction
from itertools import islice, product
from typing import Any

from steward.verifier.core.polynomials import Formula, Poly, from_json, true_at
from steward.verifier.provers.context import Context

POINTS_MAX = 256
Point = dict[str, Fraction]


def _atoms(formula: Formula) -> list[Poly]:
    if formula[0] in ("and", "or"):
        return [poly for part in formula[1:] for poly in _atoms(part)]
    return [from_json(formula[1])]


def _candidates(obligation: dict[str, Any]) -> Any:
    """For each atom of the goal the corners that make it least and greatest, then corners in order."""
    context = Context(obligation["variables"], 0.0)
    for hypothesis in obligation["hypotheses"]:
        context.assume(hypothesis)
    ends = {name: (low[0], high[0]) for name, (low, high) in context.bounds().items() if low and high}
    if len(ends) < len(obligation["variables"]):
        return
    for poly in _atoms(obligation["goal"]):
        for least in (True, False):
            yield {name: ends[name][int((poly.get((name,), 0) > 0) != least)] for name in ends}
    names = sorted(ends)
    for corner in product((0, 1), repeat=len(names)):
        yield {name: ends[name][side] for name, side in zip(names, corner, strict=True)}


def quick_counterexample(obligation: dict[str, Any]) -> Point | None:
    """A corner of the box at which the hypotheses hold and the goal does not, or None."""
    for point in islice(_candidates(obligation), POINTS_MAX):
        if _refutes(obligation, point):
            return point
    return None


def _refutes(obligation: dict[str, Any], point: Point) -> bool:
    if any(obligation["variables"][name] == "int" and value.denominator != 1 for name, value in point.items()):
        return False
    return all(true_at(h, point) for h in obligation["hypotheses"]) and not true_at(obligation["goal"], point)


def counterexample(obligation: dict[str, Any], deadline: float) -> Point | None:
    """A model of the hypotheses and the negated goal, or None."""
    import z3

    variables = obligation["variables"]
    names = {name: (z3.Int if sort == "int" else z3.Real)(name) for name, sort in variables.items()}
    solver = z3.Solver()
    solver.set("timeout", max(1, int((deadline - time.monotonic()) * 1000)))
    for hypothesis in obligation["hypotheses"]:
        solver.add(to_z3(hypothesis, names))
    solver.add(z3.Not(to_z3(obligation["goal"], names)))
    if solver.check() != z3.sat:
        return None
    model: Any = solver.model()
    point: Point = {}
    for name, symbol in names.items():
        value = model.eval(symbol, model_completion=True)
        if z3.is_algebraic_value(value):
            value = value.approx(20)
        number = value.as_fraction() if z3.is_rational_value(value) else Fraction(value.as_long())
        point[name] = Fraction(number.numerator, number.denominator)
    return point if _refutes(obligation, point) else None


def to_z3(formula: Formula, names: dict[str, Any]) -> Any:
    """A formula of the checker as a Z3 term."""
    import z3

    if formula[0] in ("and", "or"):
        parts = [to_z3(part, names) for part in formula[1:]]
        return z3.And(parts) if formula[0] == "and" else z3.Or(parts)
    total: Any = z3.RealVal(0)
    for coefficient, *monomial in formula[1]:
        term = z3.RealVal(coefficient)
        for name in monomial:
            term = term * names[name]
        total = total + term
    return total >= 0 if formula[0] == ">=" else total > 0 if formula[0] == ">" else total == 0
