"""Integrations over HTTP, read-only: what is connected and what it can do. Nothing is called from here."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request

from steward.api.answers import ToolPage
from steward.api.callers import BEARER, app_of, needs
from steward.api.documents import FINDING, READING
from steward.api.problems import Problem
from steward.catalog import ToolBook
from steward.contracts.tool import ToolSpec
from steward.control import tool_line
from steward.infra.access import Caller

router = APIRouter(prefix="/v1", tags=["tools"], dependencies=[Depends(BEARER)])
Reading = Annotated[Caller, Depends(needs("tools:read"))]
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


@router.get("/tools", responses=READING)
def list_tools(
    request: Request,
    _caller: Reading,
    after: Annotated[str, Query(max_length=64, pattern=r"^[a-z0-9_]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> ToolPage:
    """Every system, by name, with its verbs and why each is believed to be as written."""
    book = _book(request)
    names = [name for name in book.names() if name > after][:limit]
    items = [tool_line(book.tool(name)) for name in names]
    return ToolPage.model_validate({"items": items, "next": names[-1] if len(names) == limit else None})


@router.get("/tools/{tool}", responses=FINDING)
def read_tool(request: Request, tool: Name, _caller: Reading) -> ToolSpec:
    """One system as the catalog describes it. Secrets are named there, never given."""
    book = _book(request)
    if tool not in book.names():
        raise Problem(404, "no_such_tool", f"there is no tool {tool}")
    return book.tool(tool)


def _book(request: Request) -> ToolBook:
    return app_of(request).book
