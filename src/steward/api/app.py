"""The FastAPI application: lifespan, error handler, security headers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse

from steward.api.routes import pages
from steward.bootstrap import open_app
from steward.kernel.errors import StewardError

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATUS = {0: 200, 1: 409, 2: 400, 3: 503}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    with open_app() as steward:
        app.state.steward = steward
        yield


def create_app() -> FastAPI:
    """The application over the configured database; the database opens with the server and closes with it."""
    app = FastAPI(title="Steward", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan)
    app.include_router(pages.router)

    @app.exception_handler(StewardError)
    def on_error(_request: Request, error: StewardError) -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]
        return PlainTextResponse(f"{error.code}: {error}\n", status_code=_STATUS.get(error.exit_code, 500))

    @app.exception_handler(Exception)
    def on_bug(_request: Request, _error: Exception) -> PlainTextResponse:  # pyright: ignore[reportUnusedFunction]
        return PlainTextResponse("something is broken here; the server's log says what\n", 500, headers=_HEADERS)

    @app.middleware("http")
    async def harden(  # pyright: ignore[reportUnusedFunction]
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    return app
