"""Posting rules: an event's fields become the legs of one balanced transfer.

An amount is a linear expression with integer coefficients over the event's `_minor` fields, such as
`amount_minor - tax_minor`. Because legs are linear, a rule balances for all amounts exactly when the coefficients
of each field cancel, which is decided symbolically (`prove_rule`), not by examples.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from steward.contracts.event import Envelope
from steward.contracts.ledger import Leg, PostingRule

_TERM = re.compile(r"\s*(?P<sign>[+-]?)\s*(?P<field>[a-z_]+_minor)\s*")
_FIELD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a rule is not sound."""

    event: str
    what: str


def linear_form(expression: str) -> Counter[str]:
    """Coefficients by field. Raises `ValueError` on anything but a sum or difference of fields."""
    form: Counter[str] = Counter()
    at = 0
    while at < len(expression):
        match = _TERM.match(expression, at)
        if match is None or (at > 0 and not match["sign"]):
            raise ValueError(f"{expression!r} is not a sum of fields ending in _minor (at character {at + 1})")
        form[match["field"]] += -1 if match["sign"] == "-" else 1
        at = match.end()
    if not form:
        raise ValueError("an amount is empty")
    return form


def _signed_form(debit: str | None, credit: str | None) -> Counter[str]:
    if (debit is None) == (credit is None):
        raise ValueError("a leg has exactly one of debit and credit")
    form = linear_form(debit if debit is not None else credit or "")
    if credit is not None:
        form = Counter({name: -weight for name, weight in form.items()})
    return form


def prove_rule(rule: PostingRule, fields: set[str], codes: set[str]) -> list[RuleProblem]:
    """Whether `rule` balances for all amounts and names only fields and accounts that exist."""
    problems: list[RuleProblem] = []
    total: Counter[str] = Counter()
    for leg in rule.legs:
        if leg.account not in codes:
            problems.append(RuleProblem(rule.event, f"account {leg.account!r} is not in the chart"))
        try:
            form = _signed_form(leg.debit, leg.credit)
        except ValueError as error:
            problems.append(RuleProblem(rule.event, str(error)))
            continue
        for name, weight in form.items():
            total[name] += weight
        unknown = (set(form) | set(_FIELD.findall(leg.account))) - fields
        problems += [RuleProblem(rule.event, f"{rule.event} has no field {name!r}") for name in sorted(unknown)]
    uneven = {name: weight for name, weight in total.items() if weight}
    if uneven:
        terms = ", ".join(f"{weight:+d} {name}" for name, weight in sorted(uneven.items()))
        problems.append(RuleProblem(rule.event, f"does not balance for all amounts: {terms} is left over"))
    return problems


def legs_of(rule: PostingRule, envelope: Envelope, defaults: dict[str, Any]) -> tuple[Leg, ...]:
    """The legs this event posts; legs of zero are left out, so an event of zero posts nothing."""
    fields = {**defaults, **envelope.data}
    legs: list[Leg] = []
    for leg in rule.legs:
        form = _signed_form(leg.debit, leg.credit)
        amount = sum(weight * int(fields[name]) for name, weight in form.items())
        if amount:
            code = _FIELD.sub(lambda match: account_part(str(fields[match[1]])), leg.account)
            legs.append(Leg(account=code, currency=fields["currency"], amount_minor=amount))
    return tuple(legs)


def account_part(text: str) -> str:
    """A name made safe as one part of an account code: lower case, letters, digits, - and _ only."""
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_") or "unnamed"
