"""Tools of others over MCP: what a person accepted of each, and whether it is still what is offered.

A tool's digest covers its name, its description and the schema of its arguments. A server that changes any of them
offers another tool, and nobody has accepted that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from steward.contracts.base import Json
from steward.kernel.canonical import JsonObject, digest_hex

PinState = Literal["accepted", "new", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as its server offers it now."""

    name: str
    description: str
    schema: JsonObject

    @property
    def digest(self) -> str:
        """SHA-256 of what a person would read and what a model is told."""
        return digest_hex({"name": self.name, "description": self.description, "schema": schema_text(self.schema)})


@dataclass(frozen=True, slots=True)
class Pinned:
    """One tool: what was accepted, what is offered, and the state that follows."""

    name: str
    state: PinState
    accepted: str
    offered: str
    description: str


def compared(offered: Sequence[Offered], accepted: Mapping[str, str]) -> list[Pinned]:
    """Every tool that is offered or was accepted, by name."""
    now = {tool.name: tool for tool in offered}
    return [_one(name, now.get(name), accepted.get(name, "")) for name in sorted(now.keys() | accepted.keys())]


def _one(name: str, tool: Offered | None, accepted: str) -> Pinned:
    if tool is None:
        return Pinned(name, "gone", accepted, "", "")
    state: PinState = "new" if not accepted else "accepted" if accepted == tool.digest else "changed"
    return Pinned(name, state, accepted, tool.digest, tool.description)


def schema_text(value: Json) -> Json:
    """A schema in a form that has a digest: numbers that are not whole become text."""
    if isinstance(value, float):
        return f"float {value!r}"
    if isinstance(value, dict):
        return {str(key): schema_text(part) for key, part in cast("JsonObject", value).items()}
    if isinstance(value, list):
        return [schema_text(part) for part in cast("list[Json]", value)]
    return value
