"""Caps and budgets of effects, as holds in the books.

A day's cap of a scope is an account of that day with a ceiling; an action holds its amount there from when it is
admitted until the day is over, or until it came to nothing. A budget granted to a scope (`kind.K`, `agent.A`, `tool.T`,
`goal.G`) is drawn on besides: held while the action is on its way, posted once it happened. The ledger refuses what
goes over, whoever asks; nothing is looked at first and written later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from steward.contracts.action import Refused
from steward.contracts.ledger import Finish, Hold, Leg
from steward.gateway.core.holding import Money
from steward.infra import sql
from steward.infra.clock import Clock
from steward.infra.db import Database, Row
from steward.kernel.errors import BadInput, Conflict
from steward.kernel.instants import DAY, floor_day
from steward.ledger import Ledger

CAP = "equity:cap:{day}:{scope}"
DRAWN = "equity:drawn:{scope}"
BUDGET = "equity:appropriated:{budget}"
COMMITTED = "equity:committed:{budget}"
SOURCE = "steward/gateway"
_BUDGET_DAYS = 60
_ENDED = frozenset(
    {"duplicate", "unknown_hold", "hold_voided", "hold_posted", "hold_expired", "hold_ended", "conflict"}
)


class Caps:
    """What a day may take, and what budgets may."""

    def __init__(self, database: Database, clock: Clock, ledger: Ledger) -> None:
        self._db = database
        self._clock = clock
        self._ledger = ledger
        self._sql = sql.load("steward.gateway", "effects.sql")

    def set(self, scope: str, currency: str, day_minor: int, by: str, reason: str) -> None:
        """From now on a day takes no more of a scope, today included; what is over it already stays."""
        if day_minor < 0 or not by.strip() or not reason.strip():
            raise BadInput("a cap is not negative, and somebody sets it for a reason")
        now = self._clock.now()
        values = {"scope": scope, "currency": currency, "day_minor": day_minor, "by": by, "reason": reason, "now": now}
        with self._db.transaction() as connection:
            connection.execute(self._sql["set_cap"], values)
            self._ledger.set_limits(_cap(scope, now), currency, None, day_minor, by, reason)

    def listed(self) -> list[Row]:
        """Every cap with what today took of it."""
        with self._db.transaction() as connection:
            rows = connection.execute(self._sql["all_caps"]).fetchall()
            names = [(_cap(row["scope"], self._clock.now()), row["currency"]) for row in rows]
            found = self._ledger.locked(names, for_update=False)()
        return [
            {**row, "today_minor": found[name].pending_debit_minor if name in found else 0}
            for row, name in zip(rows, names, strict=True)
        ]

    def reserve(self, action_id: str, money: Money, scopes: Sequence[str], at: datetime) -> str | Refused | None:
        """Set an action's amount aside under every cap and budget that covers it, in the caller's transaction: the name
        of what was, None where none covers it, or why it may not be. All or nothing.
        """
        if money.amount_minor <= 0:  # less than nothing would make room for others
            return Refused(code="amount_not_positive", reason="an amount of nothing or less moves no money")
        capped = self._capped(scopes, money, at)
        budgets = self._budgets(scopes, money)
        if not capped and not budgets:
            return None
        holds: list[Hold] = []
        name = f"{action_id}:{at:%Y%m%d}"
        if capped:
            pairs = [(_cap(scope, at), DRAWN.format(scope=_part(scope))) for scope in capped]
            end = floor_day(at) + DAY + timedelta(minutes=1)
            holds.append(_hold(f"cap:{name}", "gate.cap", end, action_id, pairs, money))
        if budgets:
            pairs = [(BUDGET.format(budget=b), COMMITTED.format(budget=b)) for b in budgets]
            end = at + timedelta(days=_BUDGET_DAYS)
            holds.append(_hold(f"budget:{action_id}", "gate.budget", end, action_id, pairs, money))
        refused = [one for one in self._ledger.hold(holds) if one.code != "duplicate"]
        if refused:
            self._free(name)
            over = ", ".join([*capped, *(f"budget {b}" for b in budgets)])
            return Refused(code="over_budget", reason=f"it does not fit under {over}: {refused[0].detail}")
        return name

    def settle(self, hold: str) -> None:
        """It happened: the day keeps counting it, and what budgets had set aside is spent."""
        self._finish(f"budget:{hold.partition(':')[0]}", "post")

    def void(self, hold: str) -> None:
        """It came to nothing: all of it is free again."""
        self._free(hold)

    def _free(self, hold: str) -> None:
        self._finish(f"cap:{hold}", "void")
        self._finish(f"budget:{hold.partition(':')[0]}", "void")

    def _finish(self, hold: str, how: str) -> None:
        finish = Finish(
            key=f"{how}:{hold}", hold=hold, how="post" if how == "post" else "void", effective_at=self._clock.now()
        )
        wrong = [one for one in self._ledger.finish([finish]) if one.code not in _ENDED]
        if wrong:
            raise Conflict(f"the books do not end a hold: {wrong[0].code} {wrong[0].detail}", where=hold)

    def _capped(self, scopes: Sequence[str], money: Money, at: datetime) -> list[str]:
        """Scopes with a cap; a day's account that is not open yet is opened with its ceiling."""
        values = {"scopes": list(scopes), "currency": money.currency}
        with self._db.transaction() as connection:
            rows = connection.execute(self._sql["caps"], values).fetchall()
        if not rows:
            return []
        names = {row["scope"]: (_cap(row["scope"], at), money.currency) for row in rows}
        found = self._ledger.locked(sorted(names.values()), for_update=False)()
        for row in rows:
            code, currency = names[row["scope"]]
            if (code, currency) not in found:
                self._ledger.set_limits(code, currency, None, row["day_minor"], "gateway", f"the cap of {row['scope']}")
        return [row["scope"] for row in rows]

    def _budgets(self, scopes: Sequence[str], money: Money) -> list[str]:
        """Budgets that were granted to these scopes."""
        names = {scope.replace(":", "."): BUDGET.format(budget=scope.replace(":", ".")) for scope in scopes}
        found = self._ledger.locked([(code, money.currency) for code in sorted(names.values())], for_update=False)()
        return [name for name, code in names.items() if (code, money.currency) in found]


def _hold(key: str, kind: str, end: datetime, action_id: str, pairs: Sequence[tuple[str, str]], money: Money) -> Hold:
    legs: list[Leg] = []
    for debit, credit in pairs:
        legs.append(Leg(account=debit, currency=money.currency, amount_minor=money.amount_minor))
        legs.append(Leg(account=credit, currency=money.currency, amount_minor=-money.amount_minor))
    return Hold(key=key, kind=kind, expires_at=end, source=f"{SOURCE}/{action_id}", legs=tuple(legs))


def _part(scope: str) -> str:
    return scope.replace(":", ".")


def _cap(scope: str, at: datetime) -> str:
    return CAP.format(day=f"{at:%Y%m%d}", scope=_part(scope))
