"""Speaks to MCP servers of others: what they offer, and one call. Every answer is bounded; nothing of it is trusted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar, cast

from steward.contracts.base import Contract
from steward.gateway.core.pins import Offered
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput, Infrastructure

if TYPE_CHECKING:
    from mcp import Client

MOST_TOOLS = 500
MOST_PAGES = 20
MOST_ANSWER = 1 << 20
MOST_TEXT = 20_000
R = TypeVar("R")


class UpstreamServer(Contract):
    """A server in `mcp_servers.yaml`: started by `command`, or reached at `url` (https, or http on the loopback).

    `bearer` names a key of the vault. `effects` are the tools that change something, each with its risk; all others
    only read, whatever they say of themselves.
    """

    name: str
    command: tuple[str, ...] = ()
    url: str = ""
    bearer: str = ""
    effects: dict[str, str] = {}
    timeout_seconds: int = 20


class Upstream:
    """One server of somebody else's."""

    def __init__(self, server: UpstreamServer, bearer: str) -> None:
        self._server, self._bearer = server, bearer

    def offered(self) -> list[Offered]:
        """The tools it offers now."""
        return self._run(_listed)

    def call(self, tool: str, arguments: JsonObject, accepted: str) -> tuple[str, JsonObject]:
        """What a tool answered: ok or refused, and its answer. The server is asked what it offers first, over the same
        connection: where that is not what was accepted, nothing is called, and the answer is `changed`.
        """

        async def work(client: Client) -> tuple[str, JsonObject]:
            found = next((one for one in await _listed(client) if one.name == tool), None)
            if found is None or found.digest != accepted:
                return "changed", {}
            result = await client.call_tool(tool, arguments)
            return "refused" if result.is_error else "ok", _answer(result)

        return self._run(work)

    def _run(self, work: Callable[[Client], Awaitable[R]]) -> R:
        import anyio
        from mcp import MCPError

        async def run() -> R:
            with anyio.fail_after(self._server.timeout_seconds):
                async with AsyncExitStack() as stack:
                    client = await stack.enter_async_context(await self._client(stack))
                    return await work(client)

        try:
            return anyio.run(run)
        except (OSError, TimeoutError, MCPError, ExceptionGroup, ValueError, BadInput) as error:
            cause = _first(error)
            if isinstance(cause, BadInput):
                raise cause from None
            what = f"the MCP server {self._server.name} does not answer: {type(cause).__name__}"
            raise Infrastructure(what, fix="see mcp_servers.yaml") from error

    async def _client(self, stack: AsyncExitStack) -> Client:
        import httpx2
        from mcp import Client, StdioServerParameters
        from mcp.client.streamable_http import streamable_http_client

        if self._server.command:
            command, *arguments = self._server.command
            return Client(StdioServerParameters(command=command, args=arguments), cache=None)
        headers = {"Authorization": f"Bearer {self._bearer}"} if self._bearer else {}
        http = await stack.enter_async_context(
            httpx2.AsyncClient(headers=headers, timeout=self._server.timeout_seconds, follow_redirects=False)
        )
        return Client(streamable_http_client(self._server.url, http_client=http), cache=None)


def _first(error: BaseException) -> BaseException:
    """What went wrong first, out of the groups that tasks wrap it in."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


async def _listed(client: Client) -> list[Offered]:
    tools: list[Offered] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [Offered(tool.name, tool.description or "", tool.input_schema) for tool in page.tools]
        if len(tools) > MOST_TOOLS or any(len(tool.description) > MOST_TEXT for tool in tools):
            raise BadInput(f"the server offers more than {MOST_TOOLS} tools, or one with an endless description")
        cursor = page.next_cursor
        if cursor is None:
            return tools
    raise BadInput(f"the server's list of tools has more than {MOST_PAGES} pages")


def _answer(result: Any) -> JsonObject:
    """Structured content if there is any, else the text."""
    texts = [part.text for part in result.content if getattr(part, "text", None) is not None]
    if sum(map(len, texts)) > MOST_ANSWER:
        raise BadInput(f"the answer is longer than {MOST_ANSWER} characters")
    structured = result.structured_content
    if isinstance(structured, dict):
        return {"structured": cast("JsonObject", structured)}
    return {"text": "\n".join(texts)}
