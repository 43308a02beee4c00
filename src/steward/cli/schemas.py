"""Write what is generated from contracts and catalog, or check that it has not drifted: schemas/ and the reference."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from steward.api import openapi
from steward.catalog import load_catalog
from steward.cli.reference import asyncapi, events_page
from steward.cli.reference_rules import actions_page, invariants_page, limits_page, risk_page
from steward.contracts.payloads import VERSIONS
from steward.kernel.canonical import JsonObject

_MODULES = (
    "action",
    "decision",
    "event",
    "forecast",
    "invariant",
    "ledger",
    "proof",
    "snapshot",
    "kind",
    "port",
    "schedule",
    "tool",
    "history",
)
_PAGES = {
    "docs/reference/events.md": events_page,
    "docs/reference/invariants.md": invariants_page,
    "docs/reference/actions.md": actions_page,
    "docs/reference/limits.md": limits_page,
    "docs/reference/risk.md": risk_page,
}


def _text(document: JsonObject) -> str:
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def schemas() -> dict[str, str]:
    """File name to text: the JSON Schema (2020-12) of every contract and of every version of every event payload, and
    the AsyncAPI and OpenAPI documents.
    """
    models: dict[str, type[BaseModel]] = {f"event.{name}.v{n}": model for (name, n), model in VERSIONS.items()}
    for name in _MODULES:
        module = import_module(f"steward.contracts.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__:
                models[value.__name__] = value
    files = {
        f"{name}.json": _text({"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()})
        for name, model in sorted(models.items())
    }
    return {**files, "asyncapi.json": _text(asyncapi(load_catalog())), "openapi.json": _text(openapi())}


def _pages() -> dict[str, str]:
    catalog = load_catalog()
    return {name: page(catalog) for name, page in _PAGES.items()}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def drift(folder: Path) -> list[str]:
    """Names of files that differ from the contracts, are missing, or should not be there: in the folder of schemas,
    and the generated pages of the project it belongs to.
    """
    wanted = schemas()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    drifted = [name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)]
    return sorted([*drifted, *(name for name, text in _pages().items() if _read(folder.parent / name) != text)])


def write(folder: Path) -> None:
    """Make the folder and the pages what the contracts say."""
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in _pages().items():
        page = folder.parent / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")


def main() -> None:
    """`python -m steward.cli.schemas [--check]`, from the project's folder."""
    folder = Path("schemas")
    if "--check" in sys.argv[1:]:
        drifted = drift(folder)
        sys.exit(f"generated files have drifted: {', '.join(drifted)}; run `make schemas`" if drifted else 0)
    write(folder)


if __name__ == "__main__":
    main()
