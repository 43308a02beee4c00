"""Doors on sockets of the loopback address, one port each, in one process and one thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any, cast

import httpx
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from livemarket.faces.business import Business
from livemarket.faces.calls import Call
from livemarket.faces.door import Door, No
from livemarket.faces.webhooks import Post

MOST_BODY = 1 << 20
HOST = "127.0.0.1"


class _Breakable(H11Protocol):
    """Hands its transport to the application, so that a reply can be lost with its connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - uvicorn says so itself
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["livemarket.transport"] = transport
            await inner(scope, receive, send)

        self.app = app


class Application:
    """One door as ASGI."""

    def __init__(self, door: Door, pulse: asyncio.Event, base: str) -> None:
        self._door = door
        self._pulse = pulse
        self._base = base

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more and len(body) <= MOST_BODY:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        call = Call(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body, self._base)
        too_large = len(body) > MOST_BODY
        answer = self._door.face.no(No.TOO_LARGE, call) if too_large else await self._door.answer(call)
        self._pulse.set()
        if answer is None:
            cast("asyncio.Transport", scope["livemarket.transport"]).abort()
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        made = {"content-length": str(len(answer.body))} | answer.headers
        head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in made.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": head})
        await send({"type": "http.response.body", "body": answer.body})


class Mail:
    """Sends what the faces have to tell."""

    def __init__(self, business: Business, posts: Sequence[Post], client: httpx.AsyncClient) -> None:
        self._business = business
        self._posts = posts
        self._client = client
        self._busy = asyncio.Lock()

    async def send(self) -> None:
        async with self._busy:
            for post in self._posts:
                await post.send(self._client, self._business.now)

    def next_due(self) -> int | None:
        return min((due for post in self._posts if (due := post.next_due()) is not None), default=None)


def listening(port: int) -> socket.socket:
    """A socket of the loopback address; 0 is any free port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((HOST, port))
    made.listen(128)
    return made


async def heart(business: Business, mail: Mail, pulse: asyncio.Event) -> None:
    """Moves the business when the clock reaches what comes next, and sends what is due. A call wakes it too."""
    while True:
        pulse.clear()  # before the work: a call during it must wake the next round
        business.tick()
        await mail.send()
        wait = None
        if business.clock.factor and (following := business.next_moment()) is not None:
            wait = max(following - business.now, 1) / business.clock.factor
        due = mail.next_due()
        if due is not None and business.clock.factor:
            wait = min(wait or 3600.0, max(due - business.now, 1) / business.clock.factor)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pulse.wait(), wait)


class Quiet(uvicorn.Server):
    """Several of them share a process: the first one alone listens to signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def serve(
    business: Business, doors: Sequence[tuple[Door, socket.socket]], pulse: asyncio.Event, mail: Mail,
    stop: asyncio.Event,
) -> None:  # fmt: skip
    """Answer until `stop`."""
    servers: list[uvicorn.Server] = []
    for door, place in doors:
        base = f"http://{HOST}:{place.getsockname()[1]}"
        config = uvicorn.Config(
            Application(door, pulse, base), http=_Breakable, ws="none", lifespan="off", log_level="error",
            access_log=False, server_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        servers.append(Quiet(config))
    tasks = [
        asyncio.create_task(server.serve(sockets=[place])) for server, (_, place) in zip(servers, doors, strict=True)
    ]
    beating = asyncio.create_task(heart(business, mail, pulse))
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([*tasks, beating, waiting], return_when=asyncio.FIRST_COMPLETED)
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*tasks)
    beating.cancel()
    waiting.cancel()
    for task in done - {waiting}:
        task.result()  # what broke the heart or a server is raised
