"""Webhooks: signed by the face, tried again with growing pauses, doubled, shuffled or dropped on demand, all logged.

Pauses are in time of the business, so that an accelerated or manual clock shortens them too.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from livemarket.faces.clock import wall
from livemarket.faces.faults import Faults

PAUSES = (60, 300, 1_800, 7_200, 18_000, 36_000, 86_400)  # seconds of the business; then it is given up
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: its id, its type and the JSON that is sent."""

    id: str
    type: str
    document: dict[str, Any]


@dataclass
class Endpoint:
    """Somebody who listens. No types: all."""

    id: str
    url: str
    secret: str = ""
    types: tuple[str, ...] = ()
    born: int = 0


@dataclass
class Delivery:
    """One notice for one endpoint. A try is (moment, status or what went wrong)."""

    endpoint: Endpoint
    notice: Notice
    due: int
    number: int
    tries: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    state: str = "waiting"


Sign = Callable[[Endpoint, bytes, int, str], dict[str, str]]


class Post:
    """The deliveries of one face. `sign` makes the headers from endpoint, body, real time and an id of the try."""

    def __init__(self, face: str, sign: Sign, faults: Faults) -> None:
        self.face = face
        self.endpoints: dict[str, Endpoint] = {}
        self.log: list[Delivery] = []
        self._waiting: list[Delivery] = []
        self._sign = sign
        self._faults = faults
        self.dated: Callable[[int], int] = lambda _: wall()
        self.at_once = 1  # in order, unless a face says that nobody may count on it
        self.delivered: Callable[[str, int], None] | None = None

    def tell(self, notice: Notice, now: int) -> None:
        """Queue a notice for everybody who wants it."""
        for endpoint in self.endpoints.values():
            if endpoint.types and "*" not in endpoint.types and notice.type not in endpoint.types:
                continue
            if self._faults.take("drop", self.face):
                self.log.append(Delivery(endpoint, notice, now, len(self.log), state="dropped"))
                continue
            for _ in range(2 if self._faults.take("duplicate", self.face) else 1):
                delivery = Delivery(endpoint, notice, now, len(self.log))
                self.log.append(delivery)
                self._waiting.append(delivery)

    def was_delivered(self, number: int) -> None:
        """By a process before this one: it is not sent again."""
        delivery = self.log[number]
        delivery.state = "delivered"
        self._waiting = [one for one in self._waiting if one is not delivery]

    def again(self) -> int:
        """What waits for a later try, or was given up, is due at once, as if somebody pressed the button for it; how
        many there are.
        """
        given_up = [delivery for delivery in self.log if delivery.state == "given up"]
        self._waiting += given_up
        for delivery in self._waiting:
            delivery.due, delivery.state = 0, "waiting"
        return len(self._waiting)

    def next_due(self) -> int | None:
        return min((d.due for d in self._waiting), default=None)

    async def send(self, client: httpx.AsyncClient, now: int) -> None:
        """Send what is due. What fails waits again, longer each time."""
        due = [delivery for delivery in self._waiting if delivery.due <= now]
        self._waiting = [delivery for delivery in self._waiting if delivery.due > now]
        if len(due) > 1 and self._faults.take("disorder", self.face):
            due.reverse()
        for first in range(0, len(due), self.at_once):
            together = due[first : first + self.at_once]
            await asyncio.gather(*(self._try(client, delivery, now) for delivery in together))

    async def _try(self, client: httpx.AsyncClient, delivery: Delivery, now: int) -> None:
        body = json.dumps(delivery.notice.document, separators=(",", ":")).encode()
        name = f"{delivery.notice.id}-{len(delivery.tries)}"
        headers = {"content-type": "application/json"} | self._sign(delivery.endpoint, body, self.dated(now), name)
        try:
            reply = await client.post(delivery.endpoint.url, content=body, headers=headers, timeout=TIMEOUT)
            said, good = str(reply.status_code), reply.is_success
        except httpx.HTTPError as error:
            said, good = type(error).__name__, False
        delivery.tries.append((now, said))
        if good:
            delivery.state = "delivered"
            if self.delivered:
                self.delivered(self.face, delivery.number)
        elif len(delivery.tries) > len(PAUSES):
            delivery.state = "given up"
        else:
            delivery.due = now + PAUSES[len(delivery.tries) - 1]
            self._waiting.append(delivery)

    def listed(self) -> list[dict[str, Any]]:
        """The log, for the control face."""
        return [
            {
                "face": self.face, "endpoint": d.endpoint.url, "id": d.notice.id, "type": d.notice.type,
                "state": d.state, "tries": [{"moment": moment, "said": said} for moment, said in d.tries],
            }
            for d in self.log
        ]  # fmt: skip
