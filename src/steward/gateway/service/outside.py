"""The one way to the systems outside for effects: the exact request of a verb, the call, and what the answer says.

It sends what the dispatcher hands it and decides nothing about when or whether.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from steward.catalog import ToolBook
from steward.contracts.tool import Check, ToolSpec, VerbSpec
from steward.gateway.core.calls import ToolRequest
from steward.gateway.core.machine import Seen
from steward.gateway.core.reading import Read
from steward.gateway.core.templates import fill
from steward.gateway.service.tools import Tools
from steward.gateway.store import Row
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Infrastructure

Purpose = Literal["send", "probe", "undo"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it will be sent, but for its signature; `seconds` bound the whole call."""

    purpose: Purpose
    tool: ToolSpec
    verb: VerbSpec
    request: ToolRequest
    seconds: int
    digest: str


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call: as an answer to an effect (`kind`), or of a look for one (`seen`)."""

    kind: Literal["ok", "refused", "again", "unknown", "stopped"]
    status: int | None = None
    remote_ref: str | None = None
    result: JsonObject = field(default_factory=dict[str, object])
    retry_after: int | None = None
    detail: str = ""
    digest: str | None = None
    seen: Seen = "unclear"
    confirmed: str = ""
    is_broken: bool = False


class Outside:
    """Requests and calls of effects."""

    def __init__(self, book: ToolBook, tools: Tools) -> None:
        self._book = book
        self._tools = tools

    def tool(self, name: str) -> ToolSpec:
        return self._book.tool(name)

    def verb(self, row: Row) -> tuple[ToolSpec, VerbSpec]:
        """What an action's row names."""
        return self._book.tool(row["tool"]), self._book.verb(row["tool"], row["verb"])

    def version(self, row: Row) -> bytes:
        return bytes.fromhex(self._book.version(row["tool"]))

    def prepare(self, row: Row, state: str) -> Prepared:
        """The request of an action that was taken up: to send it, to look for it, or to take it back. `BadInput` where
        its tool cannot make one.
        """
        tool, verb = self.verb(row)
        key, args = f"act_{row['action_id'].hex}", row["args"]
        if state == "probing":
            how = verb.idempotency
            if how is None or not how.verb:
                raise BadInput(f"{tool.tool}.{verb.verb} cannot be looked for", fix="its effect rule names no verb")
            return self._made(
                "probe", tool, self._book.verb(tool.tool, how.verb), fill(how.args, {**args, "key": key}), key
            )
        if state == "compensating":
            if verb.undo is None:
                raise BadInput(f"{tool.tool}.{verb.verb} cannot be taken back", fix=verb.irreversible)
            filled = fill(verb.undo.args, {"args": args, "result": row["result"], "key": key})
            return self._made("undo", tool, self._book.verb(tool.tool, verb.undo.verb), filled, f"und_{key[4:]}")
        return self._made("send", tool, verb, args, key)

    def _made(self, purpose: Purpose, tool: ToolSpec, verb: VerbSpec, args: JsonObject, key: str) -> Prepared:
        request = self._tools.prepare(tool.tool, verb.verb, args, key)
        digest = hashlib.sha256(b"\n".join([request.method.encode(), request.url.encode(), request.body])).hexdigest()
        return Prepared(purpose, tool, verb, request, verb.timeout_seconds, digest)

    def carry(self, row: Row, prepared: Prepared, may_send: Callable[[], bool]) -> Came:
        """Make the call. `may_send` is asked immediately before the first byte of an effect; looking needs no leave."""
        before = None if prepared.purpose == "probe" else may_send
        try:
            reply = self._tools.wire.send(prepared.tool, prepared.request, prepared.seconds, before)
        except (BadInput, Infrastructure) as error:  # it could not be signed: nothing was sent, and that much is sure
            return Came("again", detail=str(error)[:300])
        if reply.kind == "not_sent":
            is_stopped = reply.detail == "stopped"
            return Came("stopped" if is_stopped else "again", detail=reply.detail, is_broken=not is_stopped)
        if reply.kind == "lost":
            return Came("unknown", detail=reply.detail, is_broken=True)
        read = self._tools.read(prepared.tool, prepared.verb, reply)
        came = Came(
            read.kind,
            reply.status,
            read.remote_ref,
            read.result,
            read.retry_after,
            f"{read.code}: {read.detail}" if read.code else read.detail,
            hashlib.sha256(reply.body).hexdigest(),
            is_broken=(reply.status or 0) >= 500,
        )
        if prepared.purpose == "probe":
            return self._seen(row, prepared, came, read, reply.body)
        if came.kind == "ok" and prepared.purpose == "send" and prepared.verb.confirm is not None:
            return replace(came, confirmed=self._confirm(row, prepared, prepared.verb.confirm, came.result))
        return came

    def _seen(self, row: Row, prepared: Prepared, came: Came, read: Read, body: bytes) -> Came:
        """Whether our reference is in what was found."""
        if read.kind != "ok":
            is_absent = came.status == 404
            return replace(came, seen="missing" if is_absent else "unclear")
        _, verb = self.verb(row)
        how = verb.idempotency
        if how is None:
            raise AssertionError("a verb that is looked for has an effect rule")
        wanted = fill(how.match, {**row["args"], "key": f"act_{row['action_id'].hex}"})
        found = self._tools.select(how.found, body, wanted)
        if found is None:
            return replace(came, seen="missing")
        result, ref = self._tools.result_of(verb, found)
        if ref is None:  # the answer of a look has another shape: the looking verb says where the reference is
            more, ref = self._tools.result_of(prepared.verb, found)
            result = {**more, **result}
        return replace(came, seen="found", result=result, remote_ref=ref)

    def _confirm(self, row: Row, prepared: Prepared, check: Check, result: JsonObject) -> str:
        """The post-condition: look at what was made. It changes nothing about what happened: a difference is told."""
        names = {"args": row["args"], "result": result, **row["args"]}
        differences = self._tools.differences(prepared.tool.tool, check, names)
        return "as asked" if not differences else f"differs: {differences}"[:300]
