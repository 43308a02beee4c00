"""What the documents say exists, exists: files, commands, options, make targets, packages, headings."""

import re
import shlex
from pathlib import Path

import click
import pytest

from steward.catalog import load_catalog
from steward.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md")])
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}


def code_spans(text):
    return [
        " ".join(span.split()) for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    ]


def command_lines(text):
    blocks = re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in [*lines, *code_spans(text)] if re.match(r"(steward|make) \S", line)]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_lead_somewhere(page):
    prose = re.sub(r"```.*?```", "", TEXTS[page], flags=re.DOTALL)  # a pattern in a formula looks like a link
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_paths_in_backticks_exist(page):
    roots = (ROOT, ROOT / "src/steward", ROOT / "tests", ROOT / "src/steward/verifier")
    spans = [
        s for s in code_spans(TEXTS[page]) if re.fullmatch(r"[\w./-]+/[\w./-]*|[\w./-]+\.(md|py|sql|yaml|toml)", s)
    ]
    ours = [s for s in spans if not s.startswith("/")]  # an absolute path is the reader's machine, not the project
    missing = [s for s in ours if not re.search(r"[A-Z]{4}|NNNN", s) and not any((r / s).exists() for r in roots)]
    bare = [s for s in missing if not any(any((ROOT / top).rglob(s)) for top in ("src", "tests", "bench"))]
    assert bare == []


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in command_lines(TEXTS[page]):
        words = shlex.split(line)
        if words[0] == "make":
            assert words[1] in targets, line
            continue
        command = main
        for word in words[1:]:
            if isinstance(command, click.Group) and not word.startswith("-"):
                assert word in command.commands or word.isdecimal(), line  # a number is an option's value
                command = command.commands.get(word, command)
            elif word.startswith("-"):
                assert any(word in parameter.opts for parameter in command.params) or word == "--help", line


def test_every_decision_has_its_headings():
    for page in ROOT.glob("docs/decisions/*.md"):
        headings = re.findall(r"^## (.+)$", TEXTS[page], re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"], page.name


def test_decisions_are_numbered_without_gaps():
    numbers = sorted(int(page.name[:4]) for page in ROOT.glob("docs/decisions/*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_rules_that_are_said_to_keep_guardrails_exist():
    text = TEXTS[ROOT / "docs/concepts/catalog.md"]
    known = {rule.id for _, file in load_catalog().rule_files for rule in file.invariants}
    tables = text[text.index("## The owner's guardrails") :]
    named = {
        span for line in tables.splitlines() if line.startswith("|") for span in re.findall(r"`([a-z0-9-]+)`", line)
    }
    assert named - known == set()
    assert len(named) >= 40


def test_the_readme_is_one_screen():
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= 90


def test_the_architecture_names_every_package_and_stays_short():
    text = TEXTS[ROOT / "ARCHITECTURE.md"]
    assert len(text.splitlines()) < 400
    packages = {path.parent.name for path in (ROOT / "src/steward").glob("*/__init__.py")}
    assert {package for package in packages if f"`{package}`" not in text} == set()


def test_the_architecture_names_every_table():
    schema = (ROOT / "src/steward/infra/schema.sql").read_text(encoding="utf-8")
    tables = set(re.findall(r"CREATE TABLE (\w+)", schema))
    text = TEXTS[ROOT / "ARCHITECTURE.md"]
    assert {table for table in tables if not re.search(rf"\b{table}\b", text)} == set()


def test_settings_are_documented():
    source = (ROOT / "src/steward/infra/settings.py").read_text(encoding="utf-8")
    names = set(re.findall(r"STEWARD_[A-Z_]+", source))
    text = "\n".join(TEXTS.values())
    assert {name for name in names if name not in text} == set()


def test_the_data_are_attributed():
    text = (ROOT / "src/steward/catalog/samples/ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in text
    assert "10.24432/C5BW33" in text
