"""The shop's own back office: what its people and systems know and no provider tells, as webhooks in the run's events.

Signed as Standard Webhooks 1.0. Orders and their fees, goods, creators' commissions, bills and what was paid; the whole
of the marketplace, and payouts of processors that announce none by webhook. What Stripe and PayPal tell themselves
(their payments, refunds and disputes, Stripe's payouts) is left to them: told twice, money would count twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from livemarket.core.acts import one
from livemarket.core.facts import Fact
from livemarket.core.position import position
from livemarket.core.state import PROCESSORS
from livemarket.faces.business import DAY, Business, Happened
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.view import SENT_SECOND, View
from livemarket.faces.webhooks import Endpoint, Notice, Post
from livemarket.files import order_events, shop_events
from livemarket.files.lines import Day
from livemarket.files.run import opening

_ORDERS = (
    "order", "processing_fee", "commission", "commission_back", "refund_asked", "shipped", "return_received",
    "evidence",
)  # fmt: skip
_MARKET = ("captured", "refund", "referral_fee", "affiliate_fee")
_SHOP = (
    "purchase", "inbound", "supplier_paid", "fulfilment_invoice", "fulfilment_paid", "ad_spend", "ads_paid",
    "creator_paid", "tax_paid", "reserve", "adjusted",
)  # fmt: skip
_PAYOUTS = ("payout", "landed")
_AT_ONCE = 8
_STRIPE, _PAYPAL, _MARKETPLACE = 0, 1, 2
_WRITERS = {name: order_events.WRITERS[name] for name in (*_ORDERS, *_MARKET)} | {
    name: shop_events.WRITERS[name] for name in (*_SHOP, *_PAYOUTS)
}


def signature(endpoint: Endpoint, body: bytes, at: int, name: str) -> dict[str, str]:
    """v1,BASE64 of HMAC-SHA256 over id, time and body, under the decoded secret."""
    key = base64.b64decode(endpoint.secret.removeprefix("whsec_"))
    made = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }  # fmt: skip


class Office:
    """A bearer token opens it. It only tells: there is nothing to ask it."""

    name = "office"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.keys = Keys(0)
        self.post = Post(self.name, signature, faults)
        self.post.at_once = _AT_ONCE
        self._business = business
        self._faults = faults
        self._view = View(business)
        self._token = hashlib.sha256(f"livemarket/office/{seed}".encode()).hexdigest()[:32]

    def listens(self, base: str) -> None:
        """Its answers hold no address."""

    def credentials(self) -> dict[str, str]:
        return {"token": self._token}

    def refused(self, call: Call) -> Answer | None:
        return None if call.bears(self._token) else answered(401, {"error": "a bearer token is needed"})

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        return answered(why.value, {"error": f"{why.name.lower()}: {call.method} {call.path}"})

    def key(self, call: Call) -> str | None:
        return None

    def routes(self) -> Sequence[Route]:
        return (Route("POST", "/webhooks", self._listen),)

    def _listen(self, call: Call) -> Answer:
        try:
            url: Any = call.document()["url"]
        except (ValueError, KeyError, TypeError):
            url = None
        if not isinstance(url, str) or not url.startswith("http"):
            return answered(400, {"error": "url is an address"})
        made = hashlib.sha256(f"{self._token}/{url}".encode())
        secret = f"whsec_{base64.b64encode(made.digest()).decode()}"
        key = made.hexdigest()[:16]
        self.post.endpoints[key] = Endpoint(key, url, secret, (), self._view.now)
        for notice in self._begin():
            self.post.tell(notice, self._view.now)
        return answered(201, {"id": key, "url": url, "secret": secret})

    def _begin(self) -> list[Notice]:
        """What the books begin with, to whoever listens from the first morning on. What processors have sent and the
        bank has not, is told as sent; so it is still with the processors in the balances that are told before it.
        """
        morning = self._business.morning
        if morning.day != self._business.first or self._business.acts:
            return []
        accounts, rows = position(morning), morning.state.calendar.waiting("land")
        for row in rows.tolist():
            amount, processor = (int(morning.state.payouts[name][row]) for name in ("amount", "processor"))
            accounts["assets:in_transit"] -= amount
            accounts[f"assets:clearing:{PROCESSORS[processor]}"] += amount
        day = Day(morning, morning.day)
        opening(day, {account: amount for account, amount in accounts.items() if amount})
        told = [_notice(json.loads(line)) for _, line in day.lines]
        for row in rows.tolist():
            sent = Day(morning, int(morning.state.payouts["day"][row]))
            shop_events.WRITERS["payout"](sent, Fact("payout", {"second": one(SENT_SECOND), "payout": one(row)}))
            told += [_notice(json.loads(line)) for _, line in sent.lines]
        return told

    def notices(self, happened: Happened) -> list[Notice]:
        if happened.kind not in {*_WRITERS, "dispute"} or not self._tells(happened):
            return []
        day = Day(self._view.world, happened.moment // DAY)
        columns = happened.columns | {"second": happened.moment % DAY}
        fact = Fact(happened.kind, {name: np.array([value], dtype=np.int64) for name, value in columns.items()})
        if happened.kind == "dispute":
            self._dispute_fee(day, fact)
        else:
            _WRITERS[happened.kind](day, fact)
        return [_notice(json.loads(line)) for _, line in day.lines if '"PaymentAuthorized"' not in line]

    def _dispute_fee(self, day: Day, fact: Fact) -> None:
        """What PayPal takes for a dispute: its letter says so, its webhook does not."""
        charged = fact.columns | {"amount": one(int(day.world.number("dispute_fee")))}
        order_events.charged("dispute", "dpf")(day, Fact("dispute", charged))

    def _tells(self, happened: Happened) -> bool:
        if happened.kind == "processing_fee":  # PayPal tells of its own with the capture
            row = happened.columns["order"]
            known = not self._faults.is_lost(self._view.order_name(row))
            return known and self._view.order("processor", row) == _STRIPE
        if happened.kind == "dispute":
            return self._view.order("processor", happened.columns["order"]) == _PAYPAL
        if happened.kind in _MARKET:
            return self._view.order("processor", happened.columns["order"]) == _MARKETPLACE
        if happened.kind in _PAYOUTS:
            return self._view.cell("payouts", "processor", happened.columns["payout"]) != _STRIPE
        return True


def _notice(event: dict[str, Any]) -> Notice:
    """One event of the run as a delivery. Stripe's payments are called by their intents, as Stripe's webhooks do."""
    data = event["data"]
    payment = str(data.get("payment_id", ""))
    if data.get("processor") == "stripe" and payment.startswith("ch_"):
        data["payment_id"] = f"pi_{payment[3:]}"
    document = {
        "type": event["type"], "timestamp": event["time"], "id": event["id"], "source": event["source"],
        "subject": event["subject"], "schemaversion": event["schemaversion"], "data": data,
    }  # fmt: skip
    return Notice(event["id"], event["type"], document)
