"""The door all faces share: how a call becomes an answer. A new face is a module with a class that fits `Face`.

Order: clock, faults that hinder, who calls, which route, idempotency, the handler; a lost reply comes last, after the
effect. Handlers are plain functions: one call runs at a time, unless a latency fault lets another one in between.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol

from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys, fingerprint
from livemarket.faces.webhooks import Notice, Post

Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a path whose {names} are handed over in `call.found`, and what answers."""

    method: str
    path: str
    handler: Handler


class No(Enum):
    """Why a call gets no answer of its own; each face says it in its dialect."""

    NOT_FOUND = 404
    WRONG_METHOD = 405
    RATE_LIMITED = 429
    OUTAGE = 503
    KEY_REUSED = 400
    KEY_IN_USE = 409
    TOO_LARGE = 413


class Face(Protocol):
    """One provider's dialect."""

    @property
    def name(self) -> str: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def post(self) -> Post | None: ...

    def routes(self) -> Sequence[Route]: ...

    def listens(self, base: str) -> None:
        """Told once, where it is."""
        ...

    def credentials(self) -> dict[str, str]:
        """What a caller needs, for the first line of `serve`."""
        ...

    def refused(self, call: Call) -> Answer | None:
        """An answer if the caller is nobody it knows."""
        ...

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer: ...

    def key(self, call: Call) -> str | None:
        """The idempotency key of a call that changes something."""
        ...

    def notices(self, happened: Happened) -> list[Notice]:
        """What this provider tells its listeners about a fact."""
        ...


@dataclass(frozen=True, slots=True)
class _Met:
    """A call that bad weather answered; without an answer its connection breaks."""

    answer: Answer | None


def _broken() -> Answer:
    """What a server's own fault looks like: in nobody's dialect."""
    return answered(500, {"error": "internal error (bad weather)"}, kept=False)


class Door:
    """One face behind the shared order of things. `None` as an answer: the connection breaks instead."""

    def __init__(self, face: Face, business: Business, faults: Faults) -> None:
        self.face = face
        self.base = ""
        self.called: Callable[[str, Call], None] | None = None
        self._business = business
        self._faults = faults
        self._routes = [(route, route.path.strip("/").split("/")) for route in face.routes()]
        self.calls: dict[str, int] = {}

    async def answer(self, call: Call) -> Answer | None:
        face = self.face
        if self.called:
            self.called(face.name, call)
        self._business.tick()
        storm = await self._storm(call)
        if storm is not None:
            return storm.answer
        if self._faults.take("outage", face.name, call.path):
            return face.no(No.OUTAGE, call)
        limit = self._faults.take("rate_limit", face.name, call.path)
        if limit:
            return face.no(No.RATE_LIMITED, call, limit.retry_after)
        refused = face.refused(call)
        answer = refused or await self._routed(call)
        self.calls[str(answer.status)] = self.calls.get(str(answer.status), 0) + 1
        return None if not refused and self._faults.take("lose_reply", face.name, call.path) else answer

    async def _storm(self, call: Call) -> _Met | None:
        """What bad weather makes of a call; None where it goes on as always."""
        weather = self._faults.weather.get(self.face.name)
        if weather is None:
            return None
        kind, wait = weather.draw()
        if kind == "stall":
            await asyncio.sleep(wait / 1000)
            self._business.tick()
        if kind == "limit":
            return _Met(self.face.no(No.RATE_LIMITED, call, 1))
        if kind == "error_before":
            return _Met(_broken())
        if kind == "lose_request":
            return _Met(None)
        if kind in {"lose_reply", "error_after"}:
            answer = self.face.refused(call) or await self._routed(call)
            self.calls[str(answer.status)] = self.calls.get(str(answer.status), 0) + 1
            return _Met(None if kind == "lose_reply" else _broken())
        return None

    async def _routed(self, call: Call) -> Answer:
        parts = call.path.strip("/").split("/")
        others = False
        for route, pattern in self._routes:
            found = matched(pattern, parts)
            if found is None:
                continue
            if route.method == call.method:
                return await self._once(route, replace(call, found=found))
            others = True
        return self.face.no(No.WRONG_METHOD if others else No.NOT_FOUND, call)

    async def _once(self, route: Route, call: Call) -> Answer:
        key = self.face.key(call)
        if key is not None:
            known = self.face.keys.look(key, call, self._business.now)
            if known:
                if known.fingerprint != fingerprint(call):
                    return self.face.no(No.KEY_REUSED, call)
                if known.answer is None:
                    return self.face.no(No.KEY_IN_USE, call)
                return replace(known.answer, headers=known.answer.headers | {"idempotent-replayed": "true"})
        slow = self._faults.take("latency", self.face.name, call.path)
        if slow:
            await asyncio.sleep(slow.milliseconds / 1000)
            self._business.tick()
        try:
            answer = route.handler(call)
        except BaseException:
            if key is not None:
                self.face.keys.free(key)
            raise
        if key is not None:
            self.face.keys.keep(key, answer)
        return answer


def matched(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    """The values of the pattern's {names}, or None if the path is another one."""
    if len(pattern) != len(parts):
        return None
    found: dict[str, str] = {}
    for want, have in zip(pattern, parts, strict=True):
        if want.startswith("{"):
            found[want[1:-1]] = have
        elif want != have:
            return None
    return found


def run_facts(business: Business, doors: Sequence[Door]) -> dict[str, Any]:
    """What the control face may say of the run: never causes, only where it stands."""
    return {
        "simulated": True,
        "day": business.now // 86_400 - business.first + 1,
        "over": business.over,
        "acts": business.done,
        "calls": {door.face.name: door.calls for door in doors},
        "deliveries": dict(
            Counter(delivery.state for door in doors if door.face.post for delivery in door.face.post.log)
        ),
    }
