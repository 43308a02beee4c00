"""Who works in the shop: an agent that reads what customers ask, and a person who decides what waits for one.

Both come over HTTP with keys of their own, like anybody. What the agent makes of a ticket is a rule about its words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from steward.demonstration.callers import Caller, Refused
from steward.demonstration.world import World
from steward.kernel.canonical import JsonObject

AGENT, OPERATOR, FOUNDER = "returns-refunds", "mia", "ana"
_BROKEN = re.compile(r"broken|with a fault|does not work|money back", re.IGNORECASE)
_NOT_AS_SHOWN = re.compile(r"looks nothing like", re.IGNORECASE)
_GIVES_BACK = {"stripe", "paypal"}
_PAGE = 1000


def wish_of(text: str) -> Literal["damaged", "not_as_shown"] | None:
    """Why a customer wants money back, if that is what she wants."""
    if _BROKEN.search(text):
        return "damaged"
    return "not_as_shown" if _NOT_AS_SHOWN.search(text) else None


def refund_of(ticket: JsonObject, payment: JsonObject, reason: str) -> JsonObject:
    """The action that a ticket asks for: all of its payment back, the way it came."""
    amount = {"amount_minor": payment["amount_minor"], "currency": payment["currency"]}
    params = {
        "refund_id": f"ticket-{ticket['id']}",
        "payment_id": payment["payment_id"],
        "processor": payment["processor"],
        "amount": amount,
        "reason": reason,
    }
    return {"kind": "payment.refund", "params": params, "why": f"ticket {ticket['id']}: {ticket['subject']}"}


@dataclass
class ReturnsDesk:
    """Reads new tickets and proposes; it can do nothing else."""

    steward: Caller
    world: World

    def work(self, after: int) -> int:
        """Look at every ticket that came after a position of the log; how far that is. The same ticket proposes the
        same action under the same key, so to look again changes nothing.
        """
        while True:
            page = self.steward.get("/v1/events", type="TicketOpened", after=after, limit=_PAGE)
            for event in page["items"]:
                self._answer(str(event["envelope"]["data"]["ticket_id"]))
                after = event["position"]
            if page["next"] is None:
                return after

    def _answer(self, number: str) -> None:
        ticket = self.world.ticket(number)
        reason = wish_of(f"{ticket['subject']} {ticket['description']}")
        order = str(ticket["external_id"]).removeprefix("tkt-")
        payment = self._payment(order) if reason else None
        if reason is None or payment is None or payment["processor"] not in _GIVES_BACK:
            return
        document = refund_of(ticket, payment, reason)
        self.steward.post("/v1/actions", document, headers={"idempotency-key": f"refund-{number}"})

    def _payment(self, order: str) -> JsonObject | None:
        found = self.steward.get("/v1/events", type="PaymentCaptured", subject=f"order/{order}", limit=1)["items"]
        return found[0]["envelope"]["data"] if found else None


@dataclass
class Operator:
    """Reads what waits and says yes; no where the goods came as they were sold."""

    steward: Caller

    def read(self) -> list[JsonObject]:
        """Everything that waits, looked at under her own key."""
        waiting = self.steward.get("/v1/approvals", limit=200)["items"]
        return [self.steward.get(f"/v1/approvals/{item['id']}") for item in waiting]

    def decide(self, items: list[JsonObject]) -> None:
        """Her word on each. What was decided meanwhile, by herself before a crash, is told so and left."""
        for item in items:
            is_yes = item["args"].get("reason", "") != "not_as_shown" if "args" in item else True
            wish = {"reason": "the goods came broken" if is_yes else "the goods came as they were shown"}
            if is_yes:
                wish["digest"] = item["args_digest"]
            answer = self.steward.send(
                "POST", f"/v1/approvals/{item['id']}:{'approve' if is_yes else 'reject'}", json=wish
            )
            if not answer.is_success and answer.json().get("code") != "not_waiting":
                raise Refused(f"HTTP {answer.status_code}: {answer.text[:300]}", where=item["id"])
