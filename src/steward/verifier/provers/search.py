"""Searches a refutation tree: leaves first, then disjunctions, whole-number cuts, and halved intervals."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import reduce
from math import floor, gcd
from typing import Any

from steward.verifier.core.polynomials import Poly, atom, constant, plus, scaled, times, to_json
from steward.verifier.provers.box import box_leaf
from steward.verifier.provers.context import Context, OutOfTimeError, opened
from steward.verifier.provers.counter import counterexample, quick_counterexample
from steward.verifier.provers.linear import linear_leaf

CUTS_MAX = 7
MODEL_SECONDS = 0.5
LEMMAS_MAX = 3


def answer(obligation: dict[str, Any], seconds: float) -> dict[str, Any]:
    """{"status": "proved", "tree"}, {"status": "refuted", "point"} or {"status": "unknown", "why"}."""
    context = opened(obligation, seconds)
    found = box_leaf(context)
    if found is not None:
        return {"status": "proved", "tree": ["F", found]}
    try:
        point = quick_counterexample(obligation)
        if point is None:
            found = linear_leaf(context, products=False, exact=False)
            if found is not None:
                return {"status": "proved", "tree": ["F", found]}
            # Most of what has no proof has a model, found long before a search for the proof gives up.
            point = counterexample(obligation, min(context.deadline, time.monotonic() + MODEL_SECONDS))
        if point is None:
            tree = _tree(context, 0)
            if tree is not None:
                return {"status": "proved", "tree": tree}
            point = counterexample(obligation, context.deadline)
    except OutOfTimeError:
        return {"status": "unknown", "why": "no certificate and no counterexample in time"}
    if point is not None:
        return {"status": "refuted", "point": {name: str(value) for name, value in point.items()}}
    return {"status": "unknown", "why": "neither a certificate nor a counterexample was found"}


def _tree(context: Context, cuts: int) -> list[Any] | None:
    context.check_time()
    found = box_leaf(context)
    if found is not None:
        return ["F", found]
    waiting = context.disjunctions()
    empty = next((i for i in waiting if len(context.entries[i]) == 1), None)
    if empty is not None:
        return ["S", empty, []]
    found = linear_leaf(context, products=False, exact=not waiting)
    if found is None and not waiting:
        found = linear_leaf(context, products=True)
    if found is not None:
        return ["F", found]
    if not waiting and cuts == 0:
        cubic = _cubic(context)
        if cubic is not None:
            return cubic
    if waiting:
        index = min(waiting, key=lambda i: len(context.entries[i]))
        branches: list[Any] = []
        for part in context.entries[index][1:]:
            branch = _tree(context.under(part, index), cuts)
            if branch is None:
                return None
            branches.append(branch)
        return ["S", index, branches]
    return _cut(context, cuts) if cuts < CUTS_MAX else None


def _cubic(context: Context) -> list[Any] | None:
    """Degree three in two steps: name the products of two bounds as assumptions, then multiply by the third.

    Naming p >= 0 is the case p >= 0 of a point split, whose other case p < 0 the product itself refutes.
    """
    thirds = {monomial[:2] for _, _, poly in context.atoms for monomial in poly if len(monomial) == 3}
    bounds = context.bounds()
    pairs = [(i, j) for a, b in sorted(thirds)[:LEMMAS_MAX] for i, j in _sides(bounds[a], bounds[b], same=a == b)]
    by_index = {index: poly for index, _, poly in context.atoms}
    steps: list[list[Any]] = []
    for i, j in pairs:
        product = times(by_index[i], by_index[j])
        k = -product.get((), Fraction(0))
        form = {monomial: value for monomial, value in product.items() if monomial}
        leaf = ["F", [[len(context.entries), "1"], [min(i, j), max(i, j), "1"]]]
        steps.append(["P", to_json(form), str(k), leaf])
        context = context.under(atom(">=", product))
    found = linear_leaf(context, products=True) if steps else None
    if found is None:
        return None
    tree: list[Any] = ["F", found]
    for step in reversed(steps):
        tree = [*step, tree]
    return tree


def _sides(first: Any, second: Any, *, same: bool) -> list[tuple[int, int]]:
    """Index pairs of the bounds of two variables that exist; each pair of sides once for a square."""
    left, right = ([end[1] for end in ends if end is not None] for ends in (first, second))
    return [(i, j) for i in left for j in right if not same or i <= j]


def _cut(context: Context, cuts: int) -> list[Any] | None:
    """Divide at a whole-number gap that no integer fills, else halve the widest interval."""
    chosen = _gap(context) or _halved(context)
    if chosen is None:
        return None
    rule, poly, k = chosen
    step = 1 if rule == "C" else 0
    below = _tree(context.under(atom(">=" if step else ">", plus(constant(k), poly, -1))), cuts + 1)
    if below is None:
        return None
    above = _tree(context.under(atom(">=", plus(poly, constant(k + step), -1))), cuts + 1)
    return None if above is None else [rule, to_json(poly), str(k), below, above]


def _gap(context: Context) -> tuple[str, Poly, Fraction] | None:
    """An atom g * p + d against zero, p whole and d/g not: p cannot lie at the bound (Gomory's argument).

    Nor can it where the atom is strict, so p > k is p >= k + 1.
    """
    for _, op, poly in context.atoms:
        names = {name for monomial in poly for name in monomial}
        if not names or any(context.variables[name] != "int" for name in names):
            continue
        form = {monomial: value for monomial, value in poly.items() if monomial}
        common = reduce(lambda a, b: a * b // gcd(a, b), (value.denominator for value in poly.values()), 1)
        content = Fraction(reduce(gcd, (int(value * common) for value in form.values()), 0), common)
        bound = -poly.get((), Fraction(0)) / content
        whole = scaled(form, 1 / content)
        if (bound.denominator != 1 or op == ">") and not _known(context, whole, Fraction(floor(bound))):
            return "C", whole, Fraction(floor(bound))
    return None


def _known(context: Context, poly: Poly, k: Fraction) -> bool:
    """Whether the cut was made already on this path."""
    sides = (plus(constant(k), poly, -1), plus(poly, constant(k + 1), -1))
    return any(op == ">=" and found in sides for _, op, found in context.atoms)


def _halved(context: Context) -> tuple[str, Poly, Fraction] | None:
    widest: tuple[Fraction, str, Fraction] | None = None
    for name, (low, high) in context.bounds().items():
        if low is not None and high is not None and high[0] > low[0]:
            width, middle = high[0] - low[0], (low[0] + high[0]) / 2
            if low[0] < 0 < high[0]:
                middle = Fraction(0)  # where products change their sign
            if widest is None or width > widest[0]:
                widest = (width, name, middle)
    if widest is None:
        return None
    _, name, middle = widest
    poly: Poly = {(name,): Fraction(1)}
    return ("C", poly, Fraction(floor(middle))) if context.variables[name] == "int" else ("P", poly, middle)
