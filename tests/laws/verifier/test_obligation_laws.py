"""Evaluating a rule and compiling it agree at every point; what the checker accepts, evaluation allows."""

from fractions import Fraction

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from steward.verifier.core.check import Refused, check_obligation
from steward.verifier.core.evaluate import Evaluator, Undecided
from steward.verifier.core.obligations import obligation
from steward.verifier.core.polynomials import true_at
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Reference
from steward.verifier.core.types import DECIMAL, INT, MONEY
from steward.verifier.core.values import Amount, Uncertain, certain
from steward.verifier.provers.search import answer

F = Fraction
CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]  # rules beyond a limit are passed over
UNCERTAIN = {
    "r": Uncertain(DECIMAL, F(-1), F(2)),
    "k": Uncertain(INT, F(-2), F(3)),
    "m": Uncertain(MONEY, F(-100), F(250), currency="GBP"),
    "s": Uncertain(MONEY, F(-50), F(70), (F(-50), F(30), F(40)), "GBP", is_subset=True),
}
GROUND = {"g": F(3, 2), "z": F(0), "p": Amount(F(120), "GBP"), "e": Amount(F(5), "EUR")}
GROUND |= {"L": ({"q": F(1), "a": Amount(F(10), "GBP")}, {"q": F(-2), "a": Amount(F(45), "GBP")}), "none": ()}

NUMBERS = [F(0), F(1), F(2), F(-1), F(1, 2), F(3)]


class Writer:
    """Writes a random well-typed rule from Hypothesis' choices."""

    def __init__(self, draw):
        self.draw = draw
        self.inside = False

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def condition(self, depth):
        if self.pick(True, False):
            return Apply(self.pick("<", "<=", "="), (self.number(depth), self.number(depth)))
        return Apply(self.pick(">", "!="), (self.money(depth), self.money(depth)))

    def number(self, depth):
        form = self.pick("leaf", "leaf", "two", "ratio", "one", "if", "fold") if depth else "leaf"
        match form:
            case "two":
                return Apply(
                    self.pick("+", "-", "*", "/", "min", "max"),
                    (self.number(depth - 1), self.number(depth - 1)),
                )
            case "ratio":
                return Apply("/", (self.money(depth - 1), self.money(depth - 1)))
            case "one":
                return Apply(self.pick("abs", "-", "floor"), (self.number(depth - 1),))
            case "if":
                return Choose(self.condition(depth - 1), self.number(depth - 1), self.number(depth - 1))
            case "fold" if not self.inside:
                self.inside = True
                op = self.pick("sum", "min", "max", "count")
                body = self.condition(depth - 1) if op == "count" else self.number(depth - 1)
                self.inside = False
                return Fold(op, "x", Reference(self.pick("L", "L", "none")), body)
            case _:
                name = self.pick("r", "k", "g", "z", "x.q" if self.inside else "r", "")
                return Reference(name) if name else Literal("number", self.pick(*NUMBERS))

    def money(self, depth):
        form = self.pick("leaf", "leaf", "two", "times", "over", "one", "if") if depth else "leaf"
        match form:
            case "two":
                return Apply(self.pick("+", "-", "min", "max"), (self.money(depth - 1), self.money(depth - 1)))
            case "times":
                return Apply("*", (self.number(depth - 1), self.money(depth - 1)))
            case "over":
                return Apply("/", (self.money(depth - 1), self.number(depth - 1)))
            case "one":
                return Apply(self.pick("abs", "-", "floor"), (self.money(depth - 1),))
            case "if":
                return Choose(self.condition(depth - 1), self.money(depth - 1), self.money(depth - 1))
            case _:
                name = self.pick("m", "s", "p", "e", "x.a" if self.inside else "m", "")
                return Reference(name) if name else Literal("GBP", self.pick(F(0), F(100), F(70)))

    def rule(self, depth):
        form = self.pick("atom", "atom", "in", "two", "not", "if", "fold") if depth else "atom"
        match form:
            case "in":
                return Apply("in", (self.number(1), Braces((self.number(1), self.number(0)))))
            case "two":
                return Apply(self.pick("and", "or", "implies", "=", "!="), (self.rule(depth - 1), self.rule(depth - 1)))
            case "not":
                return Apply("not", (self.rule(depth - 1),))
            case "if":
                return Choose(self.rule(depth - 1), self.rule(depth - 1), self.rule(depth - 1))
            case "fold" if not self.inside:
                self.inside = True
                body = self.rule(depth - 1)
                self.inside = False
                return Fold(self.pick("all", "any"), "x", Reference(self.pick("L", "none")), body)
            case _:
                op = self.pick("=", "!=", "<", "<=", ">", ">=")
                side = self.pick(self.number, self.money)
                return Apply(op, (side(2), side(1)))


