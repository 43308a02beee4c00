"""Theorems of kinds: proved, shown false by a state, kept in a file that is never trusted, named in bundles."""

import copy
import json

import pytest
from click.testing import CliRunner

from steward.cli.main import main
from steward.verifier import Verifier, check_bundle, checked_theorems

NOW = "2026-01-01T00:00:00Z"
GUARD = "action.amount > 0 and budget.held + action.amount <= limit.cap"
DOCUMENT = {
    "facts": [
        {"name": "budget.held", "type": "money", "least": 0},
        {"name": "limit.cap", "type": "money"},
        {"name": "order.status", "type": {"enum": ["open", "paid", "closed"]}},
        {"name": "order.settled", "type": "int"},
    ],
    "states": [
        {"id": "under-cap", "holds": "budget.held <= limit.cap", "why": "w"},
        {"id": "closed-settled", "holds": 'order.status = "closed" implies order.settled >= 1', "why": "w"},
    ],
    "kinds": [
        {"name": "hold", "params": {"amount": "money"}, "effect": {"budget.held": "budget.held + action.amount"}},
        {"name": "close", "params": {}, "effect": {"order.status": '"closed"'}},
        {"name": "look", "params": {}},
    ],
    "invariants": [
        {"id": "in-cap", "on": ["hold"], "require": GUARD, "otherwise": "deny", "why": "w"},
        {"id": "small", "on": ["hold"], "require": "action.amount <= limit.cap", "otherwise": "deny", "why": "w"},
        {"id": "settled", "on": ["close"], "require": "order.settled > 0", "otherwise": "deny", "why": "w"},
    ],
}


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


def changed(rule, formula):
    document = copy.deepcopy(DOCUMENT)
    next(r for r in document["invariants"] if r["id"] == rule)["require"] = formula
    return document


ACTION = {"id": "a", "kind": "hold", "params": {"amount": gbp(5)}, "principal": {"id": "p", "roles": []}}
FACTS = {"budget.held": gbp(1), "limit.cap": gbp(10)}


@pytest.fixture(scope="module")
def judge():
    with Verifier.from_documents([("rules.yaml", DOCUMENT)]) as verifier:
        verifier.prove_catalog()
        yield verifier


def test_every_kind_with_an_effect_has_its_theorem_and_says_what_it_rests_on(judge):
    kinds, nothing = judge.prove_catalog()
    assert [(k["kind"], k["theorem"], [s["uses"] for s in k["states"]]) for k in kinds] == [
        ("hold", "proved", [["in-cap"]]),
        ("close", "proved", [["settled"]]),
    ]
    assert nothing == ["look"]


def test_a_verdict_names_the_theorem_and_its_assumptions(judge):
    verdict = judge.certify(ACTION, FACTS, NOW)
    assert verdict.verdict == "ALLOW"
    assert [(f.id, f.basis, f.status) for f in verdict.findings][-1] == ("under-cap", "theorem", "holds")
    assert any("effect" in sentence for sentence in verdict.assumptions)
    assert judge.check(verdict.bundle).valid
    assert judge.rebuild(verdict.bundle).valid
    assert check_bundle(verdict.bundle) == (True, "")  # the theorem rides along: nothing else is needed


def test_a_bundle_names_a_stored_theorem_by_digest_alone(judge):
    book = json.loads(json.dumps(judge.theorems.book()))
    with Verifier.from_documents([("rules.yaml", DOCUMENT)], book=book) as other:
        bundle = other.certify(ACTION, FACTS, NOW).bundle
        assert set(bundle["theorems"][0]) == {"state", "obligation_digest"}
        assert other.check(bundle).valid
        assert other.rebuild(bundle).valid
        assert other.prover.process is None  # nothing was proved again
    assert not check_bundle(bundle)[0]
    assert check_bundle(bundle, checked_theorems(book)) == (True, "")


@pytest.mark.parametrize("harm", ["tree", "goal", "uses", "state"])
def test_a_stored_theorem_is_never_believed(judge, harm):
    book = copy.deepcopy(judge.theorems.book())
    entry = book["theorems"][0]
    if harm == "tree":
        entry["tree"] = ["F", [[0, "1"]]]
    elif harm == "goal":
        entry["obligation"]["goal"] = [">=", [["1", "budget.held"]]]
    elif harm == "uses":
        entry["uses"] = []
    else:
        entry["state"] = "closed-settled"
    with Verifier.from_documents([("rules.yaml", DOCUMENT)], book=book) as other:
        assert ("hold", "under-cap") not in other.theorems.stored
        assert ("close", "closed-settled") in other.theorems.stored


@pytest.mark.parametrize("harm", ["drop", "other state", "unproved"])
def test_a_bundle_whose_theorem_was_tampered_with_is_refused(judge, harm):
    from steward.kernel.canonical import digest_hex

    bundle = copy.deepcopy(judge.certify(ACTION, FACTS, NOW).bundle)
    if harm == "drop":
        del bundle["theorems"]
    elif harm == "other state":
        bundle["theorems"][0]["state"] = "closed-settled"
    else:
        bundle["theorems"][0]["tree"] = ["F", []]
    bundle["digest"] = digest_hex({k: v for k, v in bundle.items() if k != "digest"})
    assert not check_bundle(bundle)[0]
    assert not judge.rebuild(bundle).valid


