"""The trusted checker: decides whether a certificate proves its obligation. Standard library only.

An obligation is "for every value of the variables, the hypotheses imply the goal". A certificate is a tree
that refutes the hypotheses together with the negated goal (Necula's proof-carrying code; the leaf is Farkas'
lemma, and with products of two hypotheses Handelman 1988). Nodes, all JSON lists:
  ["F", [[i, "l"], [i, j, "l"], ...]]   sum of l*h_i and l*h_i*h_j is a constant that cannot be
  ["S", i, [tree, ...]]                 one tree for each alternative of the i-th disjunction
  ["C", poly, "k", tree, tree]          p integer-valued: p <= k, or p >= k+1
  ["P", poly, "k", tree, tree]          any p: p < k, or p >= k
A polynomial is [["coefficient", "x", "y"], ...] in ascending order of variables; a formula is [">=", p],
[">", p], ["=", p] (each against 0), ["and", ...] or ["or", ...]. Whatever is not understood is refused; a
hypothesis no certificate names is not read.
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
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,39}(/[1-9][0-9]{0,39})?")
_RELATIONS = (">=", ">", "=")
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
Poly = dict[tuple[str, ...], Fraction]
Formula = tuple[str, Any]
_ZERO, _ONE = cast("tuple[Fraction, Fraction]", (0, 1))


class Refused(Exception):
    """Why a certificate or bundle is not accepted."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Refused(reason)


def canonical(value: Any) -> str:
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def number(text: Any) -> Fraction:
    """An exact number: only text of at most 40 digits, in lowest terms, in its one spelling. Whole ones are ints."""
    found = _NUMBER.fullmatch(text) if type(text) is str else None
    if found is None:
        raise Refused(f"{str(text)[:50]!r} is not a number")
    if not found[1]:
        return cast("Fraction", int(text))
    value = Fraction(text)
    require(str(value) == text, "not in lowest terms")
    return value


def items(value: Any, what: str) -> list[Any]:
    if type(value) is not list:
        raise Refused(f"{what} is not a list")
    return cast("list[Any]", value)


