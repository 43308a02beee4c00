"""MCP servers of others, mounted as tools: only what a person accepted is called, and only to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from pydantic import ValidationError

from steward.catalog import parse_yaml
from steward.gateway.adapters.mcp_mount import Upstream, UpstreamServer
from steward.gateway.core.pins import Pinned, compared
from steward.gateway.store.pins import PinStore
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.vault import Vault
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput

FILE = "mcp_servers.yaml"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class MountedAnswer:
    """What came of a call: ok, or refused with a code and a sentence."""

    kind: str
    result: JsonObject
    code: str = ""
    detail: str = ""


class Mounts:
    """The servers of `mcp_servers.yaml` in the data folder."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, home: Path) -> None:
        self._db = database
        self._clock = clock
        self._vault = vault
        self._path = home / FILE
        self._store = PinStore()

    def servers(self) -> dict[str, UpstreamServer]:
        """As the owner wrote them down; `BadInput` names what does not fit."""
        if not self._path.is_file():
            return {}
        document = parse_yaml(self._path.read_text(encoding="utf-8"), FILE)
        given = cast("JsonObject", document).get("servers") if isinstance(document, dict) else None
        if not isinstance(given, list):
            raise BadInput("has no list `servers`", where=FILE)
        found = [_server(entry) for entry in cast("list[Any]", given)]
        if len({one.name for one in found}) != len(found):
            raise BadInput("two servers have one name", where=FILE)
        return {one.name: one for one in found}

    def look(self, name: str) -> list[Pinned]:
        """Every tool of a server with its state: accepted, new, changed or gone."""
        return compared(self._upstream(name).offered(), self._accepted(name))

    def accept(self, name: str, tools: tuple[str, ...], by: str, reason: str) -> list[Pinned]:
        """Accept tools as they are offered now; all of them where none is named. What was accepted."""
        if not by.strip() or not reason.strip():
            raise BadInput("nobody, or no reason, is given", fix="say who accepts and why")
        found = {one.name: one for one in self.look(name) if one.state in {"new", "changed"}}
        missing = sorted(set(tools) - found.keys())
        if missing:
            raise BadInput(f"{name} offers nothing new by the name {', '.join(missing)}", fix="steward mcp list")
        chosen = [found[tool] for tool in tools] if tools else list(found.values())
        with self._db.transaction() as connection:
            for one in chosen:
                values = {"server": name, "tool": one.name, "digest": one.offered, "description": one.description}
                self._store.accept(connection, {**values, "by": by, "reason": reason, "at": self._clock.now()})
        return chosen

    def call(self, name: str, tool: str, arguments: JsonObject) -> MountedAnswer:
        """Call a tool that only reads. One that nobody accepted, or that changed since, is refused by name."""
        server = self._server(name)
        if tool in server.effects:
            detail = f"{name}.{tool} changes something: it goes out as an action, under approval, or not at all"
            return MountedAnswer("refused", {}, "is_effect", detail)
        accepted = self._accepted(name).get(tool)
        if accepted is None:
            return MountedAnswer("refused", {}, "not_accepted", f"nobody accepted {name}.{tool}")
        kind, result = self._upstream(name).call(tool, arguments, accepted)
        if kind == "changed":
            detail = f"{name}.{tool} is not what was accepted: its name, description or schema changed, or it is gone"
            return MountedAnswer("refused", {}, "changed", detail)
        return MountedAnswer(kind, result, "" if kind == "ok" else "upstream")

    def _accepted(self, name: str) -> dict[str, str]:
        with self._db.transaction() as connection:
            return self._store.accepted(connection, name)

    def _server(self, name: str) -> UpstreamServer:
        found = self.servers().get(name)
        if found is None:
            raise BadInput(f"there is no server {name!r}", where=FILE)
        return found

    def _upstream(self, name: str) -> Upstream:
        server = self._server(name)
        return Upstream(server, self._vault.keys.get(server.bearer, "") if server.bearer else "")


def _server(entry: Any) -> UpstreamServer:
    try:
        server = UpstreamServer.model_validate(entry)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        raise BadInput(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}", where=FILE) from error
    if not server.name.isidentifier() or bool(server.command) == bool(server.url):
        raise BadInput("a server has a plain name, and either a command or a url", where=FILE)
    address = urlsplit(server.url)
    is_safe = not server.url or address.scheme == "https"
    if not is_safe and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise BadInput(f"{server.name}: the url is neither https nor on the loopback", where=FILE)
    if not 1 <= server.timeout_seconds <= 600 or set(server.effects.values()) - {"L0", "L1", "L2", "L3"}:
        raise BadInput(f"{server.name}: a time limit of 1 to 600 seconds, and effects at risk L0 to L3", where=FILE)
    return server
