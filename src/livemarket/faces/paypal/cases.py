"""Disputes: the list, one case, evidence, giving in."""

from __future__ import annotations

import json
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

from livemarket.core.acts import Verb
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.paypal.account import Account
from livemarket.faces.paypal.objects import PAYPAL, links
from livemarket.faces.paypal.payments import absent, document
from livemarket.faces.paypal.refusals import Refused


def table(till: Account) -> list[tuple[str, str, Callable[[Call], Answer]]]:
    """Method, path, action."""
    return [
        ("GET", "/v1/customer/disputes", lambda call: _list(till, call)),
        ("GET", "/v1/customer/disputes/{id}", lambda call: _one(till, call)),
        ("POST", "/v1/customer/disputes/{id}/provide-evidence", lambda call: _evidence(till, call)),
        ("POST", "/v1/customer/disputes/{id}/accept-claim", lambda call: _accept(till, call)),
    ]


def whole(call: Call, name: str, otherwise: int, most: int) -> int:
    """A number of the query."""
    text = call.asked(name, str(otherwise))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"{name} is from 1 to {most}.", name)
    return int(text)


def _list(till: Account, call: Call) -> Answer:
    size, first = whole(call, "page_size", 10, 50), whole(call, "next_page_token", 1, 10**9)
    cases = [till.objects.dispute(c, till.view.now, call.base, whole=False) for c in till.view.cases(PAYPAL)]
    state, about = call.asked("dispute_state"), call.asked("disputed_transaction_id")
    cases = [c for c in cases if not state or c["dispute_state"] in state.split(",")]
    cases = [c for c in cases if not about or c["dispute_id"] == f"PP-D-{about}"]
    made = links(call.base, ("self", f"/v1/customer/disputes?{call.query}", "GET"))
    if first - 1 + size < len(cases):
        rest = [(k, v) for k, v in call.pairs() if k != "next_page_token"]
        more = "&".join(f"{k}={v}" for k, v in [*rest, ("next_page_token", str(first + size))])
        made += links(call.base, ("next", f"/v1/customer/disputes?{more}", "GET"))
    return answered(200, {"items": cases[first - 1 : first - 1 + size], "links": made})


def _case(till: Account, call: Call) -> tuple[int, int]:
    row = till.objects.named(call.found["id"].removeprefix("PP-D-"))
    case = None if row is None else till.view.case_of(row, till.view.now)
    if row is None or case is None:
        raise absent()
    return row, case


def _one(till: Account, call: Call) -> Answer:
    return answered(200, till.objects.dispute(_case(till, call)[1], till.view.now, call.base, whole=True))


def _given(call: Call) -> dict[str, Any]:
    """The JSON part of a body of several parts, or the body itself."""
    kind = call.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return document(call)
    parts = message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + call.body, policy=policy.default)
    for part in parts.iter_parts():
        if part.get_param("name", header="content-disposition") == "input":
            text = part.get_payload(decode=True)
            try:
                return json.loads(text if isinstance(text, bytes) else b"")
            except ValueError as error:
                raise Refused(400, "MALFORMED_REQUEST_JSON", "The part named input is no JSON.") from error
    raise Refused(400, "MISSING_REQUIRED_PARAMETER", "A part named input is needed.", "input")


def _evidence(till: Account, call: Call) -> Answer:
    row, case = _case(till, call)
    given = _given(call).get("evidences")
    if not isinstance(given, list) or not given:
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", "evidences is needed.", "/evidences")
    view = till.view
    done = any(view.case_moment(case, what, view.now) is not None for what in ("answered", "closed"))
    if done or view.now > till.objects.due_by(case):
        raise Refused(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "This case takes no evidence now.")
    return _acted(till, call, Verb.ANSWER, row)


def _accept(till: Account, call: Call) -> Answer:
    row, case = _case(till, call)
    document(call)
    if till.view.case_moment(case, "closed", till.view.now) is not None:
        raise Refused(422, "ACTION_NOT_ALLOWED_IN_CURRENT_DISPUTE_STATE", "This case is closed.")
    return _acted(till, call, Verb.ACCEPT, row)


def _acted(till: Account, call: Call, verb: Verb, row: int) -> Answer:
    if till.business.act(verb, row) is None:
        raise Refused(409, "RESOURCE_CONFLICT", "The case is being worked on. Try again.")
    return answered(200, {"links": links(call.base, ("self", f"/v1/customer/disputes/{call.found['id']}", "GET"))})
