"""The help desk's face: who may call, and which path does what."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence

from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call, guarded
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.helpdesk import acts, hooks, reading
from livemarket.faces.helpdesk.desk import Desk
from livemarket.faces.helpdesk.refusals import Refused
from livemarket.faces.idempotency import Keys
from livemarket.faces.webhooks import Notice, Post

ROOT = "/api/v2"
EMAIL = "agent@simulated.example"
_REFUSALS = {
    No.NOT_FOUND: (404, "InvalidEndpoint", "Not found"),
    No.WRONG_METHOD: (405, "MethodNotAllowed", "This path has no such method."),
    No.RATE_LIMITED: (429, "APIRateLimitExceeded", "Number of allowed API requests per minute exceeded"),
    No.OUTAGE: (503, "ServiceUnavailable", "An outage somebody asked for."),
    No.KEY_REUSED: (400, "IdempotentRequestError", "This key was used with another request."),
    No.KEY_IN_USE: (409, "IdempotentRequestError", "A request with this key is in progress."),
    No.TOO_LARGE: (413, "PayloadTooLarge", "The body is too large."),
}  # fmt: skip


class HelpDesk:
    """`desk` reads the world's tickets and keeps what callers wrote."""

    name = "helpdesk"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(0)
        self.desk = Desk(business)
        self.view = self.desk.view
        self.post = Post(self.name, hooks.signature, faults)
        self.base = ""
        made = hashlib.sha256(f"livemarket/helpdesk/{seed}".encode()).hexdigest()
        self.token, self.bearer = made[:40], made[24:]

    def listens(self, base: str) -> None:
        self.base = base

    def credentials(self) -> dict[str, str]:
        return {"email": EMAIL, "api_token": self.token, "oauth_token": self.bearer}

    def refused(self, call: Call) -> Answer | None:
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if call.bears(self.bearer):
            return None
        try:
            pair = base64.b64decode(given, validate=True).decode() if kind == "Basic" else ""
        except (binascii.Error, UnicodeDecodeError):
            pair = ""
        if pair == f"{EMAIL}/token:{self.token}":
            return None
        return Refused(401, "Couldn't authenticate you", "A token with its email, or an OAuth token.").answer()

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        answer = Refused(*_REFUSALS[why]).answer()
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return None  # Zendesk takes keys where tickets are created, which here only customers do

    def notices(self, happened: Happened) -> list[Notice]:
        made = hooks.notice(self, happened) if self.post.endpoints else None
        return [made] if made else []

    def routes(self) -> Sequence[Route]:
        """Every path also answers with .json behind it."""
        made = [*reading.table(self), *acts.table(self), *hooks.table(self)]
        plain = [Route(method, f"{ROOT}{path}", guarded(action)) for method, path, action in made]
        return [
            route
            for one in plain
            for route in (
                [one] if one.path.endswith("}") else [Route(one.method, f"{one.path}.json", one.handler), one]
            )
        ]
