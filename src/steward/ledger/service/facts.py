"""Facts about money, each from the books. What they may not say is left out, and a rule that needs it escalates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from steward.contracts.base import Json
from steward.infra.db import Database, Row
from steward.kernel.canonical import JsonObject
from steward.ledger.core.burn import burn_interval
from steward.ledger.service.reports import Reports
from steward.ledger.store import ReportReader

FACTS = frozenset(
    {
        "cash.free",
        "cash.burn_day",
        "suppliers.owed",
        "creators.owed",
        "reserve.held",
        "account.ceiling",
        "account.spent",
        "account.held",
    }
)
"""What `MoneyFacts.fact` answers."""

_BANK = "assets:bank"
_OWED = {"suppliers.owed": "liabilities:payable:suppliers", "creators.owed": "liabilities:payable:creators"}
_RECENT_WEEKS = 13


class MoneyFacts:
    """The books' answers to the rules, in the currency of the business. Balances are as they stand, because what is
    decided now is spent now; the pace of burning is that of the weeks before the action's day.
    """

    def __init__(self, database: Database, reports: Reports, currency: str) -> None:
        self._db = database
        self._reports = reports
        self._currency = currency
        self._reader = ReportReader()

    def fact(self, name: str, params: JsonObject, at: datetime) -> Json:
        """One named fact; None where the books cannot say."""
        if name in ("cash.free", "cash.burn_day"):
            return self._cash(name, at)
        if name in _OWED:
            account = self._account(_OWED[name])
            return self._money(-account["amount_minor"] if account else 0)
        if name == "reserve.held":
            account = self._account(_BANK)
            return self._money(max(0, (account or {}).get("floor_minor") or 0))
        if name in FACTS:
            return self._limited(name, params["account"])
        raise KeyError(f"the ledger offers no fact {name!r}")

    def _cash(self, name: str, at: datetime) -> Json:
        """Unknown runway is unknown cash: a rule must not count on either."""
        day = at.astimezone(UTC).date() + timedelta(days=1)
        runway = self._reports.runway(day).get(self._currency)
        if runway is None or runway.state == "unknown" or runway.available_minor is None:
            return None
        if name == "cash.free":
            return self._money(runway.available_minor)
        _, weeks, _ = self._reports.forecast(day)[self._currency]
        low, high = burn_interval(weeks[-_RECENT_WEEKS:])
        return {"low": self._money(low), "high": self._money(high)}

    def _limited(self, name: str, code: str) -> Json:
        account = self._account(code)
        if account is None:
            return None
        if name == "account.spent":
            return self._money(account["amount_minor"])
        if name == "account.ceiling":
            ceiling = account["ceiling_minor"]
            return None if ceiling is None else self._money(ceiling)
        with self._db.transaction() as connection:
            held = self._reader.held_on(connection, code, self._currency)
        return {"any_subset_of": [self._money(amount) for amount in held]}

    def _account(self, code: str) -> Row | None:
        with self._db.transaction() as connection:
            return self._reader.account_now(connection, code, self._currency)

    def _money(self, amount_minor: int) -> JsonObject:
        return {"amount_minor": amount_minor, "currency": self._currency}
