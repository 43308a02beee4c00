"""Where a part of a catalog stands: file, line where the document knows it, the rule, the place within a formula."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast, runtime_checkable

Path = tuple[str | int, ...]
_INSIDE = re.compile(r"line (\d+), column \d+")


Documents = list[tuple[str, dict[Any, Any]]]
"""File names and what was read from them."""


@runtime_checkable
class Lined(Protocol):
    """A document that knows its file's lines."""

    def line(self, path: Path, inside: int = 1) -> int | None:
        """The line at which the part at `path` stands, or line `inside` of a text that has several."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of a document: its path from the root, and what a person calls it."""

    file: str
    document: object
    path: Path = ()
    label: str = ""

    def part(self, *steps: str | int) -> Spot:
        """A part of it, called by its own name."""
        return self.called(" ".join(str(step) for step in steps), *steps)

    def called(self, name: str, *steps: str | int) -> Spot:
        """A part of it under another name."""
        return replace(self, path=(*self.path, *steps), label=f"{self.label} {name}".strip())

    def where(self, within: str = "") -> str:
        """All of it in words; `within` is a line and column of a formula."""
        found = _INSIDE.match(within)
        line = (
            self.document.line(self.path, int(found[1]) if found else 1) if isinstance(self.document, Lined) else None
        )
        told = (self.file, "" if line is None else f"line {line}", self.label, within)
        return " ".join(part for part in told if part)

    @property
    def name(self) -> str:
        """The same without the line: it names the rule, and stays when the file moves."""
        return f"{self.file} {self.label}".strip()


def spot_of(documents: Documents, section: str, name: str) -> Spot | None:
    """Where a rule or kind of that name stands, in the first document that has it."""
    for file, document in documents:
        listed: Any = document.get(section) or []
        for index, entry in enumerate(cast("list[dict[str, Any]]", listed)):
            if entry.get("name" if section == "kinds" else "id") == name:
                return Spot(file, document).called(name, section, index)
    return None
