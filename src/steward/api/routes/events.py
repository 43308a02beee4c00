"""Events in and out: one or many, by position, and as a stream that can be taken up where it broke off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from steward.api.bodies import is_binary, media_type, read_body, structured_of_binary
from steward.api.callers import BEARER, app_of, caller_with
from steward.api.documents import BATCH_BODY, ONE_BODY, PROBLEMS
from steward.api.once import key_of, once
from steward.api.problems import Problem, problem_of
from steward.events import Decoded
from steward.ingest import Taken
from steward.kernel.canonical import JsonObject
from steward.kernel.errors import Busy

router = APIRouter(prefix="/v1", tags=["events"], dependencies=[Depends(BEARER)])
_SMALL = 128 << 10
_MOST_STREAMS = 200
_KEEP_ALIVE_SECONDS = 15.0
_STREAM_PAGE = 500
_JSON = {"application/json", "application/cloudevents+json", "application/cloudevents-batch+json"}
Name = Annotated[str, Query(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$")]
Position = Annotated[int, Query(ge=0, le=2**62)]


@router.post("/events", responses=PROBLEMS, openapi_extra=ONE_BODY)
async def send_event(request: Request) -> Response:
    """Store one event: a CloudEvent in structured or binary mode. 201 with its position, 200 if it was there."""

    def decoded(body: bytes) -> Decoded:
        if is_binary(request):
            body = structured_of_binary(request.headers, body)
        return app_of(request).ingestor.decode_single(body)

    return await _receive(request, decoded, batch=False, atomic=False)


@router.post("/events:batch", responses=PROBLEMS, openapi_extra=BATCH_BODY)
async def send_batch(request: Request, atomic: Annotated[bool, Query()] = False) -> Response:  # noqa: FBT002 - a query parameter
    """Store many events: a JSON array of CloudEvents. Good ones land and bad ones are listed by index, unless
    `atomic`: then all land or none.
    """
    return await _receive(request, app_of(request).ingestor.decode_batch, batch=True, atomic=atomic)


async def _receive(request: Request, decode: Any, *, batch: bool, atomic: bool) -> Response:
    caller = await caller_with(request, "events:write")
    accepted = {"application/json", ""} if is_binary(request) else _JSON | {""}
    if media_type(request) not in accepted:
        listed = ", ".join(sorted(accepted - {""}))
        raise Problem(415, "unsupported_media_type", f"{media_type(request)} is none of {listed}")
    body = await read_body(request)

    async def work() -> Response:
        return _response(await _take(request, body, decode, atomic=atomic), batch=batch)

    key = key_of(request)
    if key is None:
        return await work()
    # The draft: the same key means the same request, whatever else the connection adds.
    attributes = sorted((k, v) for k, v in request.headers.items() if k.startswith("ce-"))
    return await once(request, caller, key, body, work, f"{is_binary(request)}\n{attributes!r}")


async def _take(request: Request, body: bytes, decode: Any, *, atomic: bool) -> Taken:
    """Decode here if small, else beside the loop; then wait for the commit without holding a thread."""
    ingestor = app_of(request).ingestor
    decoded: Decoded = decode(body) if len(body) < _SMALL else await asyncio.to_thread(decode, body)
    try:
        if ingestor.concerns_people(decoded):
            pending = await asyncio.to_thread(ingestor.submit, decoded, atomic=atomic)
        else:
            pending = ingestor.submit(decoded, atomic=atomic)
    except Busy as error:
        raise problem_of(error) from error
    await asyncio.wrap_future(pending.answer)
    return pending.settle()


def _response(taken: Taken, *, batch: bool) -> Response:
    if not taken.rejected:
        if batch:
            return _json(200, {**taken.to_json(), "last": max(taken.positions.values(), default=0)})
        return _json(201 if taken.accepted else 200, {"position": taken.positions[0], "duplicate": not taken.accepted})
    landed = taken.accepted + taken.duplicates
    codes = {item.code for item in taken.rejected} - {"withheld"}
    status = 207 if landed else 409 if codes <= {"conflict", "wrong_version"} else 422
    counts = {"accepted": taken.accepted, "duplicates": taken.duplicates} if batch else {}
    problem = Problem(
        status,
        "partly_rejected" if landed else next(iter(codes)) if len(codes) == 1 else "rejected",
        f"{len(taken.rejected)} of {len(taken.rejected) + landed} events were refused, the others are stored"
        if landed
        else "nothing was stored",
        taken.to_json()["rejected"],
        more=counts,
    )
    return problem.response()


def _json(status: int, document: JsonObject) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), status, media_type="application/json")


@router.get("/events", responses=PROBLEMS)
async def read_events(
    request: Request,
    after: Position = 0,
    type: Annotated[list[Name] | None, Query(max_length=50)] = None,  # noqa: A002 - the parameter's public name
    subject: Name | None = None,
    until: Position | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events after a position, oldest first, as they were stored; `next` is where to go on, null at the end."""
    await caller_with(request, "events:read")
    found = await asyncio.to_thread(
        lambda: app_of(request).events.read(after, type, limit, subject=subject, until=until, as_stored=True)
    )
    items = [event.model_dump(mode="json") for event in found]
    return _json(200, {"items": items, "next": items[-1]["position"] if len(items) == limit else None})


async def _may_go_on(request: Request) -> bool:
    """Whether the key is still live: one that was revoked ends its streams."""
    try:
        await caller_with(request, "events:read")
    except Problem:
        return False
    return True


@router.get("/events/stream", responses={**PROBLEMS, 200: {"content": {"text/event-stream": {}}}})
async def stream_events(
    request: Request,
    after: Position | None = None,
    type: Annotated[list[Name] | None, Query(max_length=50)] = None,  # noqa: A002 - the parameter's public name
    subject: Name | None = None,
) -> StreamingResponse:
    """Server-sent events from a position on, without end; `id` is the position. Without `after` or Last-Event-ID the
    stream starts at what comes next.
    """
    await caller_with(request, "events:read")
    app, watch = app_of(request), request.app.state.watch
    last = request.headers.get("last-event-id", "")
    if last and not (last.isdecimal() and last.isascii() and len(last) < 19):
        raise Problem(400, "bad_input", f"Last-Event-ID {last[:40]!r} is no position")
    if watch.streams >= _MOST_STREAMS:
        raise Problem(429, "busy", f"{_MOST_STREAMS} streams are open already", headers={"Retry-After": "5"})
    start = int(last) if last else after if after is not None else (await asyncio.to_thread(app.events.head))["size"]

    async def body() -> AsyncGenerator[str]:
        position, clock = start, asyncio.get_running_loop().time
        spoke = clock()
        watch.streams += 1
        try:
            yield "retry: 1000\n\n"
            while True:
                seen = watch.head
                found = await asyncio.to_thread(
                    app.events.read, position, type, _STREAM_PAGE, subject=subject, as_stored=True
                )
                for event in found:
                    document = json.dumps(event.model_dump(mode="json"), ensure_ascii=False)
                    yield f"id: {event.position}\nevent: {event.envelope.type}\ndata: {document}\n\n"
                    position, spoke = event.position, clock()
                if len(found) < _STREAM_PAGE:
                    await watch.beyond(seen, max(0.0, _KEEP_ALIVE_SECONDS - (clock() - spoke)))
                if clock() - spoke >= _KEEP_ALIVE_SECONDS:
                    if not await _may_go_on(request):
                        return
                    yield ": still here\n\n"
                    spoke = clock()
        finally:
            watch.streams -= 1

    return StreamingResponse(body(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
