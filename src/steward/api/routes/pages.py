"""Plain pages: status, decisions, one decision with its proof. Server-rendered, no JavaScript."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from jinja2 import Environment, PackageLoader, select_autoescape

from steward.control import shown, story_of
from steward.kernel.money import Money

if TYPE_CHECKING:
    from steward.bootstrap import App

router = APIRouter()
_PAGE = 50


def _moment(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


_templates = Environment(loader=PackageLoader("steward.api"), autoescape=select_autoescape(default=True))
_templates.filters["shown"] = shown
_templates.filters["pretty"] = lambda value: json.dumps(value, indent=1, ensure_ascii=False)
_templates.filters["moment"] = _moment
_templates.globals["money"] = lambda minor, currency: str(Money(minor, currency))  # pyright: ignore[reportArgumentType] - jinja types its own


def render(name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page from its template."""
    return HTMLResponse(_templates.get_template(name).render(**context), status_code=status)


def _app(request: Request) -> App:
    return request.app.state.steward


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> PlainTextResponse:
    """Ready when the database answers."""
    _app(request).events.counts()
    return PlainTextResponse("ready\n")


@router.get("/")
def status(request: Request) -> HTMLResponse:
    app = _app(request)
    snapshots = app.state.snapshots()
    return render(
        "status.html",
        title="Status",
        figures=app.figures.read(),
        currency=app.catalog.history.currency,
        books=app.books.books(),
        snapshot=snapshots[-1] if snapshots else None,
    )


@router.get("/decisions")
def decisions(
    request: Request,
    kind: Annotated[str | None, Query(max_length=100, pattern=r"^[\w.:-]*$")] = None,
    outcome: Literal["shadowed", "held", "refused", "executed"] | None = None,
    page: Annotated[int, Query(ge=1, le=100000)] = 1,
) -> HTMLResponse:
    app = _app(request)
    actions = app.gateway.actions(kind or None, outcome, _PAGE + 1, (page - 1) * _PAGE)
    return render(
        "decisions.html",
        title="Decisions",
        actions=actions[:_PAGE],
        has_more=len(actions) > _PAGE,
        page=page,
        kind=kind or "",
        outcome=outcome or "",
        kinds=[spec.kind for spec in app.catalog.kinds],
    )


@router.get("/decisions/{action_id}")
def decision(request: Request, action_id: str) -> HTMLResponse:
    app = _app(request)
    story = story_of(app.control, action_id)
    if story is None:
        return render("missing.html", 404, title="Not found", what=f"There is no action {action_id}.")
    proof = app.proofs.of_action(story["id"])
    checked = app.verifier.rebuild(json.loads(proof["bundle"])) if proof else None
    return render("decision.html", title=story["kind"], story=story, checked=checked)


@router.get("/decisions/{action_id}/bundle.json")
def bundle(request: Request, action_id: str) -> Response:
    """The evidence byte for byte: `steward verify check` reads it."""
    app = _app(request)
    action = app.gateway.action(action_id)
    row = app.proofs.of_action(action.id) if action else None
    if row is None:
        return PlainTextResponse("there is no such action\n", status_code=404)
    return Response(row["bundle"], media_type="application/json")
