"""What the tools answer, each from the door that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steward.control import ask, line_of, story_of, tool_line
from steward.infra.access import Caller
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import BadInput
from steward.kernel.instants import format_instant, parse_instant
from steward.mcp.arguments import (
    ExplainRule,
    GetAction,
    GetBalances,
    GetEvents,
    GetTool,
    ListActions,
    ListTools,
    Nothing,
    Propose,
    Waiting,
)
from steward.verifier import Describer, told

if TYPE_CHECKING:
    from steward.bootstrap import App


def list_actions(app: App, _caller: Caller, asked: ListActions) -> JsonObject:
    outcomes = None if asked.outcome is None else (asked.outcome,)
    if asked.outcome == "receipt":
        outcomes = ("executed", "receipt")
    found = app.gateway.listing.page(asked.kind, outcomes, asked.state, asked.after, asked.limit)
    items = [line_of(action, state) for action, state in found]
    return {"items": items, "next": items[-1]["id"] if len(items) == asked.limit else None}


def waiting_approvals(app: App, _caller: Caller, asked: Waiting) -> JsonObject:
    """What waits for a person, newest first: to be read, not decided."""
    now = format_instant(app.clock.now())
    found = [
        pair
        for state in ("held", "awaiting_approval")
        for pair in app.gateway.listing.page(outcomes=("held",), state=state, limit=asked.limit)
    ]
    lines: list[JsonObject] = [
        {**line_of(action, state), "approver": action.result.get("approver"), "expires_at": action.result["expires_at"]}
        for action, state in found
        if action.result["expires_at"] > now
    ]
    return {"items": sorted(lines, key=lambda line: line["at"], reverse=True)[: asked.limit]}


def get_action(app: App, _caller: Caller, asked: GetAction) -> JsonObject:
    story = story_of(app.control, asked.id)
    if story is None:
        raise BadInput(f"there is no action {asked.id}")
    kept = {name: value for name, value in story.items() if name not in {"certificates", "obligations", "findings"}}
    return {**kept, "state": app.gateway.listing.state(asked.id) or story["state"]}


def list_tools(app: App, _caller: Caller, asked: ListTools) -> JsonObject:
    names = [name for name in app.book.names() if name > asked.after][: asked.limit]
    items = [tool_line(app.book.tool(name)) for name in names]
    return {"items": items, "next": names[-1] if len(names) == asked.limit else None}


def get_tool(app: App, _caller: Caller, asked: GetTool) -> JsonObject:
    return app.book.tool(asked.tool).model_dump(mode="json")


def get_balances(app: App, _caller: Caller, asked: GetBalances) -> JsonObject:
    books = app.books.books(None if asked.as_of is None else parse_instant(asked.as_of))
    names = ("code", "currency", "normal", "amount_minor", "postings")
    items = [{name: account[name] for name in names} for account in books.accounts]
    return {"items": items, "trial_balance": books.trial_balance, "balanced": books.is_balanced}


def get_events(app: App, _caller: Caller, asked: GetEvents) -> JsonObject:
    types = None if asked.type is None else [asked.type]
    found = app.events.read(asked.after, types, asked.limit, subject=asked.subject, as_stored=True)
    items = [event.model_dump(mode="json") for event in found]
    return {"items": items, "next": items[-1]["position"] if len(items) == asked.limit else None}


def get_snapshot(app: App, _caller: Caller, _asked: Nothing) -> JsonObject:
    taken = app.state.snapshots()
    if not taken:
        raise BadInput("no snapshot was taken yet", fix="one is taken with the first proposal")
    return taken[-1].model_dump(mode="json")


def get_figures(app: App, _caller: Caller, _asked: Nothing) -> JsonObject:
    return app.figures.read()


def explain_rule(app: App, _caller: Caller, asked: ExplainRule) -> JsonObject:
    verifier = app.verifier
    limits, documents = app.catalog.limit_facts(), app.catalog.documents
    found = Describer(verifier.catalog, limits, verifier.theorems.stored, documents).describe(asked.name)
    return {"name": asked.name, "text": told(found)}


def get_limits(app: App, _caller: Caller, _asked: Nothing) -> JsonObject:
    limits = [limit.model_dump(mode="json") for limit in app.catalog.limits]
    kinds = [
        {"kind": kind.kind, "meaning": kind.meaning, "params": kind.params, "risk": kind.risk, "stage": kind.stage}
        for kind in app.catalog.kinds
    ]
    return {"limits": limits, "kinds": kinds, "at": format_instant(app.clock.now())}


def propose_action(app: App, caller: Caller, asked: Propose) -> JsonObject:
    """Who proposes is the key. What a model sends cannot say otherwise: there is no argument for it."""
    answer = ask(app.control, asked.model_dump(), caller.name)
    app.access.used(caller, f"propose {answer['id']}", "mcp")
    names = (
        "outcome",
        "state",
        "verdict",
        "code",
        "reasons",
        "determining",
        "nearest",
        "approver",
        "expires_at",
        "is_new",
    )
    return {"action_id": answer["id"], **{name: answer[name] for name in names}}
