"""The tools behind the protocol: over stdio for one caller, over streamable HTTP for whoever shows a key."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from pydantic import ValidationError

from steward.infra.access import Caller
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, StewardError
from steward.mcp.tools import BY_NAME, TOOLS, ToolEntry

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from steward.bootstrap import App

MOST_BODY = 256 << 10
CALLER = "steward.caller"
_SWITCH_SECONDS = 0.0005
_ABOUT = (
    "Steward runs a live-shopping business. You may read, and propose. Rules decide, with reasons; where a person "
    "has to decide, you wait: there is no tool that approves."
)
Who = Callable[["ServerRequestContext[Any, Any]"], "Caller | None"]


def make_server(app: App, who: Who) -> Server[Any]:
    """The protocol's server over the application's doors; `who` says whose call it is."""
    listed = types.ListToolsResult(tools=[_shown(tool) for tool in TOOLS])
    schemas = {tool.name: tool.input_schema for tool in listed.tools}

    async def list_tools(
        _context: ServerRequestContext[Any, Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return listed

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await anyio.to_thread.run_sync(partial(called, app, who(context), params.name, params.arguments or {}))

    return Server(
        "steward",
        version=version("steward-os"),
        instructions=_ABOUT,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        get_tool_input_schema=schemas.get,
    )


def called(app: App, caller: Caller | None, name: str, arguments: JsonObject) -> types.CallToolResult:
    """One call, answered. What cannot be done is an answer with `is_error` that says why."""
    tool = BY_NAME.get(name)
    if tool is None:
        return _failed("no_such_tool", f"there is no tool {name[:100]!r}; the tools are {', '.join(BY_NAME)}")
    if caller is None:
        return _failed("no_key", "the API key is unknown or revoked")
    if tool.scope not in caller.scopes:
        return _failed("missing_scope", f"the API key {caller.name} lacks the scope {tool.scope}")
    try:
        asked = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)[:20]
        what = "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in faults)
        return _failed("bad_input", what)
    try:
        with app.database.transaction() if tool.only_reads else nullcontext():  # what is read together is read in one
            document = tool.work(app, caller, asked)
    except StewardError as error:
        return _failed(error.code, str(error))
    text = json.dumps(document, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=document)


def _failed(code: str, detail: str) -> types.CallToolResult:
    document = {"code": code, "detail": detail}
    text = json.dumps(document, ensure_ascii=False)
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=document, is_error=True)


def _shown(tool: ToolEntry) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.only_reads, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )


def serve_stdio(app: App, key: str) -> None:
    """Serve one caller over standard input and output until it closes them. `BadInput` without a live key."""
    if app.access.recognise(key) is None:
        raise BadInput("STEWARD_API_KEY holds no live API key", fix="steward keys create makes one")
    _warmed(app)
    server = make_server(app, lambda _context: _recognised(app, key))

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(run)


def http_app(app: App) -> ASGIApp:
    """Streamable HTTP at `/mcp`, each request on its own: no session outlives its key. Only hosts of the loopback."""
    server = make_server(app, lambda context: context.request.scope[CALLER] if context.request else None)
    inside = server.streamable_http_app(json_response=True, stateless_http=True, max_request_body_size=MOST_BODY)
    return Keyed(inside, app)


class Keyed:
    """Lets a request in with a live Bearer key alone, and says whose it is."""

    def __init__(self, inside: ASGIApp, app: App) -> None:
        self._inside, self._app = inside, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 itself; every request is looked up, so a revoked key ends within two seconds."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        kind, _, key = given.partition(" ")
        caller = None
        if kind.lower() == "bearer":
            caller = self._app.access.remembered(key.strip())
            caller = caller or await anyio.to_thread.run_sync(self._app.access.recognise, key.strip())
        if caller is None:
            body = b'{"code": "no_key", "detail": "send Authorization: Bearer with a live API key"}'
            headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        await self._inside({**scope, CALLER: caller}, receive, send)


def _warmed(app: App) -> None:
    """What every call needs is built before the first one, and left out of later searches for garbage: catalog and
    rules are a large heap that stays. Threads hand over soon, so that the loop need not wait for one that computes.
    """
    _ = app.control, app.figures
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_SWITCH_SECONDS)


def _recognised(app: App, key: str) -> Caller | None:
    return app.access.remembered(key) or app.access.recognise(key)


def serve_http(app: App, port: int, started: Callable[[int], None]) -> None:
    """Serve on the loopback until interrupted; `started` is told the port."""
    import socket

    import uvicorn

    _warmed(app)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise BadInput(f"port {port} cannot be opened: {error}", fix="choose another with --http") from error
        started(listener.getsockname()[1])
        config = uvicorn.Config(http_app(app), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
