"""Guards that do nothing are kept beside the catalog, told for nothing, and not believed of another catalog."""

import copy
import json

import pytest
from click.testing import CliRunner
from tests.unit.verifier.test_theorems import DOCUMENT, changed

from steward.catalog import read_yaml_folder
from steward.checking import check_catalog
from steward.cli.main import main
from steward.verifier import Verifier

DOCS = [("rules.yaml", DOCUMENT)]


@pytest.fixture(scope="module")
def book():
    with Verifier.from_documents(DOCS) as verifier:
        return json.loads(json.dumps(verifier.dead_rules_book(None)))


def known(document, book):
    with Verifier.from_documents([("rules.yaml", document)]) as verifier:
        return verifier.known_dead_rules(book)


def test_what_is_kept_is_what_was_found(book):
    with Verifier.from_documents(DOCS) as verifier:
        assert verifier.known_dead_rules(book) == {"hold": verifier.dead_rules("hold")} | {
            kind: verifier.dead_rules(kind) for kind in verifier.known_dead_rules(book) if kind != "hold"
        }
        (warning,) = [one for one in verifier.warnings(book) if "implied" in one["what"]]
    assert warning["where"] == "rules.yaml small"
    assert warning["what"] == "is implied by in-cap on hold"


@pytest.mark.parametrize(
    ("rule", "formula"), [("in-cap", "action.amount > 0 and budget.held <= limit.cap"), ("settled", "true")]
)
def test_what_was_found_of_other_rules_is_not_known_of_these(book, rule, formula):
    document = changed(rule, formula)
    (moved,) = [kind for entry in document["invariants"] if entry["id"] == rule for kind in entry["on"]]
    assert moved in known(DOCUMENT, book)
    assert moved not in known(document, book)
    with Verifier.from_documents([("rules.yaml", document)]) as verifier:
        assert [w for w in verifier.warnings(book) if w["where"] == "dead_rules.json" and moved in w["what"]]


def test_other_words_and_examples_leave_it_known(book):
    document = copy.deepcopy(DOCUMENT)
    for rule in document["invariants"]:
        rule["why"] = "for another reason"
    assert known(document, book) == known(DOCUMENT, book)


@pytest.mark.parametrize("change", ["tree", "by", "itself"])
def test_a_certificate_that_the_checker_refuses_is_left_out(book, change):
    forged = copy.deepcopy(book)
    entry = next(entry for entry in forged["kinds"] if entry["kind"] == "hold")["implied"][0]
    entry |= {"tree": {"tree": ["F", []]}, "by": {"by": []}, "itself": {"by": ["small"]}}[change]
    assert "hold" not in known(DOCUMENT, forged)
    assert "hold" in known(DOCUMENT, book)


@pytest.mark.parametrize("document", [None, {}, {"format": "x", "kinds": []}, {"format": "steward-dead-rules/1"}])
def test_a_file_that_is_none_says_nothing(document):
    assert known(DOCUMENT, document) == {}


def test_the_commands_write_it_tell_it_and_find_it_stale(tmp_path):
    run = CliRunner().invoke
    (tmp_path / "rules.yaml").write_text(json.dumps(DOCUMENT), encoding="utf-8")
    prove = ["verify", "prove-catalog", "--catalog", str(tmp_path)]
    assert run(main, [*prove, "--write"]).exit_code == 0
    told = run(main, [*prove, "--check"])
    assert told.exit_code == 0
    assert "warning: rules.yaml line 1 small is implied by in-cap on hold" in told.stdout
    dead = ["catalog", "dead-rules", "--catalog", str(tmp_path), "--json"]
    assert json.loads(run(main, dead).stdout) == json.loads(run(main, [*dead, "--afresh"]).stdout)
    theorems = (tmp_path / "theorems.json").read_text(encoding="utf-8")
    (tmp_path / "dead_rules.json").unlink()
    assert run(main, [*prove, "--check"]).exit_code == 0, "who keeps none has none that could drift"
    run(main, [*prove, "--write"])
    assert (tmp_path / "theorems.json").read_text(encoding="utf-8") == theorems
    document = copy.deepcopy(DOCUMENT)
    document["invariants"] = [rule for rule in document["invariants"] if rule["id"] != "small"]
    (tmp_path / "rules.yaml").write_text(json.dumps(document), encoding="utf-8")
    stale = run(main, [*prove, "--check"])
    assert stale.exit_code == 1
    assert "dead_rules.json says nothing of hold" in stale.stdout
    with Verifier.from_documents(read_yaml_folder(tmp_path)) as verifier:
        assert verifier.warnings(None)


def test_the_shipped_list_is_about_the_shipped_catalog():
    found = check_catalog()
    assert found["errors"] == []
    assert [one for one in found["warnings"] if one["where"] == "dead_rules.json"] == []