def test_without_its_guard_a_theorem_is_missing_and_a_state_shows_why():
    with Verifier.from_documents([("rules.yaml", changed("in-cap", "action.amount > 0"))]) as verifier:
        kinds, _ = verifier.prove_catalog()
        (state,) = kinds[0]["states"]
        assert kinds[0]["theorem"] is None
        before, after = state["counterexample"]["before"], state["counterexample"]["after"]
        assert after["budget.held"]["amount_minor"] > before["limit.cap"]["amount_minor"]
        assert "budget.held" in state["why"]
        verdict = verifier.certify(ACTION, FACTS, NOW)
        assert verdict.verdict == "ESCALATE"
        assert verifier.rebuild(verdict.bundle).valid


def test_dead_rules_are_those_others_imply_and_those_no_theorem_needs(judge):
    found = judge.dead_rules("hold")
    assert [entry["rule"] for entry in found["implied"]] == ["small"]
    assert found["implied"][0]["by"] == ["in-cap"]
    assert found["unused"] == ["small"]


@pytest.mark.parametrize(
    ("rule", "formula", "holds"),
    [
        ("in-cap", "action.amount > 0 and budget.held + 2 * action.amount <= limit.cap", True),
        ("in-cap", "action.amount > 0 and budget.held + action.amount <= 2 * limit.cap", False),
        ("settled", "order.settled >= 1", True),
        ("settled", "order.settled >= 0", False),
    ],
)
def test_a_new_version_is_as_strict_or_values_show_that_it_is_not(judge, rule, formula, holds):
    with Verifier.from_documents([("rules.yaml", changed(rule, formula))]) as newer:
        found = {entry["rule"]: entry for entry in newer.refines(judge)}
    assert found[rule]["holds"] == holds
    assert holds or found[rule]["counterexample"]


def test_limits_that_differ_are_compared_by_value():
    same = [("rules.yaml", DOCUMENT)]
    with (
        Verifier.from_documents(same, {"cap": gbp(100)}) as old,
        Verifier.from_documents(same, {"cap": gbp(90)}) as strict,
        Verifier.from_documents(same, {"cap": gbp(110)}) as loose,
    ):
        assert all(entry["holds"] for entry in strict.refines(old))
        assert not all(entry["holds"] for entry in loose.refines(old))


@pytest.mark.parametrize(
    ("amount", "facts", "nearest"),
    [
        (50, FACTS, {"amount": gbp(9)}),
        (0, FACTS, {"amount": gbp(1)}),
        (50, {**FACTS, "budget.held": {"any_subset_of": [gbp(1), gbp(3)]}}, {"amount": gbp(6)}),
        (50, {**FACTS, "budget.held": gbp(10)}, {}),
    ],
)
def test_a_refusal_names_the_nearest_amount_that_would_be_allowed(judge, amount, facts, nearest):
    action = {**ACTION, "params": {"amount": gbp(amount)}}
    assert judge.certify(action, facts, NOW).nearest == {}, "it is looked for when asked"
    verdict = judge.certify(action, facts, NOW, suggests=True)
    assert verdict.verdict == "DENY"
    assert verdict.nearest == nearest
    if nearest:
        assert judge.certify({**action, "params": nearest}, facts, NOW).verdict == "ALLOW"


def test_the_command_proves_a_folder_and_keeps_its_theorems(tmp_path):
    (tmp_path / "rules.yaml").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    command = ["verify", "prove-catalog", "--catalog", str(tmp_path), "--json"]
    assert CliRunner().invoke(main, [*command, "--check"]).exit_code == 1
    found = CliRunner().invoke(main, [*command, "--write"])
    assert found.exit_code == 0
    kinds = json.loads(found.stdout)["kinds"]
    assert all({"kind", "theorem", "certificate_bytes", "ms"} <= set(kind) for kind in kinds)
    assert CliRunner().invoke(main, [*command, "--check"]).exit_code == 0
    (tmp_path / "rules.yaml").write_text(json.dumps(changed("settled", "order.settled >= 0")), encoding="utf-8")
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["kinds"][1]["theorem"] is None


def test_the_shipped_theorems_are_those_the_shipped_catalog_demands():
    assert CliRunner().invoke(main, ["verify", "prove-catalog", "--check"]).exit_code == 0


def test_a_counterexample_of_a_looser_version_is_allowed_by_all_of_it_and_denied_by_the_old(judge):
    """A rule that has nothing to do with the one that was loosened must let the values through as well."""
    document = changed("in-cap", "action.amount > 0 and budget.held + action.amount <= 2 * limit.cap")
    strange = {"id": "strange", "on": ["hold"], "require": "order.settled > 41", "otherwise": "deny", "why": "w"}
    document["invariants"] = [*document["invariants"], strange]
    with Verifier.from_documents([("rules.yaml", document)]) as newer:
        found = {entry["rule"]: entry for entry in newer.refines(judge)}["in-cap"]
        assert (found["holds"], found["new"], found["old"]) == (False, "ALLOW", "DENY")
        values = found["counterexample"]
        params = {name.removeprefix("action."): v for name, v in values.items() if name.startswith("action.")}
        facts = {name: value for name, value in values.items() if name in newer.catalog.facts}
        action = {**ACTION, "params": params}
        verdicts = [one.certify(action, facts, NOW) for one in (newer, judge)]
    guards = [{f.id: f.status for f in verdict.findings if f.otherwise == "deny"} for verdict in verdicts]
    assert set(guards[0].values()) == {"holds"}
    assert guards[1]["in-cap"] == "fails"
    assert verdicts[1].verdict == "DENY"
