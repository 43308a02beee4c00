"""Who works in the shop: an agent that reads what customers ask, and a person who decides what waits for one.

Both come over HTTP with keys of their own, like anybody. What the agent makes of a ticket is a rule about its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from steward.demonstration.callers import Caller, Refused
from steward.demonstration.world import World
from steward.kernel.canonical import JsonObject

AGENT, OPERATOR, FOUNDER, SECOND = "returns-refunds", "mia", "ana", "eve"
_HERS = "payment.refund"
_WISHES = {
    "damaged": re.compile(r"broken|with a fault|does not work|money back", re.IGNORECASE),
    "returned": re.compile(r"send back|for a return|to return", re.IGNORECASE),
    "not_as_shown": re.compile(r"looks nothing like", re.IGNORECASE),
    "cancelled": re.compile(r"cancel", re.IGNORECASE),
}
_GRANTED = {"damaged", "returned", "keep_it"}
_ASKS = ("TicketOpened", "RefundRequested", "ReturnReceived")
_GIVES_BACK = {"stripe", "paypal"}
_PAGE = 1000


def wish_of(text: str) -> str | None:
    """Why a customer wants money back, if that is what she wants."""
    return next((reason for reason, words in _WISHES.items() if words.search(text)), None)


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants the money of an order back. `name` is the wish's own: a ticket's, a return's."""

    name: str
    order: str
    reason: str
    why: str


def refund_of(wish: Wish, payment: JsonObject) -> JsonObject:
    """The action that a wish asks for: all of its payment back, the way it came."""
    params = {
        "refund_id": wish.name,
        "payment_id": payment["payment_id"],
        "processor": payment["processor"],
        "amount": {"amount_minor": payment["amount_minor"], "currency": payment["currency"]},
        "reason": wish.reason,
    }
    return {"kind": "payment.refund", "params": params, "why": wish.why}


def wish_in(kind: str, data: JsonObject) -> Wish | None:
    """The wish in a request or a return; a request of somebody who sends the goods back waits for the goods."""
    order, reason = str(data.get("order_id")), str(data.get("reason"))
    if kind == "RefundRequested" and reason != "returned":
        return Wish(str(data["refund_id"]), order, reason, f"asked for: {reason}")
    if kind == "ReturnReceived" and data["condition"] != "empty":
        return Wish(str(data["return_id"]), order, "returned", f"came back: {data['condition']}")
    return None


@dataclass
class ReturnsDesk:
    """Reads what customers ask for and proposes; it can do nothing else."""

    steward: Caller
    world: World

    def work(self, after: int) -> int:
        """Look at every wish that came after a position of the log; how far that is. The same wish proposes the same
        action under the same key, so to look again changes nothing.
        """
        while True:
            page = self.steward.get("/v1/events", type=list(_ASKS), after=after, limit=_PAGE)
            for event in page["items"]:
                kind, data = event["envelope"]["type"], event["envelope"]["data"]
                wish = self._written(str(data["ticket_id"])) if kind == "TicketOpened" else wish_in(kind, data)
                if wish is not None:
                    self._propose(wish)
                after = event["position"]
            if page["next"] is None:
                return after

    def _written(self, number: str) -> Wish | None:
        ticket = self.world.ticket(number)
        reason, order = wish_of(str(ticket["description"])), str(ticket["external_id"]).removeprefix("tkt-")
        return Wish(f"ticket-{number}", order, reason, f"ticket {number}: {ticket['subject']}") if reason else None

    def _propose(self, wish: Wish) -> None:
        payment = self._payment(wish.order)
        if payment is not None and payment["processor"] in _GIVES_BACK:
            self.steward.post("/v1/actions", refund_of(wish, payment), headers={"idempotency-key": self.key(wish)})

    def key(self, wish: Wish) -> str:
        """Under which the wish is known, however often it is read."""
        return f"refund-{wish.name}"

    def _payment(self, order: str) -> JsonObject | None:
        found = self.steward.get("/v1/events", type="PaymentCaptured", subject=f"order/{order}", limit=1)["items"]
        return found[0]["envelope"]["data"] if found else None


@dataclass
class Operator:
    """Reads what waits; says yes to what came broken or goes back, and no to the rest."""

    steward: Caller

    def read(self) -> list[JsonObject]:
        """Every refund that waits, looked at under her own key."""
        waiting = self.steward.get("/v1/approvals", limit=200)["items"]
        return [self.steward.get(f"/v1/approvals/{item['id']}") for item in waiting if item["kind"] == _HERS]

    def decide(self, items: list[JsonObject]) -> None:
        """Her word on each. What was decided meanwhile, by herself before a crash, is told so and left."""
        for item in items:
            reason = item["params"]["reason"]
            is_yes = reason in _GRANTED
            wish = {"reason": f"{reason}: {'granted' if is_yes else 'the goods came as they were sold'}"}
            if is_yes:
                wish["digest"] = item["args_digest"]
            word = "approve" if is_yes else "reject"
            answer = self.steward.send("POST", f"/v1/approvals/{item['id']}:{word}", json=wish)
            if not answer.is_success and answer.json().get("code") != "not_waiting":
                raise Refused(f"HTTP {answer.status_code}: {answer.text[:300]}", where=item["id"])
