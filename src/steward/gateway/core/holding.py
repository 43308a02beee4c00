"""What a live kind reads of the books and does to them: pure, from its hold rule, its parameters and what is locked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from steward.contracts.base import Json
from steward.contracts.kind import HoldRule
from steward.contracts.ledger import Hold, Leg
from steward.kernel.canonical import JsonObject

_PART = re.compile(r"\{([a-z_]+)\}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class Money:
    """The amount of an action as its parameters have it, once they are well formed."""

    amount_minor: int
    currency: str

    def of(self, amount_minor: int) -> JsonObject:
        """Another amount of the same currency, as JSON."""
        return {"amount_minor": amount_minor, "currency": self.currency}


def accounts_of(rule: HoldRule, params: JsonObject) -> tuple[str, str] | None:
    """The codes of the debit and the credit account; None where a parameter cannot be part of a code."""
    names = {name: params.get(name) for code in (rule.debit, rule.credit) for name in _PART.findall(code)}
    if not all(isinstance(value, str) and _NAME.fullmatch(value) for value in names.values()):
        return None
    debit, credit = (_PART.sub(lambda match: str(names[match[1]]), code) for code in (rule.debit, rule.credit))
    return debit, credit


def facts_of(money: Money, granted_minor: int, held_minor: int, used_minor: int) -> dict[str, Json]:
    """The facts of a kind with a hold. What is in flight is any amount from nothing to all that is held: that covers
    every subset of the open holds, and its two ends are two of them.
    """
    return {
        "budget.available": money.of(granted_minor),
        "budget.in_flight": {"low": money.of(0), "high": money.of(held_minor)},
        "reserved.today": money.of(used_minor),
    }


def hold_of(rule: HoldRule, kind: str, key: str, money: Money, params: JsonObject, now: datetime) -> Hold:
    """The hold an admitted action places. Its key derives from the action's: the same action holds once."""
    places = accounts_of(rule, params)
    if places is None:
        raise AssertionError("an action whose accounts have no code is refused before")
    debit, credit = places
    return Hold(
        key=f"hold:{key}",
        kind=kind,
        expires_at=now + timedelta(hours=rule.hours),
        source=f"steward/gateway/{key}",
        legs=(
            Leg(account=debit, currency=money.currency, amount_minor=money.amount_minor),
            Leg(account=credit, currency=money.currency, amount_minor=-money.amount_minor),
        ),
    )
