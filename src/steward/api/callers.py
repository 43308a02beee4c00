"""Who calls: a Bearer API key with the scope a route asks for. Closed by default."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.security import HTTPBearer

from steward.api.problems import Problem
from steward.infra.access import Caller

if TYPE_CHECKING:
    from steward.bootstrap import App

BEARER = HTTPBearer(auto_error=False, description="An API key: `steward keys create` makes one.")
"""Says in the OpenAPI document that a key is asked for; the asking is `caller_with`."""


def app_of(request: Request) -> App:
    return request.app.state.steward


def key_text(request: Request) -> str:
    """The API key as it was sent; a `Problem` 401 where there is none."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise Problem(
            401,
            "no_key",
            "send Authorization: Bearer with an API key; `steward keys create` makes one",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key.strip()


async def caller_with(request: Request, scope: str) -> Caller:
    """The caller, or a `Problem`: 401 without a live key, 403 without the scope."""
    key = key_text(request)
    access = app_of(request).access
    caller = access.remembered(key) or await asyncio.to_thread(access.recognise, key)
    if caller is None:
        raise Problem(401, "unknown_key", "the API key is unknown or revoked", headers={"WWW-Authenticate": "Bearer"})
    if scope not in caller.scopes:
        raise Problem(403, "missing_scope", f"the API key {caller.name} lacks the scope {scope}")
    return caller


def needs(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the caller with this scope."""

    async def caller(request: Request) -> Caller:
        return await caller_with(request, scope)

    return caller
