"""The same account in Mercury's dialect: accounts, saved recipients, ACH transfers under an idempotency key.

After Mercury's public reference: a key seen before is answered with 409 and the first transaction; another transfer of
the same amount to the same recipient within a day is refused with 400; amounts are JSON numbers of dollars.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from livemarket.core.acts import Verb
from livemarket.faces.business import DAY, Business, iso
from livemarket.faces.calls import Answer, Call
from livemarket.faces.door import Route
from livemarket.faces.view import View
from livemarket.files import names
from livemarket.files.faults import major

_SPACE = uuid.UUID("7a2d0f5c-3a7f-5d0c-9d11-5b7c5e1a0b42")
ACCOUNT = str(uuid.uuid5(_SPACE, "account"))
_MEMO = re.compile(r"[A-Za-z0-9][A-Za-z0-9/?:().,+ -]{0,34}")
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer as it was asked for and booked."""

    id: str
    recipient: str
    party: str
    minor: int
    memo: str
    note: str | None
    moment: int


class Till(Protocol):
    """What the account behind offers."""

    business: Business
    view: View
    transfers: dict[str, Transfer]

    def balance(self) -> int: ...


def table(till: Till) -> Sequence[Route]:
    """Method, path, action."""
    root = "/api/v1"
    own = f"{root}/account/{ACCOUNT}"
    return (
        Route("GET", f"{root}/accounts", lambda _call: _said(200, {"accounts": [_account(till)]})),
        Route("GET", own, lambda _call: _said(200, _account(till))),
        Route("GET", f"{root}/recipients", lambda _call: _said(200, {"recipients": _recipients(till)})),
        Route("GET", f"{own}/transactions", lambda call: _transactions(till, call)),
        Route("POST", f"{own}/transactions", lambda call: _send(till, call)),
        Route("GET", f"{own}/transaction/{{id}}", lambda call: _one(till, call)),
    )


def recipient(party: str) -> str:
    """The id under which a creator or supplier is saved."""
    return str(uuid.uuid5(_SPACE, party))


def _said(status: int, document: Any) -> Answer:
    """A JSON reply whose amounts, written `@12.50`, become numbers without having been floats."""
    text = re.sub(r'"@(-?\d+\.\d\d)"', r"\1", json.dumps(document))
    return Answer(status, text.encode(), {"content-type": "application/json"}, kept=False)


def _no(status: int, what: str) -> Answer:
    return _said(status, {"errors": {"errorCode": "invalidRequest", "message": what}})


def _account(till: Till) -> dict[str, Any]:
    booked = f"@{major(till.balance())}"
    return {
        "id": ACCOUNT, "name": "Livemarket Operating", "status": "active", "type": "mercury", "kind": "checking",
        "availableBalance": booked, "currentBalance": booked,
    }  # fmt: skip


def _parties(till: Till) -> list[str]:
    shop = till.view.world.setting.shop
    return [*(names.creator(n) for n in range(shop.creators)), *(names.supplier(n) for n in range(shop.suppliers))]


def _recipients(till: Till) -> list[dict[str, Any]]:
    return [
        {"id": recipient(one), "name": one, "status": "active", "defaultPaymentMethod": "ach"} for one in _parties(till)
    ]


def _shown(till: Till, one: Transfer) -> dict[str, Any]:
    return {
        "id": one.id, "amount": f"@{major(-one.minor)}", "status": "sent", "kind": "externalTransfer",
        "counterpartyId": one.recipient, "counterpartyName": one.party, "externalMemo": one.memo, "note": one.note,
        "createdAt": iso(one.moment), "postedAt": iso(one.moment), "estimatedDeliveryDate": iso(one.moment + DAY),
        "failedAt": None, "reasonForFailure": None,
    }  # fmt: skip


def _send(till: Till, call: Call) -> Answer:
    try:
        asked: Any = json.loads(call.body, parse_float=Decimal)
        to, key, method = str(asked["recipientId"]), str(asked["idempotencyKey"]), asked["paymentMethod"]
        cents = Decimal(asked["amount"]) * 100
    except (ValueError, KeyError, TypeError, InvalidOperation):
        return _no(400, "recipientId, amount, paymentMethod and idempotencyKey are needed")
    known = till.transfers.get(key)
    if known:
        return _said(409, _shown(till, known))
    party = next((one for one in _parties(till) if recipient(one) == to), None)
    memo = str(asked.get("externalMemo") or key.replace("_", "-"))[:35]
    if method != "ach" or cents != int(cents) or cents < 1 or not _MEMO.fullmatch(memo):
        return _no(400, "an ACH transfer of at least one cent, in whole cents, with a plain memo")
    if party is None:
        return _no(404, "no such recipient")
    now = till.view.now
    if any(one.recipient == to and one.minor == cents and now - one.moment < DAY for one in till.transfers.values()):
        return _no(400, "the same amount went to the same recipient within 24 hours")
    if cents > till.balance():
        return _no(400, "insufficient funds")
    kind, _, number = party.partition("-")
    verb = Verb.PAY_CREATOR if kind == "creator" else Verb.PAY_SUPPLIER
    moment = till.business.act(verb, int(number), int(cents), 0, memo)
    if moment is None:
        return Answer(503, b"", {"retry-after": "1"}, kept=False)
    own = str(uuid.uuid5(_SPACE, f"transfer {key}"))
    till.transfers[key] = Transfer(own, to, party, int(cents), memo, asked.get("note"), moment)
    return _said(200, _shown(till, till.transfers[key]))


def _one(till: Till, call: Call) -> Answer:
    found = next((one for one in till.transfers.values() if one.id == call.found["id"]), None)
    return _said(200, _shown(till, found)) if found else _no(404, "no such transaction")


def _transactions(till: Till, call: Call) -> Answer:
    limit, offset = call.asked("limit", "500"), call.asked("offset", "0")
    if not limit.isdigit() or not offset.isdigit() or not 1 <= int(limit) <= _PAGE:
        return _no(400, "limit is 1 to 500, offset a number")
    rows = sorted(till.transfers.values(), key=lambda one: (-one.moment, one.id))
    shown = rows[int(offset) : int(offset) + int(limit)]
    return _said(200, {"total": len(rows), "transactions": [_shown(till, one) for one in shown]})
