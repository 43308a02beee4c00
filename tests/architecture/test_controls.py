"""The controls of the harnesses that weaken our own source still find the words they change."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from steward.offline import PROGRAM
from steward.verifier.core import check, evaluate

BENCH = Path(__file__).parents[2] / "bench"
HARNESSES = [
    ("forge", "WEAKENED", Path(check.__file__)),
    ("formula_points", "BROKEN", Path(evaluate.__file__)),
    ("mutations", "WEAKENED", PROGRAM),
]


@contextmanager
def bench_importable() -> Iterator[None]:
    sys.path.append(str(BENCH))
    try:
        yield
    finally:
        sys.path.remove(str(BENCH))


@pytest.mark.parametrize(("harness", "table", "source"), HARNESSES, ids=[name for name, _, _ in HARNESSES])
def test_each_control_changes_one_place_of_the_source(harness: str, table: str, source: Path) -> None:
    with bench_importable():
        controls: dict[str, Any] = getattr(import_module(harness), table)
    text = source.read_text(encoding="utf-8")
    missing = [f"{name}: {old}" for name, changes in controls.items() for old in changes if text.count(old) != 1]
    assert not missing


@pytest.mark.parametrize("path", sorted(BENCH.glob("*.py")), ids=lambda path: path.stem)
def test_every_name_a_harness_imports_from_the_project_is_there(path: Path) -> None:
    """A harness that nobody ran since a refactoring is no harness."""
    import ast

    wanted = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    with bench_importable():
        for module, name in wanted:
            if module.partition(".")[0] in ("steward", "livemarket") or (BENCH / f"{module}.py").exists():
                found = import_module(module)
                assert hasattr(found, name) or import_module(f"{module}.{name}"), f"{module} has no {name}"
