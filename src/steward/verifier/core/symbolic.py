"""Compiles rules for every state at once: no value is known, each name is a variable.

Numbers, money, durations and times are variables of their own; money is taken to be in one currency. Words are
numbers by an injection, so that equality of text is equality of numbers. What has no arithmetic (a fold over a list, a
pattern, membership in a set) is one variable for each syntax tree: two places that say the same mean the same. What
may be undefined gets a variable for true and one for false, of which at most one is one, or a variable that says
whether there is a value, so that undefined stays unprovable in both polarities.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from steward.kernel.errors import BadInput
from steward.verifier.core import polynomials as poly
from steward.verifier.core.evaluate import Undecided
from steward.verifier.core.obligations import ONE, Case, Cases, Compiler, within
from steward.verifier.core.polynomials import Formula, Poly, atom, either
from steward.verifier.core.printer import show
from steward.verifier.core.rules import Bounds
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Node, Reference, children
from steward.verifier.core.types import BOOL, Type
from steward.verifier.core.units import Scope, reads, type_of
from steward.verifier.core.values import Value

_KNOWN = frozenset({"action.kind"})
_WHOLE = ("int", "money")
_SINGLE = ("int", "decimal", "money", "duration", "time", "text", "enum")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a variable stands for: the `value` of a formula, or 1 where it is `true`, `false` or `defined`.

    A `floor` is the whole part of the quotient of two polynomials.
    """

    role: str
    node: Node | None = None
    quotient: tuple[Poly, Poly] = ({}, {})


def may_be_undefined(node: Node) -> bool:
    """Whether a well-typed formula over facts that are there can lack a value (in one currency)."""
    match node:
        case Apply(op="/", args=(_, Literal(value=Fraction() as divisor))):
            risky = divisor == 0
        case Apply(op="/") | Fold(op="min" | "max"):
            risky = True
        case _:
            risky = False
    return risky or any(may_be_undefined(child) for child in children(node))


