"""Write every contract as a JSON Schema into schemas/, or check that what is there has not drifted."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel

from steward.contracts.payloads import PAYLOADS

_MODULES = ("action", "decision", "event", "forecast", "ledger", "proof", "snapshot", "tool", "history")


def schemas() -> dict[str, str]:
    """File name to JSON Schema text (2020-12), for every contract and every event payload."""
    models: dict[str, type[BaseModel]] = {f"event.{name}": model for name, model in PAYLOADS.items()}
    for name in _MODULES:
        module = import_module(f"steward.contracts.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, BaseModel) and value.__module__ == module.__name__:
                models[value.__name__] = value
    return {
        f"{name}.json": json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()},
            indent=2,
            sort_keys=True,
        )
        + "\n"
        for name, model in sorted(models.items())
    }


def drift(folder: Path) -> list[str]:
    """Names of files that differ from the contracts, are missing, or should not be there."""
    wanted = schemas()
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def main() -> None:
    """`python -m steward.cli.schemas [--check]`, from the project's folder."""
    folder = Path("schemas")
    if "--check" in sys.argv[1:]:
        drifted = drift(folder)
        sys.exit(f"schemas/ has drifted: {', '.join(drifted)}; run `make schemas`" if drifted else 0)
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
