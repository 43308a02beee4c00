"""Leaf certificates by linear programming: multipliers over hypotheses and, if needed, products of two.

The multipliers solve linear equations (every monomial cancels), so an LP finds them. HiGHS answers in floats,
which only tell which terms take part; those are solved again over Fractions. Where a degenerate answer
misleads, Z3 solves the same LP exactly.
"""
# pyright: basic
# highspy and z3 ship without usable types, and nothing found here is trusted.

from __future__ import annotations

import time
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

from steward.verifier.core.polynomials import Poly, times
from steward.verifier.provers.box import Term, normal_form
from steward.verifier.provers.context import Context

ATOMS_MAX = 40
_TINY = 1e-9


class Program:
    """Terms (hypotheses, products) as columns; monomials that must cancel as rows."""

    def __init__(self, context: Context, *, products: bool) -> None:
        self.indices: list[tuple[int, ...]] = []
        self.columns: list[Poly] = []
        self.free: list[bool] = []
        self.strict: list[bool] = []
        usable = [atom for atom in context.atoms if any(atom[2])]
        for index, op, poly in usable:
            self._add((index,), poly, free=op == "=", strict=op == ">")
        if products and len(usable) <= ATOMS_MAX:
            for (i, op, p), (j, other, q) in combinations_with_replacement(usable, 2):
                self._add((i, j), times(p, q), free="=" in (op, other), strict=op == other == ">")
        monomials = sorted({monomial for column in self.columns for monomial in column if monomial})
        self.rows = {monomial: row for row, monomial in enumerate(monomials)}

    def _add(self, indices: tuple[int, ...], poly: Poly, *, free: bool, strict: bool) -> None:
        self.indices.append(indices)
        self.columns.append(poly)
        self.free.append(free)
        self.strict.append(strict)

    def weight(self, column: int) -> Fraction:
        """What a term adds to -constant + strict multipliers, which is to be one."""
        return -self.columns[column].get((), Fraction(0)) + int(self.strict[column])

    def certificate(self, scales: dict[int, Fraction]) -> list[Any] | None:
        """The certificate of exact multipliers, or None if they do not make one."""
        total: Poly = {}
        for column, scale in scales.items():
            if scale < 0 and not self.free[column]:
                return None
            for monomial, value in self.columns[column].items():
                total[monomial] = total.get(monomial, Fraction(0)) + scale * value
        if any(value for monomial, value in total.items() if monomial):
            return None
        terms: list[Term] = [(self.indices[column], scale) for column, scale in scales.items()]
        strict = sum((scale for column, scale in scales.items() if self.strict[column]), Fraction(0))
        return normal_form(terms, -total.get((), Fraction(0)), strict)


def _float(value: Fraction) -> float:
    return value.numerator / value.denominator


def _support(program: Program, seconds: float) -> list[int]:
    """Columns HiGHS gives a multiplier to, minimising their scaled sum; none if it finds no solution."""
    import highspy
    import numpy as np

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", seconds)
    solver.setOptionValue("threads", 1)
    count, normal = len(program.rows), len(program.rows)
    for _ in range(count):
        solver.addRow(0.0, 0.0, 0, np.array([], dtype=np.int32), np.array([], dtype=np.float64))
    solver.addRow(1.0, 1.0, 0, np.array([], dtype=np.int32), np.array([], dtype=np.float64))
    solver.addRow(-highspy.kHighsInf, 0.0, 0, np.array([], dtype=np.int32), np.array([], dtype=np.float64))
    sizes = []
    for column, poly in enumerate(program.columns):
        entries = [(program.rows[monomial], _float(value)) for monomial, value in poly.items() if monomial]
        size = max((abs(value) for _, value in entries), default=1.0) or 1.0
        sizes.append(size)
        entries.append((normal, _float(program.weight(column))))
        entries.append((normal + 1, _float(poly.get((), Fraction(0)))))
        rows = np.array([row for row, value in entries if value], dtype=np.int32)
        values = np.array([value / size for _, value in entries if value], dtype=np.float64)
        low = -highspy.kHighsInf if program.free[column] else 0.0
        cost = 0.0 if program.free[column] else 1.0
        solver.addCol(cost, low, highspy.kHighsInf, len(rows), rows, values)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return []
    found = list(solver.getSolution().col_value)
    return [column for column, value in enumerate(found) if abs(value) > _TINY]


def _solved(program: Program, support: list[int]) -> dict[int, Fraction] | None:
    """Exact multipliers on the support: Gaussian elimination over Fractions; free unknowns are zero."""
    rows: dict[int, dict[int, Fraction]] = {}
    for column in support:
        for monomial, value in program.columns[column].items():
            if monomial:
                rows.setdefault(program.rows[monomial], {})[column] = value
        weight = program.weight(column)
        if weight:
            rows.setdefault(-1, {})[column] = weight
    right = {row: Fraction(int(row == -1)) for row in rows}
    solved: dict[int, int] = {}
    for row in sorted(rows, reverse=True):
        line = rows[row]
        pivot = next(iter(line), None)
        if pivot is None:
            if right[row]:
                return None
            continue
        scale = line[pivot]
        rows[row] = line = {column: value / scale for column, value in line.items()}
        right[row] /= scale
        solved[pivot] = row
        for other, entries in rows.items():
            factor = entries.get(pivot)
            if other == row or not factor:
                continue
            for column, value in line.items():
                left = entries.get(column, Fraction(0)) - factor * value
                if left:
                    entries[column] = left
                else:
                    entries.pop(column, None)
            right[other] -= factor * right[row]
    return {column: right[row] for column, row in solved.items()}


def _exact(program: Program, seconds: float) -> dict[int, Fraction] | None:
    """The same LP by Z3 over exact rationals."""
    import z3

    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", max(1, int(seconds * 1000)))
    names = [z3.Real(f"m{column}") for column in range(len(program.columns))]
    sums: dict[int, list[Any]] = {}

    def times_rational(value: Fraction, name: Any) -> Any:
        return z3.Q(value.numerator, value.denominator) * name

    for column, poly in enumerate(program.columns):
        if not program.free[column]:
            solver.add(names[column] >= 0)
        for monomial, value in poly.items():
            sums.setdefault(program.rows.get(monomial, -2), []).append(times_rational(value, names[column]))
        weight = program.weight(column)
        if weight:
            sums.setdefault(-1, []).append(times_rational(weight, names[column]))
    for row, parts in sums.items():
        total: Any = z3.Sum(parts)
        solver.add(total <= 0 if row == -2 else total == int(row == -1))
    if -1 not in sums or solver.check() != z3.sat:
        return None
    model: Any = solver.model()
    values = ((column, model.eval(name, model_completion=True)) for column, name in enumerate(names))
    return {c: Fraction(v.numerator_as_long(), v.denominator_as_long()) for c, v in values if str(v) != "0"}


def linear_leaf(context: Context, *, products: bool, exact: bool = True) -> list[Any] | None:
    """A combination that refutes the context's atoms, or None."""
    program = Program(context, products=products)
    if not program.columns:
        return None
    context.check_time()
    support = _support(program, context.deadline - time.monotonic())
    if support:
        scales = _solved(program, support)
        found = None if scales is None else program.certificate(scales)
        if found is not None:
            return found
    elif not exact:
        return None
    context.check_time()
    scales = _exact(program, context.deadline - time.monotonic()) if exact else None
    return None if scales is None else program.certificate(scales)
