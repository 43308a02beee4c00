"""Certificates that proved a rule on other facts, fitted to these. The result is a suggestion: the checker decides.

The multipliers of a Farkas combination name hypotheses, not numbers, so they often survive a change of the facts; what
does not survive is their normal form, which scales each combination to a constant of minus one. Fitting computes each
leaf's combination over the new numbers and scales it again.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol, cast

from steward.verifier.core.check import Checking, Formula, Poly, Refused, items, number


class Asked(Protocol):
    """Whoever suggests a tree for an obligation: a prover's process, or memory."""

    def ask(self, obligation: dict[str, Any], seconds: float | None = None) -> dict[str, Any]: ...

    def warm(self) -> None: ...

    def close(self) -> None: ...


class _Fitting(Checking):
    """Walks a tree as the checker does and writes down each leaf with its multipliers scaled."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.leaves: list[Any] = []

    def leaf(self, terms: list[Any]) -> None:
        total: Poly = {}
        strict = Fraction(0)
        read: list[tuple[list[int], Fraction]] = []
        for term in terms:
            *indices, text = items(term, "a term")
            scale = number(text)
            factors: list[Formula] = [self.read(i) for i in indices]
            strict += scale if {word for word, _ in factors} == {">"} else 0
            first = cast("Poly", factors[0][1])
            second = cast("Poly", factors[1][1]) if len(factors) == 2 else {(): Fraction(1)}
            self.add(total, scale, first, second)
            read.append((indices, scale))
        size = strict - total.get((), Fraction(0))
        if size <= 0:
            raise Refused("the combination is no contradiction here")
        self.leaves.append([[*indices, str(Fraction(scale) / size)] for indices, scale in read])


def fitted(obligation: dict[str, Any], tree: Any) -> Any:
    """`tree` scaled to the numbers of `obligation`; None where it is of another shape or proves nothing here."""
    try:
        plain = _plain_leaf(obligation, tree)
        if plain is not None:
            return plain
        fitting = _Fitting(obligation["variables"])
        for hypothesis in obligation["hypotheses"]:
            fitting.assume(hypothesis, negate=False)
        fitting.assume(obligation["goal"], negate=True)
        fitting.tree(tree)
    except (Refused, KeyError, IndexError, TypeError, ValueError, RecursionError):
        return None
    return _with_leaves(tree, iter(fitting.leaves))


def _plain_leaf(obligation: dict[str, Any], tree: Any) -> Any:
    """The commonest certificate, one leaf of plain multipliers on single inequalities: only constants decide its scale,
    so nothing else is read. None for any other; whether it proves anything is the checker's to see.
    """
    if tree[0] != "F" or any(len(term) != 2 for term in tree[1]):
        return None
    word, goal = obligation["goal"]
    formulas: list[tuple[str, Any, int]] = [(relation, poly, 1) for relation, poly in obligation["hypotheses"]]
    formulas.append(({">=": ">", ">": ">="}[word], goal, -1))
    size = cast("Fraction", 0)
    read: list[tuple[int, Fraction]] = []
    for index, text in cast("list[tuple[int, str]]", tree[1]):
        relation, poly, sign = formulas[index]
        scale = number(text)
        constant = number(poly[0][0]) if poly and len(poly[0]) == 1 else 0
        size += scale * (int(relation == ">") - sign * constant)
        read.append((index, scale))
    return None if size <= 0 else ["F", [[index, str(Fraction(scale) / size)] for index, scale in read]]


def _with_leaves(node: Any, leaves: Any) -> Any:
    rule, *rest = node
    if rule == "F":
        return ["F", next(leaves)]
    if rule == "S":
        return ["S", rest[0], [_with_leaves(branch, leaves) for branch in rest[1]]]
    return [rule, rest[0], rest[1], *(_with_leaves(branch, leaves) for branch in rest[2:])]


class Refit:
    """Answers with fitted trees, by rule; asks `prover`, if there is one, only where none fits."""

    def __init__(self, trees: dict[str, Any], prover: Asked | None = None, seconds: float | None = None) -> None:
        self._trees = trees
        self._prover = prover
        self._seconds = seconds

    def ask(self, obligation: dict[str, Any], seconds: float | None = None) -> dict[str, Any]:
        tree = self._trees.get(obligation["invariant"])
        suggestion = None if tree is None else fitted(obligation, tree)
        if suggestion is not None:
            return {"status": "proved", "tree": suggestion}
        if self._prover is None:
            return {"status": "unknown", "why": "no tree at hand fits"}
        return self._prover.ask(obligation, self._seconds if seconds is None else seconds)

    def warm(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to end: the prover belongs to whoever handed it in."""


def trees_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """The trees of a bundle by rule."""
    trees = {entry["obligation_digest"]: entry["tree"] for entry in bundle.get("certificates", ())}
    return {
        entry["invariant"]: trees[entry["digest"]]
        for entry in bundle.get("obligations", ())
        if entry["digest"] in trees
    }
