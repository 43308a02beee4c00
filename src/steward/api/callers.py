"""Who calls: a Bearer API key with the scope a route asks for. Closed by default."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import Request

from steward.api.problems import Problem
from steward.infra.access import Caller

if TYPE_CHECKING:
    from steward.bootstrap import App


def app_of(request: Request) -> App:
    return request.app.state.steward


async def caller_with(request: Request, scope: str) -> Caller:
    """The caller, or a `Problem`: 401 without a live key, 403 without the scope."""
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not key:
        raise Problem(
            401,
            "no_key",
            "send Authorization: Bearer with an API key; `steward keys create` makes one",
            headers={"WWW-Authenticate": "Bearer"},
        )
    access, key = app_of(request).access, key.strip()
    caller = access.remembered(key) or await asyncio.to_thread(access.recognise, key)
    if caller is None:
        raise Problem(401, "unknown_key", "the API key is unknown or revoked", headers={"WWW-Authenticate": "Bearer"})
    if scope not in caller.scopes:
        raise Problem(403, "missing_scope", f"the API key {caller.name} lacks the scope {scope}")
    return caller
