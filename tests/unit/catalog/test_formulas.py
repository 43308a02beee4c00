"""Formulas in their one form: nothing else in a file changes, and neither does what the catalog means."""

import shutil
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from steward.catalog import load_catalog, parse_yaml, rewritten
from steward.cli.main import main
from steward.kernel.errors import CatalogError
from steward.verifier.core.catalog import read_catalog
from steward.verifier.core.wording import canonical

MIXED = """# a comment
facts:   # kept
  - {name: a, type: int, why: 'it''s   a'}
states:
  - id: s
    holds:   "((a))  <=   3"   # why three
    why: x
  - {id: t, holds: a>=0, why: y}
  - {id: u, holds: '("x") = "y"', why: z}
invariants:
  - id: i
    when: |
      (a > 1)

    # between
    require: >-
      a = 2   and
      (a = 2)
    why: "((not a formula))"
kinds:
  - name: k
    effect: {a: "(a)+1"}
"""
CLEAN = """# a comment
facts:   # kept
  - {name: a, type: int, why: 'it''s   a'}
states:
  - id: s
    holds:   "a <= 3"   # why three
    why: x
  - {id: t, holds: a >= 0, why: y}
  - {id: u, holds: '"x" = "y"', why: z}
invariants:
  - id: i
    when: |
      a > 1

    # between
    require: >-
      a = 2 and a = 2
    why: "((not a formula))"
kinds:
  - name: k
    effect: {a: "a + 1"}
"""


def test_only_formulas_change_and_a_second_time_nothing_does():
    # a literal block ends with a line break, which is no part of the formula's form
    text, changed = rewritten(MIXED, "x.yaml", canonical)
    assert text == CLEAN
    assert [place.line for place in changed][:2] == [6, 8]
    again, left = rewritten(text, "x.yaml", canonical)
    assert again == text
    assert left == []


def test_line_ends_of_another_system_stay():
    text = MIXED.split("invariants:", maxsplit=1)[0].replace("\n", "\r\n")
    after, _ = rewritten(text, "x.yaml", canonical)
    assert after == CLEAN.split("invariants:", maxsplit=1)[0].replace("\n", "\r\n")


def test_a_formula_with_a_comment_stays_as_it_is():
    assert canonical('a  = "#"') == 'a  = "#"' or canonical('a  = "#"') == 'a = "#"'
    assert canonical("a  =  1 # why") == "a  =  1 # why"


def test_what_does_not_parse_names_file_line_rule_and_column():
    with pytest.raises(CatalogError) as refused:
        rewritten("states:\n  - id: s\n    holds: a <\n", "x.yaml", canonical)
    assert refused.value.where == "x.yaml line 3 s holds line 1, column 4"


def test_formatting_the_shipped_catalog_changes_no_digest(tmp_path):
    folder = tmp_path / "catalog"
    shutil.copytree(Path(str(files("steward.catalog"))), folder)
    run = CliRunner().invoke
    before = read_catalog(load_catalog(folder).documents)[0].digest
    first = run(main, ["catalog", "format", str(folder), "--json"])
    assert first.exit_code == 0, first.output
    assert run(main, ["catalog", "format", str(folder), "--check"]).exit_code == 0
    assert read_catalog(load_catalog(folder).documents)[0].digest == before


def test_check_names_files_and_lines_and_writes_nothing(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(MIXED)
    found = CliRunner().invoke(main, ["catalog", "format", str(tmp_path), "--check"])
    assert found.exit_code == 1
    assert "x.yaml line 6: s holds" in found.output
    assert file.read_text() == MIXED
    assert parse_yaml(MIXED, "x.yaml")