@st.composite
def rules(draw):
    return Writer(draw).rule(2)


@st.composite
def numbers(draw):
    return Writer(draw).number(2)


points = st.fixed_dictionaries(
    {
        "r": st.one_of(st.sampled_from([F(-1), F(0), F(1, 2), F(2)]), st.fractions(-1, 2, max_denominator=6)),
        "k": st.integers(-2, 3).map(F),
        "m": st.integers(-100, 250).map(F),
        "s#0": st.integers(0, 1).map(F),
        "s#1": st.integers(0, 1).map(F),
        "s#2": st.integers(0, 1).map(F),
    }
)


def _values(point):
    total = sum((part * point[f"s#{i}"] for i, part in enumerate(UNCERTAIN["s"].parts)), F(0))
    taken = {"r": point["r"], "k": point["k"], "m": point["m"], "s": total}
    return {**GROUND, **{name: certain(UNCERTAIN[name], value) for name, value in taken.items()}}


@given(rules(), st.lists(points, min_size=1, max_size=3))
@settings(max_examples=1500, deadline=None, suppress_health_check=CALM)
def test_compiled_and_evaluated_rules_agree_at_every_point(rule, some):
    try:
        for point in some:
            plain = _without_floor(rule)
            formula = obligation("law", plain, GROUND, UNCERTAIN)
            full = {name: point[name] for name in point}
            assert all(true_at(h, full) for h in formula["hypotheses"])
            assert true_at(formula["goal"], full) == (Evaluator(_values(point)).truth(plain) is True)
            refusal = obligation("law", Apply("not", (plain,)), GROUND, UNCERTAIN)
            assert true_at(refusal["goal"], full) == (Evaluator(_values(point)).truth(plain) is False)
    except Undecided:
        assume(False)


def _without_floor(node):
    """The same formula with every floor replaced by its argument (floors have a law of their own)."""
    if isinstance(node, Apply):
        args = tuple(_without_floor(arg) for arg in node.args)
        return args[0] if node.op == "floor" else Apply(node.op, args)
    if isinstance(node, Choose):
        return Choose(*map(_without_floor, (node.condition, node.yes, node.no)))
    if isinstance(node, Fold):
        return Fold(node.op, node.variable, node.source, _without_floor(node.body))
    return Braces(tuple(map(_without_floor, node.items))) if isinstance(node, Braces) else node


@given(numbers(), points)
@settings(max_examples=150, deadline=None, suppress_health_check=CALM)
def test_a_floor_is_the_whole_number_its_hypotheses_leave(inner, point):
    inner = _without_floor(inner)
    value = None
    try:
        rule = Apply("=", (Apply("floor", (inner,)), Literal("number", F(0))))
        formula = obligation("law", rule, GROUND, UNCERTAIN)
        value = Evaluator(_values(point)).value(Apply("floor", (inner,)))
    except Exception as error:
        assume(type(error).__name__ not in ("Undecided", "Undefined"))
        raise
    fresh = [name for name in formula["variables"] if name.startswith("floor#")]
    full = dict(point)
    for name in fresh:
        full[name] = F(value)
    assert all(true_at(h, full) for h in formula["hypotheses"])
    assert true_at(formula["goal"], full) == (value == 0)
    for wrong in (value - 1, value + 1) if fresh else ():
        other = {**full, **dict.fromkeys(fresh, F(wrong))}
        assert any(not true_at(h, other) for h in formula["hypotheses"])


@given(rules(), st.lists(points, min_size=5, max_size=5))
@settings(max_examples=250, deadline=None, suppress_health_check=CALM)
def test_what_the_checker_accepts_evaluation_allows(rule, some):
    plain = _without_floor(rule)
    try:
        formula = obligation("law", plain, GROUND, UNCERTAIN)
    except Undecided:
        assume(False)
    assume(len(str(formula["goal"])) < 3000)
    found = answer(formula, 0.3)
    if found["status"] != "proved":
        if found["status"] == "refuted":
            point = {name: F(value) for name, value in found["point"].items()}
            full = {**{n: (F(0)) for n in ("r", "k", "m", "s#0", "s#1", "s#2")}, **point}
            assert Evaluator(_values(full)).truth(plain) is not True
        return
    try:
        check_obligation(formula, found["tree"])
    except Refused:
        return
    for point in some:
        assert Evaluator(_values(point)).truth(plain) is True
