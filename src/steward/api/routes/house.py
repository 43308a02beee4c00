"""What the house knows of itself, read-only: alerts, quarantines, budgets, the catalog in force, a checkpoint."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from steward.api.answers import AlertPage, BudgetPage, CatalogAnswer, Checkpoint, QuarantinePage
from steward.api.callers import BEARER, app_of, needs
from steward.api.documents import READING
from steward.infra.access import Caller
from steward.kernel.instants import format_instant

router = APIRouter(prefix="/v1", tags=["house"], dependencies=[Depends(BEARER)])
Auditing = Annotated[Caller, Depends(needs("audit:read"))]


@router.get("/alerts", responses=READING)
def list_alerts(request: Request, _caller: Auditing, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> AlertPage:
    """Alerts, newest first, with how often each was tried and the last answer."""
    rows = app_of(request).alerts.listed(limit)
    items = [{**row, "created_at": format_instant(row["created_at"])} for row in rows]
    return AlertPage.model_validate({"items": items, "next": None})


@router.get("/quarantines", responses=READING)
def list_quarantines(
    request: Request,
    _caller: Auditing,
    every: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> QuarantinePage:
    """Proposers that ran into rules too often and may propose nothing; with `every`, those that were let back too."""
    rows = app_of(request).violations.quarantines(every=every)
    items = [{**row, "since": format_instant(row["since"]), "lifted_at": _at(row["lifted_at"])} for row in rows[:1000]]
    return QuarantinePage.model_validate({"items": items, "next": None})


@router.get("/budgets", responses=READING)
def list_budgets(request: Request, _caller: Annotated[Caller, Depends(needs("ledger:read"))]) -> BudgetPage:
    """Every budget by currency: granted, set aside, free."""
    return BudgetPage.model_validate({"items": app_of(request).ledger.budgets(), "next": None})


@router.get("/catalog", responses=READING)
def read_catalog(request: Request, _caller: Auditing) -> CatalogAnswer:
    """Which version of the rules is in force, who signed it, and which one this process runs."""
    app = app_of(request)
    row = app.versions.in_force() or {}
    names = ("number", "digest", "previous", "rules_digest")
    found = {name: row.get(name) for name in names}
    return CatalogAnswer.model_validate(
        {
            **found,
            "reason": row.get("reason") or "",
            "approved_by": row.get("approved_by") or "",
            "recorded_at": _at(row.get("recorded_at")),
            "running": app.catalog.digest,
        }
    )


@router.get("/audit/checkpoint", responses=READING)
def read_checkpoint(request: Request, _caller: Auditing) -> Checkpoint:
    """The size and the Merkle root of the log, signed. Whoever keeps it can show any later change of the past."""
    return Checkpoint.model_validate(app_of(request).events.signed_checkpoint())


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
