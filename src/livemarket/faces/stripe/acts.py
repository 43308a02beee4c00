"""What a caller may do at Stripe: refunds, answers to disputes, payouts by hand, endpoints for webhooks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from livemarket.core import payments
from livemarket.core.acts import Verb
from livemarket.faces.business import unix
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.stripe.account import Account
from livemarket.faces.stripe.forms import listed
from livemarket.faces.stripe.lists import Refused, expanded, hashed, only, whole
from livemarket.faces.stripe.objects import CURRENCY, EVIDENCE, STRIPE
from livemarket.faces.webhooks import Endpoint

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
Action = Callable[[Call, dict[str, Any]], Answer]


def table(till: Account) -> list[tuple[str, str, Action]]:
    """Method, path, action."""
    return [
        ("POST", "/v1/refunds", lambda _, form: _refund(till, form)),
        ("POST", "/v1/disputes/{id}", lambda call, form: _answer(till, call, form)),
        ("POST", "/v1/disputes/{id}/close", lambda call, form: _close(till, call, form)),
        ("POST", "/v1/payouts", lambda _, form: _pay_out(till, form)),
        ("POST", "/v1/webhook_endpoints", lambda _, form: _listen(till, form)),
        ("GET", "/v1/webhook_endpoints", lambda _, form: _endpoints(till, form)),
        ("DELETE", "/v1/webhook_endpoints/{id}", lambda call, _: _forget(till, call)),
    ]


def _metadata(form: dict[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in hashed(form, "metadata").items()}


def _now_or_never(moment: int | None) -> int:
    """The moment of an act that was let in."""
    if moment is None:
        raise Refused(429, "This object cannot be accessed right now. Try again.", "lock_timeout")
    return moment


def _charge(till: Account, form: dict[str, Any]) -> int:
    for name, prefix in (("charge", "ch_"), ("payment_intent", "pi_")):
        if name in form:
            key = str(form[name])
            row = till.view.named_order(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if row is None or till.view.order("processor", row) != STRIPE:
                raise Refused(404, f"No such {name}: '{key}'", "resource_missing", name)
            return row
    raise Refused(400, "One of the following params should be provided: charge or payment_intent.", "parameter_missing")


def _refund(till: Account, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"charge", "payment_intent", "amount", "reason", "metadata", "expand"}))
    view, row, now = till.view, _charge(till, form), till.view.now
    if view.failed(row):
        raise Refused(400, "This charge did not succeed, so it cannot be refunded.", "charge_not_refundable", "charge")
    case = view.case_of(row, now)
    if case is not None and till.objects.status(case, now) != "won":
        raise Refused(400, "This charge is disputed and cannot be refunded.", "charge_disputed", "charge")
    left = view.order("total", row) - view.refunded(row, now)
    if left <= 0:
        raise Refused(400, f"Charge ch_{view.order_name(row)} has already been refunded.", "charge_already_refunded")
    amount = whole(form, "amount", left) or 0
    if amount <= 0:
        raise Refused(400, "This value must be greater than or equal to 1.", "parameter_invalid_integer", "amount")
    if amount > left:
        raise Refused(
            400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).", "", "amount"
        )
    reason = form.get("reason")
    if reason is not None and reason not in REASONS:
        raise Refused(400, f"Invalid reason: must be one of {', '.join(REASONS)}", "", "reason")
    metadata = _metadata(form)
    made = view.refund_at(row, _now_or_never(till.business.act(Verb.REFUND, row, amount)))
    if made is None:
        raise Refused(400, "The charge can no longer be refunded.", "charge_not_refundable", "charge")
    till.objects.notes[till.objects.refund_id(made)] = {"reason": reason, "metadata": metadata}
    return answered(200, expanded(till.objects.refund(made, view.now), form, till.find))


def _case(till: Account, call: Call) -> tuple[int, int, str]:
    key = call.found["id"]
    row = till.view.named_order(key.removeprefix("dp_"))
    case = None if row is None else till.view.case_of(row, till.view.now)
    if row is None or case is None or till.view.order("processor", row) != STRIPE:
        raise Refused(404, f"No such dispute: '{key}'", "resource_missing", "id")
    return row, case, key


def _answer(till: Account, call: Call, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"evidence", "metadata", "submit", "expand"}))
    row, case, key = _case(till, call)
    evidence = hashed(form, "evidence")
    for name in evidence:
        if name not in EVIDENCE:
            raise Refused(400, f"Received unknown parameter: evidence[{name}]", "parameter_unknown", "evidence")
    wanted = form.get("submit") == "true" or (bool(evidence) and form.get("submit") != "false")
    if wanted and till.objects.status(case, till.view.now) != "needs_response":
        raise Refused(400, "This dispute has been answered or is closed.", "", "evidence")
    if wanted and till.view.now > till.objects.due_by(case):
        raise Refused(400, "The time to answer this dispute is over.", "", "evidence")
    note = till.objects.notes.setdefault(key, {})
    note["evidence"] = note.get("evidence", {}) | evidence
    note["metadata"] = note.get("metadata", {}) | _metadata(form)
    if wanted:
        _now_or_never(till.business.act(Verb.ANSWER, row))
    return answered(200, expanded(till.known(key), form, till.find))


def _close(till: Account, call: Call, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"expand"}))
    row, case, key = _case(till, call)
    if till.objects.status(case, till.view.now) in {"won", "lost"}:
        raise Refused(400, "This dispute is already closed.", "", "id")
    _now_or_never(till.business.act(Verb.ACCEPT, row))
    return answered(200, expanded(till.known(key), form, till.find))


def _pay_out(till: Account, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"amount", "currency", "description", "metadata", "method", "expand"}))
    amount = whole(form, "amount")
    if amount is None or amount <= 0:
        raise Refused(400, "Missing required param: amount.", "parameter_missing", "amount")
    if form.get("currency") != CURRENCY:
        raise Refused(400, f"This account pays out in {CURRENCY} only.", "", "currency")
    ready, _ = till.view.balance(STRIPE, till.view.now)
    if min(ready, payments.available(till.view.world, STRIPE, till.view.now // 86_400)) < amount:
        raise Refused(400, "You have insufficient funds in your Stripe till.", "balance_insufficient", "amount")
    metadata = _metadata(form)
    moment = _now_or_never(till.business.act(Verb.PAY_OUT, STRIPE, amount))
    made = next((row for row in till.view.payouts(STRIPE) if till.view.payout_moment(row) == moment), None)
    if made is None:
        raise Refused(400, "You have insufficient funds in your Stripe till.", "balance_insufficient", "amount")
    key = till.objects.payout_id(made)
    till.objects.notes[key] = {"metadata": metadata, "description": form.get("description")}
    return answered(200, expanded(till.objects.payout(made, till.view.now), form, till.find))


def _endpoint(endpoint: Endpoint, *, secret: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": endpoint.id, "object": "webhook_endpoint", "api_version": None, "application": None,
        "created": unix(endpoint.born), "description": None, "enabled_events": list(endpoint.types), "livemode": False,
        "metadata": {}, "status": "enabled", "url": endpoint.url,
    }  # fmt: skip
    return made | ({"secret": endpoint.secret} if secret else {})


def _listen(till: Account, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"url", "enabled_events", "description", "metadata", "api_version", "expand"}))
    url, types = str(form.get("url", "")), tuple(listed(form.get("enabled_events")))
    if not url.startswith("http"):
        raise Refused(400, "Invalid URL: an explicit scheme must be provided.", "url_invalid", "url")
    if not types:
        raise Refused(400, "Missing required param: enabled_events.", "parameter_missing", "enabled_events")
    name = hashlib.sha256(f"{till.secret}/{url}/{len(till.post.endpoints)}".encode()).hexdigest()
    made = Endpoint(f"we_{name[:24]}", url, f"whsec_{name[24:56]}", types, till.view.now)
    till.post.endpoints[made.id] = made
    return answered(200, _endpoint(made, secret=True))


def _endpoints(till: Account, form: dict[str, Any]) -> Answer:
    only(form, frozenset({"limit"}))
    data = [_endpoint(e) for e in till.post.endpoints.values()][::-1]
    return answered(200, {"object": "list", "url": "/v1/webhook_endpoints", "has_more": False, "data": data})


def _forget(till: Account, call: Call) -> Answer:
    if till.post.endpoints.pop(call.found["id"], None) is None:
        raise Refused(404, f"No such webhook endpoint: '{call.found['id']}'", "resource_missing", "id")
    return answered(200, {"id": call.found["id"], "object": "webhook_endpoint", "deleted": True})
