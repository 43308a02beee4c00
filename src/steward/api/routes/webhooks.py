"""Deliveries of providers: stored as they came, then acknowledged. Their signature is who they are; no key is asked."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from steward.api.bodies import read_body
from steward.api.callers import app_of
from steward.api.documents import PROBLEMS
from steward.api.problems import Problem
from steward.ingest import RawDelivery

router = APIRouter(prefix="/v1", tags=["webhooks"])
_MOST_BYTES = 2 << 20
_MOST_HEADERS = 32 << 10
Provider = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


@router.post("/webhooks/{provider}", responses=PROBLEMS)
async def deliver(request: Request, provider: Provider) -> Response:
    """Take a delivery: 200 once it is stored, the same again is 200 too; 401 where the signature does not fit."""
    return await _deliver(request, provider)


@router.post("/webhooks/{provider}/{secret}", responses=PROBLEMS)
async def deliver_to_secret_path(
    request: Request, provider: Provider, secret: Annotated[str, Path(max_length=256)]
) -> Response:
    """The same for providers that document no signature: the address itself is the secret."""
    del secret  # it stands in the path, where the scheme reads it
    return await _deliver(request, provider)


async def _deliver(request: Request, provider: str) -> Response:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > _MOST_HEADERS:
        raise Problem(413, "too_large", f"headers may have {_MOST_HEADERS} bytes")
    body = await read_body(request, _MOST_BYTES)
    if any("\x00" in value for value in headers.values()):
        raise Problem(400, "malformed", "a header holds a NUL character")
    delivery = RawDelivery(request.method, request.url.path, headers, body)
    receipt = await asyncio.to_thread(app_of(request).webhooks.receive, provider, delivery)
    if receipt.state == "refused":
        raise Problem(401, receipt.code, receipt.reason)
    return Response(json.dumps({"received": True, "known": receipt.state == "known"}), media_type="application/json")
