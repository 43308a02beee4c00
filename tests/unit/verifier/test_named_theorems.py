"""Bundles name shipped theorems by digest: checked anywhere, with the shipped file and nothing of the repository."""

import json

import pytest
from click.testing import CliRunner

from steward.catalog import load_catalog
from steward.checking import build_verifier
from steward.cli.main import main
from steward.kernel.canonical import digest_hex
from steward.verifier import check_bundle


@pytest.fixture(scope="module")
def shipped():
    with build_verifier(load_catalog()) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def bundle(shipped):
    """The evidence of a kind's witness, as it is written to a file."""
    witness = shipped.catalog.witnesses["stock.reserve"]
    principal = {"id": "p", "roles": []}
    action = {"id": "a1", "kind": "stock.reserve", "params": witness["action"]["params"], "principal": principal}
    verdict = shipped.certify(action, witness["facts"], witness["now"])
    assert verdict.verdict == "ALLOW"
    return json.loads(json.dumps(verdict.bundle))


def checked(folder, bundle, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
    return CliRunner().invoke(main, ["verify", "check", "bundle.json"])


def test_a_bundle_of_the_shipped_catalog_checks_outside_the_repository(tmp_path, bundle, monkeypatch):
    assert all(set(entry) == {"state", "obligation_digest"} for entry in bundle["theorems"])
    found = checked(tmp_path, bundle, monkeypatch)
    assert (found.exit_code, found.output.strip()) == (0, "valid")


def test_a_theorem_that_no_file_has_is_named(tmp_path, bundle, monkeypatch):
    entry = {**bundle["theorems"][0], "obligation_digest": "0" * 64}
    harmed = {**bundle, "theorems": [entry, *bundle["theorems"][1:]]}
    harmed["digest"] = digest_hex({key: value for key, value in harmed.items() if key != "digest"})
    found = checked(tmp_path, harmed, monkeypatch)
    assert found.exit_code == 1
    assert f"theorem {entry['state']} is not known" in found.output


def test_without_any_file_of_theorems_the_checker_says_which_it_lacks(bundle):
    valid, reason = check_bundle(bundle)
    assert not valid
    assert f"theorem {bundle['theorems'][0]['state']} is not known" in reason


def test_every_theorem_the_catalog_demands_is_shipped_and_needs_no_prover(shipped):
    kinds, _ = shipped.prove_catalog(stored_only=True)
    assert {kind["kind"] for kind in kinds if kind["theorem"] is None} == set()