class Checking:
    """One obligation under check. An assumption is [formula as given, negated or not, what it says once it is read]."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self.context: list[list[Any]] = []
        self.nodes, self.work = NODES_MAX, WORK_MAX

    def spend(self, work: int) -> None:
        self.work -= work
        require(self.work >= 0, "too much work")

    def polynomial(self, value: Any) -> Poly:
        result: Poly = {}
        last: tuple[str, ...] | None = None
        for term in items(value, "a polynomial"):
            coefficient, *names = items(term, "a term") or [None]
            require(self.variables.keys() >= {*names}, "an unknown variable")
            monomial = tuple(names)
            require(len(names) < 2 or (names == sorted(names) and len(names) <= DEGREE_MAX), "a wrong monomial")
            require(last is None or last < monomial, "monomials out of order")
            require(coefficient != "0", "a zero coefficient")
            last, result[monomial] = monomial, number(coefficient)
        self.spend(len(result))
        return result

    def add(self, total: Poly, scale: Fraction, left: Poly, right: Poly) -> None:
        """Add scale * left * right to `total`, in place."""
        self.spend(len(left) * len(right))
        for b, y in right.items():
            factor = scale * y
            for a, x in left.items():
                monomial = tuple(sorted(a + b)) if a and b else a or b
                value = total[monomial] = total.get(monomial, _ZERO) + factor * x
                require(value.denominator.bit_length() <= BITS_MAX, "too long")

    def read(self, index: int) -> Formula:
        """What an assumption says: a relation and its polynomial, or "or" and its alternatives as given."""
        raw, negate, found = self.context[index]
        if found is None:
            word, *parts = raw
            require(word in ("and", "or") or (word in _RELATIONS and len(parts) == 1), "an unknown formula")
            if word in ("and", "or"):
                found = "or", [(part, negate) for part in parts]
            elif negate and word == "=":
                found = "or", [([">", parts[0]], False), ([">=", parts[0]], True)]
            else:
                poly = self.polynomial(parts[0])
                found = (word, poly) if not negate else ({">=": ">", ">": ">="}[word], {m: -x for m, x in poly.items()})
            self.context[index][2] = found
        return found

    def assume(self, formula: Any, negate: bool, depth: int = 0) -> None:
        """Assume a formula or its negation: the parts of a conjunction one by one."""
        self.spend(1)
        parts = items(formula, "a formula") or [None]
        if parts[0] == ("or" if negate else "and"):
            require(depth < DEPTH_MAX, "a formula too deep")
            for part in parts[1:]:
                self.assume(part, negate, depth + 1)
        else:
            self.context.append([parts, negate, None])

    def tree(self, node: Any, depth: int = 0) -> None:
        self.nodes -= 1
        require(self.nodes >= 0 and depth <= DEPTH_MAX, "a tree too large")
        rule, *rest = items(node, "a node") or [None]
        size, cases = len(self.context), cast("list[tuple[Any, bool, Any, Any]]", [])
        if rule == "F" and len(rest) == 1:
            self.leaf(items(rest[0], "a combination"))
        elif rule == "S" and len(rest) == 2:
            index, branches = rest[0], items(rest[1], "branches")
            require(type(index) is int and 0 <= index < size, "an index out of range")
            word, parts = self.read(index)
            require(word == "or" and len(branches) == len(parts), "a split that is none, or one with a missing branch")
            cases = [(*part, None, branch) for part, branch in zip(parts, branches, strict=True)]
        elif rule in ("C", "P") and len(rest) == 4:
            poly, k = self.polynomial(rest[0]), number(rest[1])
            require(() not in poly and len(poly) > 0, "a cut of a constant")
            step = int(rule == "C")
            if step:
                whole = k.denominator == 1 and all(x.denominator == 1 for x in poly.values())
                require(whole and all(self.variables[n] == "int" for m in poly for n in m), "a cut that is not whole")
            below = {(): k} | {m: -x for m, x in poly.items()}
            above = poly | {(): -k - step}
            cases = [(None, False, (">=" if step else ">", below), rest[2]), (None, False, (">=", above), rest[3])]
        else:
            raise Refused("an unknown rule")
        for formula, negate, said, branch in cases:
            self.assume(formula, negate) if said is None else self.context.append([None, False, said])
            self.tree(branch, depth + 1)
            del self.context[size:]

    def leaf(self, terms: list[Any]) -> None:
        """A combination that is identically c <= 0, scaled so that -c + the strict multipliers is one."""
        total, strict, last, size = Poly(), 0, (0, cast("list[int]", [])), len(self.context)
        scales = [number((items(term, "a term") or [None])[-1]) for term in terms]
        common = lcm(*(scale.denominator for scale in scales))  # it is added up in whole numbers
        require(common.bit_length() <= BITS_MAX, "too long")
        for term, multiplier in zip(terms, scales, strict=True):
            indices, scale = term[:-1], multiplier.numerator * (common // multiplier.denominator)
            require(len(indices) in (1, 2), "a wrong term")
            require({*map(type, indices)} == {int} and 0 <= indices[0] <= indices[-1] < size, "an index out of range")
            require(last < (len(indices), indices), "indices out of order")
            last = (len(indices), indices)
            factors: list[Formula] = [self.read(i) for i in indices]
            words = {word for word, _ in factors}
            require("or" not in words, "a multiplier on a disjunction")
            for word, poly in factors:
                if len(poly) <= 1 and not any(poly):  # no monomial but the empty one: a constant
                    value = poly.get((), _ZERO)
                    true = value == 0 if word == "=" else value > 0 or (value == 0 and word == ">=")
                    require(not true and len(factors) == 1, "a constant hypothesis is named")
            require(scale > 0 or (scale != 0 and "=" in words), "a multiplier must be positive")
            strict += scale if words == {">"} else 0
            self.add(total, cast("Fraction", scale), factors[0][1], factors[1][1] if len(factors) > 1 else {(): _ONE})
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
        checking.assume(hypothesis, negate=False)
    checking.assume(obligation["goal"], negate=True)
    checking.tree(tree)
