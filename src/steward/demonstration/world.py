"""The simulated world as its callers see it: its clock, its faces, and what it knows when all is over."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from steward.demonstration.callers import Caller
from steward.demonstration.processes import Processes
from steward.kernel.canonical import JsonObject
from steward.kernel.instants import parse_instant

ROOT = "/_livemarket"
_STRIPE_TELLS = (
    "payment_intent.succeeded", "payment_intent.payment_failed", "refund.created", "charge.dispute.created",
    "charge.dispute.closed", "payout.created", "payout.paid",
)  # fmt: skip
_DESK_TELLS = ("zen:event-type:ticket.created", "zen:event-type:ticket.status_changed")


class World:
    """`faces` is what `livemarket serve` says when it starts: addresses and what opens them."""

    def __init__(self, processes: Processes, faces: JsonObject) -> None:
        self._processes = processes
        self.faces = faces
        self._control = Caller(processes, faces["control"]["url"], faces["control"]["token"])
        self.stripe = Caller(processes, faces["stripe"]["url"], faces["stripe"]["api_key"])
        self.desk = Caller(processes, faces["helpdesk"]["url"], faces["helpdesk"]["oauth_token"])
        self.bank = Caller(processes, faces["bank"]["url"], faces["bank"]["token"])
        self._office = Caller(processes, faces["office"]["url"], faces["office"]["token"])
        self._paypal = Caller(processes, faces["paypal"]["url"], "")

    def now(self) -> datetime:
        return parse_instant(self._control.get(f"{ROOT}/clock")["now"])

    def go(self, until: datetime) -> None:
        """Move its clock on, not beyond; where it is later already, nothing happens. Its last second is its end."""
        while not (clock := self._control.get(f"{ROOT}/clock"))["over"]:
            left = int((until - parse_instant(clock["now"])).total_seconds())
            if left <= 0:
                return
            self._control.post(f"{ROOT}/clock/advance", {"seconds": left})

    def listen(self, server: str) -> dict[str, str]:
        """Let the faces tell this server; the secret of each provider."""
        events: dict[str, Any] = {"url": f"{server}/v1/webhooks/stripe", "enabled_events[]": list(_STRIPE_TELLS)}
        stripe = self.stripe.send("POST", "/v1/webhook_endpoints", data=events).json()
        wish = {"name": "steward", "endpoint": f"{server}/v1/webhooks/zendesk", "subscriptions": list(_DESK_TELLS)}
        hook = self.desk.post("/api/v2/webhooks", {"webhook": wish})["webhook"]
        secret = self.desk.get(f"/api/v2/webhooks/{hook['id']}/signing_secret")["signing_secret"]["secret"]
        office = self._office.post("/webhooks", {"url": f"{server}/v1/webhooks/standard"})
        return {"stripe": stripe["secret"], "zendesk": secret, "standard": office["secret"]}

    def waiting(self) -> int:
        """Deliveries that are still to come; those that failed are due again at once."""
        states = self.run()["deliveries"]
        count = int(states.get("waiting", 0)) + int(states.get("given up", 0))
        if count:
            self._control.post(f"{ROOT}/deliveries/again")
        return count

    def run(self) -> JsonObject:
        return self._control.get(f"{ROOT}/run")

    def deliveries(self) -> list[JsonObject]:
        return self._control.get(f"{ROOT}/deliveries")["deliveries"]

    def moved(self) -> JsonObject:
        """What moved, and what was done wrong on purpose: only for judging the end."""
        return self._control.get(f"{ROOT}/moved")

    def fault(self, **wish: Any) -> JsonObject:
        return self._control.post(f"{ROOT}/faults", wish)

    def go_wrong(self) -> None:
        """A fee beyond the contract on one payment at each processor, and one payment of each that nobody is told of.
        Once, however often it is asked for.
        """
        waiting = self._control.get(f"{ROOT}/faults")["faults"]
        done = {(one["provider"], one["fault"]) for one in self.moved()["wrong"]}
        done |= {(one["face"], one["kind"]) for one in waiting}
        for face, more in (("stripe", 77), ("paypal", 123)):
            if (face, "wrong_fee") not in done:
                self.fault(kind="wrong_fee", face=face, amount=more)
            if (face, "lost_order") not in done:
                self.fault(kind="lost_order", face=face)

    def ticket(self, number: str) -> JsonObject:
        return self.desk.get(f"/api/v2/tickets/{number}.json")["ticket"]

    def paypal_token(self) -> str:
        face = self.faces["paypal"]
        pair = base64.b64encode(f"{face['client_id']}:{face['client_secret']}".encode()).decode()
        asked = {"headers": {"authorization": f"Basic {pair}"}, "data": {"grant_type": "client_credentials"}}
        return str(self._paypal.send("POST", "/v1/oauth2/token", **asked).json()["access_token"])

    # Papers

    def stripe_report(self, start: datetime, end: datetime) -> str:
        """The itemised reconciliation of the payouts that were sent in an interval."""
        form = {
            "report_type": "payout_reconciliation.itemized.5",
            "parameters[interval_start]": str(int(start.timestamp())),
            "parameters[interval_end]": str(int(end.timestamp())),
        }  # fmt: skip
        made = self.stripe.send("POST", "/v1/reporting/report_runs", data=form).json()
        return self.stripe.send("GET", f"/v1/files/{made['result']['id']}/contents").text

    def papers(self, provider: str) -> list[JsonObject]:
        """What a provider drops on its server for files."""
        return [one for one in self._control.get(f"{ROOT}/papers")["papers"] if one["provider"] == provider]

    def paper(self, payout: str) -> str:
        return self._control.send("GET", f"{ROOT}/papers/{payout}").text

    def recipients(self) -> list[JsonObject]:
        """Who is saved at the bank."""
        return self.bank.get("/api/v1/recipients")["recipients"]

    def bank_statements(self) -> dict[str, str]:
        """Each statement that is out, by its id."""
        root = f"/v1/accounts/{self.faces['bank']['account']}/statements"
        ids = [one["id"] for one in self.bank.get(root)["statements"]]
        return {name: self.bank.send("GET", f"{root}/{name}").text for name in ids}

    def close(self) -> None:
        for caller in (self._control, self.stripe, self.desk, self.bank, self._office, self._paypal):
            caller.close()
