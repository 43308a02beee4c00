"""The checker on hand-written certificates: right ones pass, hostile ones are refused, and quickly."""

import ast
import copy
import json
import time
from fractions import Fraction
from pathlib import Path

import pytest

from steward.verifier.core import bundle as bundle_module
from steward.verifier.core import check
from steward.verifier.core.check import Refused, check_obligation

# for all 0 <= x <= 3, 0 <= y <= 2: 10 - 2x - 2y >= 0
LINEAR = {
    "invariant": "linear",
    "variables": {"x": "real", "y": "real"},
    "hypotheses": [
        [">=", [["1", "x"]]],
        [">=", [["3"], ["-1", "x"]]],
        [">=", [["1", "y"]]],
        [">=", [["2"], ["-1", "y"]]],
    ],
    "goal": [">=", [["10"], ["-2", "x"], ["-2", "y"]]],
}
PROOF = ["F", [[1, "2"], [3, "2"], [4, "1"]]]
# 2x + 2y - 10 > 0, + 2(3 - x) + 2(2 - y) = 0: constant 0, one strict multiplier of 1


def refused(tree, obligation=LINEAR):
    start = time.perf_counter()
    with pytest.raises((Refused, TypeError, ValueError, RecursionError)) as caught:
        check_obligation(obligation, tree)
    assert time.perf_counter() - start < 1.0
    return str(caught.value)


def test_a_farkas_leaf_is_accepted():
    check_obligation(LINEAR, PROOF)


def test_a_case_split_is_accepted():
    either = {**LINEAR, "goal": ["or", [">=", [["1", "x"]]], [">", [["-1", "x"]]]]}
    check_obligation(either, ["F", [[0, "1"], [4, "1"]]])
    choice = {
        "variables": {"x": "real"},
        "hypotheses": [["or", [">=", [["-1"], ["1", "x"]]], [">=", [["-1"], ["-1", "x"]]]]],
        "goal": [">=", [["-1"], ["1", "x", "x"]]],
    }
    right = ["F", [[1, "1"], [2, "2"], [2, 2, "1"]]]
    check_obligation(choice, ["S", 0, [right, right]])
    refused(["S", 0, [right]], choice)
    refused(["S", 1, [right, right]], choice)
    check_obligation(choice, ["S", 0, [["S", 0, [right, right]], right]])  # twice the same: idle, and no harm


def test_a_whole_number_cut_needs_whole_numbers():
    parity = {
        "variables": {"x": "int"},
        "hypotheses": [["=", [["-1"], ["2", "x"]]]],
        "goal": ["or"],
    }
    tree = ["C", [["1", "x"]], "0", ["F", [[0, "1"], [1, "2"]]], ["F", [[0, "-1"], [1, "2"]]]]
    check_obligation(parity, tree)
    refused(tree, {**parity, "variables": {"x": "real"}})
    refused(["C", [["1/2", "x"]], *tree[2:]], parity)
    refused(["C", [["1", "x"]], "1/2", *tree[3:]], parity)
    refused(["P", *tree[1:]], parity)


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize(
    "value", ["1/2", "3", "-1", "0", "2/1", "4/2", "02", "+2", "-0", "2.0", "1e3", 2, 2.0, True, None, ["2"]]
)
def test_any_other_multiplier_is_refused(index, value):
    tree = copy.deepcopy(PROOF)
    tree[1][index][-1] = value
    refused(tree)


@pytest.mark.parametrize(
    "tree",
    [
        ["F", [[1, "4"], [3, "4"], [4, "2"]]],
        ["F", [[1, "2"], [3, "2"], [4, "1"], [4, "1"]]],
        ["F", [[3, "2"], [1, "2"], [4, "1"]]],
        ["F", [[True, "2"], [3, "2"], [4, "1"]]],
        ["F", [[1.0, "2"], [3, "2"], [4, "1"]]],
        ["F", [[-4, "2"], [3, "2"], [4, "1"]]],
        ["F", [[1, "2"], [3, "2"], [5, "1"]]],
        ["F", [[1, "2"], [3, "2"], [4, "1e999999"]]],
        ["F", [[1, "2"], [3, "2"], [4, "1" * 41]]],
        ["F", [[1, "2"], [3, "2"], [4, "1/0"]]],
        ["F", [[1, "2"], [3, "2"], [4, "\u0661"]]],
        ["F", [[1, 3, 4, "1"]]],
        ["F", []],
        ["F", [["1"]]],
        ["F", [[]]],
        ["F"],
        [],
        None,
        {},
        "F",
        ["G", [[1, "2"]]],
        ["S", 0, []],
        ["P", [["0", "x"]], "1", PROOF, PROOF],
        ["P", [["1"]], "1", PROOF, PROOF],
        ["P", [["1", "z"]], "1", PROOF, PROOF],
        ["P", [["1", "x"], ["1", "x"]], "1", PROOF, PROOF],
        ["P", [["1", "y"], ["1", "x"]], "1", PROOF, PROOF],
        ["P", [["1", *["x"] * 9]], "1", PROOF, PROOF],
        ["F", [[1, "2"], [3, "2"], [4, "1"]], "more"],
    ],
)
def test_hostile_trees_are_refused(tree):
    refused(tree)


def test_deep_wide_and_long_certificates_are_refused_quickly():
    deep = PROOF
    for _ in range(300):
        deep = ["P", [["1", "x"]], "1", PROOF, deep]
    refused(deep)
    refused(["F", [[1, "2"]] * 20_000])
    nested = []
    for _ in range(5_000):
        nested = [nested]
    refused(nested)
    many = {**LINEAR, "hypotheses": [[">=", [[str(10**39 + i), "x"], ["1", "y"]]] for i in range(400)]}
    refused(["F", [[i, j, f"1/{10**39 + 7 * i + j}"] for i in range(40) for j in range(i, 40)]], many)


def test_a_constant_true_hypothesis_cannot_be_named():
    padded = {**LINEAR, "hypotheses": [*LINEAR["hypotheses"], [">=", [["1"]]]]}
    check_obligation(padded, ["F", [[1, "2"], [3, "2"], [5, "1"]]])
    assert "constant" in refused(["F", [[1, "2"], [3, "2"], [4, "1"], [5, "1"]]], padded)


def test_a_false_goal_has_no_certificate_among_small_ones():
    wrong = {**LINEAR, "goal": [">=", [["9"], ["-2", "x"], ["-2", "y"]]]}
    for a in range(4):
        for b in range(4):
            for c in range(1, 4):
                terms = [[i, str(Fraction(s, c))] for i, s in ((1, a), (3, b), (4, c)) if s]
                refused(["F", terms], wrong)


def test_the_checker_imports_the_standard_library_only():
    allowed = {"__future__", "hashlib", "json", "math", "re", "fractions", "typing"}
    for module, more in ((check, set()), (bundle_module, {"steward.verifier.core.check"})):
        source = Path(module.__file__).read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= allowed
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                assert node.module in allowed | more
            assert not (isinstance(node, ast.Name) and node.id in ("eval", "exec", "__import__", "float", "open"))
    assert len(Path(check.__file__).read_text(encoding="utf-8").splitlines()) < 200


def test_canonical_json_is_the_kernel_s():
    from steward.kernel import canonical

    for value in ({"b": [1, "é\u2028", None, True], "a": {"x": -5}}, [], {"ä": 1, "z": 2}):
        assert check.canonical(value) == canonical.canonical_text(value)
        assert check.digest(value) == canonical.digest_hex(value)
        assert json.loads(check.canonical(value)) == value
