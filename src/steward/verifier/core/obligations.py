"""Turns a rule that reads uncertain facts into an obligation: hypotheses and a goal over polynomials.

Ground facts are substituted, so only the uncertain ones remain as variables. An interval is two hypotheses; a
subset of amounts in flight is sum a_i * b_i with whole b_i between 0 and 1. A quotient a/b is kept as a pair
under the guard b > 0 (or b < 0, signs turned), so an atom whose denominator may vanish is unprovable in both
polarities, exactly as `evaluate` has it. if, min, max and abs become cases; floor becomes a fresh whole
variable. The gate rebuilds obligations with this and never takes them from a prover.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

from steward.verifier.core import polynomials as poly
from steward.verifier.core.check import digest
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, field_of, in_order, size_of
from steward.verifier.core.polynomials import FALSE, Formula, Poly, atom, both, either
from steward.verifier.core.syntax import COMPARISONS, Apply, Braces, Choose, Fold, Literal, Node, Reference
from steward.verifier.core.units import reads
from steward.verifier.core.values import Amount, Uncertain, Value

CASES_MAX, SIZE_MAX = 128, 20_000
ONE = poly.constant(1)


@dataclass(frozen=True, slots=True)
class Case:
    """Where `guard` holds the value is top/bottom with bottom > 0, in `unit` (a currency, or nothing)."""

    guard: Formula
    top: Poly
    bottom: Poly
    unit: str


Cases = list[Case]


def _pairs(left: Cases, right: Cases, *, same_unit: bool = True) -> list[tuple[Formula, Case, Case, str]]:
    """Every combination of cases that can occur together; two currencies have no value together."""
    found: list[tuple[Formula, Case, Case, str]] = []
    for a in left:
        for b in right:
            guard = both(a.guard, b.guard)
            if guard != FALSE and not (same_unit and a.unit and b.unit and a.unit != b.unit):
                found.append((guard, a, b, a.unit or b.unit))
    return _bounded(found)


def _bounded(cases: list[Any]) -> list[Any]:
    if len(cases) > CASES_MAX:
        raise Undecided(f"more than {CASES_MAX} cases")
    return cases


def _difference(a: Case, b: Case) -> Poly:
    """A polynomial of the sign of a - b (both denominators are positive)."""
    return poly.plus(poly.times(a.top, b.bottom), poly.times(b.top, a.bottom), -1)


def _relation(op: str, gap: Poly) -> tuple[Formula, Formula]:
    """The relation left `op` right and its negation, where `gap` has the sign of left - right."""
    minus = poly.scaled(gap, -1)
    match op:
        case "=" | "!=":
            same, other = atom("=", gap), either(atom(">", gap), atom(">", minus))
            return (same, other) if op == "=" else (other, same)
        case ">=" | ">":
            return atom(op, gap), atom(">" if op == ">=" else ">=", minus)
        case _:
            return atom(">=" if op == "<=" else ">", minus), atom(">" if op == "<=" else ">=", gap)


def _sum(left: Cases, right: Cases, factor: int = 1) -> Cases:
    return [
        Case(
            guard,
            poly.plus(poly.times(a.top, b.bottom), poly.times(b.top, a.bottom), factor),
            poly.times(a.bottom, b.bottom),
            unit,
        )
        for guard, a, b, unit in _pairs(left, right)
    ]


def _product(left: Cases, right: Cases) -> Cases:
    return [
        Case(guard, poly.times(a.top, b.top), poly.times(a.bottom, b.bottom), unit)
        for guard, a, b, unit in _pairs(left, right)
    ]


def _quotient(left: Cases, right: Cases) -> Cases:
    found: Cases = []
    for guard, a, b, unit in _pairs(left, right):
        top, bottom = poly.times(a.top, b.bottom), poly.times(a.bottom, b.top)
        kind = "" if a.unit and b.unit else unit
        for sign in (1, -1):
            positive = both(guard, atom(">", poly.scaled(b.top, sign)))
            if positive != FALSE:
                found.append(Case(positive, poly.scaled(top, sign), poly.scaled(bottom, sign), kind))
    return _bounded(found)


def _extreme(op: str, left: Cases, right: Cases) -> Cases:
    found: Cases = []
    for guard, a, b, unit in _pairs(left, right):
        first, second = _relation("<=" if op == "min" else ">=", _difference(a, b))
        for one, condition in ((a, first), (b, second)):
            wins = both(guard, condition)
            if wins != FALSE:
                found.append(Case(wins, one.top, one.bottom, unit))
    return _bounded(found)


def _absolute(cases: Cases) -> Cases:
    found = [
        Case(both(c.guard, atom(op, poly.scaled(c.top, sign))), poly.scaled(c.top, sign), c.bottom, c.unit)
        for c in cases
        for op, sign in ((">=", 1), (">", -1))
    ]
    return _bounded([case for case in found if case.guard != FALSE])


def within(q: Poly, case: Case) -> Formula:
    """Q * bottom <= top < (q + 1) * bottom: a whole q is then the case's value, rounded down."""
    gap = poly.plus(case.top, poly.times(q, case.bottom), -1)
    return both(atom(">=", gap), atom(">", poly.plus(case.bottom, gap, -1)))


