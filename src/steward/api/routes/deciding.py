"""Plain pages on which a person decides: what waits, one action behind a signed link, the kill switches. No scripts.

Reading is by GET and changes nothing, not even that somebody looked. What changes something is a POST that brings the
person's own key in the form: no cookie stands for anybody, so no other page can decide in her name.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from steward.api.bodies import media_type, read_body
from steward.api.callers import app_of
from steward.api.routes.pages import render
from steward.bootstrap import App
from steward.kernel.errors import BadInput

router = APIRouter()
_MOST_FORM = 8 << 10
_LISTED = 100
_LINK = {
    "forged": (404, "This link is not one of ours, or a part of it is missing."),
    "over": (410, "The time of this link is over. What was not decided by then counts as a no."),
}
_WORDS = frozenset({"look", "approve", "reject"})
_STATUS = {"": 200, "looked": 200, "unknown_key": 401, "wrong_role": 403, "own_proposal": 403, "tired": 429}
_LIFTS = frozenset({"manager", "founder"})


@router.get("/approvals")
def waiting(request: Request) -> HTMLResponse:
    """What waits for people, the most urgent first."""
    app = app_of(request)
    items = app.approvals.waiting(None, _LISTED + 1)
    return render(
        "approvals.html",
        title="Approvals",
        items=[{**one, "token": _token(app, one)} for one in items[:_LISTED]],
        has_more=len(items) > _LISTED,
    )


@router.get("/approvals/{token}")
def one_waiting(request: Request, token: str) -> HTMLResponse:
    """One action, with what it asks for and the form to decide it."""
    return _page(app_of(request), token)


@router.post("/approvals/{token}")
async def decide(request: Request, token: str) -> HTMLResponse:
    """A person's word under her own key; whatever came of it is said on the page."""
    app, form = app_of(request), await read_form(request)
    return await asyncio.to_thread(_decided, app, token, form)


@router.get("/kill")
def switches(request: Request) -> HTMLResponse:
    """What is stopped, and the form to stop something."""
    return _switches(app_of(request))


@router.post("/kill")
async def turn(request: Request) -> HTMLResponse:
    """Stop a scope, or let it go on, under the person's own key."""
    app, form = app_of(request), await read_form(request)
    return await asyncio.to_thread(_turned, app, form)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. What is no form, or too long, has none of them."""
    if media_type(request) != "application/x-www-form-urlencoded":
        return {}
    body = await read_body(request, _MOST_FORM)
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=20, errors="strict"))
    except (UnicodeDecodeError, ValueError):
        return {}


def _token(app: App, one: dict[str, Any]) -> str:
    deadline = datetime.fromisoformat(one["deadline"]) if one["deadline"] else None
    return app.way_out.notices.token(one["id"], one["args_digest"], deadline)


def _page(app: App, token: str, said: str = "", code: str = "", status: int = 200) -> HTMLResponse:
    link = app.way_out.notices.read(token)
    if isinstance(link, str):
        status, what = _LINK[link]
        return render("missing.html", status, title="Not found", what=what)
    found = app.approvals.show(link.action_id)
    if found is None or not found["args_digest"].startswith(link.digest):
        return render("missing.html", 404, title="Not found", what="There is no such action any more.")
    return render(
        "approval.html", status, title=found["kind"], item=found, token=token, said=said, code=code, ends=link.ends
    )


def _decided(app: App, token: str, form: dict[str, str]) -> HTMLResponse:
    link = app.way_out.notices.read(token)
    word, key = form.get("word", ""), form.get("key", "").strip()
    if isinstance(link, str):
        return _page(app, token)
    if word not in _WORDS or not key:
        return _page(app, token, "Paste your key, and press one of the buttons.", "bad_form", 400)
    found, caller = app.approvals.show(link.action_id), app.access.recognise(key)
    if found is None or not found["args_digest"].startswith(link.digest):
        return _page(app, token)
    if caller is None:
        return _page(app, token, "This key is unknown, revoked or over.", "unknown_key", 401)
    if word == "look":
        app.approvals.show(link.action_id, caller)
        return _page(app, token, f"{caller.name} has read it. Nothing is decided.", "looked")
    if word == "approve":
        done = app.approvals.approve(link.action_id, key, "page", form.get("reason", ""), found["args_digest"])
    else:
        done = app.approvals.reject(link.action_id, key, "page", form.get("reason", ""))
    if done.code == "read_first":
        app.approvals.show(link.action_id, caller)
    said = done.detail or f"{done.agreed} of {done.quorum} agreed."
    return _page(app, token, f"{caller.name}: {said}", done.code, _STATUS.get(done.code, 409))


def _switches(app: App, said: str = "", status: int = 200) -> HTMLResponse:
    return render("kill.html", status, title="Kill switches", active=app.kills.active(), said=said)


def _turned(app: App, form: dict[str, str]) -> HTMLResponse:
    scope, word, reason = form.get("scope", "").strip(), form.get("word", ""), form.get("reason", "").strip()
    caller = app.access.recognise(form.get("key", "").strip())
    if word not in ("on", "off"):
        return _switches(app, "Press one of the buttons.", 400)
    if caller is None:
        return _switches(app, "This key is unknown, revoked or over.", 401)
    if "kill:write" not in caller.scopes or (word == "off" and caller.role not in _LIFTS):
        return _switches(app, f"A {caller.role} may not do that.", 403)
    try:
        with app.database.transaction():
            if word == "on":
                turned = app.kills.throw(scope, caller.name, reason)
            else:
                turned = app.kills.lift(scope, caller.name, reason, form["key"])
            if turned:
                app.access.used(caller, f"kill {word} {scope}", "page")
    except BadInput as error:
        return _switches(app, str(error), 400)
    done = "is stopped" if word == "on" else "goes on"
    return _switches(app, f"{scope} {done}." if turned else f"{scope}: nothing changed.")
