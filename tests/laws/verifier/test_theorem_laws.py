"""A theorem says of every state what evaluation says of each: compiled hypotheses and goals agree with the evaluator."""

from fractions import Fraction
from math import floor

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.check import check_obligation
from steward.verifier.core.evaluate import Evaluator, Undecided, Undefined, size_of
from steward.verifier.core.polynomials import true_at, value_at
from steward.verifier.core.printer import show
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Reference
from steward.verifier.core.theorems import after, hypotheses, implication
from steward.verifier.core.values import Amount
from steward.verifier.provers.search import answer

F = Fraction
CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much]
FACTS = {
    "r": "decimal",
    "k": "int",
    "m": "money",
    "b": "bool",
    "e": {"enum": ["open", "shut"]},
    "t": "text",
    "s": {"set": "text"},
    "lines": {"list": {"n": "int", "q": "decimal", "a": "money"}},
}
PARAMS = {"r": "decimal", "k": "int", "m": "money", "t": "text"}
BOUNDS = {"k": {"least": -2, "most": 3}, "m": {"least": -5}}


class Writer:
    """Writes random well-typed formulas; `facts_only` for state rules."""

    def __init__(self, draw, facts_only=False):
        self.draw, self.facts_only, self.inside = draw, facts_only, False

    def pick(self, *options):
        return self.draw(st.sampled_from(options))

    def name(self, kind, *inside):
        names = [name for name, type_ in FACTS.items() if type_ == kind]
        names += [] if self.facts_only else [f"action.{name}" for name, type_ in PARAMS.items() if type_ == kind]
        names += [f"x.{name}" for name in inside] if self.inside else []
        return Reference(self.pick(*names))

    def number(self, depth):
        match self.pick("leaf", "leaf", "two", "ratio", "one", "if", "fold", "money") if depth else "leaf":
            case "two":
                op = self.pick("+", "-", "*", "/", "min", "max")
                return Apply(op, (self.number(depth - 1), self.number(depth - 1)))
            case "ratio":
                return Apply("/", (self.money(depth - 1), self.money(depth - 1)))
            case "one":
                return Apply(self.pick("abs", "-", "floor"), (self.number(depth - 1),))
            case "if":
                return Choose(self.condition(depth - 1), self.number(depth - 1), self.number(depth - 1))
            case "fold" if not self.inside:
                op = self.pick("sum", "count", "min", "max")
                self.inside = True
                body = self.condition(depth - 1) if op == "count" else self.number(depth - 1)
                self.inside = False
                return Fold(op, "x", Reference("lines"), body)
            case _:
                if self.pick(True, False, False):
                    return Literal("number", self.pick(F(0), F(1), F(2), F(1, 2)))
                return self.name(self.pick("decimal", "int"), *(("n", "q") if self.inside else ()))

    def money(self, depth):
        match self.pick("leaf", "leaf", "two", "times", "over", "floor") if depth else "leaf":
            case "two":
                return Apply(self.pick("+", "-", "min", "max"), (self.money(depth - 1), self.money(depth - 1)))
            case "times":
                return Apply("*", (self.number(depth - 1), self.money(depth - 1)))
            case "over":
                return Apply("/", (self.money(depth - 1), self.number(depth - 1)))
            case "floor":
                return Apply(self.pick("floor", "abs"), (self.money(depth - 1),))
            case _:
                return (
                    Literal("GBP", self.pick(F(0), F(3))) if self.pick(True, False, False) else self.name("money", "a")
                )

    def word(self):
        if self.pick(True, False):
            return Literal("text", self.pick("open", "shut", "gone"))
        return self.name("text") if self.pick(True, False) else Reference("t")

    def condition(self, depth):
        match self.pick("atom", "atom", "words", "enum", "in", "set", "flag", "pattern"):
            case "words":
                return Apply(self.pick("=", "!="), (self.word(), self.word()))
            case "enum":
                return Apply(self.pick("=", "!="), (Reference("e"), Literal("text", self.pick("open", "shut"))))
            case "in":
                if self.pick(True, False):
                    return Apply("in", (self.word(), Braces((Literal("text", "open"), self.word()))))
                return Apply("in", (self.number(1), Braces((self.number(1), self.number(0)))))
            case "set":
                return Apply("in", (self.word(), Reference("s")))
            case "flag":
                return Reference("b")
            case "pattern":
                return Apply("matches", (Reference("t"), Literal("text", "^(open|gone)$")))
            case _:
                op, side = self.pick("=", "!=", "<", "<=", ">", ">="), self.pick(self.number, self.money)
                return Apply(op, (side(min(depth, 2)), side(min(depth, 1))))

    def rule(self, depth):
        match self.pick("atom", "atom", "two", "not", "if", "fold") if depth else "atom":
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
                return Fold(self.pick("all", "any"), "x", Reference("lines"), body)
            case _:
                return self.condition(depth)

    def effect(self):
        written = {
            "r": lambda: self.number(1),
            "m": lambda: self.money(1),
            "b": lambda: self.condition(1),
            "e": lambda: Choose(self.condition(1), Literal("text", "shut"), Reference("e")),
            "t": self.word,
        }
        chosen = self.draw(st.lists(st.sampled_from(sorted(written)), min_size=1, max_size=3, unique=True))
        return {name: show(written[name]()) for name in chosen}


