"""Idempotency-Key, for every route that takes one: a request is done once under its key, and answered alike again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from steward.api.callers import app_of
from steward.api.problems import Problem
from steward.infra.access import Caller
from steward.infra.idempotency import Answered
from steward.kernel.errors import StewardError


def key_of(request: Request) -> str | None:
    """The request's Idempotency-Key, if it has one; a `Problem` 400 where it cannot be one."""
    key = request.headers.get("idempotency-key")
    if key is not None and (not 1 <= len(key) <= 255 or not key.isprintable()):
        raise Problem(400, "bad_idempotency_key", "an Idempotency-Key is 1 to 255 printable characters")
    return key


def required_key(request: Request) -> str:
    """The request's Idempotency-Key; a `Problem` 400 where there is none."""
    key = key_of(request)
    if key is None:
        raise Problem(400, "no_idempotency_key", "send an Idempotency-Key: a name of your own for this request")
    return key


async def once(
    request: Request, caller: Caller, key: str, body: bytes, work: Callable[[], Awaitable[Response]], more: str = ""
) -> Response:
    """Do `work` under this key, or give the answer it was given: 409 while the first one runs, 422 where the key was
    used with another request. What came to nothing that should be repeated frees the key. `more` is what else makes
    the request this one.
    """
    keys = app_of(request).idempotency
    named = f"{request.method} {request.url.path}?{request.url.query} {more}\n".encode()
    digest = hashlib.sha256(named + body).digest()
    start = await asyncio.to_thread(keys.start, caller.key_id, key, digest)
    if start == "in_flight":
        raise Problem(
            409, "in_flight", "a request with this Idempotency-Key is being worked on", headers={"Retry-After": "1"}
        )
    if start == "other_request":
        raise Problem(422, "key_reused", "this Idempotency-Key was used with another request")
    if isinstance(start, Answered):
        return _replayed(start)
    try:
        response = await work()
    except Problem as problem:
        if problem.status in {429, 503}:
            await asyncio.to_thread(keys.drop, caller.key_id, key)
            raise
        response = problem.response()
    except StewardError:
        await asyncio.to_thread(keys.drop, caller.key_id, key)
        raise
    await asyncio.to_thread(keys.finish, caller.key_id, key, response.status_code, bytes(response.body))
    return response


def _replayed(answer: Answered) -> Response:
    kind = "application/json" if answer.status < 300 and answer.status != 207 else "application/problem+json"
    return Response(answer.body, answer.status, media_type=kind, headers={"Idempotency-Replayed": "true"})
