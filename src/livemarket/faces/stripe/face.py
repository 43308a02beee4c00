"""The Stripe face: which path does what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl

from livemarket.faces.business import Happened
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.door import No, Route
from livemarket.faces.stripe import acts, events, listing, reports
from livemarket.faces.stripe.account import NAME, Account
from livemarket.faces.stripe.forms import nested
from livemarket.faces.stripe.lists import PAGING, Refused, expanded, in_time, only, page
from livemarket.faces.webhooks import Notice

_REFUSALS = {
    No.NOT_FOUND: ("invalid_request_error", "Unrecognized request URL. This world has no such path.", ""),
    No.WRONG_METHOD: ("invalid_request_error", "Unrecognized request URL for this method.", ""),
    No.RATE_LIMITED: ("invalid_request_error", "Too many requests hit the API too quickly.", "rate_limit"),
    No.OUTAGE: ("api_error", "Stripe is not available (an outage somebody asked for).", ""),
    No.KEY_REUSED: (
        "idempotency_error", "Keys for idempotent requests can only be used with the parameters of the first.",
        "",
    ),
    No.KEY_IN_USE: (
        "idempotency_error", "There is currently another in-progress request using this idempotent key.",
        "idempotency_key_in_use",
    ),
    No.TOO_LARGE: ("invalid_request_error", "The body is too large.", ""),
}  # fmt: skip
Action = Callable[[Call, dict[str, Any]], Answer]


class Stripe(Account):
    """The account under its paths: reads go through `Objects`, `acts` are what a caller may do."""

    name = NAME

    def listens(self, base: str) -> None:
        """Its answers take the address from the call."""

    def credentials(self) -> dict[str, str]:
        return {"api_key": self.secret}

    def refused(self, call: Call) -> Answer | None:
        given = call.headers.get("authorization", "")
        if call.bears(self.secret):
            return None
        message = "Invalid API Key provided." if given else "You did not provide an API key."
        return Refused(401, message).answer()

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        kind, message, code = _REFUSALS[why]
        status = 404 if why == No.WRONG_METHOD else why.value
        answer = Refused(status, message, code, kind=kind).answer()
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return call.headers.get("idempotency-key") if call.method == "POST" else None

    def notices(self, happened: Happened) -> list[Notice]:
        made: list[Notice] = []
        told = events.told(self, happened)
        if told and happened.kind == "captured":
            order = self.view.order_name(happened.columns["order"])
            if self.faults.loses(NAME, f"pi_{order}", order):
                return made
        for event in told:
            self.events[event["id"]] = event
            made.append(Notice(event["id"], event["type"], event))
        return made

    def routes(self) -> Sequence[Route]:
        """Reads of each kind of object, then what can be done, then reports."""
        made = [Route("GET", "/v1/balance", self._plain(lambda _: self.objects.balance(self.view.now)))]
        for path, ids in listing.table(self).items():
            made.append(Route("GET", f"/v1/{path}", self._list(path, ids)))
            made.append(Route("GET", f"/v1/{path}/{{id}}", self._plain(self._one(path))))
        made += [Route(method, path, self._guarded(what)) for method, path, what in acts.table(self)]
        made += [Route(method, path, self._guarded(what)) for method, path, what in reports.table(self)]
        return made

    def _guarded(self, action: Action) -> Callable[[Call], Answer]:
        def handler(call: Call) -> Answer:
            try:
                form = nested(call.pairs() + parse_qsl(call.body.decode("utf-8"), keep_blank_values=True))
                return action(call, form)
            except Refused as refusal:
                return refusal.answer()
            except ValueError as error:
                return Refused(400, f"Invalid request: {error}").answer()

        return handler

    def _plain(self, made: Callable[[Call], dict[str, Any]]) -> Callable[[Call], Answer]:
        def action(call: Call, form: dict[str, Any]) -> Answer:
            only(form, frozenset({"expand"}))
            return answered(200, expanded(made(call), form, self.find))

        return self._guarded(action)

    def _one(self, path: str) -> Callable[[Call], dict[str, Any]]:
        prefix = _PREFIXES[path]

        def made(call: Call) -> dict[str, Any]:
            key = call.found["id"]
            found = self.find(key) if key.startswith(prefix) else None
            if found is None:
                raise Refused(404, f"No such {path[:-1].replace('_', ' ')}: '{key}'", "resource_missing", "id")
            return found

        return made

    def _list(self, path: str, ids: Callable[[dict[str, Any]], list[tuple[str, int]]]) -> Callable[[Call], Answer]:
        known = PAGING | _FILTERS.get(path, frozenset())

        def action(call: Call, form: dict[str, Any]) -> Answer:
            only(form, known)
            found = [key for key, created in ids(form) if in_time(form, created)]
            return page(form, f"/v1/{path}", found, self.known, self.find)

        return self._guarded(action)


_PREFIXES = {
    "charges": "ch_", "payment_intents": "pi_", "refunds": "re_", "disputes": "dp_", "payouts": "po_",
    "balance_transactions": "txn_", "customers": "cus_", "events": "evt_", "transfers": "tr_",
}  # fmt: skip
_FILTERS = {
    "charges": frozenset({"customer", "payment_intent"}), "payment_intents": frozenset({"customer"}),
    "refunds": frozenset({"charge", "payment_intent"}), "disputes": frozenset({"charge", "payment_intent"}),
    "payouts": frozenset({"status", "arrival_date"}), "balance_transactions": frozenset({"payout", "type", "source"}),
    "customers": frozenset({"email"}), "events": frozenset({"type", "types"}),
    "transfers": frozenset({"destination", "transfer_group"}),
}  # fmt: skip
