"""Bills of vendors and their audit over HTTP. What is in dispute is read and resolved under /v1/breaks."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from steward.api.bodies import MOST_UNPACKED, read_body
from steward.api.callers import BEARER, app_of, caller_with
from steward.api.documents import CHANGING, PROBLEMS
from steward.api.problems import Problem, answered

router = APIRouter(prefix="/v1", tags=["invoices"], dependencies=[Depends(BEARER)])
Vendor = Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", description="Who sends it, or the contract of its vendors")
_FILE = {"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}}


@router.get("/invoices", responses=PROBLEMS)
async def list_invoices(
    request: Request,
    vendor: Annotated[str | None, Vendor] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Invoices in force, newest first, with how many breaks are open of each and what is to have back."""
    await caller_with(request, "ledger:read")
    items = await asyncio.to_thread(app_of(request).invoices.listed, vendor, limit)
    return answered({"items": items, "next": None})


@router.post("/invoices", responses=CHANGING, openapi_extra=_FILE)
async def import_invoices(
    request: Request,
    vendor: Annotated[str, Vendor],
    name: Annotated[str, Query(min_length=1, max_length=200, description="The file's name")] = "upload",
) -> Response:
    """A file as it is. The same content again is `known`; what is understood and not taken is a 422 with its lines."""
    caller = await caller_with(request, "settlements:write")
    content = await read_body(request, MOST_UNPACKED)
    app = app_of(request)
    made = await asyncio.to_thread(app.invoices.take, vendor, name, content, caller.name)
    app.access.used(caller, f"invoices {made['outcome']} {made.get('file', '')}", "http")
    if made["outcome"] == "refused":
        refused = [
            {"index": one["line"], "path": f"line {one['line']}", "code": "refused", "detail": one["reason"]}
            for one in made["rejected"]
        ]
        raise Problem(422, "invoice_refused", refused[0]["detail"], refused)
    return answered(made, 201 if made["outcome"] == "taken" else 200)


@router.post("/invoice-audits", responses=CHANGING)
async def audit_invoices(request: Request) -> Response:
    """Recompute every line in force from its contract and from what happened: the report of the run."""
    caller = await caller_with(request, "settlements:write")
    app = app_of(request)
    report = await asyncio.to_thread(app.invoices.audit, caller.name)
    app.access.used(caller, f"invoice audit {report['run']}", "http")
    return answered(report, 201)
