"""Tools for people and for effects: what there is, what may be used, the request of a verb, reading calls, self-checks.

Only reading verbs can be called here. An effect leaves through the dispatcher and no other way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from steward.catalog import ToolBook
from steward.contracts.tool import Check, ToolSpec, VerbSpec
from steward.gateway.adapters.auth import missing_secrets, secrets_of
from steward.gateway.adapters.wire import Wire
from steward.gateway.core.calls import ToolRequest, build_call
from steward.gateway.core.paging import following
from steward.gateway.core.reading import (
    Read,
    Reply,
    differences,
    document_of,
    matching,
    plain,
    read_reply,
    redacted,
    result_of,
    select,
)
from steward.gateway.core.templates import fill
from steward.infra import sql
from steward.infra.clock import Clock
from steward.infra.db import Database
from steward.infra.vault import Vault
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, StewardError

_ORDER = ("L0", "L1", "L2", "L3")


@dataclass(frozen=True, slots=True)
class Checkup:
    """What a self-check came to."""

    tool: str
    passed: bool
    detail: str

    def to_json(self) -> JsonObject:
        return {"tool": self.tool, "passed": self.passed, "detail": self.detail}


class Tools:
    """Every tool of the catalog, with the owner's credentials and addresses."""

    def __init__(self, database: Database, clock: Clock, book: ToolBook, vault: Vault, wire: Wire) -> None:
        self._db = database
        self._clock = clock
        self._book = book
        self._vault = vault
        self._sql = sql.load("steward.gateway", "effects.sql")
        self.wire = wire

    # What there is

    def listed(self) -> JsonObject:
        """Every tool with its verbs, the highest risk among them, how its effects are made safe, and on what evidence;
        what cannot be called stands apart and counts for nothing.
        """
        specs = [self._book.tool(name) for name in self._book.names()]
        items = [self._line(spec) for spec in specs if spec.callable and spec.verbs]
        levels = [level for item in items for level in item["evidence"]]
        return {
            "tools": items,
            "checked": sum("checked" in item["evidence"] for item in items),
            "documented": sum("documented" in item["evidence"] for item in items),
            "internal": sum("internal" in item["evidence"] for item in items),
            "systems": sum(bool({"checked", "documented"} & set(item["evidence"])) for item in items),
            "verbs": {level: levels and sum(item["evidence"].get(level, 0) for item in items) for level in set(levels)},
            "not_callable": [
                {"id": s.tool, "name": s.name, "why": s.why} for s in specs if not s.callable or not s.verbs
            ],
        }

    def _line(self, spec: ToolSpec) -> JsonObject:
        evidence: dict[str, int] = {}
        for verb in spec.verbs:
            evidence[verb.evidence.level] = evidence.get(verb.evidence.level, 0) + 1
        effects = [verb for verb in spec.verbs if verb.effect]
        modes = sorted({verb.idempotency.mode if verb.idempotency else "none" for verb in effects})
        return {
            "id": spec.tool,
            "name": spec.name,
            "category": spec.category,
            "verbs": [verb.verb for verb in spec.verbs],
            "risk": max((verb.risk for verb in effects), key=_ORDER.index, default="L0"),
            "idempotency": modes,
            "evidence": evidence,
            "connected": not missing_secrets(spec, self._vault),
        }

    def show(self, name: str) -> JsonObject:
        """A tool whole, with its version, the secrets and settings nobody set, and what keeps verbs from live use."""
        spec = self._book.tool(name)
        return {
            **spec.model_dump(mode="json"),
            "tool_version": self._book.version(name),
            "address": self._address(spec),
            "missing": self._missing(spec),
            "not_live": {verb.verb: why for verb in spec.verbs if verb.effect and (why := self.ready(name, verb.verb))},
        }

    def ready(self, name: str, verb_name: str) -> str:
        """Why a verb may not be used live; nothing where it may."""
        spec, verb = self._book.tool(name), self._book.verb(name, verb_name)
        if not spec.callable:
            return f"{name} has no public API: {spec.why}"
        missing = self._missing(spec)
        if missing:
            return f"{name} is not connected: {', '.join(missing)} not set"
        if (
            verb.effect
            and verb.evidence.level == "documented"
            and verb.money is not None
            and not self._is_checked(spec)
        ):
            return (
                f"{name}.{verb_name} moves money and is only documented: `steward tools check {name}` must pass first, "
                f"at {self._address(spec)} and with the tool as it is described now"
            )
        return ""

    def _missing(self, spec: ToolSpec) -> list[str]:
        settings = self._settings(spec)
        unset = [f"settings.{name}" for name in spec.settings if not settings.get(name)]
        return [*missing_secrets(spec, self._vault), *unset]

    def _is_checked(self, spec: ToolSpec) -> bool:
        values = {
            "tool": spec.tool,
            "tool_version": bytes.fromhex(self._book.version(spec.tool)),
            "address": self._address(spec),
        }
        with self._db.transaction() as connection:
            row = connection.execute(self._sql["passed_check"], values).fetchone()
        return bool(row and row["passed"])

    # Requests and answers

    def prepare(self, tool: str, verb: str, args: JsonObject, key: str) -> ToolRequest:
        """The exact request of a verb, unsigned. `BadInput` names what does not fit."""
        spec = self._book.tool(tool)
        if not spec.callable:
            raise BadInput(f"{tool} has no public API: {spec.why}")
        found = self._book.verb(tool, verb)
        if found.method == "INTERNAL":
            raise BadInput(f"{tool}.{verb} is a door of ours and makes no request", fix=found.door)
        return build_call(spec, found, args, key, self._settings(spec), self._address(spec))

    def read(self, tool: ToolSpec, verb: VerbSpec, reply: Reply) -> Read:
        """What an answer says, without what must not be written down."""
        said = read_reply(tool, verb, reply)
        names, secrets = frozenset(tool.redact), secrets_of(tool, self._vault)
        return Read(
            said.kind,
            redacted(said.result, names, secrets),
            redacted(said.remote_ref, names, secrets),
            redacted(said.code, names, secrets),
            redacted(said.detail, names, secrets),
            said.retry_after,
            redacted(said.document, names, secrets),
        )

    def call(self, tool: str, verb: str, args: JsonObject) -> Read:
        """Ask a reading verb. An effect is `BadInput`: it is proposed, not called."""
        spec, found = self._book.tool(tool), self._book.verb(tool, verb)
        if found.effect:
            raise BadInput(f"{tool}.{verb} has an effect", fix="propose an action: only the gate lets effects out")
        request = self.prepare(tool, verb, args, "")
        return self.read(spec, found, self.wire.send(spec, request, found.timeout_seconds))

    def every(self, tool: str, verb: str, args: JsonObject, most: int = 50) -> Iterator[Read]:
        """A reading verb page by page, at most `most` pages; what is no answer ends it, and is given out as well."""
        spec, found = self._book.tool(tool), self._book.verb(tool, verb)
        if found.effect:
            raise BadInput(f"{tool}.{verb} has an effect", fix="propose an action: only the gate lets effects out")
        request, seen = self.prepare(tool, verb, args, ""), set[str]()
        for _ in range(most):
            reply = self.wire.send(spec, request, found.timeout_seconds)
            read = self.read(spec, found, reply)
            yield read
            if read.kind != "ok":
                return
            after = following(found, args, reply, document_of(reply.body), request.url)
            if after is None:
                return
            args = after.args
            request = replace(request, url=after.url) if after.url else self.prepare(tool, verb, args, "")
            mark = f"{request.url} {request.body!r}"
            if mark in seen:
                return
            seen.add(mark)

    def asked(self, tool: str, verb: str, args: JsonObject, most: int) -> JsonObject:
        """What a reading verb answers, page by page, and how that ended."""
        found = list(self.every(tool, verb, args, most))
        pages = [plain(one.document) for one in found if one.kind == "ok"]
        last = found[-1]
        said = f"{last.code} {last.detail}".strip()
        return {"tool": tool, "verb": verb, "pages": pages, "ended": last.kind, "detail": said}

    def select(self, path: str, body: bytes, wanted: Any) -> Any:
        """The first of what a path finds in a body that holds everything wanted; None where none does."""
        document = document_of(body)
        return None if document is None else matching(select(path, document), wanted)

    def result_of(self, verb: VerbSpec, document: Any) -> tuple[JsonObject, str | None]:
        return result_of(verb, document)

    def differences(self, tool: str, check: Check, values: Mapping[str, Any]) -> str:
        """What a look shows otherwise than expected; nothing where all is as asked."""
        try:
            read = self.call(tool, check.verb, fill(check.args, values))
        except StewardError as error:
            return f"it could not be looked at: {error.what}"
        if read.kind != "ok":
            return f"it could not be looked at: {read.code} {read.detail}".strip()
        return "; ".join(differences(check.expect, values, read.document))

    def check(self, name: str) -> Checkup:
        """Try an owner's credentials with the tool's reading verb, and write down what came of it."""
        spec = self._book.tool(name)
        made = self._checked(spec)
        values = {
            "tool": name,
            "tool_version": bytes.fromhex(self._book.version(name)),
            "address": self._address(spec),
            "passed": made.passed,
            "detail": made.detail[:500],
            "now": self._clock.now(),
        }
        with self._db.transaction() as connection:
            connection.execute(self._sql["add_check"], values)
        return made

    def _checked(self, spec: ToolSpec) -> Checkup:
        missing = self._missing(spec)
        if not spec.callable or spec.check is None:
            return Checkup(
                spec.tool, passed=False, detail=spec.why or "it has no verb that shows whether it answers us"
            )
        if missing:
            return Checkup(spec.tool, passed=False, detail=f"not set: {', '.join(missing)}")
        try:
            read = self.call(spec.tool, spec.check.verb, fill(spec.check.args, {"settings": self._settings(spec)}))
        except StewardError as error:
            return Checkup(spec.tool, passed=False, detail=error.what)
        if read.kind != "ok":
            what = {"again": "it does not answer now", "unknown": "it is out of order"}.get(read.kind, "it refuses us")
            return Checkup(spec.tool, passed=False, detail=f"{what}: {read.code} {read.detail}".strip())
        wrong = differences(spec.check.expect, {"settings": self._settings(spec)}, read.document)
        if wrong:
            return Checkup(spec.tool, passed=False, detail=f"it answers otherwise than described: {'; '.join(wrong)}")
        return Checkup(spec.tool, passed=True, detail=f"{spec.check.verb} answered at {self._address(spec)}")

    def _settings(self, spec: ToolSpec) -> dict[str, str]:
        found = {name: self._vault.settings.get(f"{spec.tool}_{name}", "") for name in spec.settings}
        return {name: value for name, value in found.items() if value}

    def _address(self, spec: ToolSpec) -> str:
        return self._vault.addresses.get(spec.tool) or spec.base
