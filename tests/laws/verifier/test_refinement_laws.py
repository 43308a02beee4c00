"""Refinement: a version is as strict as itself, dropping a rule is never stricter, and nothing it says is contradicted."""

from fractions import Fraction

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.counterexample import truth
from steward.verifier.core.units import reads
from steward.verifier.core.values import Amount, read_value
from steward.verifier.provers.search import answer
from steward.verifier.service.analysis import Version, dead_rules, refinement

CALM = [HealthCheck.too_slow]
FACTS = {"held": "money", "cap": "money", "count": "int", "rate": "decimal", "open": "bool"}
PARAMS = {"amount": "money", "many": "int"}
MONEY = ["held", "cap", "action.amount", "held + action.amount", "2 * cap", "cap - held", "GBP 3.00"]
NUMBERS = ["count", "rate", "action.many", "count + action.many", "rate * 2", "4", "action.many - 1"]


class InProcess:
    """The prover without its process: what it finds is checked all the same."""

    def ask(self, obligation, seconds=None):
        return answer(obligation, seconds or 2.0)

    def warm(self):
        pass

    def close(self):
        pass


def sides(options):
    operators = st.sampled_from(["<=", "<", ">=", ">", "="])
    pair = st.lists(st.sampled_from(options), min_size=2, max_size=2, unique=True)
    return st.builds(lambda two, op: f"{two[0]} {op} {two[1]}", pair, operators)


conditions = st.one_of(sides(MONEY), sides(NUMBERS), st.just("open"))
formulas = st.one_of(
    conditions,
    st.builds(
        lambda a, b, word: f"({a}) {word} ({b})", conditions, conditions, st.sampled_from(["and", "or", "implies"])
    ),
)
rules = st.lists(st.tuples(formulas, st.sampled_from(["deny", "escalate"])), min_size=1, max_size=3)


def version(written):
    invariants = [
        {"id": f"r{n}", "on": ["act"], "require": text, "otherwise": word, "why": "w"}
        for n, (text, word) in enumerate(written)
    ]
    document = {
        "facts": [{"name": name, "type": kind} for name, kind in FACTS.items()],
        "kinds": [{"name": "act", "params": PARAMS}],
        "invariants": invariants,
    }
    catalog, troubles = read_catalog([("laws", document)])
    assert not troubles
    return Version(catalog, {})


amounts = st.integers(-400, 400).map(lambda minor: Amount(Fraction(minor), "GBP"))
whole = st.integers(-3, 6).map(Fraction)
situations = st.fixed_dictionaries(
    {
        "held": amounts,
        "cap": amounts,
        "count": whole,
        "rate": st.fractions(-3, 3, max_denominator=4),
        "open": st.booleans(),
        "action.amount": amounts,
        "action.many": whole,
        "action.kind": st.just("act"),
    }
)


def passes(one, values, *words):
    return all(truth(node, values) is True for node in one.rules("act", *words).values())


def shown_values(catalog, shown):
    scope = catalog.scope("act")
    values = {name: read_value(value, scope[name]) for name, value in shown.items()}
    return {**values, "action.kind": "act"}


@given(rules)
@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
def test_a_version_is_as_strict_as_itself(written):
    one = version(written)
    assert all(entry["holds"] for entry in refinement(one, one, InProcess()))


@given(rules, formulas)
@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
def test_dropping_a_rule_is_never_stricter(written, extra):
    full, less = version([*written, (extra, "deny")]), version(written)
    assert all(entry["holds"] for entry in refinement(less, full, InProcess()))
    found = refinement(full, less, InProcess())
    assert all(entry["holds"] for entry in found[:-1])
    dropped = found[-1]
    event(
        "implied by the rest" if dropped["holds"] else "looser, with values" if dropped["counterexample"] else "looser"
    )
    if not dropped["holds"] and dropped["counterexample"]:
        values = shown_values(full.catalog, dropped["counterexample"])
        assert truth(full.catalog.invariants[-1].rule, values) is not True


WEIGHT = {"ALLOW": 0, "ESCALATE": 1, "DENY": 2}


def said(one, values):
    """What all rules of a version come to, by a reading of its own."""
    verdicts = [
        "ALLOW" if truth(rule.rule, values) is True else {"deny": "DENY", "escalate": "ESCALATE"}[rule.otherwise]
        for rule in one.catalog.invariants
    ]
    return max(verdicts, key=WEIGHT.get)


@given(rules, rules, st.lists(situations, min_size=5, max_size=30))
@settings(max_examples=120, deadline=None, suppress_health_check=CALM)
def test_what_is_said_of_two_versions_is_never_contradicted(before, after, given_situations):
    old, new = version(before), version(after)
    for entry in refinement(old, new, InProcess()):
        rule = next(rule for rule in old.catalog.invariants if rule.id == entry["rule"])
        words = ("deny",) if rule.otherwise == "deny" else ("deny", "escalate")
        if not entry["holds"]:
            if entry["counterexample"]:
                values = shown_values(old.catalog, entry["counterexample"])
                assert truth(rule.rule, values) is not True
                assert all(reads(node) <= set(values) for node in new.rules("act", *words).values())
                assert (entry["new"], entry["old"]) == (said(new, values), said(old, values))
                assert WEIGHT[entry["new"]] < WEIGHT[entry["old"]]
                event(f"looser, with values: {entry['new']} for {entry['old']}")
            continue
        for values in given_situations:
            if passes(new, values, *words):
                event("a situation the new version passes")
                assert truth(rule.rule, values) is True


@given(rules, st.lists(situations, min_size=5, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=CALM)
def test_a_guard_called_implied_never_refuses_alone(written, given_situations):
    one = version([(text, "deny") for text, _ in written])
    listed = dead_rules(one.catalog, "act", (), InProcess())
    assert listed["unused"] == [rule.id for rule in one.catalog.invariants]  # no theorem, so none needs a guard
    for entry in listed["implied"]:
        nodes = one.rules("act", "deny")
        for values in given_situations:
            if all(truth(node, values) is True for name, node in nodes.items() if name != entry["rule"]):
                event("a situation the others pass")
                assert truth(nodes[entry["rule"]], values) is True
