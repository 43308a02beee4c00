"""What people decide over HTTP: approvals under their own key, and kill switches. Nothing here is done by GET."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from steward.api.answers import (
    Deciding,
    Decision,
    MaybeReasoned,
    Switch,
    Switching,
    SwitchPage,
    WaitingLine,
    WaitingPage,
)
from steward.api.bodies import read_json
from steward.api.callers import BEARER, app_of, key_text, needs
from steward.api.documents import CHANGING, FINDING, READING, json_body
from steward.api.problems import Problem, counted
from steward.infra.access import Caller

router = APIRouter(prefix="/v1", tags=["people"], dependencies=[Depends(BEARER)])
ActionId = Annotated[str, Path(pattern=r"^act_[0-9a-f]{32}$", description="An action's id")]
Scope = Annotated[str, Path(max_length=220, pattern=r"^(all|(department|agent|tool|kind):[^\s/]{1,200})$")]
LIFTS = frozenset({"manager", "founder"})


@router.get("/approvals", responses=READING)
def list_waiting(
    request: Request,
    _caller: Annotated[Caller, Depends(needs("approvals:read"))],
    role: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$")] = None,
    after: Annotated[int, Query(ge=0, le=1_000_000, description="`next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> WaitingPage:
    """What waits for people, the most urgent first; with `role`, what that role decides."""
    items = app_of(request).approvals.waiting(role, limit, after)
    return WaitingPage.model_validate({"items": items, "next": after + limit if len(items) == limit else None})


@router.get("/approvals/{action_id}", responses=FINDING)
def read_waiting(
    request: Request, action_id: ActionId, caller: Annotated[Caller, Depends(needs("approvals:read"))]
) -> WaitingLine:
    """One of them, with what people said about it. It is written down that this caller has looked."""
    found = app_of(request).approvals.show(action_id, caller)
    if found is None:
        raise Problem(404, "no_such_action", f"{action_id} waits for nobody")
    return WaitingLine.model_validate(found)


@router.post(
    "/approvals/{action_id}:approve",
    responses=CHANGING,
    response_model=Decision,
    openapi_extra=json_body(Deciding, {"reason": "the show is agreed"}),
)
async def approve_action(
    request: Request, action_id: ActionId, _caller: Annotated[Caller, Depends(needs("approvals:decide"))]
) -> Decision:
    """Say yes to exactly these arguments, under these rules and tool. `digest` is the `args_digest` that was read."""
    wish, _ = await read_json(request, Deciding)
    door, key = app_of(request).approvals, key_text(request)
    done = await asyncio.to_thread(door.approve, action_id, key, "http", wish.reason, wish.digest)
    return Decision.model_validate(counted(done.to_json()))


@router.post(
    "/approvals/{action_id}:reject",
    responses=CHANGING,
    response_model=Decision,
    openapi_extra=json_body(MaybeReasoned, {"reason": "not this month"}),
)
async def reject_action(
    request: Request, action_id: ActionId, _caller: Annotated[Caller, Depends(needs("approvals:decide"))]
) -> Decision:
    """Say no, which ends it."""
    wish, _ = await read_json(request, MaybeReasoned)
    done = await asyncio.to_thread(app_of(request).approvals.reject, action_id, key_text(request), "http", wish.reason)
    return Decision.model_validate(counted(done.to_json()))


@router.get("/kill-switches", responses=READING)
def list_switches(request: Request, _caller: Annotated[Caller, Depends(needs("kill:read"))]) -> SwitchPage:
    """What is stopped now."""
    return SwitchPage.model_validate({"items": app_of(request).kills.active(), "next": None})


@router.get("/kill-switches/{scope}", responses=FINDING)
def read_switch(request: Request, scope: Scope, _caller: Annotated[Caller, Depends(needs("kill:read"))]) -> Switch:
    """One switch that was ever thrown."""
    found = app_of(request).kills.one(scope)
    if found is None:
        raise Problem(404, "no_such_switch", f"{scope} was never stopped")
    return Switch.model_validate(found)


@router.put(
    "/kill-switches/{scope}",
    responses=CHANGING,
    response_model=Switch,
    openapi_extra=json_body(Switching, {"on": True, "reason": "refunds look wrong"}),
)
async def turn_switch(
    request: Request, scope: Scope, caller: Annotated[Caller, Depends(needs("kill:write"))]
) -> Switch:
    """Stop a scope, or let it go on; the same again changes nothing. To let go on takes a manager or the founder."""
    wish, _ = await read_json(request, Switching)
    if not wish.on and caller.role not in LIFTS:
        raise Problem(403, "wrong_role", f"a {caller.role} may stop a scope; to let it go on takes a manager")

    def work() -> Switch:
        app = app_of(request)
        with app.database.transaction():
            if wish.on:
                turned = app.kills.throw(scope, caller.name, wish.reason)
            else:
                turned = app.kills.lift(scope, caller.name, wish.reason, key_text(request))
            if turned:
                app.access.used(caller, f"kill {'on' if wish.on else 'off'} {scope}", "http")
        found = app.kills.one(scope)
        if found is None:
            raise Problem(404, "no_such_switch", f"{scope} was never stopped")
        return Switch.model_validate(found)

    return await asyncio.to_thread(work)
