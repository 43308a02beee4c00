"""The network: one signed request, and what came back of it, told apart exactly: nothing was sent, an answer, or
silence after bytes may have gone. It never raises for what the network does, follows no redirect and retries nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from steward.contracts.tool import ToolSpec
from steward.gateway.adapters.auth import Authorizer, added
from steward.gateway.core.calls import ToolRequest
from steward.gateway.core.reading import Reply
from steward.infra.clock import Clock
from steward.kernel.errors import BadInput

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 8 << 20
STOPPED = "stopped"
_FIRST_BYTE = ("http11.send_request_headers.started", "http2.send_request_headers.started")
_CONNECTIONS = 64
_UNAUTHORISED = 401
_KEPT = b"(kept back)"


_TELLING = ("httpx", "httpcore.http11", "httpcore.http2")
"""Loggers that write down addresses and headers, which may hold credentials."""


def _tell_nothing(_record: logging.LogRecord) -> bool:
    return False


Forget = Callable[[ToolSpec, Collection[str]], None]
"""Told of a tool and of what was shown to it and turned away."""


class _Stopped(Exception):
    """Asked at the last moment, the answer was no."""


class Wire:
    """Safe to share between threads; connections are kept."""

    def __init__(self, authorizer: Authorizer, clock: Clock, forget: Forget | None = None) -> None:
        self._authorizer = authorizer
        self._forget = forget
        self._clock = clock
        self._client: httpx.Client | None = None
        for name in _TELLING:
            logging.getLogger(name).addFilter(_tell_nothing)

    def send(
        self, tool: ToolSpec, request: ToolRequest, seconds: float, before: Callable[[], bool] | None = None
    ) -> Reply:
        """Sign and send. `before` is asked when the connection stands, immediately before the first byte: False, and
        nothing is sent. The whole takes at most twice `seconds`. `BadInput` where it cannot be signed. An access token
        that is turned away (401) is forgotten, and the request goes once more under another: nothing was done with it.
        """
        signed = self._authorizer.signed(tool, request)
        reply = self._once(tool, request, signed, seconds, before)
        if reply.status == _UNAUTHORISED and tool.auth.scheme == "oauth2" and self._forget is not None:
            self._forget(tool, {value.rpartition(" ")[2] for value in signed.headers.values()})
            return self._once(tool, request, self._authorizer.signed(tool, request), seconds, before)
        return reply

    def _once(
        self,
        tool: ToolSpec,
        request: ToolRequest,
        signed: ToolRequest,
        seconds: float,
        before: Callable[[], bool] | None,
    ) -> Reply:
        import httpx

        _check_address(signed.url, tool)
        has_begun = False

        def trace(name: str, _info: dict[str, Any]) -> None:
            nonlocal has_begun
            if name in _FIRST_BYTE and not has_begun:
                if before is not None and not before():
                    raise _Stopped
                has_begun = True

        deadline = self._clock.monotonic() + 2 * seconds
        try:
            with self._connected().stream(
                signed.method,
                signed.url,
                headers=signed.headers,
                content=signed.body,
                timeout=seconds,
                extensions={"trace": trace},
            ) as answer:
                body = self._body(answer, deadline)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return scrubbed(Reply("answer", answer.status_code, headers, body), added(request, signed))
        except _Stopped:
            return Reply("not_sent", detail=STOPPED)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, TimeoutError) as error:
            what = f"{type(error).__name__}: {_place(signed.url)}"
            return Reply("lost" if has_begun else "not_sent", detail=what)

    def _connected(self) -> httpx.Client:
        import httpx

        if self._client is None:
            limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
            self._client = httpx.Client(limits=limits, follow_redirects=False, trust_env=False)
        return self._client

    def _body(self, answer: httpx.Response, deadline: float) -> bytes:
        """The whole body, bounded in size and time."""
        parts: list[bytes] = []
        size = 0
        for part in answer.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES or self._clock.monotonic() > deadline:
                raise TimeoutError("the answer is too large or too slow")
        return b"".join(parts)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def scrubbed(reply: Reply, credentials: frozenset[str]) -> Reply:
    """An answer without the credentials it was asked with: some echo them, above all in errors."""
    body, headers = reply.body, reply.headers
    for one in sorted(credentials, key=len, reverse=True):
        if one.encode() in body:
            body = body.replace(one.encode(), _KEPT)
        headers = {name: value.replace(one, _KEPT.decode()) for name, value in headers.items()}
    return Reply(reply.kind, reply.status, headers, body, reply.detail)


def _place(url: str) -> str:
    """Where it was sent, without what a query may hold."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _check_address(url: str, tool: ToolSpec) -> None:
    """Credentials travel encrypted, or not beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return
    host = parts.hostname or ""
    try:
        is_here = ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if parts.scheme != "http" or not is_here:
        raise BadInput(f"the address {_place(url)} of {tool.tool} is not https", fix="only this machine may go without")
