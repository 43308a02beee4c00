"""The FastAPI application: lifespan, error handler, security headers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from steward.api.documents import PROBLEM
from steward.api.problems import Problem, problem_of
from steward.api.routes import (
    actions,
    deciding,
    events,
    house,
    invoices,
    keys,
    ledger,
    pages,
    payouts,
    people,
    settlements,
    tools,
    webhooks,
)
from steward.api.watch import LogWatch
from steward.bootstrap import open_app
from steward.kernel.errors import StewardError

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_SWITCH_SECONDS = 0.0005
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    # The writer's thread holds the log's head; it must not wait for the decoding thread to give up the interpreter.
    sys.setswitchinterval(_SWITCH_SECONDS)
    with open_app() as steward:
        app.state.steward = steward
        app.state.watch = LogWatch(steward, asyncio.get_running_loop())
        try:
            yield
        finally:
            app.state.watch.close()


def create_app() -> FastAPI:
    """The application over the configured database; the database opens with the server and closes with it."""
    app = FastAPI(
        title="Steward",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,
    )
    app.include_router(pages.router, include_in_schema=False)
    app.include_router(deciding.router, include_in_schema=False)
    app.include_router(events.router)
    app.include_router(ledger.router)
    app.include_router(webhooks.router)
    for part in (actions, people, tools, keys, house, settlements, invoices, payouts):
        app.include_router(part.router)
    app.openapi = partial(_document, app, app.openapi)

    @app.exception_handler(Problem)
    async def on_problem(_request: Request, problem: Problem) -> Response:  # pyright: ignore[reportUnusedFunction] - registered
        return problem.response()

    @app.exception_handler(RequestValidationError)
    async def on_bad_request(request: Request, error: RequestValidationError) -> Response:  # pyright: ignore[reportUnusedFunction] - registered
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if not request.url.path.startswith("/v1/"):
            return PlainTextResponse(f"{where}: {first['msg']}\n", 422)
        return Problem(422, "bad_parameter", f"{where}: {first['msg']}").response()

    @app.exception_handler(StewardError)
    async def on_error(request: Request, error: StewardError) -> Response:  # pyright: ignore[reportUnusedFunction] - registered
        problem = problem_of(error)
        if request.url.path.startswith("/v1/"):
            return problem.response()
        return PlainTextResponse(f"{error.code}: {error}\n", status_code=problem.status)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:  # pyright: ignore[reportUnusedFunction] - registered
        if not request.url.path.startswith("/v1/"):
            return await http_exception_handler(request, error)
        code = {404: "no_such_path", 405: "no_such_method"}.get(error.status_code, "http")
        return Problem(
            error.status_code, code, f"{request.method} {request.url.path}", headers=error.headers
        ).response()

    @app.exception_handler(Exception)
    async def on_bug(request: Request, _error: Exception) -> Response:  # pyright: ignore[reportUnusedFunction] - registered
        what = "something is broken here; the server's log says what"
        if request.url.path.startswith("/v1/"):
            return Problem(500, "bug", what, headers=_HEADERS).response()
        return PlainTextResponse(what + "\n", 500, headers=_HEADERS)

    app.add_middleware(Hardening)
    return app


def _document(app: FastAPI, made: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The OpenAPI document, with the one shape of every problem."""
    if app.openapi_schema is None:
        document = made()
        document["components"]["schemas"]["Problem"] = PROBLEM
        app.openapi_schema = document
    return app.openapi_schema


def openapi() -> dict[str, Any]:
    """What `/v1/openapi.json` serves, without a database."""
    return create_app().openapi()


class Hardening:
    """Puts the security headers on every answer. Plain ASGI: it touches nothing of a stream's flow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; only the start of an answer gets headers."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in _RAW_HEADERS if h[0] not in own)]
            await send(message)

        await self._app(scope, receive, hardened)
