"""Statements, breaks and runs of reconciliation over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from steward.api.answers import Resolving
from steward.api.bodies import MOST_UNPACKED, read_body, read_json
from steward.api.callers import BEARER, app_of, caller_with
from steward.api.documents import CHANGING, FINDING, PROBLEMS, json_body
from steward.api.problems import Problem, answered

router = APIRouter(prefix="/v1", tags=["settlements"], dependencies=[Depends(BEARER)])
BreakId = Annotated[str, Path(pattern=r"^brk_[0-9a-f]{32}$", description="A break's id")]
Limit = Annotated[int, Query(ge=1, le=1000)]
_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


@router.get("/settlements", responses=PROBLEMS)
async def list_settlements(
    request: Request, provider: Annotated[str | None, Query(pattern=r"^[a-z0-9]{1,40}$")] = None, limit: Limit = 100
) -> Response:
    """Statements in force, newest first, with how many of their lines are done."""
    await caller_with(request, "ledger:read")
    items = await asyncio.to_thread(app_of(request).settlement_files.listed, provider, limit)
    return answered({"items": items, "next": None})


@router.post("/settlements", responses=CHANGING, openapi_extra=_FILE)
async def import_settlement(
    request: Request,
    provider: Annotated[str, Query(pattern=r"^[a-z0-9]{1,40}$", description="Whose format it is: stripe, camt, ...")],
    name: Annotated[str, Query(min_length=1, max_length=200, description="The file's name")] = "upload",
) -> Response:
    """A file as it is. The same content again is `known`; what is understood and not taken is a 422 with the reason."""
    caller = await caller_with(request, "settlements:write")
    content = await read_body(request, MOST_UNPACKED)
    app = app_of(request)
    made = await asyncio.to_thread(app.settlement_files.take, provider, name, content, caller.name)
    app.access.used(caller, f"settlement {made['outcome']} {made.get('file', '')}", "http")
    if made["outcome"] == "refused":
        refused = [
            {"index": one["line"], "path": f"line {one['line']}", "code": "refused", "detail": one["reason"]}
            for one in made["rejected"]
        ]
        raise Problem(422, "settlement_refused", refused[0]["detail"], refused)
    return answered(made, 201 if made["outcome"] == "taken" else 200)


@router.post("/reconciliations", responses=CHANGING)
async def run_reconciliation(request: Request, side: Literal["statement", "bank"] = "statement") -> Response:
    """Hold what is there against the books, or bank entries against payouts: the report of the run."""
    caller = await caller_with(request, "settlements:write")
    app = app_of(request)
    report = await asyncio.to_thread(app.reconciliation.run, side, caller.name)
    app.access.used(caller, f"reconcile {side} {report['run']}", "http")
    return answered(report, 201)


@router.get("/breaks", responses=PROBLEMS)
async def list_breaks(
    request: Request,
    state: Literal["open", "gone", "resolved"] = "open",
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Limit = 100,
) -> Response:
    """What statements and books do not agree on, the oldest first, with evidence and the posting of each way out."""
    await caller_with(request, "ledger:read")
    items = await asyncio.to_thread(app_of(request).reconciliation.breaks, state, None, limit, after)
    return answered({"items": items, "next": after + limit if len(items) == limit else None})


@router.get("/breaks/{break_id}", responses=FINDING)
async def read_break(request: Request, break_id: BreakId) -> Response:
    """One break."""
    await caller_with(request, "ledger:read")
    found = await asyncio.to_thread(app_of(request).reconciliation.show, break_id)
    if found is None:
        raise Problem(404, "no_such_break", f"there is no break {break_id}")
    return answered(found)


@router.post(
    "/breaks/{break_id}:resolve",
    responses=CHANGING,
    openapi_extra=json_body(Resolving, {"how": "claim", "reason": "charged twice"}),
)
async def resolve_break(request: Request, break_id: BreakId) -> Response:
    """End a break by the catalog's rule; its posting goes through the log into the books."""
    caller = await caller_with(request, "breaks:resolve")
    wish, _ = await read_json(request, Resolving)
    app = app_of(request)
    made = await asyncio.to_thread(app.reconciliation.resolve, break_id, wish.how, caller.name, wish.reason)
    app.access.used(caller, f"resolve {break_id} {wish.how}", "http")
    return answered(made)
