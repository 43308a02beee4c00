"""The systems outside, one file each, read when one is asked for: there are many, and most commands need none."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

from steward.catalog.lines import line_of
from steward.catalog.loader import model_of, parse_yaml
from steward.contracts.tool import ToolSpec, VerbSpec
from steward.kernel.canonical import JsonObject, digest_hex
from steward.kernel.errors import BadInput, CatalogError


class ToolBook:
    """Every tool of a catalog, by name. Its version is the digest of its file's content: an approval is bound to it."""

    def __init__(self, root: Traversable | None = None) -> None:
        self._folder = (root or files("steward.catalog")) / "tools"
        self._read = cache(self._load)

    def names(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(file.name[:-5] for file in self._folder.iterdir() if file.name.endswith(".yaml"))

    def tool(self, name: str) -> ToolSpec:
        """One tool; `BadInput` where there is none, `CatalogError` where its file does not fit."""
        return self._read(name)[0]

    def version(self, name: str) -> str:
        """SHA-256 of the tool in canonical form."""
        return self._read(name)[1]

    def verb(self, tool: str, verb: str) -> VerbSpec:
        found = next((one for one in self.tool(tool).verbs if one.verb == verb), None)
        if found is None:
            names = ", ".join(one.verb for one in self.tool(tool).verbs) or "none"
            raise BadInput(f"{tool} has no verb {verb!r}", where=f"tools/{tool}.yaml", fix=f"it has {names}")
        return found

    def at(self, name: str, *path: str | int) -> str:
        """Where a part of a tool's file stands."""
        file = self._folder / f"{name}.yaml"
        line = line_of(file, path)
        return f"tools/{name}.yaml" if line is None else f"tools/{name}.yaml line {line}"

    def _load(self, name: str) -> tuple[ToolSpec, str]:
        if name not in self.names():
            raise BadInput(f"there is no tool {name!r}", fix="steward tools list shows them")
        file, where = self._folder / f"{name}.yaml", f"tools/{name}.yaml"
        document = parse_yaml(file.read_text(encoding="utf-8"), where)
        if not isinstance(document, dict):
            raise CatalogError("is not a mapping", where=where)
        spec = model_of(ToolSpec, cast("JsonObject", document), where, file)
        if spec.tool != name:
            raise CatalogError(f"says it is {spec.tool}", where=where, fix="a file has its tool's name")
        return spec, digest_hex(spec.model_dump(mode="json"))
