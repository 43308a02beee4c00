"""parse(show(node)) == node for every formula, and the JSON form keeps it."""

import json
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from steward.kernel.errors import BadInput
from steward.verifier.core.formula import parse
from steward.verifier.core.printer import show
from steward.verifier.core.syntax import Apply, Braces, Choose, Fold, Literal, Reference, from_json, to_json

decimals = st.decimals(0, 10**6, places=4, allow_nan=False, allow_infinity=False).map(lambda d: Fraction(str(d)))
literals = st.one_of(
    st.builds(Literal, st.just("bool"), st.booleans()),
    st.builds(Literal, st.just("number"), decimals),
    st.builds(Literal, st.just("duration"), st.integers(0, 10**7).map(Fraction)),
    st.builds(Literal, st.sampled_from(["GBP", "JPY", "KWD"]), st.integers(0, 10**9).map(Fraction)),
    st.builds(Literal, st.just("text"), st.text(max_size=12)),
)
names = st.sampled_from(["a", "order.captured", "action.amount", "x.sku", "principal.roles", "now", "counted"])
leaves = st.one_of(literals, st.builds(Reference, names))


def _grown(inner):
    two = st.tuples(inner, inner)
    binary = [
        "=",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "and",
        "or",
        "implies",
        "in",
        "+",
        "-",
        "*",
        "/",
        "min",
        "max",
        "matches",
    ]
    return st.one_of(
        st.builds(Apply, st.sampled_from(binary), two),
        st.builds(Apply, st.sampled_from(["not", "-", "abs", "floor"]), st.tuples(inner)),
        st.builds(Choose, inner, inner, inner),
        st.builds(Fold, st.sampled_from(["all", "any", "count", "sum", "min", "max"]), st.just("x"), inner, inner),
        st.builds(Braces, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    )


formulas = st.recursive(leaves, _grown, max_leaves=14)


@given(formulas)
@settings(max_examples=600, deadline=None)
def test_text_reads_back_as_the_same_formula(node):
    assert parse(show(node)) == node


@given(formulas)
@settings(max_examples=200, deadline=None)
def test_json_reads_back_as_the_same_formula(node):
    assert from_json(json.loads(json.dumps(to_json(node)))) == node


@given(st.text(alphabet="ab.()<>=+-*/\"'{}:, \n1GBPifthenelseandornotin\\", max_size=40))
@settings(max_examples=600, deadline=None)
def test_any_text_is_a_formula_or_a_polite_error(text):
    try:
        node = parse(text)
    except BadInput as error:
        where = error.where
    else:
        assert parse(show(node)) == node
        where = "line "
    assert where.startswith("line ")
