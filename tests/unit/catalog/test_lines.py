"""What is wrong in a catalog is named with its file and line, and in a formula with line and column."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from steward.catalog import check_links, check_rules, load_catalog, read_yaml_folder
from steward.checking import check_catalog
from steward.kernel.errors import CatalogError
from steward.verifier import Verifier
from steward.verifier.core.catalog import read_catalog

RULES = """facts:
  - {name: order.captured, type: money}
  - name: order.refunded
    type: money
kinds:
  - name: refund
    params: {amount: money}
    effect:
      order.refunded: "order.refunded + action.amount"
invariants:
  - id: within
    on: [refund]
    when: "true"
    require: |
      # all of it
      order.refunded +
        action.amount <= order.captured
    otherwise: deny
    why: nobody gets more than they paid
    examples:
      - {facts: {}, action: {}, verdict: ESCALATE}
states:
  - {id: kept, holds: "order.refunded <= order.captured", why: w}
"""

WRONG = [
    ("action.amount <= order", "action.amuont <= order", "rules.yaml line 17 within require line 3, column 3"),
    ("order.captured\n    otherwise", "GBP\n    otherwise", "rules.yaml line 17 within require line 3, column 20"),
    ('holds: "order.refunded', 'holds: "order.refund', "rules.yaml line 23 kept holds line 1, column 1"),
    ("refunded + action.amount", "refunded + 5", "rules.yaml line 9 refund effect order.refunded line 1, column 16"),
    ("    type: money", "    type: mony", "rules.yaml line 4 order.refunded"),
    ("params: {amount: money}", "params: {amount: cash}", "rules.yaml line 7 refund amount"),
    ("otherwise: deny", "otherwise: dney", "rules.yaml line 18 within"),
    ("    otherwise: deny\n", "", "rules.yaml line 11 within"),
    ("on: [refund]", "on: [refnd]", "rules.yaml line 12 within"),
    ('when: "true"', "whne: x", "rules.yaml line 13 within"),
    ("verdict: ESCALATE", "verdict: NO", "rules.yaml line 21 within examples[0]"),
    ("    why: nobody gets more than they paid\n", "", "rules.yaml line 11 within"),
    ("  - id: within\n    on", "  - on", "rules.yaml line 11 invariants[0]"),
    ("      order.refunded:", "      order.refnded:", "rules.yaml line 9 refund effect order.refnded"),
]


def folder_of(tmp_path, text):
    (tmp_path / "rules.yaml").write_text(text)
    return tmp_path


def test_the_catalog_is_right_before_it_is_made_wrong(tmp_path):
    assert read_catalog(read_yaml_folder(folder_of(tmp_path, RULES)))[1] == []


@pytest.mark.parametrize(("old", "new", "where"), WRONG)
def test_a_trouble_names_file_line_and_place_in_the_formula(tmp_path, old, new, where):
    assert RULES.count(old) == 1
    folder = folder_of(tmp_path, RULES.replace(old, new))
    _, troubles = read_catalog(read_yaml_folder(folder))
    assert where in [trouble["where"] for trouble in troubles]
    assert all(trouble["fix"] for trouble in troubles)
    with pytest.raises(CatalogError) as refused:
        Verifier.from_documents(read_yaml_folder(folder))
    assert str(refused.value).startswith("rules.yaml line ")


def test_an_example_that_comes_out_otherwise_is_found_at_its_line(tmp_path):
    with Verifier.from_documents(read_yaml_folder(folder_of(tmp_path, RULES))) as verifier:
        found = verifier.self_test()
    assert [trouble["where"] for trouble in found] == [
        "rules.yaml line 11 within",
        "rules.yaml line 21 within examples[0]",
    ]


def test_documents_without_a_file_are_named_without_a_line():
    document = {"facts": [{"name": "a", "type": "mony"}]}
    assert read_catalog([("made", document)])[1][0]["where"] == "made a"


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "catalog"
    shutil.copytree(Path(str(files("steward.catalog"))), folder)
    return folder


def changed(folder, name, old, new):
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("name", "old", "new", "key"),
    [
        ("actions/refund.issue.yaml", "\nverb:", "\nvrb:", "vrb"),
        ("actions/refund.issue.yaml", "\nstage: shadow", "\nstage: shade", "stage"),
        ("limits.yaml", ", owner: ", ", ownr: ", "ownr"),
        ("invariants/refunds.yaml", "    severity: ", "    svrity: ", "invariants.0.svrity"),
    ],
)
def test_a_key_that_does_not_fit_is_found_at_its_line(shop, name, old, new, key):
    line = changed(shop, name, old, new) + old.startswith("\n")
    with pytest.raises(CatalogError) as refused:
        assert load_catalog(shop).rule_files
    assert refused.value.where == f"{name} line {line} {key}"
    assert "\n" not in str(refused.value)


def test_a_missing_key_is_found_at_its_entry(shop):
    changed(shop, "actions/refund.issue.yaml", "\nverb:", "\n# verb:")
    with pytest.raises(CatalogError, match=r"actions/refund.issue.yaml line 1 verb: is missing"):
        load_catalog(shop)


def test_links_and_facts_are_found_at_their_lines(shop, monkeypatch):
    line = changed(shop, "actions/refund.issue.yaml", "\nverb: ", "\nverb: nowhere.") + 1
    catalog = load_catalog(shop)
    assert f"actions/refund.issue.yaml line {line}" in [problem["where"] for problem in check_links(catalog)]
    kind = catalog.kind("refund.issue")
    offered = {owner: set(kind.facts) for owner in kind.facts.values()}
    wanted = {"refund.issue": {*kind.facts, "order.nobody_says"} - {next(iter(kind.facts))}}
    text = (shop / "actions/refund.issue.yaml").read_text(encoding="utf-8").splitlines()
    lines = {f"actions/refund.issue.yaml line {text.index('facts:') + more}" for more in (1, 2)}
    found = {p["where"] for p in check_rules(catalog, wanted, offered) if p["where"].startswith("actions/refund.issue")}
    assert found == lines
    monkeypatch.setenv("STEWARD_CATALOG", str(shop))
    assert f"actions/refund.issue.yaml line {line}" in [e["where"] for e in check_catalog()["errors"]]


def test_a_formula_of_a_kind_or_a_limit_is_found_in_its_own_file(shop):
    line = (
        changed(
            shop, "actions/refund.issue.yaml", '\n  refunds.in_flight: "', '\n  refunds.in_flight: "order.nothing + '
        )
        + 1
    )
    _, troubles = read_catalog(load_catalog(shop).documents)
    where = f"actions/refund.issue.yaml line {line} refund.issue effect refunds.in_flight line 1, column 1"
    assert where in [trouble["where"] for trouble in troubles]
