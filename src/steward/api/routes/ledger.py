"""The books over HTTP: balances at any instant, and transfers in posted order."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from steward.api.callers import BEARER, app_of, caller_with
from steward.api.documents import PROBLEMS
from steward.api.problems import Problem
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant, parse_instant

router = APIRouter(prefix="/v1/ledger", tags=["ledger"], dependencies=[Depends(BEARER)])
Instant = Annotated[str | None, Query(max_length=40)]


@router.get("/balances", responses=PROBLEMS)
async def read_balances(request: Request, as_of: Instant = None) -> Response:
    """Every account with its balance now, or from what happened before an RFC 3339 time; debits are positive."""
    await caller_with(request, "ledger:read")
    at = _instant(as_of)
    books = await asyncio.to_thread(app_of(request).books.books, at)
    items = [
        {name: account[name] for name in ("code", "currency", "normal", "amount_minor", "postings")}
        for account in books.accounts
    ]
    document = {"items": items, "next": None, "trial_balance": books.trial_balance, "balanced": books.is_balanced}
    return Response(json.dumps(document), media_type="application/json")


@router.get("/transfers", responses=PROBLEMS)
async def read_transfers(
    request: Request,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Transfers with their legs, oldest first; `next` is where to go on, null at the end."""
    await caller_with(request, "ledger:read")
    rows = await asyncio.to_thread(app_of(request).books.transfers, after, limit)
    document = {"items": [_shown(row) for row in rows], "next": rows[-1]["transfer_no"] if len(rows) == limit else None}
    return Response(json.dumps(document, ensure_ascii=False), media_type="application/json")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "transfer_id": row["transfer_id"],
        "kind": row["kind"],
        "source": row["source"],
        "party": row["party"],
        "effective_at": format_instant(row["effective_at"]),
        "recorded_at": format_instant(row["recorded_at"]),
        "reverses": row["reverses"],
        "legs": row["legs"],
    }


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except BadInput as error:
        raise Problem(400, "bad_input", f"as_of: {error}") from error
