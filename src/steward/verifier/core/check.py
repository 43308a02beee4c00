"""The trusted checker: decides whether a certificate proves its obligation. Standard library only.

An obligation is "for every value of the variables, the hypotheses imply the goal". A certificate is a tree
that refutes the hypotheses together with the negated goal (Necula's proof-carrying code; the leaf is Farkas'
lemma, and with products of two hypotheses Handelman 1988). Nodes, all JSON lists:
  ["F", [[i, "l"], [i, j, "l"], ...]]   sum of l*h_i and l*h_i*h_j is a constant that cannot be
  ["S", i, [tree, ...]]                 one tree for each alternative of the i-th disjunction
  ["C", poly, "k", tree, tree]          p integer-valued: p <= k, or p >= k+1
  ["P", poly, "k", tree, tree]          any p: p < k, or p >= k
A polynomial is [["coefficient", "x", "y"], ...] in ascending order of variables; a formula is [">=", p],
[">", p], ["=", p] (each against 0), ["and", ...] or ["or", ...]. Whatever is not understood is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from fractions import Fraction
from math import lcm
from typing import Any, cast

BYTES_MAX, NODES_MAX, DEPTH_MAX, DEGREE_MAX = 65_536, 20_000, 200, 8
BITS_MAX, WORK_MAX = 4_096, 500_000
_NUMBER = re.compile(r"-?[0-9]{1,40}(/[1-9][0-9]{0,39})?")
_RELATIONS = (">=", ">", "=")
Poly = dict[tuple[str, ...], Fraction]
Formula = tuple[str, Any]
_ZERO, _ONE = cast("tuple[Fraction, Fraction]", (0, 1))


class Refused(Exception):
    """Why a certificate or bundle is not accepted."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Refused(reason)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def number(text: Any) -> Fraction:
    """An exact number: only text of at most 40 digits, in lowest terms, in its one spelling. Whole ones are ints."""
    if type(text) is not str or _NUMBER.fullmatch(text) is None:
        raise Refused(f"{str(text)[:50]!r} is not a number")
    top, slash, bottom = text.partition("/")
    value = Fraction(int(top), int(bottom)) if slash else cast("Fraction", int(top))
    require(str(value) == text, "not in lowest terms")
    return value


def items(value: Any, what: str) -> list[Any]:
    require(type(value) is list, f"{what} is not a list")
    return cast("list[Any]", value)


