"""API keys over HTTP, for whoever may administer them. The text of a key is answered once, and stored nowhere."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request

from steward.api.answers import KeyMade, KeyPage, Making, Revoked, Rotated, Rotating
from steward.api.bodies import read_json
from steward.api.callers import BEARER, app_of, key_text, needs
from steward.api.documents import CHANGING, READING, json_body
from steward.api.problems import Problem
from steward.infra.access import Caller
from steward.kernel.instants import format_instant

router = APIRouter(prefix="/v1", tags=["keys"], dependencies=[Depends(BEARER)])
Admin = Annotated[Caller, Depends(needs("keys:admin"))]
KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@router.get("/keys", responses=READING)
def list_keys(request: Request, _caller: Admin) -> KeyPage:
    """Every key ever made, without its secret."""
    rows = app_of(request).access.keys()
    return KeyPage.model_validate({"items": [_line(row) for row in rows], "next": None})


@router.post(
    "/keys",
    status_code=201,
    response_model=KeyMade,
    responses=CHANGING,
    openapi_extra=json_body(Making, {"name": "shop", "scopes": ["events:write"]}),
)
async def make_key(request: Request, caller: Admin) -> KeyMade:
    """Make a key. Its text stands in this answer and nowhere else: no Idempotency-Key is taken, since answers under one
    are stored.
    """
    wish, _ = await read_json(request, Making)
    access, by = app_of(request).access, key_text(request)

    def work() -> KeyMade:
        with app_of(request).database.transaction():
            key = access.create(wish.name, wish.scopes, wish.role, by=by)
            access.used(caller, f"key made for {wish.name}", "http")
        return KeyMade(key=key, name=wish.name, role=wish.role)

    return await asyncio.to_thread(work)


@router.post(
    "/keys/{key_id}:rotate",
    responses=CHANGING,
    response_model=Rotated,
    openapi_extra=json_body(Rotating, {"grace_minutes": 60}),
)
async def rotate_key(request: Request, key_id: KeyId, caller: Admin) -> Rotated:
    """A new key in place of the caller's own, which ends after the grace. Nobody else's text is known here."""
    wish, _ = await read_json(request, Rotating)
    if key_id != caller.key_id:
        raise Problem(403, "not_yours", "a key is rotated by whoever holds it; another can be revoked")
    grace = timedelta(minutes=wish.grace_minutes)

    def work() -> Rotated:
        with app_of(request).database.transaction():
            app_of(request).access.used(caller, "key rotated", "http")
            return Rotated(key=app_of(request).access.rotate(key_text(request), grace))

    return await asyncio.to_thread(work)


@router.post("/keys/{key_id}:revoke", responses=CHANGING)
async def revoke_key(request: Request, key_id: KeyId, caller: Admin) -> Revoked:
    """End a key: it opens nothing from two seconds later on."""
    is_revoked = await asyncio.to_thread(app_of(request).access.revoke, key_id)
    if not is_revoked:
        raise Problem(404, "no_such_key", f"there is no live key {key_id}")
    await asyncio.to_thread(app_of(request).access.used, caller, f"key revoked {key_id}", "http")
    return Revoked(revoked=True)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    revoked = row["revoked_at"]
    return {
        **row,
        "created_at": format_instant(row["created_at"]),
        "revoked_at": None if revoked is None else format_instant(revoked),
    }
