"""The rules a command is about: those shipped, a business catalog in a folder, or a plain folder of *.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from steward.kernel.canonical import canonical_text, parse_json
from steward.kernel.errors import BadInput

if TYPE_CHECKING:
    from steward.verifier import Verifier

THEOREMS, DEAD_RULES = "theorems.json", "dead_rules.json"


@dataclass(frozen=True)
class Rules:
    """Documents, limits as facts, and the theorems that lie beside them (empty where there are none)."""

    documents: list[tuple[str, dict[str, Any]]]
    limits: dict[str, Any]
    theorems: Path

    @property
    def book(self) -> dict[str, Any] | None:
        return read_json(self.theorems) if self.theorems.is_file() else None

    @property
    def dead_rules(self) -> Path:
        """The list of guards that do nothing, beside the theorems."""
        return self.theorems.with_name(DEAD_RULES)

    @property
    def dead_rules_book(self) -> dict[str, Any] | None:
        return read_json(self.dead_rules) if self.dead_rules.is_file() else None

    def verifier(self, *, with_book: bool = True) -> Verifier:
        from steward.verifier import Verifier

        return Verifier.from_documents(self.documents, self.limits, book=self.book if with_book else None)


def open_rules(folder: Path | None) -> Rules:
    """The rules of a folder; the shipped catalog if none is named. `BadInput` where it is no such folder."""
    from steward.catalog import load_catalog, read_yaml_folder

    if folder is not None and not (folder / "invariants").is_dir():
        return Rules(read_yaml_folder(folder), {}, folder / THEOREMS)
    catalog = load_catalog(folder)
    place = shipped_theorems() if folder is None else folder / THEOREMS
    return Rules(catalog.documents, catalog.limit_facts(), place)


def shipped_theorems() -> Path:
    """The theorems of the shipped catalog, in the package."""
    return Path(str(files("steward.catalog"))) / THEOREMS


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; `BadInput` names the file."""
    try:
        document = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot be read: {error}", where=str(path)) from error
    except BadInput as error:
        raise BadInput(error.what, where=str(path), fix=error.fix) from error
    if not isinstance(document, dict):
        raise BadInput("is not a JSON object", where=str(path))
    return cast("dict[str, Any]", document)


def dead_rules_text(book: dict[str, Any]) -> str:
    """A `dead_rules.json`, one kind a line."""
    lines = ",\n".join(canonical_text(entry) for entry in book["kinds"])
    return f'{{"format":"{book["format"]}","kinds":[\n{lines}\n]}}\n'


def warned(found: list[dict[str, Any]]) -> list[str]:
    """Warnings as lines."""
    return [f"warning: {one['where']} {one['what']}. {one['fix']}" for one in found]


def book_text(book: dict[str, Any]) -> str:
    """A `theorems.json`, one theorem a line, so that a difference shows which theorem changed."""
    lines = ",\n".join(canonical_text(theorem) for theorem in book["theorems"])
    return f'{{"format":"{book["format"]}","theorems":[\n{lines}\n]}}\n'
