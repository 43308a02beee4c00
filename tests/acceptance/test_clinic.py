"""The tutorial's clinic, through the command line as a reader would run it: every case comes out as it says."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from steward.catalog import read_yaml_folder
from steward.cli.main import main
from steward.verifier import Verifier
from steward.verifier.core import theorems

CLINIC = Path(__file__).parents[2] / "examples" / "clinic"
EXPECTED = json.loads((CLINIC / "expected.json").read_text(encoding="utf-8"))
GUIDE = (CLINIC.parents[1] / "docs" / "guides" / "gate-another-business.md").read_text(encoding="utf-8")


def asked(case):
    folder = CLINIC / "cases" / case
    words = ["verify", "decide", "--json", "--catalog", str(CLINIC / "rules")]
    return [*words, "--facts", str(folder / "facts.json"), "--action", str(folder / "action.json")]


@pytest.mark.parametrize("case", EXPECTED)
def test_a_case_comes_out_as_it_says(case):
    ran = CliRunner().invoke(main, asked(case), prog_name="steward")
    found = json.loads(ran.stdout)
    because = sorted({reason["id"] for reason in (*found["determining"], *found["errored"])})
    allowed = found["verdict"] == "ALLOW"  # then every rule stands there
    assert {"verdict": found["verdict"], "because": [] if allowed else because} == EXPECTED[case], ran.stdout
    assert ran.exit_code == (0 if found["verdict"] == "ALLOW" else 1), ran.stderr


def test_a_process_of_its_own_says_the_same():
    for case in (next(c for c in EXPECTED if EXPECTED[c]["verdict"] == said) for said in ("ALLOW", "DENY")):
        command = [sys.executable, "-m", "steward", *asked(case)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert json.loads(ran.stdout)["verdict"] == EXPECTED[case]["verdict"], ran.stderr
        assert ran.returncode == (0 if EXPECTED[case]["verdict"] == "ALLOW" else 1)


def test_every_case_is_expected_and_every_rule_stops_one():
    assert {path.name for path in (CLINIC / "cases").iterdir()} == set(EXPECTED)
    with Verifier.from_documents(read_yaml_folder(CLINIC / "rules")) as verifier:
        assert verifier.self_test() == []
        assert len(verifier.invariant_ids()) == 10
        stopped = {rule for case in EXPECTED.values() for rule in case["because"]}
        assert stopped == set(verifier.invariant_ids())


def test_every_guard_that_a_theorem_needs_is_missed():
    """All states of the clinic are kept by what its kinds do; without the rules that keep them they are not."""
    with Verifier.from_documents(read_yaml_folder(CLINIC / "rules")) as verifier:
        catalog = verifier.catalog

        def lost(catalog):
            asked = [
                theorems.question(catalog, kind, state) for kind in catalog.kinds for state in catalog.touched(kind)
            ]
            return {q.state.id for q in asked if verifier.prover.ask(q.obligation)["status"] != "proved"}

        def without(name):
            return replace(catalog, invariants=tuple(rule for rule in catalog.invariants if rule.id != name))

        assert lost(catalog) == set()
        assert lost(without("eight-hours-a-day")) == {"doctors-have-evenings"}
        assert lost(without("within-opening-hours")) == {"held-time-not-negative"}
        assert lost(without("one-visit-at-a-time")) == {"one-patient-at-a-time"}
        assert lost(without("licensed-for-it")) == {"only-licensed-services"}
        assert lost(without("reminders-say-nothing-of-health")) == {"nothing-is-disclosed"}


def test_the_guide_quotes_the_rules_as_they_are():
    text = (CLINIC / "rules" / "desk.yaml").read_text(encoding="utf-8")
    [(_, document)] = read_yaml_folder(CLINIC / "rules")
    assert all(f"`{rule['id']}`" in GUIDE for rule in document["invariants"])
    quoted = [block for block in GUIDE.split("```")[1::2] if block.startswith("yaml\n")]
    assert quoted
    for block in quoted:
        assert block.removeprefix("yaml\n") in text
