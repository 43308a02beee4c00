"""The face of live shows: who may call, what can be changed, and what is told.

Every change holds from the next slot on. The answer says which slots those are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from typing import Any

from livemarket.core.acts import Verb
from livemarket.core.state import CHANNELS
from livemarket.faces.business import DAY, Business, Happened, iso
from livemarket.faces.calls import Answer, Call, Refusal, answered, guarded
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.shelf import Shelf
from livemarket.faces.show.shows import Shows
from livemarket.faces.webhooks import Endpoint, Notice, Post
from livemarket.files import names

MOST_PERCENT = 90
EVENTS = {"show": "show.started", "slot": "show.slot_started", "show_over": "show.ended"}
_SKU = re.compile(r"SKU-(\d{4,6})")


class Refused(Refusal):
    """A call that would not be taken; nothing was done."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code = status, code

    def answer(self) -> Answer:
        return answered(self.status, {"code": self.code, "detail": str(self)}, kept=False)


def signature(endpoint: Endpoint, body: bytes, at: int, _: str) -> dict[str, str]:
    """t=TIME,v1=HMAC-SHA256 of TIME.BODY under the endpoint's secret."""
    made = hmac.new(endpoint.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"livemarket-signature": f"t={at},v1={made}"}


class LiveShows:
    """A bearer token opens it."""

    name = "show"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(DAY)
        self.shows = Shows(business)
        self.view = self.shows.view
        self.post = Post(self.name, signature, faults)
        self._shelf = Shelf(business)
        self._token = hashlib.sha256(f"livemarket/show/{seed}".encode()).hexdigest()[:32]

    def listens(self, base: str) -> None:
        """Its answers hold no address."""

    def credentials(self) -> dict[str, str]:
        return {"token": self._token}

    def refused(self, call: Call) -> Answer | None:
        if call.bears(self._token):
            return None
        return Refused(401, "UNAUTHORISED", "a bearer token is needed").answer()

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        answer = Refused(why.value, why.name, f"{call.method} {call.path}").answer()
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return call.headers.get("idempotency-key") if call.method == "POST" else None

    def notices(self, happened: Happened) -> list[Notice]:
        key = self.shows.pass_by(happened)
        if key is None:
            return []
        kind, columns = EVENTS[happened.kind], happened.columns
        data: dict[str, Any] = {"show_id": names.show(key)}
        if happened.kind == "slot":
            data |= {
                "slot": columns["slot"], "sku": names.sku(columns["sku"]), "price_minor": columns["price"],
                "currency": names.CURRENCY, "drop_percent": columns["drop_ppm"] // 10_000,
                "watching": columns["watching"],
            }  # fmt: skip
        if happened.kind == "show_over":
            data |= {"peak_viewers": columns["peak"], "total_viewers": columns["viewers"]}
        name = f"{kind}/{names.show(key)}" + (f"/{columns['slot']}" if happened.kind == "slot" else "")
        document = {"id": name, "type": kind, "at": iso(happened.moment), "data": data, "simulated": True}
        return [Notice(name, kind, document)]

    def routes(self) -> Sequence[Route]:
        made: list[tuple[str, str, Callable[[Call], Answer]]] = [
            ("GET", "/v1/shows", self._list),
            ("GET", "/v1/shows/{id}", lambda call: self._shown(self._show(call))),
            ("POST", "/v1/shows/{id}/pin", self._pin),
            ("POST", "/v1/shows/{id}/price_drop", self._drop),
            ("POST", "/v1/shows/{id}/end", self._end),
            ("POST", "/v1/webhooks", self._listen),
            ("DELETE", "/v1/webhooks/{id}", self._forget),
        ]
        return [Route(method, path, guarded(action)) for method, path, action in made]

    def _list(self, call: Call) -> Answer:
        wanted = call.asked("status")
        shows = [self.shows.show(key, known) for key, known in self.shows.known().items()]
        return answered(200, {"shows": [show for show in shows if wanted in {"", show["status"]}]})

    def _show(self, call: Call) -> int:
        key = self.shows.named(call.found["id"])
        if key is None:
            raise Refused(404, "NOT_FOUND", f"{call.found['id']} is no show of the run or of the coming week")
        return key

    def _shown(self, key: int) -> Answer:
        known = self.shows.known()[key]
        return answered(200, self.shows.show(key, known) | {"slots": self.shows.slots(key, known["moment"])})

    def _changeable(self, call: Call) -> tuple[int, dict[str, Any], int]:
        """The show, the body, and the slot that is meant (-1: all that are still to begin)."""
        key = self._show(call)
        moment = self.shows.known()[key]["moment"]
        status = self.shows.status(key, moment)
        if status in {"ended", "cancelled"}:
            raise Refused(409, "OVER", f"the show is {status}")
        try:
            given: Any = call.document()
            slot: Any = given.get("slot", -1)
        except (ValueError, AttributeError) as error:
            raise Refused(400, "MALFORMED", "the body is a JSON object") from error
        slots = self.shows.slots(key, moment)
        if type(slot) is not int or not -1 <= slot < len(slots):
            raise Refused(422, "SLOT", f"slot is from 0 to {len(slots) - 1}, or left out")
        later = [one["slot"] for one in slots if one["status"] == "planned"]
        if not later or (slot >= 0 and slot not in later):
            raise Refused(409, "BEGUN", "a slot that has begun is not changed any more")
        return key, given, slot

    def _act(self, key: int, verb: Verb, value: int, slot: int) -> Answer:
        if self.business.act(verb, key, value, slot) is None:
            raise Refused(409, "BUSY", "the show is being changed; send the same call again")
        return self._shown(key)

    def _pin(self, call: Call) -> Answer:
        key, given, slot = self._changeable(call)
        found = _SKU.fullmatch(str(given.get("sku", "")))
        sku = int(found[1]) if found else -1
        if not 0 <= sku < self.view.world.setting.shop.skus:
            raise Refused(422, "SKU", "sku is one of the shop's products, such as SKU-0003")
        on_hand, reserved = self._shelf.stock(sku)
        if on_hand <= reserved:
            raise Refused(422, "SOLD_OUT", f"{names.sku(sku)} is not on the shelf")
        market = CHANNELS[self.shows.known()[key]["channel"]] == CHANNELS[0]
        if market and int(self.business.morning.state.banned_until[sku]) > self.business.morning.day:
            raise Refused(422, "BANNED", f"the marketplace has taken {names.sku(sku)} down")
        return self._act(key, Verb.PIN, sku, slot)

    def _drop(self, call: Call) -> Answer:
        key, given, slot = self._changeable(call)
        percent = given.get("percent")
        if type(percent) is not int or not 0 <= percent <= MOST_PERCENT:
            raise Refused(422, "PERCENT", f"percent is a whole number from 0 to {MOST_PERCENT}")
        return self._act(key, Verb.DROP, percent * 10_000, slot)

    def _end(self, call: Call) -> Answer:
        """After the slot that runs; a show that has not begun is called off."""
        key = self._show(call)
        status = self.shows.status(key, self.shows.known()[key]["moment"])
        if status in {"ended", "cancelled"}:
            raise Refused(409, "OVER", f"the show is {status}")
        return self._act(key, Verb.END_SHOW, 0, -1)

    def _listen(self, call: Call) -> Answer:
        try:
            url: Any = call.document()["url"]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, "MALFORMED", "url is needed") from error
        if not isinstance(url, str) or not url.startswith("http"):
            raise Refused(422, "URL", "url is an address")
        made = hashlib.sha256(f"{self._token}/{url}".encode()).hexdigest()
        endpoint = Endpoint(made[:12], url, made[12:], (), self.view.now)
        self.post.endpoints[endpoint.id] = endpoint
        return answered(201, {"id": endpoint.id, "url": url, "secret": endpoint.secret, "events": [*EVENTS.values()]})

    def _forget(self, call: Call) -> Answer:
        if self.post.endpoints.pop(call.found["id"], None) is None:
            raise Refused(404, "NOT_FOUND", "no such webhook")
        return Answer(204, b"")