class Symbolic(Compiler):
    """Rules of one kind of action over variables; `hypotheses` collects what is true of the variables as such."""

    def __init__(self, kind: str, scope: Scope, bounds: dict[str, Bounds]) -> None:
        super().__init__({"action.kind": kind}, {})
        self.scope = scope
        self.bounds = bounds
        self.meanings: dict[str, Meaning] = {}
        self.words: dict[str, int] = {}
        self.floors: dict[str, Poly] = {}
        self.currencies: set[str] = set()

    @property
    def currency(self) -> str:
        """The one currency the rules name, if any."""
        return next(iter(self.currencies), "")

    def type_of(self, node: Node) -> Type:
        try:
            return type_of(node, self.scope)
        except BadInput as error:
            raise Undecided(f"{error.what} in {show(node)}") from None

    def is_ground(self, node: Node) -> bool:
        return reads(node) <= _KNOWN

    def is_truth(self, node: Node) -> bool:
        return self.type_of(node) == BOOL

    def truth(self, node: Node) -> tuple[Formula, Formula]:
        match node:
            case Reference() if not self.is_ground(node):
                return self.condition(node)
            case Fold():
                return self.condition(node)
            case Apply(op="matches"):
                return self.condition(node)
            case _:
                return super().truth(node)

    def comparison(self, node: Apply) -> tuple[Formula, Formula]:
        left = self.type_of(node.args[0])
        if node.op == "in" and (left == BOOL or not isinstance(node.args[1], Braces)):
            return self.condition(node)
        if left != BOOL and left.name not in _SINGLE:
            return self.condition(node)
        return super().comparison(node)

    def condition(self, node: Node) -> tuple[Formula, Formula]:
        """A part that is only true or false (or undefined), as variables keyed by its syntax tree."""
        name = show(node)
        if not may_be_undefined(node):
            flag = self.flag(name, Meaning("true", node))
            return atom(">=", poly.plus(flag, ONE, -1)), atom(">=", poly.scaled(flag, -1))
        is_new = f"{name} # true" not in self.variables
        yes = self.flag(f"{name} # true", Meaning("true", node))
        no = self.flag(f"{name} # false", Meaning("false", node))
        if is_new:
            self.hypotheses.append(atom(">=", poly.plus(ONE, poly.plus(yes, no), -1)))
        return atom(">=", poly.plus(yes, ONE, -1)), atom(">=", poly.plus(no, ONE, -1))

    def flag(self, name: str, meaning: Meaning) -> Poly:
        """A whole variable between 0 and 1."""
        return self.named(name, meaning, "int", (Fraction(0), Fraction(1)))

    def named(self, name: str, meaning: Meaning, sort: str, ends: Bounds) -> Poly:
        """The variable of that name, with its bounds among the hypotheses from its first use on."""
        found = poly.variable(name)
        if name not in self.variables:
            self.variables[name], self.meanings[name] = sort, meaning
            least, most = ends
            if least is not None:
                self.hypotheses.append(atom(">=", poly.plus(found, poly.constant(least), -1)))
            if most is not None:
                self.hypotheses.append(atom(">=", poly.plus(poly.constant(most), found, -1)))
        return found

    def word(self, text: str) -> int:
        """The number of a word: any two words have two numbers, and words not met have others."""
        return self.words.setdefault(text, len(self.words))

    def literal(self, value: Value) -> Cases:
        if isinstance(value, str):
            return [Case(poly.TRUE, poly.constant(self.word(value)), ONE, "")]
        found = super().literal(value)
        self.currencies |= {case.unit for case in found if case.unit}
        if len(self.currencies) > 1:
            raise Undecided(f"amounts in {' and '.join(sorted(self.currencies))}: a theorem is about one currency")
        return found

    def cases(self, node: Node) -> Cases:
        if isinstance(node, Reference) and not self.is_ground(node):
            return [Case(poly.TRUE, self.reference(node), ONE, "")]
        return super().cases(node)

    def reference(self, node: Reference) -> Poly:
        kind = self.type_of(node)
        if kind.name not in _SINGLE:
            raise Undecided(f"{node.name} is a {kind.name}")
        sort = "int" if kind.name in (*_WHOLE, "text", "enum") else "real"
        known = node.name in self.variables
        ends = self.bounds.get(node.name, (None, None))
        numbers = [self.word(word) for word in kind.words]
        row = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
        if row:
            ends = (Fraction(numbers[0]), Fraction(numbers[-1]))
        found = self.named(node.name, Meaning("value", node), sort, ends)
        if numbers and not row and not known:
            one_of = [atom("=", poly.plus(found, poly.constant(number), -1)) for number in numbers]
            self.hypotheses.append(either(*one_of))
        return found

    def fold(self, node: Fold) -> Cases:
        """The count, sum or extreme of a list, which is a number like any other; a count is never negative."""
        name = show(node)
        sort = "int" if whole(node, self.scope) else "real"
        least = Fraction(0) if node.op == "count" else None
        found = self.named(name, Meaning("value", node), sort, (least, None))
        guard = poly.TRUE
        if may_be_undefined(node):
            defined = self.flag(f"{name} # defined", Meaning("defined", node))
            guard = atom(">=", poly.plus(defined, ONE, -1))
        return [Case(guard, found, ONE, "")]

    def floor(self, case: Case) -> Case:
        """One whole variable for each quotient, so that the same part rounded twice is the same number."""
        key = str((poly.to_json(case.top), poly.to_json(case.bottom)))
        if key not in self.floors:
            found = super().floor(case)
            name = next(reversed(self.variables))
            self.meanings[name] = Meaning("floor", quotient=(case.top, case.bottom))
            self.floors[key] = found.top
            return found
        self.hypotheses.append(either(poly.negated(case.guard), within(self.floors[key], case)))
        return Case(case.guard, self.floors[key], ONE, case.unit)

    def holds(self, node: Node) -> Formula:
        """Where the formula is true."""
        self.type_of(node)  # a name bound twice, which only a substitution can bring about, shows here
        return self.truth(node)[0]


def whole(node: Node, scope: Scope) -> bool:
    """Whether a number is whole whatever the facts are: whole facts, added, subtracted and multiplied."""
    match node:
        case Literal():
            return isinstance(node.value, Fraction) and node.value.denominator == 1
        case Reference():
            return type_of(node, scope).name in _WHOLE
        case Choose():
            return whole(node.yes, scope) and whole(node.no, scope)
        case Fold():
            item = type_of(node.source, scope).item
            return node.op == "count" or (item is not None and whole(node.body, {**scope, node.variable: item}))
        case Apply(op="floor"):
            return True
        case Apply(op="+" | "-" | "*" | "min" | "max" | "abs"):
            return all(whole(arg, scope) for arg in node.args)
        case _:
            return False


def substituted(node: Node, found: dict[str, Node], bound: frozenset[str] = frozenset()) -> Node:
    """`node` with formulas in the place of names. The type check keeps names apart that folds bind."""

    def inside(part: Node) -> Node:
        return substituted(part, found, bound)

    match node:
        case Reference():
            return node if node.name.partition(".")[0] in bound else found.get(node.name, node)
        case Literal():
            return node
        case Apply():
            return Apply(node.op, tuple(map(inside, node.args)), node.at)
        case Choose():
            return Choose(inside(node.condition), inside(node.yes), inside(node.no), node.at)
        case Braces():
            return Braces(tuple(map(inside, node.items)), node.at)
        case Fold():
            body = substituted(node.body, found, bound | {node.variable})
            return Fold(node.op, node.variable, inside(node.source), body, node.at)
