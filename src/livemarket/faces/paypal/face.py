"""The PayPal face: tokens, the table of paths, and what it tells."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from livemarket.faces.business import Business, Happened, iso
from livemarket.faces.calls import Answer, Call, answered, guarded
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.paypal import cases, hooks, payments, payouts, reports
from livemarket.faces.paypal.account import NAME, Account
from livemarket.faces.paypal.objects import PAYPAL
from livemarket.faces.paypal.refusals import Refused
from livemarket.faces.paypal.signing import CERTIFICATE_PATH
from livemarket.faces.webhooks import Notice

TOKEN_SECONDS = 32_400
_REFUSALS = {
    No.NOT_FOUND: (404, "INVALID_RESOURCE_ID", "This world has no such path."),
    No.WRONG_METHOD: (405, "METHOD_NOT_SUPPORTED", "The server does not implement the requested HTTP method."),
    No.RATE_LIMITED: (429, "RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    No.OUTAGE: (503, "SERVICE_UNAVAILABLE", "An outage somebody asked for."),
    No.KEY_REUSED: (422, "DUPLICATE_REQUEST_ID", "This PayPal-Request-Id was used with another request."),
    No.KEY_IN_USE: (422, "PREVIOUS_REQUEST_IN_PROGRESS", "A previous request with this id is in progress."),
    No.TOO_LARGE: (413, "REQUEST_TOO_LARGE", "The body is too large."),
}  # fmt: skip
Action = Callable[[Call], Answer]


class PayPal(Account):
    """The account under its paths, with the tokens that open it."""

    name = NAME

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        super().__init__(business, faults, seed)
        self._tokens: dict[str, int] = {}

    def listens(self, base: str) -> None:
        self.signer.base = base

    def credentials(self) -> dict[str, str]:
        return {"client_id": self.client, "client_secret": self.secret}

    def refused(self, call: Call) -> Answer | None:
        if call.path in {"/v1/oauth2/token", CERTIFICATE_PATH}:
            return None
        kind, _, token = call.headers.get("authorization", "").partition(" ")
        if kind == "Bearer" and self._tokens.get(token, -1) > self.view.now:
            return None
        return Refused(401, "INVALID_TOKEN", "The token is missing, unknown or expired.").answer()

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        answer = Refused(*_REFUSALS[why]).answer()
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return call.headers.get("paypal-request-id") if call.method == "POST" else None

    def routes(self) -> Sequence[Route]:
        made = [
            ("POST", "/v1/oauth2/token", self._token),
            ("GET", CERTIFICATE_PATH, self._certificate),
            *payments.table(self), *cases.table(self), *payouts.table(self), *reports.table(self), *hooks.table(self),
        ]  # fmt: skip
        return [Route(method, path, guarded(action)) for method, path, action in made]

    def _token(self, call: Call) -> Answer:
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        try:
            who = base64.b64decode(given, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            who = ""
        if who != f"{self.client}:{self.secret}":
            said = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return answered(401, said)
        if dict(parse_qsl(call.body.decode("utf-8", "replace"))).get("grant_type") != "client_credentials":
            return answered(400, {"error": "unsupported_grant_type", "error_description": "client_credentials only"})
        made = hashlib.sha256(f"{self.secret}/{len(self._tokens)}".encode()).hexdigest()
        self._tokens[f"A21AA{made}"] = self.view.now + TOKEN_SECONDS
        return answered(200, {
            "scope": "https://uri.paypal.com/services/payments/refund", "access_token": f"A21AA{made}",
            "token_type": "Bearer", "app_id": "APP-SIMULATED", "expires_in": TOKEN_SECONDS,
            "nonce": f"{iso(self.view.now)}{made[:16]}",
        })  # fmt: skip

    def _certificate(self, call: Call) -> Answer:
        return Answer(200, self.signer.certificate, {"content-type": "application/x-pem-file"})

    def notices(self, happened: Happened) -> list[Notice]:
        found = _told(self, happened)
        if found is None:
            return []
        kind, resource_type, resource = found
        order = self.view.order_name(happened.columns["order"])
        if happened.kind == "captured" and self.faults.loses(NAME, str(resource["id"]), order):
            return []
        return [self.event(kind, resource_type, resource, happened.moment)]


def _told(till: Account, happened: Happened) -> tuple[str, str, dict[str, Any]] | None:
    """Type, kind of resource, and the resource as it was then."""
    row, at, base = happened.columns.get("order", -1), happened.moment, till.signer.base
    if row < 0 or till.view.order("processor", row) != PAYPAL:
        return None
    if happened.kind in {"captured", "payment_failed"}:
        kind = "PAYMENT.CAPTURE.COMPLETED" if happened.kind == "captured" else "PAYMENT.CAPTURE.DENIED"
        return kind, "capture", till.objects.capture(row, at, base)
    if happened.kind == "refund":
        refund = till.view.refunds_of(row, at)[happened.columns["number"]]
        return "PAYMENT.CAPTURE.REFUNDED", "refund", till.objects.refund(refund, at, base)
    kinds = {"dispute": "CREATED", "evidence": "UPDATED", "verdict": "RESOLVED"}
    case = till.view.case_of(row, at)
    if case is None or happened.kind not in kinds:
        return None
    return f"CUSTOMER.DISPUTE.{kinds[happened.kind]}", "dispute", till.objects.dispute(case, at, base, whole=True)