class Compiler:
    """One rule being compiled over ground values and uncertain facts."""

    def __init__(self, values: dict[str, Value], uncertain: dict[str, Uncertain]) -> None:
        self.ground = Evaluator(dict(values))
        self.uncertain = uncertain
        self.variables: dict[str, str] = {}
        self.hypotheses: list[Formula] = []
        self.facts = {name: self._declared(name, fact) for name, fact in sorted(uncertain.items())}

    def _variable(self, name: str, sort: str, low: Fraction, high: Fraction) -> Poly:
        self.variables[name] = sort
        found = poly.variable(name)
        self.hypotheses.append(atom(">=", poly.plus(found, poly.constant(low), -1)))
        self.hypotheses.append(atom(">=", poly.plus(poly.constant(high), found, -1)))
        return found

    def _declared(self, name: str, fact: Uncertain) -> Cases:
        if fact.is_subset:
            total: Poly = {}
            for i, part in enumerate(fact.parts):
                total = poly.plus(
                    total, self._variable(f"{name}#{i}", "int", Fraction(0), Fraction(1)), poly.exact(part)
                )
        else:
            sort = "int" if fact.kind.name in ("int", "money") else "real"
            total = self._variable(name, sort, fact.low, fact.high)
        return [Case(poly.TRUE, total, ONE, fact.currency)]

    def is_ground(self, node: Node) -> bool:
        return reads(node).isdisjoint(self.uncertain)

    def is_truth(self, node: Node) -> bool:
        match node:
            case Apply():
                return node.op in (*COMPARISONS, "and", "or", "implies", "not", "in", "matches")
            case Fold():
                return node.op in ("all", "any")
            case Choose():
                return self.is_truth(node.yes)
            case Reference():
                return node.name not in self.uncertain and isinstance(field_of(node.name, self.ground.values), bool)
            case Literal():
                return node.kind == "bool"
            case Braces():
                return False

    def truth(self, node: Node) -> tuple[Formula, Formula]:
        """Where the formula is true, and where it is false; undefined is in neither."""
        if self.is_ground(node):
            found = self.ground.truth(node)
            return (poly.TRUE if found is True else FALSE), (poly.TRUE if found is False else FALSE)
        match node:
            case Apply(op="not"):
                yes, no = self.truth(node.args[0])
                return no, yes
            case Apply(op="and" | "or" | "implies"):
                (a, not_a), (b, not_b) = (self.truth(arg) for arg in node.args)
                if node.op == "and":
                    return both(a, b), either(not_a, not_b)
                return (either(a, b), both(not_a, not_b)) if node.op == "or" else (either(not_a, b), both(a, not_b))
            case Fold():
                parts = list(self.ground.each(node, self.truth))
                yes, no = [part[0] for part in parts], [part[1] for part in parts]
                return (both(*yes), either(*no)) if node.op == "all" else (either(*yes), both(*no))
            case Choose():
                (c, not_c), (a, not_a), (b, not_b) = map(self.truth, (node.condition, node.yes, node.no))
                return either(both(c, a), both(not_c, b)), either(both(c, not_a), both(not_c, not_b))
            case _:
                return self.comparison(cast("Apply", node))

    def comparison(self, node: Apply) -> tuple[Formula, Formula]:
        left, right = node.args
        if node.op == "in":
            return self.member(left, right)
        if self.is_truth(left):
            (a, not_a), (b, not_b) = self.truth(left), self.truth(right)
            same, other = either(both(a, b), both(not_a, not_b)), either(both(a, not_b), both(not_a, b))
            return (same, other) if node.op == "=" else (other, same)
        return self._compared(node.op, self.cases(left), self.cases(right))

    def _compared(self, op: str, left: Cases, right: Cases) -> tuple[Formula, Formula]:
        yes: list[Formula] = []
        no: list[Formula] = []
        for guard, a, b, _ in _pairs(left, right):
            true, false = _relation(op, _difference(a, b))
            yes.append(both(guard, true))
            no.append(both(guard, false))
        return either(*yes), either(*no)

    def member(self, left: Node, right: Node) -> tuple[Formula, Formula]:
        """Equal to one of the items; defined only where every comparison is, as in `evaluate`."""
        value = self.cases(left)
        if isinstance(right, Braces):
            items = [self.cases(item) for item in right.items]
        elif not self.is_ground(right):
            raise Undecided("a set may not depend on an uncertain fact")
        else:
            items = [self.literal(item) for item in in_order(self.ground.value(right))]
        found = [self._compared("=", value, item) for item in items]
        defined = both(*(either(yes, no) for yes, no in found))
        return both(defined, either(*(yes for yes, _ in found))), both(*(no for _, no in found))

    def literal(self, value: Value) -> Cases:
        if isinstance(value, bool) or not isinstance(value, int | Fraction | Amount):
            raise Undecided("only numbers may depend on an uncertain fact")
        unit = value.currency if isinstance(value, Amount) else ""
        return [Case(poly.TRUE, poly.constant(size_of(value)), ONE, unit)]

    def cases(self, node: Node) -> Cases:
        """The value of a numeric formula, by cases; no case where it is undefined."""
        if self.is_ground(node):
            try:
                return self.literal(self.ground.value(node))
            except Undefined:
                return []
        match node:
            case Reference():
                return self.facts[node.name]
            case Choose():
                yes, no = self.truth(node.condition)
                found = [(yes, case) for case in self.cases(node.yes)] + [(no, case) for case in self.cases(node.no)]
                guarded = [Case(both(where, c.guard), c.top, c.bottom, c.unit) for where, c in found]
                return _bounded([case for case in guarded if case.guard != FALSE])
            case Fold():
                return self.fold(node)
            case Apply():
                return self.apply(node)
            case _:
                raise Undecided("only numbers may depend on an uncertain fact")

    def fold(self, node: Fold) -> Cases:
        if node.op == "count":
            found = self.literal(Fraction(0))
            for yes, no in self.ground.each(node, self.truth):
                one = [Case(yes, ONE, ONE, ""), Case(no, {}, ONE, "")]
                found = _sum(found, [case for case in one if case.guard != FALSE])
            return found
        parts: list[Cases] = list(self.ground.each(node, self.cases))
        if not parts:
            return self.literal(Fraction(0)) if node.op == "sum" else []
        found = parts[0]
        for part in parts[1:]:
            found = _sum(found, part) if node.op == "sum" else _extreme(node.op, found, part)
        return found

    def apply(self, node: Apply) -> Cases:
        args = [self.cases(arg) for arg in node.args]
        match node.op:
            case "min" | "max":
                found = args[0]
                for part in args[1:]:
                    found = _extreme(node.op, found, part)
                return found
            case "+" | "-" if len(args) == 2:
                return _sum(args[0], args[1], 1 if node.op == "+" else -1)
            case "*":
                return _product(args[0], args[1])
            case "/":
                return _quotient(args[0], args[1])
            case "floor":
                return [self.floor(case) for case in args[0]]
            case _:
                minus = [Case(c.guard, poly.scaled(c.top, -1), c.bottom, c.unit) for c in args[0]]
                return minus if node.op == "-" else _absolute(args[0])

    def floor(self, case: Case) -> Case:
        """A fresh whole q with q * bottom <= top < (q + 1) * bottom wherever the case applies."""
        name = f"floor#{len(self.variables)}"
        self.variables[name] = "int"
        q = poly.variable(name)
        self.hypotheses.append(either(poly.negated(case.guard), within(q, case)))
        return Case(case.guard, q, ONE, case.unit)


def obligation(invariant: str, rule: Node, values: dict[str, Value], uncertain: dict[str, Uncertain]) -> dict[str, Any]:
    """What must be proved so that `rule` holds whatever the uncertain facts are, without its digest (see `digested`).

    `Undecided` past the limits.
    """
    compiler = Compiler(values, uncertain)
    goal, _ = compiler.truth(rule)
    if poly.size(goal) > SIZE_MAX:
        raise Undecided("an obligation too large")
    found: dict[str, Any] = {
        "invariant": invariant,
        "variables": compiler.variables,
        "hypotheses": compiler.hypotheses,
        "goal": goal,
    }
    return found


def digested(content: dict[str, Any]) -> dict[str, Any]:
    """An obligation with the digest that binds it."""
    return {**content, "digest": digest(content)}
