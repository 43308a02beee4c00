"""The prover's own picture of what the checker will have assumed at a node: same order, same indices."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from steward.verifier.core.polynomials import Formula, Poly, from_json, scaled, to_json

Atom = tuple[int, str, Poly]
"""Index in the checker's context, relation to zero, polynomial."""


class OutOfTimeError(Exception):
    """The time box of this obligation is used up."""


@dataclass
class Context:
    """Assumptions in the checker's order: atoms, and disjunctions not yet split."""

    variables: dict[str, str]
    deadline: float
    entries: list[Formula] = field(default_factory=list[Formula])
    atoms: list[Atom] = field(default_factory=list[Atom])
    split: frozenset[int] = frozenset()

    def assume(self, formula: Formula) -> None:
        if formula[0] == "and":
            for part in formula[1:]:
                self.assume(part)
            return
        if formula[0] != "or":
            self.atoms.append((len(self.entries), formula[0], from_json(formula[1])))
        self.entries.append(formula)

    def under(self, formula: Formula, split: int | None = None) -> Context:
        """A copy with one assumption more."""
        done = self.split if split is None else self.split | {split}
        copy = Context(self.variables, self.deadline, list(self.entries), list(self.atoms), done)
        copy.assume(formula)
        return copy

    def disjunctions(self) -> list[int]:
        return [i for i, entry in enumerate(self.entries) if entry[0] == "or" and i not in self.split]

    def bounds(
        self,
    ) -> dict[str, tuple[tuple[Fraction, int, Fraction] | None, tuple[Fraction, int, Fraction] | None]]:
        """Per variable the tightest (bound, index, scale) below and above among atoms c*x + d >= 0."""
        found: dict[str, Any] = dict.fromkeys(self.variables, (None, None))
        for index, op, poly in self.atoms:
            names = [monomial for monomial in poly if monomial]
            if op != ">=" or len(names) != 1 or len(names[0]) != 1:
                continue
            name, slope = names[0][0], poly[names[0]]
            bound = -poly.get((), Fraction(0)) / slope
            low, high = found[name]
            if slope > 0 and (low is None or bound > low[0]):
                low = (bound, index, abs(slope))
            if slope < 0 and (high is None or bound < high[0]):
                high = (bound, index, abs(slope))
            found[name] = (low, high)
        return found

    def check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise OutOfTimeError


def opened(obligation: dict[str, Any], seconds: float) -> Context:
    """The context at the root: the hypotheses and the negated goal."""
    context = Context(obligation["variables"], time.monotonic() + seconds)
    for hypothesis in obligation["hypotheses"]:
        context.assume(hypothesis)
    context.assume(_checker_negation(obligation["goal"]))
    return context


def _checker_negation(goal: Formula) -> Formula:
    """The negation part by part, unsimplified and unflattened: the checker counts the parts as they stand."""
    if goal[0] in ("and", "or"):
        return ["or" if goal[0] == "and" else "and", *(_checker_negation(part) for part in goal[1:])]
    poly = from_json(goal[1])
    minus = to_json(scaled(poly, -1))
    if goal[0] == "=":
        return ["or", [">", goal[1]], [">", minus]]
    return [">" if goal[0] == ">=" else ">=", minus]
