"""The control face: moves a manual clock, asks for faults, reads the delivery log. No provider has it, and it is on a
port of its own. It tells where the run stands and never why anything happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from livemarket.core.acts import Verb
from livemarket.faces.business import Business, Happened, iso, unix
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.door import Door, No, Route, run_facts
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.known import Known
from livemarket.faces.webhooks import Notice, Post

ROOT = "/_livemarket"
MOST_SECONDS = 400 * 86_400


class Control:
    """A bearer token opens it."""

    name = "control"
    post: Post | None = None

    def __init__(self, business: Business, faults: Faults, token: str) -> None:
        self.keys = Keys(0)
        self.doors: Sequence[Door] = ()
        self._business = business
        self._faults = faults
        self._known = Known(business, faults)
        self._token = token

    def listens(self, base: str) -> None:
        """Its answers take the address from the call."""

    def credentials(self) -> dict[str, str]:
        return {"token": self._token}

    def refused(self, call: Call) -> Answer | None:
        if call.bears(self._token):
            return None
        return answered(401, {"error": "the control face wants its own bearer token"})

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        return answered(why.value, {"error": f"{why.name.lower()}: {call.method} {call.path}"})

    def key(self, call: Call) -> str | None:
        return None

    def notices(self, happened: Happened) -> list[Notice]:
        return []

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", f"{ROOT}/clock", self._clock),
            Route("POST", f"{ROOT}/clock/advance", self._advance),
            Route("GET", f"{ROOT}/faults", lambda _: answered(200, {"faults": self._faults.listed()})),
            Route("POST", f"{ROOT}/faults", self._fault),
            Route("DELETE", f"{ROOT}/faults", self._no_faults),
            Route("PUT", f"{ROOT}/weather", self._turn),
            Route("GET", f"{ROOT}/weather", self._weather),
            Route("GET", f"{ROOT}/deliveries", self._deliveries),
            Route("POST", f"{ROOT}/deliveries/again", lambda _: answered(200, {"waiting": self._again()})),
            Route("GET", f"{ROOT}/run", lambda _: answered(200, run_facts(self._business, self.doors))),
            Route("GET", f"{ROOT}/moved", lambda _: answered(200, self._known.moved())),
            Route("GET", f"{ROOT}/papers", lambda _: answered(200, {"papers": self._known.papers()})),
            Route("GET", f"{ROOT}/papers/{{payout}}", self._paper),
            Route("POST", f"{ROOT}/shop/{{what}}", self._shop),
        )

    def _clock(self, call: Call) -> Answer:
        now = self._business.now
        return answered(200, {"now": iso(now), "unix": unix(now), "over": self._business.over})

    def _advance(self, call: Call) -> Answer:
        try:
            seconds: Any = call.document()["seconds"]
        except (ValueError, KeyError, TypeError):
            seconds = None
        if not isinstance(seconds, int) or not 0 < seconds <= MOST_SECONDS:
            return answered(400, {"error": f"seconds is a whole number from 1 to {MOST_SECONDS}"})
        if self._business.clock.factor:
            return answered(409, {"error": "this clock runs by itself; start with --speed manual to move it by hand"})
        behind = max(self._business.now - self._business.first * 86_400 - self._business.clock.elapsed(), 0)
        self._business.clock.push(seconds + behind)  # acts take a second each, which the clock did not count
        self._business.tick()
        return self._clock(call)

    def _fault(self, call: Call) -> Answer:
        """One that waits for its occasion; a wrong fee is charged at once, on a payment that is already there."""
        try:
            asked: Any = call.document()
            if not isinstance(asked, dict) or asked.get("kind") != "wrong_fee":  # pyright: ignore[reportUnknownMemberType] - JSON
                return answered(201, asdict(self._faults.ask(asked)))  # pyright: ignore[reportUnknownArgumentType] - JSON
            face, amount = str(asked.get("face")), asked.get("amount")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType] - JSON
            made = self._known.overcharge(face, amount if type(amount) is int else 0)  # pyright: ignore[reportUnknownArgumentType] - JSON
        except ValueError as error:
            return answered(400, {"error": str(error)})
        return answered(201, made) if made else answered(409, {"error": "no payment waits for its payout; ask later"})

    def _paper(self, call: Call) -> Answer:
        text = self._known.paper(call.found["payout"])
        if text is None:
            return answered(404, {"error": "no payout of that name was sent"})
        return Answer(200, text.encode(), {"content-type": "text/csv"})

    def _again(self) -> int:
        return sum(door.face.post.again() for door in self.doors if door.face.post)

    def _turn(self, call: Call) -> Answer:
        try:
            return answered(200, asdict(self._faults.turn(call.document())))
        except ValueError as error:
            return answered(400, {"error": str(error)})

    def _weather(self, call: Call) -> Answer:
        return answered(200, {"weather": [asdict(one) for one in self._faults.weather.values()]})

    def _no_faults(self, call: Call) -> Answer:
        self._faults.waiting.clear()
        return answered(200, {"faults": []})

    def _deliveries(self, call: Call) -> Answer:
        return answered(
            200, {"deliveries": [row for door in self.doors if door.face.post for row in door.face.post.listed()]}
        )

    def _shop(self, call: Call) -> Answer:
        """What no provider's face does yet: prices, budgets, listings and stock, by number of the product or ad set."""
        shop = self._business.world.setting.shop
        verbs = {
            "price": (Verb.PRICE, shop.skus), "ad_budget": (Verb.BUDGET, shop.ad_sets),
            "unlist": (Verb.UNLIST, shop.skus), "list": (Verb.LIST, shop.skus), "stock": (Verb.BUY_STOCK, shop.skus),
        }  # fmt: skip
        verb, count = verbs.get(call.found["what"], (None, 0))
        if verb is None:
            return answered(404, {"error": f"one of {', '.join(verbs)}"})
        try:
            asked = call.document()
            entity, amount = asked["number"], asked.get("amount", 0)
        except (ValueError, KeyError, TypeError, AttributeError):
            entity, amount = None, None
        needs = verb in {Verb.PRICE, Verb.BUY_STOCK}
        if not isinstance(entity, int) or not isinstance(amount, int) or not 0 <= entity < count or amount < needs:
            return answered(400, {"error": f"number is from 0 to {count - 1}; amount is whole and not negative"})
        at = self._business.act(verb, entity, amount)
        return answered(200, {"at": iso(at)}) if at is not None else answered(409, {"error": "not now; ask again"})
