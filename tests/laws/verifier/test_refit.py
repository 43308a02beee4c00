"""Fitted certificates: what the checker accepts on other numbers is accepted again; what is false is never."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.verifier.core.check import Refused, check_obligation, digest
from steward.verifier.provers.refit import _with_leaves, fitted, trees_of

NUMBER = st.integers(-(10**12), 10**12)


def budget(available, held, amount):
    """For any part of what is held: available less that part is at least the amount."""
    found = {
        "invariant": "b",
        "variables": {"x": "int"},
        "hypotheses": [[">=", [["1", "x"]]], [">=", _poly(held, "-1")]],
        "goal": [">=", _poly(available - amount, "-1")],
    }
    return {**found, "digest": digest(found)}


def _poly(constant, slope):
    return [*([[str(constant)]] if constant else []), [slope, "x"]]


def accepts(obligation, tree):
    try:
        check_obligation(obligation, tree)
    except (Refused, ValueError, TypeError, KeyError, IndexError):
        return False
    return True


TREE = ["F", [[1, "1/3"], [2, "1/3"]]]


@given(NUMBER, st.integers(1, 10**12), NUMBER)
def test_a_fitted_certificate_is_accepted_exactly_where_the_rule_holds_for_every_value(available, held, amount):
    obligation = budget(available, held, amount)
    tree = fitted(obligation, TREE)
    assert (tree is not None and accepts(obligation, tree)) == (available - held >= amount)


@given(NUMBER, st.integers(1, 10**12), NUMBER, st.integers(1, 50), st.integers(1, 50))
def test_multipliers_of_another_proportion_are_never_believed(available, held, amount, one, other):
    obligation = budget(available, held, amount)
    scaled = ["F", [[1, str(Fraction(one, 7))], [2, str(Fraction(other, 7))]]]
    tree = fitted(obligation, scaled)
    if tree is not None and accepts(obligation, tree):
        assert one == other
        assert available - held >= amount


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_split_is_fitted_branch_by_branch(low, high):
    """x <= -low or x >= high implies x*1 != 0, shown in each branch."""
    found = {
        "invariant": "s",
        "variables": {"x": "real"},
        "hypotheses": [["or", [">=", [[str(-low)], ["-1", "x"]]], [">=", [[str(-high)], ["1", "x"]]]]],
        "goal": ["or", [">", [["1", "x"]]], [">", [["-1", "x"]]]],
    }
    obligation = {**found, "digest": digest(found)}
    loose = ["S", 0, [["F", [[2, "1/9"], [3, "1/9"]]], ["F", [[1, "1/9"], [3, "1/9"]]]]]
    tree = fitted(obligation, loose)
    assert tree is not None
    assert accepts(obligation, tree)
    assert not accepts(obligation, loose) or tree == loose


@pytest.mark.parametrize(
    "tree",
    [None, [], "F", ["F"], ["F", [[9, "1"]]], ["F", [["0", "1"]]], ["F", [[0, "x"]]], ["X", 1], ["S", 0, []], {"F": 1}],
)
def test_what_is_no_tree_is_no_suggestion(tree):
    assert fitted(budget(10, 1, 1), tree) is None


def test_the_trees_of_a_bundle_stand_under_their_rules():
    obligation = budget(10, 1, 1)
    bundle = {
        "obligations": [obligation],
        "certificates": [{"obligation_digest": obligation["digest"], "tree": TREE}],
    }
    assert trees_of(bundle) == {"b": TREE}
    assert trees_of({}) == {}
    assert _with_leaves(["C", [["1", "x"]], "1", ["F", []], ["F", []]], iter([[1], [2]])) == [
        "C",
        [["1", "x"]],
        "1",
        ["F", [1]],
        ["F", [2]],
    ]