class Checking:
    """One obligation under check: its variables, the assumptions so far, and the work still allowed."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.context: list[Formula] = []
        self.split: set[int] = set()
        self.nodes, self.work = NODES_MAX, WORK_MAX

    def spend(self, work: int) -> None:
        self.work -= work
        require(self.work >= 0, "too much work")

    def polynomial(self, value: Any) -> Poly:
        result: Poly = {}
        last: tuple[str, ...] | None = None
        for term in items(value, "a polynomial"):
            coefficient, *names = items(term, "a term") or [None]
            require(all(type(n) is str and n in self.variables for n in names), "an unknown variable")
            monomial = tuple(names)
            require(list(monomial) == sorted(monomial) and len(monomial) <= DEGREE_MAX, "a wrong monomial")
            require(last is None or last < monomial, "monomials out of order")
            last, result[monomial] = monomial, number(coefficient)
            require(result[monomial] != 0, "a zero coefficient")
        self.spend(len(result))
        return result

    def add(self, total: Poly, factor: Fraction, left: Poly, right: Poly) -> None:
        """Add factor * left * right to `total`, in place."""
        self.spend(len(left) * len(right))
        for a, x in left.items():
            for b, y in right.items():
                monomial = tuple(sorted(a + b))
                value = total.get(monomial, _ZERO) + factor * x * y
                require(value.numerator.bit_length() + value.denominator.bit_length() <= BITS_MAX, "too long")
                total[monomial] = value

    def formula(self, value: Any, negate: bool, depth: int = 0) -> Formula:
        """Read a formula, or its negation, in negation normal form."""
        require(depth <= DEPTH_MAX, "a formula too deep")
        self.spend(1)
        word, *parts = items(value, "a formula") or [None]
        if word in ("and", "or"):
            kind = {"and": "or", "or": "and"}[word] if negate else word
            return kind, [self.formula(part, negate, depth + 1) for part in parts]
        require(word in _RELATIONS and len(parts) == 1, "an unknown formula")
        poly = self.polynomial(parts[0])
        if not negate:
            return word, poly
        minus = {monomial: -x for monomial, x in poly.items()}
        if word == "=":
            return "or", [(">", poly), (">", minus)]
        return {">=": ">", ">": ">="}[word], minus

    def assume(self, formula: Formula) -> None:
        if formula[0] == "and":
            for part in formula[1]:
                self.assume(part)
        else:
            self.context.append(formula)

    def under(self, assumption: Formula, tree: Any, depth: int) -> None:
        """Check `tree` with one assumption more, then forget it."""
        size = len(self.context)
        self.assume(assumption)
        self.tree(tree, depth + 1)
        del self.context[size:]

    def tree(self, node: Any, depth: int = 0) -> None:
        self.nodes -= 1
        require(self.nodes >= 0 and depth <= DEPTH_MAX, "a tree too large")
        rule, *rest = items(node, "a node") or [None]
        if rule == "F" and len(rest) == 1:
            self.leaf(items(rest[0], "a combination"))
        elif rule == "S" and len(rest) == 2:
            index, branches = rest[0], items(rest[1], "branches")
            require(type(index) is int and 0 <= index < len(self.context), "an index out of range")
            word, parts = self.context[index]
            require(word == "or" and index not in self.split, "a split that is none")
            require(len(branches) == len(parts), "a split with a missing branch")
            self.split.add(index)
            for part, branch in zip(parts, branches, strict=True):
                self.under(part, branch, depth)
            self.split.discard(index)
        elif rule in ("C", "P") and len(rest) == 4:
            poly, k = self.polynomial(rest[0]), number(rest[1])
            require(() not in poly and len(poly) > 0, "a cut of a constant")
            step = int(rule == "C")
            if step:
                whole = k.denominator == 1 and all(x.denominator == 1 for x in poly.values())
                whole = whole and all(self.variables[n] == "int" for m in poly for n in m)
                require(whole, "a cut that is not whole")
            below = {(): k} | {m: -x for m, x in poly.items()}
            self.under((">=" if step else ">", below), rest[2], depth)
            self.under((">=", poly | {(): -k - step}), rest[3], depth)
        else:
            raise Refused("an unknown rule")

    def leaf(self, terms: list[Any]) -> None:
        """A combination that is identically c <= 0, scaled so that -c + the strict multipliers is one."""
        total, strict, last = Poly(), 0, (0, cast("list[int]", []))
        scales = [number((items(term, "a term") or [None])[-1]) for term in terms]
        common = lcm(*(scale.denominator for scale in scales))  # it is added up in whole numbers
        for term, multiplier in zip(terms, scales, strict=True):
            *indices, _ = term
            scale, inside = multiplier.numerator * (common // multiplier.denominator), range(len(self.context))
            require(len(indices) in (1, 2), "a wrong term")
            require(all(type(i) is int and i in inside for i in indices), "an index out of range")
            require(last < (len(indices), indices) and sorted(indices) == indices, "indices out of order")
            last = (len(indices), indices)
            factors: list[Formula] = [self.context[i] for i in indices]
            require(all(word in _RELATIONS for word, _ in factors), "a multiplier on a disjunction")
            words = [word for word, _ in factors]
            for word, poly in factors:
                if not any(poly):  # no monomial but the empty one: a constant
                    value = poly.get((), _ZERO)
                    true = value == 0 if word == "=" else value > 0 or (value == 0 and word == ">=")
                    require(not true and len(factors) == 1, "a constant hypothesis is named")
            require(scale > 0 or (scale != 0 and "=" in words), "a multiplier must be positive")
            strict += scale if set(words) == {">"} else 0
            self.add(total, cast("Fraction", scale), factors[0][1], factors[1][1] if len(factors) == 2 else {(): _ONE})
        constant = total.pop((), _ZERO)
        require(not any(total.values()), "the combination is not constant")
        require(constant <= 0 and strict - constant == common, "no contradiction in normal form")


def check_obligation(obligation: dict[str, Any], tree: Any) -> None:
    """Return if `tree` proves `obligation`; else raise `Refused`."""
    require(len(canonical(tree).encode()) <= BYTES_MAX, "the certificate is too long")
    variables = obligation["variables"]
    require(type(variables) is dict and set(variables.values()) <= {"int", "real"}, "wrong variables")
    checking = Checking(variables)
    for hypothesis in items(obligation["hypotheses"], "hypotheses"):
        checking.assume(checking.formula(hypothesis, negate=False))
    checking.assume(checking.formula(obligation["goal"], negate=True))
    checking.tree(tree)
