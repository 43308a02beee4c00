"""Z3 as the slow twin: whatever the checker accepts is valid, and what the prover refutes is not."""

from fractions import Fraction

import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.verifier.core.check import Refused, check_obligation
from steward.verifier.core.polynomials import true_at
from steward.verifier.provers.counter import to_z3
from steward.verifier.provers.search import answer

VARIABLES = {"x": "real", "y": "real", "n": "int"}
BOX = [
    [">=", [["1"], ["1", "x"]]],
    [">=", [["2"], ["-1", "x"]]],
    [">=", [["1", "y"]]],
    [">=", [["3"], ["-1", "y"]]],
    [">=", [["1", "n"]]],
    [">=", [["4"], ["-1", "n"]]],
]
MONOMIALS = [(), ("n",), ("n", "x"), ("x",), ("x", "y"), ("y",)]
polys = st.dictionaries(st.sampled_from(MONOMIALS), st.integers(-6, 9).filter(bool), min_size=1, max_size=4).map(
    lambda found: [[str(found[m]), *m] for m in sorted(found)]
)
atoms = st.tuples(st.sampled_from([">=", ">=", ">", "="]), polys).map(list)
formulas = st.recursive(
    atoms,
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, max_size=3)).map(lambda t: [t[0], *t[1]]),
    max_leaves=4,
)


def valid(obligation):
    names = {name: (z3.Int if sort == "int" else z3.Real)(name) for name, sort in VARIABLES.items()}
    solver = z3.Solver()
    solver.set("timeout", 2_000)
    for hypothesis in obligation["hypotheses"]:
        solver.add(to_z3(hypothesis, names))
    solver.add(z3.Not(to_z3(obligation["goal"], names)))
    return {"unsat": True, "sat": False}.get(str(solver.check()))


def make(goal, extra):
    return {"variables": VARIABLES, "hypotheses": [*BOX, *extra], "goal": goal}


@given(formulas, st.lists(formulas, max_size=2))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_proved_is_valid_and_refuted_is_not(goal, extra):
    obligation = make(goal, extra)
    found = answer(obligation, 0.5)
    if found["status"] == "proved":
        check_obligation(obligation, found["tree"])
        assert valid(obligation) is not False
    elif found["status"] == "refuted":
        point = {name: Fraction(value) for name, value in found["point"].items()}
        assert all(true_at(h, point) for h in obligation["hypotheses"])
        assert not true_at(goal, point)


multipliers = st.sampled_from(["1", "2", "1/2", "3", "-1", "1/3", "4", "5"])
leaves = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 8), multipliers).map(list),
        st.tuples(st.integers(0, 8), st.integers(0, 8), multipliers).map(list),
    ),
    min_size=1,
    max_size=4,
).map(lambda terms: ["F", terms])
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.just("S"), st.integers(0, 8), st.lists(inner, max_size=3)).map(list),
        st.tuples(st.sampled_from(["C", "P"]), polys, st.sampled_from(["0", "1", "2"]), inner, inner).map(list),
    ),
    max_leaves=3,
)


@given(formulas, trees)
@settings(max_examples=400, deadline=None)
def test_a_forged_certificate_is_accepted_only_if_the_goal_is_valid(goal, tree):
    obligation = make(goal, [])
    try:
        check_obligation(obligation, tree)
    except Refused:
        return
    assert valid(obligation) is not False


@given(polys, st.data())
@settings(max_examples=100, deadline=None)
def test_no_other_multiplier_makes_the_same_certificate(poly, data):
    obligation = make([">=", poly], [])
    found = answer(obligation, 0.5)
    if found["status"] != "proved" or found["tree"][0] != "F":
        return
    terms = found["tree"][1]
    term = data.draw(st.sampled_from(terms))
    original = term[-1]
    term[-1] = data.draw(st.fractions(-20, 20, max_denominator=30).map(str).filter(lambda text: text != original))
    try:
        check_obligation(obligation, found["tree"])
    except Refused:
        return
    raise AssertionError(f"accepted with {term} instead of {original}")
