"""Packages meet at doors; cores are pure; every package says what it is. What import-linter cannot see."""

import ast
from pathlib import Path

import grimp
import pytest

SRC = Path(__file__).parents[2] / "src" / "steward"
SERVICES = sorted(path.parent.name for path in SRC.glob("*/core"))
OPEN = {"kernel", "contracts", "infra"}  # imported file by file: no door, no re-export
INSIDE = "steward.offline."  # cut out of cores into one file: a door would bring the database along


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("steward", cache_dir=None)


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(graph):
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            yield importer, imported


def test_outsiders_use_the_door(graph):
    crossings = [
        f"{importer} -> {imported}"
        for importer, imported in imports(graph)
        if package_of(imported) not in OPEN | {package_of(importer)}
        and imported.count(".") > 1
        and not importer.startswith(INSIDE)
    ]
    assert not [line for line in crossings if not line.startswith("steward.__main__")]


def test_a_core_imports_only_kernel_contracts_and_itself(graph):
    allowed = {"kernel", "contracts"}
    wrong = [
        f"{importer} -> {imported}"
        for importer, imported in imports(graph)
        if ".core" in importer
        and package_of(imported) not in allowed
        and not imported.startswith(f"steward.{package_of(importer)}.core")
    ]
    assert wrong == []


def test_a_core_imports_no_plumbing():
    banned = {
        "os",
        "pathlib",
        "random",
        "socket",
        "time",
        "logging",
        "asyncio",
        "subprocess",
        "psycopg",
        "httpx",
        "uuid",
    }
    wrong = []
    for path in SRC.glob("*/core/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            wrong += [f"{path.relative_to(SRC)}: {name}" for name in names if name.split(".")[0] in banned]
    assert wrong == []


@pytest.mark.parametrize("package", sorted(path.parent.name for path in SRC.glob("*/__init__.py")))
def test_a_package_says_what_it_is(package):
    text = ast.get_docstring(ast.parse((SRC / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    for heading in ("Promises", "Never", "Read next"):
        assert heading in text, f"{package} has no {heading}"


@pytest.mark.parametrize("package", SERVICES)
def test_a_door_is_narrow(package):
    tree = ast.parse((SRC / package / "__init__.py").read_text(encoding="utf-8"))
    exported = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
    ]
    assert exported, f"{package} has no __all__"
    assert len(exported[0]) <= 18


def test_the_layers_keep_the_order_of_the_architecture():
    text = (SRC.parents[1] / ".importlinter").read_text(encoding="utf-8")
    block = text.split("layers =\n", 1)[1].split("exhaustive", 1)[0]
    found = [name.strip(" ()") for line in block.splitlines() for name in line.split("|") if name.strip()]
    expected = [
        "cli",
        "api",
        "mcp",
        "worker",
        "demonstration",
        "bootstrap",
        "checking",
        "redteam",
        "workflows",
        "compiler",
        "agents",
        "payouts",
        "control",
        "offline",
        "gateway",
        "policy",
        "world_model",
        "verifier",
        "rollout",
        "state",
        "memory",
        "reconciliation",
        "ledger",
        "ingest",
        "events",
        "catalog",
        "infra",
        "contracts",
        "kernel",
    ]
    assert found == expected


def test_only_the_checker_judges_certificates():
    """The trusted checker imports the standard library and nothing of ours, prover, parser and evaluator least."""
    tree = ast.parse((SRC / "verifier" / "core" / "check.py").read_text(encoding="utf-8"))
    names = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert names <= {
        "__future__",
        "collections.abc",
        "fractions",
        "hashlib",
        "json",
        "math",
        "re",
        "typing",
        "dataclasses",
    }
    assert len((SRC / "verifier" / "core" / "check.py").read_text(encoding="utf-8").splitlines()) <= 200


def test_the_outside_world_and_the_system_do_not_know_each_other():
    """livemarket and steward meet through files and HTTP; neither imports the other, not even inside a function."""
    wrong = []
    for package, other in (("livemarket", "steward"), ("steward", "livemarket")):
        for path in (SRC.parent / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = (
                    [alias.name for alias in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                wrong += [f"{path.relative_to(SRC.parent)}: {name}" for name in names if name.split(".")[0] == other]
    assert wrong == []


def test_the_outside_world_says_what_it_is():
    text = ast.get_docstring(ast.parse((SRC.parent / "livemarket/__init__.py").read_text(encoding="utf-8"))) or ""
    for heading in ("Promises", "Never", "Read next"):
        assert heading in text
