"""The Shopify face: which path does what."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from livemarket.core.acts import Verb
from livemarket.faces import givebacks
from livemarket.faces.business import Business, Happened
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.clock import wall
from livemarket.faces.door import Handler, No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.shelf import Shelf
from livemarket.faces.shopify.bucket import Bucket
from livemarket.faces.shopify.goods import Goods
from livemarket.faces.shopify.graph import Graph
from livemarket.faces.shopify.hooks import Hooks
from livemarket.faces.shopify.objects import Objects
from livemarket.faces.shopify.payouts import Payouts
from livemarket.faces.shopify.rest import Action, Reads, Refused
from livemarket.faces.shopify.search import Search
from livemarket.faces.shopify.writes import Writes
from livemarket.faces.view import View
from livemarket.faces.webhooks import Notice

VERSIONS = ("2025-01", "2025-04", "2025-07", "2025-10")
CALLS, CALLS_BACK = 40, 2  # REST: the bucket, and what comes back in a second
_ERRORS = {
    No.NOT_FOUND: "Not Found", No.WRONG_METHOD: "Not Acceptable", No.OUTAGE: "Service Unavailable",
    No.RATE_LIMITED: "Exceeded 2 calls per second for api client. Reduce request rates to resume service.",
    No.KEY_REUSED: "Bad Request", No.KEY_IN_USE: "Conflict", No.TOO_LARGE: "Payload Too Large",
}  # fmt: skip


class Shopify:
    """`reads` and `writes` are REST; `graph` is GraphQL over the same objects."""

    name = "shopify"

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.keys = Keys(0)
        self.view = View(business)
        self.domain = "simulated.myshopify.com"
        self.token = f"shpat_{self._secret('token', seed)}"
        self.objects = Objects(self.view)
        self.goods = Goods(self.view, Shelf(business))
        self.payouts = Payouts(self.objects)
        self.search = Search(self.view)
        self.hooks = Hooks(self, faults, f"shpss_{self._secret('app', seed)}")
        self.post = self.hooks.post
        self.calls = Bucket(CALLS, CALLS_BACK, wall)
        self.reads, self.writes, self.graph = Reads(self), Writes(self), Graph(self)

    def _secret(self, what: str, seed: int) -> str:
        return hashlib.sha256(f"livemarket/shopify/{what}/{seed}".encode()).hexdigest()[:32]

    def listens(self, base: str) -> None:
        """Its answers take the address from the call."""

    def credentials(self) -> dict[str, str]:
        return {"access_token": self.token, "webhook_secret": self.hooks.secret, "versions": ",".join(VERSIONS)}

    def refused(self, call: Call) -> Answer | None:
        if hmac.compare_digest(call.headers.get("x-shopify-access-token", "").encode(), self.token.encode()):
            return None
        message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
        return answered(401, {"errors": message})

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        if why == No.RATE_LIMITED and call.path.endswith("/graphql.json"):
            return self.graph.throttled()
        answer = answered(406 if why == No.WRONG_METHOD else why.value, {"errors": _ERRORS[why]}, kept=False)
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = f"{max(retry_after, 1)}.0"
        return answer

    def key(self, call: Call) -> str | None:
        """The versions served here know no idempotency keys: a refund sent twice is two refunds."""
        return None

    def notices(self, happened: Happened) -> list[Notice]:
        return self.hooks.notices(happened)

    def routes(self) -> Sequence[Route]:
        """Fixed paths before those that hold a number."""
        table = sorted([*self.reads.table(), *self.writes.table()], key=lambda row: row[1].count("{"))
        root = "/admin/api/{version}"
        made = [Route(method, f"{root}/{path}", self._rest(action)) for method, path, action in table]
        return [Route("POST", f"{root}/graphql.json", self._versioned(self.graph.answer)), *made]

    def _versioned(self, action: Action) -> Handler:
        def handler(call: Call) -> Answer:
            version = call.found["version"]
            if version not in VERSIONS:
                return answered(404, {"errors": "Not Found"})
            answer = action(call)
            answer.headers["x-shopify-api-version"] = version
            return answer

        return handler

    def _rest(self, action: Action) -> Handler:
        def handler(call: Call) -> Answer:
            if not self.calls.take(1):
                return self.no(No.RATE_LIMITED, call, 2)
            try:
                answer = action(call)
            except Refused as refusal:
                answer = refusal.answer()
            answer.headers["x-shopify-shop-api-call-limit"] = f"{CALLS - self.calls.left()}/{CALLS}"
            return answer

        return self._versioned(handler)

    def refund(self, row: int, amount: int, note: str | None) -> int | str:
        """Give money back now: the refund's row, or why not."""
        given = givebacks.give_back(self.business, self.view, row, amount)
        if given.why is not None:
            return f"Refund is not possible: {given.why.value}"
        if note:
            self.objects.notes[self.objects.refund_number(given.refund)] = note
        return given.refund

    def count(self, sku: int, delta: int) -> int | None:
        """Change the stock by a count now; what was changed, None if not now."""
        if not delta:
            return 0
        moment = self.business.act(Verb.ADJUST, sku, delta)
        return None if moment is None else self.goods.shelf.counted(sku, moment)