@st.composite
def catalogs(draw, depth=2):
    """A catalog of one kind: random state rule, guard and effect. Texts, so that reading them is part of the law."""
    document = {
        "facts": [{"name": name, "type": kind, **BOUNDS.get(name, {})} for name, kind in FACTS.items()],
        "states": [{"id": "state", "holds": show(Writer(draw, facts_only=True).rule(depth)), "why": "w"}],
        "kinds": [{"name": "act", "params": PARAMS, "effect": Writer(draw).effect()}],
        "invariants": [
            {
                "id": "guard",
                "on": ["act"],
                "require": show(Writer(draw).rule(depth)),
                "otherwise": "deny",
                "why": "w",
            }
        ],
    }
    catalog, troubles = read_catalog([("laws", document)])
    assume(not troubles)
    return catalog


def gbp(number):
    return Amount(F(number), "GBP")


words = st.sampled_from(["open", "shut", "gone", "else", "^(open|gone)$"])
ratios = st.fractions(-3, 3, max_denominator=4)
whole = st.integers(-2, 3).map(F)
lines = st.fixed_dictionaries({"n": whole, "q": ratios, "a": whole.map(gbp)})
states = st.fixed_dictionaries(
    {
        "r": ratios,
        "k": whole,
        "m": st.integers(-5, 6).map(gbp),
        "b": st.booleans(),
        "e": st.sampled_from(["open", "shut"]),
        "t": words,
        "s": st.frozensets(words, max_size=3),
        "lines": st.lists(lines, max_size=3).map(tuple),
        "action.r": ratios,
        "action.k": whole,
        "action.m": whole.map(gbp),
        "action.t": words,
        "action.kind": st.just("act"),
    }
)


def truth(node, values):
    return Evaluator(dict(values)).truth(node)


def valued(node, values):
    try:
        return Evaluator(dict(values)).value(node)
    except Undefined:
        return None


def point_of(compiler, values):
    """The value of every variable of a theorem in one state, as their meanings say."""
    numbers = dict(compiler.words)
    found = {}
    for name, meaning in compiler.meanings.items():
        match meaning.role:
            case "floor":
                top, bottom = (value_at(part, found) for part in meaning.quotient)
                found[name] = F(floor(top / bottom)) if bottom else F(0)
            case "true" | "false":
                found[name] = F(truth(meaning.node, values) is (meaning.role == "true"))
            case "defined":
                found[name] = F(valued(meaning.node, values) is not None)
            case _:
                value = valued(meaning.node, values)
                if isinstance(value, str):
                    value = F(numbers.setdefault(value, len(numbers)))
                found[name] = F(0) if value is None else size_of(value)
    return found


def later(catalog, values):
    """The state after the action, or None where the effect has no value."""
    read = catalog.states[0].reads()
    found = {name: valued(node, values) for name, node in catalog.effects["act"].items() if name in read}
    return None if None in found.values() else {**values, **found}


def compiled(catalog):
    given_rules = hypotheses(catalog, "act")
    try:
        goal = after(catalog, "act", catalog.states[0])
        return implication(catalog, "act", "act keeps state", given_rules, goal)
    except Undecided:
        return None, None


@given(catalogs(), st.lists(states, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=CALM)
def test_each_state_is_one_the_theorem_speaks_of(catalog, situations):
    obligation, compiler = compiled(catalog)
    assume(obligation is not None)
    rules = list(hypotheses(catalog, "act").values())
    for values in situations:
        point = point_of(compiler, values)
        assert all(point[n].denominator == 1 for n, sort in obligation["variables"].items() if sort == "int")
        for rule, formula in zip(rules, obligation["hypotheses"], strict=False):
            assert true_at(formula, point) == (truth(rule, values) is True), show(rule)
        for formula in obligation["hypotheses"][len(rules) :]:
            assert true_at(formula, point), formula
        state = later(catalog, values)
        kept = state is not None and truth(catalog.states[0].holds, state) is True
        assert true_at(obligation["goal"], point) == kept
        event(f"kept {kept}")


@given(catalogs(), st.lists(states, min_size=1, max_size=4))
@settings(max_examples=200, deadline=None, suppress_health_check=CALM)
def test_undefined_is_provable_in_neither_polarity(catalog, situations):
    rule = catalog.states[0].holds
    try:
        _, compiler = implication(catalog, "act", "x", {}, rule)
        yes, no = compiler.truth(rule)
    except Undecided:
        assume(False)
    for values in situations:
        point = point_of(compiler, values)
        said = {True: (True, False), False: (False, True), None: (False, False)}[truth(rule, values)]
        assert (true_at(yes, point), true_at(no, point)) == said


@given(catalogs(1), st.lists(states, min_size=5, max_size=30))
@settings(max_examples=80, deadline=None, suppress_health_check=CALM)
def test_a_proved_theorem_is_never_contradicted(catalog, situations):
    obligation, _ = compiled(catalog)
    assume(obligation is not None)
    found = answer(obligation, 1.0)
    event(found["status"])
    if found["status"] != "proved":
        return
    check_obligation(obligation, found["tree"])
    for values in situations:
        if all(truth(rule, values) is True for rule in hypotheses(catalog, "act").values()):
            event("a state the theorem speaks of")
            state = later(catalog, values)
            assert state is not None
            assert truth(catalog.states[0].holds, state) is True
