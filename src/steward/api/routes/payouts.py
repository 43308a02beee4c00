"""Payouts over HTTP: prepared by whoever may, agreed to by people under their own key. Nothing here sends anything."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from steward.api.answers import MaybeReasoned, Naming
from steward.api.bodies import read_json
from steward.api.callers import BEARER, app_of, caller_with, key_text
from steward.api.documents import CHANGING, FINDING, PROBLEMS, json_body
from steward.api.problems import Problem, answered, counted
from steward.payouts import chosen

router = APIRouter(prefix="/v1", tags=["payouts"], dependencies=[Depends(BEARER)])
PayoutId = Annotated[str, Path(pattern=r"^pay_[0-9a-f]{32}$", description="A payout's id")]
Party = Annotated[str | None, Query(min_length=1, max_length=200)]
Among = Annotated[Literal["creators", "suppliers", "all"] | None, Query(alias="for", description="Whom to look at")]
_ADDRESS = {"address": "mercury:5a1d...", "name": "Mia Example", "called_by": "ben"}


@router.get("/payouts", responses=PROBLEMS)
async def list_payouts(
    request: Request,
    state: Literal["open", "sent", "landed", "dropped"] | None = None,
    among: Among = None,
    creator: Party = None,
    supplier: Party = None,
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Payouts, newest first, each with where its action stands."""
    await caller_with(request, "ledger:read")
    whom = chosen(among, creator, supplier)
    items = await asyncio.to_thread(app_of(request).payouts.listed, state, *whom, limit, after)
    return answered({"items": items, "next": after + limit if len(items) == limit else None})


@router.get("/payouts/{payout_id}", responses=FINDING)
async def read_payout(request: Request, payout_id: PayoutId) -> Response:
    """One payout with its lines, what was held back, what people said. It is written down that this caller looked."""
    await caller_with(request, "ledger:read")
    found = await asyncio.to_thread(app_of(request).payouts.show, payout_id, key_text(request))
    if found is None:
        raise Problem(404, "no_such_payout", f"there is no payout {payout_id}")
    return answered(found)


@router.post("/payouts", responses=CHANGING)
async def prepare_payouts(
    request: Request, among: Among = None, creator: Party = None, supplier: Party = None
) -> Response:
    """Work out what creators are owed and which bills of suppliers are due, and ask for the approval of each payout:
    what was prepared, and who waits for what.
    """
    caller = await caller_with(request, "payouts:write")
    app = app_of(request)
    made = await asyncio.to_thread(app.payouts.prepare, caller.name, *chosen(among, creator, supplier))
    app.access.used(caller, f"payouts prepared {made['batch'] or 'none'}", "http")
    return answered(made, 201 if made["payouts"] else 200)


@router.post("/payouts/{payout_id}:approve", responses=CHANGING, openapi_extra=json_body(MaybeReasoned, {"reason": ""}))
async def approve_payout(request: Request, payout_id: PayoutId) -> Response:
    """Say yes to exactly this payout."""
    await caller_with(request, "approvals:decide")
    wish, _ = await read_json(request, MaybeReasoned)
    door = app_of(request).payouts
    return answered(counted(await asyncio.to_thread(door.approve, payout_id, key_text(request), "http", wish.reason)))


@router.post(
    "/payouts/{payout_id}:reject", responses=CHANGING, openapi_extra=json_body(MaybeReasoned, {"reason": "no"})
)
async def reject_payout(request: Request, payout_id: PayoutId) -> Response:
    """Say no: its commissions, or its bill, are free for the next time."""
    await caller_with(request, "approvals:decide")
    wish, _ = await read_json(request, MaybeReasoned)
    door = app_of(request).payouts
    return answered(counted(await asyncio.to_thread(door.reject, payout_id, key_text(request), "http", wish.reason)))


@router.get("/payees", responses=PROBLEMS)
async def list_payees(request: Request) -> Response:
    """Where each party is paid, since when, and who telephoned: for those who work with it."""
    await caller_with(request, "payouts:write")
    items = await asyncio.to_thread(app_of(request).payees.listed)
    return answered({"items": items, "next": None})


@router.post("/payees/{party}", responses=CHANGING, openapi_extra=json_body(Naming, _ADDRESS))
async def change_payee(request: Request, party: Annotated[str, Path(max_length=200)]) -> Response:
    """Ask for the address a party is paid at. Two people other than this caller agree before it counts."""
    caller = await caller_with(request, "payouts:write")
    wish, _ = await read_json(request, Naming)
    app = app_of(request)
    door = app.payees
    made = await asyncio.to_thread(door.change, party, wish.address, wish.name, wish.called_by, caller.name)
    app.access.used(caller, f"payee {party} {made['id']}", "http")
    return answered(made, 202)
