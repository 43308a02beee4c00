"""One Stripe account: what it was asked to keep, and any object of it by its id."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from livemarket.faces.business import DAY, Business
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.stripe.objects import STRIPE, Objects
from livemarket.faces.view import View
from livemarket.faces.webhooks import Endpoint, Post
from livemarket.files import names

NAME = "stripe"


@dataclass(frozen=True, slots=True)
class Report:
    """One report run and the file it made."""

    number: int
    created: int
    parameters: dict[str, int]
    text: str


def signature(endpoint: Endpoint, body: bytes, at: int, _: str) -> dict[str, str]:
    """t=TIME,v1=HMAC-SHA256 of TIME.BODY under the endpoint's secret."""
    made = hmac.new(endpoint.secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={made}"}


class Account:
    """What stands behind the paths. `find` answers as of now."""

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.faults = faults
        self.keys = Keys(DAY)
        self.view = View(business)
        self.objects = Objects(self.view)
        self.post = Post(NAME, signature, faults)
        self.events: dict[str, dict[str, Any]] = {}
        self.files: dict[str, Report] = {}
        self.secret = f"sk_test_{hashlib.sha256(f'livemarket/stripe/{seed}'.encode()).hexdigest()[:32]}"

    def known(self, key: str) -> dict[str, Any]:
        found = self.find(key)
        if found is None:
            raise LookupError(f"{key} was listed and cannot be found")
        return found

    def find(self, key: str) -> dict[str, Any] | None:
        """Any object by its id, as of now."""
        view, objects, now = self.view, self.objects, self.view.now
        prefix, _, rest = key.partition("_")
        if prefix in {"ch", "pi", "dp", "re"}:
            row = view.named_order(rest.partition("-")[0])
            if row is None or view.order("processor", row) != STRIPE:
                return None
            if prefix == "dp":
                case = view.case_of(row, now)
                return None if case is None else objects.dispute(case, now)
            if prefix == "re":
                own = (r for r in view.refunds_of(row, now) if objects.refund_id(r) == key)
                return next((objects.refund(r, now) for r in own), None)
            return objects.charge(row, now) if prefix == "ch" else objects.intent(row, now)
        if prefix == "cus":
            born = {names.customer(number): (number, at) for number, at in view.customers(STRIPE).items()}
            return objects.customer(*born[rest]) if rest in born else None
        if prefix == "po" or key.startswith("txn_po_"):
            payouts = {objects.payout_id(row): row for row in view.payouts(STRIPE)}
            row = payouts.get(key.removeprefix("txn_"))
            if row is None:
                return None
            return objects.payout(row, now) if prefix == "po" else objects.payout_transaction(row)
        if prefix == "txn":
            return self._transaction(key)
        return self.events.get(key) if prefix == "evt" else None

    def _transaction(self, key: str) -> dict[str, Any] | None:
        row = self.view.named_order(key[5:].partition("-")[0])
        lines = self.view.lines(STRIPE) if row is None else self.view.lines_of(row, self.view.now)
        for line in lines:
            if self.objects.line_id(line) == key:
                return self.objects.transaction(line, self.view.now)
        return None
