"""Actions over HTTP: propose like any agent, list, read one in full, call one back."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from steward.api.answers import ActionAnswer, ActionPage, CancelAnswer, OutcomeWord, Proposing, Reasoned, Story
from steward.api.bodies import read_json
from steward.api.callers import BEARER, app_of, needs
from steward.api.documents import CHANGING, FINDING, READING, json_body
from steward.api.once import once, required_key
from steward.api.problems import Problem
from steward.control import KeyReused, ask, line_of, story_of
from steward.infra.access import Caller
from steward.kernel.canonical import JsonObject

router = APIRouter(prefix="/v1", tags=["actions"], dependencies=[Depends(BEARER)])
ActionId = Annotated[str, Path(pattern=r"^act_[0-9a-f]{32}$", description="An action's id")]
Kind = Annotated[str | None, Query(max_length=100, pattern=r"^[a-z][\w.]*$")]
_STATES = r"^[a-z_]{1,40}$"
_EXAMPLE = {
    "kind": "spend.reserve",
    "params": {"budget": "ads", "amount": {"amount_minor": 40000, "currency": "GBP"}, "purpose": "the Friday show"},
    "why": "last Friday's show paid back three times its ads",
}


@router.post(
    "/actions",
    response_model=ActionAnswer,
    responses={201: {"model": ActionAnswer, "description": "new: what became of it"}, **CHANGING},
    openapi_extra=json_body(Proposing, _EXAMPLE, has_key=True),
)
async def propose_action(request: Request, caller: Annotated[Caller, Depends(needs("actions:propose"))]) -> Response:
    """Take an action down the spine. Refused and held are answers (201, or 200 where the key was known), not errors."""
    key = required_key(request)
    proposing, body = await read_json(request, Proposing)
    document = proposing.model_dump(exclude_none=True)
    document["key"] = proposing.key or key

    def work() -> JsonObject:
        try:
            answer = ask(app_of(request).control, document, caller.name)
            app_of(request).access.used(caller, f"propose {answer['id']}", "http")
        except KeyReused as error:
            raise Problem(422, error.code, str(error)) from error
        return answer

    async def answered() -> Response:
        answer = ActionAnswer.model_validate(await asyncio.to_thread(work))
        status = 201 if answer.is_new else 200
        return Response(answer.model_dump_json(), status, media_type="application/json")

    return await once(request, caller, key, body, answered)


@router.get("/actions", responses=READING)
def list_actions(
    request: Request,
    _caller: Annotated[Caller, Depends(needs("actions:read"))],
    kind: Kind = None,
    outcome: OutcomeWord | None = None,
    state: Annotated[str | None, Query(pattern=_STATES)] = None,
    after: Annotated[str | None, Query(pattern=r"^act_[0-9a-f]{32}$", description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ActionPage:
    """Actions, newest first."""
    outcomes = None if outcome is None else ("executed", "receipt") if outcome == "receipt" else (outcome,)
    found = app_of(request).gateway.listing.page(kind, outcomes, state, after, limit)
    items = [line_of(action, now) for action, now in found]
    return ActionPage.model_validate({"items": items, "next": items[-1]["id"] if len(items) == limit else None})


@router.get("/actions/{action_id}", responses=FINDING)
def read_action(
    request: Request, action_id: ActionId, _caller: Annotated[Caller, Depends(needs("actions:read"))]
) -> Story:
    """One action in full: facts, forecast, evidence, decision, outcome, and the history of its states."""
    return story(request, action_id)


@router.get("/decisions/{action_id}", responses=FINDING)
def read_decision(
    request: Request, action_id: ActionId, _caller: Annotated[Caller, Depends(needs("actions:read"))]
) -> Story:
    """The decision about an action; the same document."""
    return story(request, action_id)


@router.get("/decisions/{action_id}/bundle", responses={**FINDING, 200: {"content": {"application/json": {}}}})
def read_bundle(
    request: Request, action_id: ActionId, _caller: Annotated[Caller, Depends(needs("actions:read"))]
) -> Response:
    """The evidence byte for byte: `steward verify check` reads it, and trusts nothing of ours."""
    row = app_of(request).proofs.of_action(action_id)
    if row is None:
        raise Problem(404, "no_such_action", f"there is no evidence of {action_id}")
    return Response(row["bundle"], media_type="application/json")


@router.post(
    "/actions/{action_id}:cancel",
    responses=CHANGING,
    response_model=CancelAnswer,
    openapi_extra=json_body(Reasoned, {"reason": "the show is off"}),
)
async def cancel_action(
    request: Request, action_id: ActionId, caller: Annotated[Caller, Depends(needs("actions:propose"))]
) -> CancelAnswer:
    """Call back what an action set aside or still waits to do. An agent may call back what it proposed itself."""
    wish, _ = await read_json(request, Reasoned)

    def work() -> CancelAnswer:
        app = app_of(request)
        action = app.gateway.action(action_id)
        if action is None:
            raise Problem(404, "no_such_action", f"there is no action {action_id}")
        if action.proposer != caller.name and "actions:manage" not in caller.scopes:
            raise Problem(403, "not_yours", f"{action_id} was proposed by somebody else")
        app.access.used(caller, f"cancel {action_id}", "http")
        if app.effects.state(action_id) is not None:
            ended = app.effects.cancel(action_id, caller.name, wish.reason)
            code = "cannot_cancel" if ended.why else ""
            return CancelAnswer(id=action_id, is_cancelled=not ended.why, code=code, reason=ended.why)
        done = app.cancellations.cancel(action_id, caller.name, wish.reason)
        return CancelAnswer(id=action_id, is_cancelled=not done.code, code=done.code, reason=done.detail)

    return await asyncio.to_thread(work)


def story(request: Request, action_id: str) -> Story:
    """An action's story, with the state it is in now; a `Problem` 404 where there is none."""
    app = app_of(request)
    found = story_of(app.control, action_id)
    if found is None:
        raise Problem(404, "no_such_action", f"there is no action {action_id}")
    return Story.model_validate({**found, "state": app.gateway.listing.state(action_id) or found["state"]})
