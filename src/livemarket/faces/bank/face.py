"""The bank face: balance, booked entries, camt.053 statements, payments by end-to-end id to payees it knows.

The end-to-end id is the idempotency key: the same payment again gives the first answer, another one under it is
refused, for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from livemarket.core.acts import Verb
from livemarket.core.money import Bank as Entry
from livemarket.faces.bank import mercury
from livemarket.faces.business import DAY, Business, Happened, iso
from livemarket.faces.calls import Answer, Call, answered
from livemarket.faces.door import No, Route
from livemarket.faces.faults import Faults
from livemarket.faces.idempotency import Keys
from livemarket.faces.pages import by_number
from livemarket.faces.view import LANDED_SECOND, View
from livemarket.faces.webhooks import Notice, Post
from livemarket.files import bank, names
from livemarket.files.faults import major

_SECONDS = {
    Entry.PAYOUT: LANDED_SECOND, Entry.CREATOR: 36_000, Entry.ADS: 37_000, Entry.FULFILMENT: 38_000,
    Entry.SUPPLIER: 39_000, Entry.TAX: 39_600,
}  # fmt: skip
_PAYEE = re.compile(r"(supplier)-(\d{2})|(creator)-(\d{3})")
_AMOUNT = re.compile(r"(\d{1,9})\.(\d{2})")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9/?:().,+ -]{0,34}")  # what ISO 20022 lets an end-to-end id hold


def _no(status: int, code: str, detail: str) -> Answer:
    return answered(status, {"code": code, "detail": detail}, kept=False)


class Bank:
    """A bearer token opens the one account."""

    name = "bank"
    post: Post | None = None

    def __init__(self, business: Business, faults: Faults, seed: int) -> None:
        self.business = business
        self.view = View(business)
        self.keys = Keys(0)
        self._token = hashlib.sha256(f"livemarket/bank/{seed}".encode()).hexdigest()[:32]
        self._opening = business.morning.state.bank
        self._payments: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.transfers: dict[str, mercury.Transfer] = {}

    def listens(self, base: str) -> None:
        """Its answers hold no address."""

    def credentials(self) -> dict[str, str]:
        return {"token": self._token, "account": bank.ACCOUNT, "mercury_account": mercury.ACCOUNT}

    def refused(self, call: Call) -> Answer | None:
        if call.bears(self._token):
            return None
        return _no(401, "UNAUTHORISED", "a bearer token is needed")

    def no(self, why: No, call: Call, retry_after: int = 0) -> Answer:
        answer = _no(why.value, why.name, f"{call.method} {call.path}")
        if why in {No.RATE_LIMITED, No.OUTAGE}:
            answer.headers["retry-after"] = str(max(retry_after, 1))
        return answer

    def key(self, call: Call) -> str | None:
        return None  # payments carry their own

    def notices(self, happened: Happened) -> list[Notice]:
        return []

    def routes(self) -> Sequence[Route]:
        root = f"/v1/accounts/{bank.ACCOUNT}"
        return (
            Route("GET", f"{root}/balance", self._balance),
            Route("GET", f"{root}/entries", self._entries),
            Route("GET", f"{root}/statements", self._statements),
            Route("GET", f"{root}/statements/{{id}}", self._statement),
            Route("POST", "/v1/payments", self._pay),
            Route("GET", "/v1/payments/{id}", self._payment),
            *mercury.table(self),
        )

    def _moment(self, row: int) -> int:
        number = self.view.cell("bank_lines", "number", row)
        if number < 0:
            return self.view.moment(self.view.state.payments, -1 - number)
        kind = Entry(self.view.cell("bank_lines", "kind", row))
        return self.view.cell("bank_lines", "day", row) * DAY + _SECONDS[kind]

    def _booked(self) -> list[int]:
        """Entries of the run that are booked by now, oldest first."""
        first = np.flatnonzero(self.view.state.bank_lines["day"] >= self.business.first).tolist()
        return sorted((r for r in first if self._moment(r) <= self.view.now), key=lambda r: (self._moment(r), r))

    def balance(self) -> int:
        return self._opening + sum(self.view.cell("bank_lines", "amount", row) for row in self._booked())

    def _balance(self, call: Call) -> Answer:
        amount = {"currency": names.CURRENCY, "value": major(self.balance())}
        return answered(200, {"account": bank.ACCOUNT, "booked": amount, "at": iso(self.view.now)})

    def _entries(self, call: Call) -> Answer:
        page = call.asked("page", "1")
        if not page.isdigit() or int(page) < 1:
            return _no(400, "BAD_PAGE", "page is a number from 1")
        rows = self._booked()
        places, pages = by_number(len(rows), int(page), 100)
        made = [bank.described(self.view.world, rows[n]) | {"booked_at": iso(self._moment(rows[n]))} for n in places]
        return answered(200, {"entries": made, "page": int(page), "pages": pages})

    def _weeks(self) -> dict[str, tuple[int, int]]:
        """First and last day of each statement that is out, by its id."""
        made: dict[str, tuple[int, int]] = {}
        start = self.business.first
        for day in range(start, (self.view.now + 1) // DAY):
            if day % 7 == 6 or (day + 1) * DAY - 1 == self.business.end:
                made[f"stmt-{names.calendar_date(day).isoformat()}"] = (start, day)
                start = day + 1
        return made

    def _statements(self, call: Call) -> Answer:
        made = [
            {"id": key, "from": names.calendar_date(first).isoformat(), "to": names.calendar_date(last).isoformat(),
             "format": "camt.053.001.02"}
            for key, (first, last) in self._weeks().items()
        ]  # fmt: skip
        return answered(200, {"statements": made})

    def _statement(self, call: Call) -> Answer:
        week = self._weeks().get(call.found["id"])
        if week is None:
            return _no(404, "NOT_FOUND", "no such statement, or it is not out yet")
        lines = self.view.state.bank_lines
        before = (lines["day"] >= self.business.first) & (lines["day"] < week[0])
        opening = self._opening + int(lines["amount"][before].sum())
        text = bank.made(self.view.world, week[0], week[1], opening)[1]
        return Answer(200, text.encode(), {"content-type": "application/xml"})

    def _pay(self, call: Call) -> Answer:
        try:
            asked: Any = call.document()
            reference, payee = str(asked["end_to_end_id"]), str(asked["creditor"]["name"])
            value, currency = str(asked["amount"]["value"]), asked["amount"]["currency"]
        except (ValueError, KeyError, TypeError):
            return _no(400, "MALFORMED", "end_to_end_id, creditor.name, amount.value and amount.currency are needed")
        known = self._payments.get(reference)
        if known:
            same = known[0] == call.body
            return answered(200, known[1]) if same else _no(409, "ID_REUSED", f"{reference} is another payment")
        to, amount = _PAYEE.fullmatch(payee), _AMOUNT.fullmatch(value)
        if not _REFERENCE.fullmatch(reference) or amount is None or currency != names.CURRENCY:
            return _no(400, "MALFORMED", f"an id of at most 35 characters, an amount as 12.50, {names.CURRENCY}")
        minor = int(amount[1]) * 100 + int(amount[2])
        verb, party, count = Verb.PAY_SUPPLIER, -1, 0
        if to:
            shop = self.view.world.setting.shop
            verb, count = (Verb.PAY_SUPPLIER, shop.suppliers) if to[1] else (Verb.PAY_CREATOR, shop.creators)
            party = int(to[2] or to[4])
        if not 0 <= party < count:
            return _no(422, "UNKNOWN_PAYEE", f"{payee} is no registered payee of this account")
        if minor <= 0 or minor > self.balance():
            return _no(422, "NO_FUNDS", "the amount is more than nothing and within the booked balance")
        moment = self.business.act(verb, party, minor, 0, reference)
        if moment is None:
            return _no(409, "BUSY", "the account is being worked on; send the same payment again")
        made = {
            "end_to_end_id": reference, "status": "booked", "booked_at": iso(moment), "creditor": {"name": payee},
            "amount": {"currency": names.CURRENCY, "value": major(minor)},
        }  # fmt: skip
        self._payments[reference] = (call.body, made)
        return answered(201, made)

    def _payment(self, call: Call) -> Answer:
        known = self._payments.get(call.found["id"])
        return answered(200, known[1]) if known else _no(404, "NOT_FOUND", "no payment of that id")
