"""Posting rules: an event's fields become the legs of one balanced transfer.

An amount is a linear expression with integer coefficients over the event's `_minor` fields, such as
`amount_minor - tax_minor`. Because legs are linear, a rule balances for all amounts exactly when, for each field that
holds a currency, the coefficients of each amount cancel; that is decided symbolically (`prove_rules`), not by examples.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from steward.contracts.event import Envelope
from steward.contracts.ledger import Leg, LegRule, PostingRule
from steward.kernel.money import is_currency

_TERM = re.compile(r"\s*(?P<sign>[+-]?)\s*(?P<field>[a-z_]+_minor)\s*")
_FIELD = re.compile(r"\{([a-z_]+)\}")
_WORDS = {"absent", "present", "negative", "positive", "zero"}


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Why a rule is not sound."""

    event: str
    what: str


class Unpostable(Exception):
    """A money event that no rule can post, with the reason."""


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


def signed_form(leg: LegRule) -> Counter[str]:
    """A leg's amount, debits positive. Raises `ValueError`."""
    if (leg.debit is None) == (leg.credit is None):
        raise ValueError("a leg has exactly one of debit and credit")
    form = linear_form(leg.debit if leg.debit is not None else leg.credit or "")
    if leg.credit is not None:
        form = Counter({name: -weight for name, weight in form.items()})
    return form


# Applying rules


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg made ready: the account code, its coefficients, and the field of its currency."""

    account: str
    form: tuple[tuple[str, int], ...]
    currency: str

    def make(self, fields: Mapping[str, Any]) -> Leg | None:
        amount = sum(weight * _integer(fields, name) for name, weight in self.form)
        if not amount:
            return None
        currency = fields.get(self.currency)
        if not isinstance(currency, str) or not is_currency(currency):
            raise Unpostable(f"{self.currency} is {currency!r}, not a currency")
        return Leg(account=_code(self.account, fields), currency=currency, amount_minor=amount)


class EventRules:
    """The rules of one event type, made ready. `defaults` are the values of the payload's optional fields."""

    def __init__(self, rules: Sequence[PostingRule], defaults: Mapping[str, Any]) -> None:
        self._rules = [
            (rule, [_Leg(leg.account, tuple(signed_form(leg).items()), leg.currency) for leg in rule.legs])
            for rule in rules
        ]
        self._defaults = dict(defaults)

    def apply(self, envelope: Envelope) -> tuple[PostingRule, tuple[Leg, ...]]:
        """The first rule that fits, and its legs; legs of zero are left out, so an event of zero posts nothing.
        Raises `Unpostable`.
        """
        fields = {**self._defaults, **envelope.data}
        for rule, legs in self._rules:
            if all(_fits(fields.get(name), values) for name, values in rule.when.items()):
                return rule, tuple(made for leg in legs if (made := leg.make(fields)) is not None)
        raise Unpostable("no posting rule fits it")


def _fits(value: Any, wanted: tuple[str, ...]) -> bool:
    if value is None:
        return "absent" in wanted
    if isinstance(value, int) and not isinstance(value, bool):
        sign = "negative" if value < 0 else "positive" if value > 0 else "zero"
        return sign in wanted or "present" in wanted
    return "present" in wanted or (isinstance(value, str) and value in wanted)


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unpostable(f"{name} is {value!r}, not an amount in minor units")
    return value


def _code(account: str, fields: Mapping[str, Any]) -> str:
    """An account code with its parts filled in. A currency and an account named by data stand as they are."""

    def part(match: re.Match[str]) -> str:
        value = fields.get(match[1])
        if not isinstance(value, str) or not value:
            raise Unpostable(f"{match[1]} is {value!r}, and the account {account} is named by it")
        return value if match[1].endswith("currency") or match[0] == account else account_part(value)

    return _FIELD.sub(part, account)


def account_part(text: str) -> str:
    """A name made safe as one part of an account code: lower case, letters, digits, - and _ only."""
    return re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_") or "unnamed"


# Proving rules


def prove_rules(rules: Sequence[PostingRule], payload: type[BaseModel], codes: set[str]) -> list[RuleProblem]:
    """Whether the rules of one event balance for all amounts, name only fields and accounts that exist, and leave no
    event without exactly one rule.
    """
    fields = {name: info.annotation for name, info in payload.model_fields.items()}
    problems: list[RuleProblem] = []
    for number, rule in enumerate(rules, start=1):
        problems += _prove_rule(rule, fields, codes)
        problems += _prove_when(rule, fields)
        if (number == len(rules)) == bool(rule.when):
            what = "the last rule must fit every event" if rule.when else "it hides the rules after it"
            problems.append(RuleProblem(rule.event, f"rule {number} ({rule.kind}): {what}"))
    return problems


def _prove_rule(rule: PostingRule, fields: Mapping[str, Any], codes: set[str]) -> list[RuleProblem]:
    problems: list[RuleProblem] = []
    totals: dict[str, Counter[str]] = {}
    known = {_FIELD.sub("{}", code) for code in codes}
    for leg in rule.legs:
        is_named_by_data = _FIELD.fullmatch(leg.account) is not None
        if not is_named_by_data and _FIELD.sub("{}", leg.account) not in known and leg.account not in codes:
            problems.append(RuleProblem(rule.event, f"account {leg.account!r} is not in the chart"))
        try:
            form = signed_form(leg)
        except ValueError as error:
            problems.append(RuleProblem(rule.event, str(error)))
            continue
        total = totals.setdefault(leg.currency, Counter())
        for name, weight in form.items():
            total[name] += weight
        named = {*form, *_FIELD.findall(leg.account), leg.currency, *([rule.party] if rule.party else [])}
        problems += [
            RuleProblem(rule.event, f"{rule.event} has no field {name!r}") for name in sorted(named - set(fields))
        ]
        wrong = sorted(name for name in form if name in fields and int not in _types(fields[name]))
        problems += [RuleProblem(rule.event, f"{name} is not a whole number") for name in wrong]
    for currency, total in totals.items():
        if uneven := {name: weight for name, weight in total.items() if weight}:
            terms = ", ".join(f"{weight:+d} {name}" for name, weight in sorted(uneven.items()))
            what = f"does not balance for all amounts in its {currency}: {terms} is left over"
            problems.append(RuleProblem(rule.event, what))
    return problems


def _prove_when(rule: PostingRule, fields: Mapping[str, Any]) -> list[RuleProblem]:
    problems: list[RuleProblem] = []
    for name, values in rule.when.items():
        if name not in fields:
            problems.append(RuleProblem(rule.event, f"{rule.event} has no field {name!r}"))
            continue
        possible = _literals(fields[name])
        impossible = sorted(set(values) - possible - _WORDS) if possible else []
        problems += [RuleProblem(rule.event, f"{name} is never {value!r}") for value in impossible]
    return problems


def _types(annotation: Any) -> set[Any]:
    """The plain types inside an annotation: of `Annotated[int, ...] | None`, int and NoneType."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return {type(value) for value in arguments}
    return {annotation} if not arguments else {inner for argument in arguments for inner in _types(argument)}


def _literals(annotation: Any) -> set[str]:
    """The texts a field may be, where its type lists them; empty where any text may stand."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return {text for argument in get_args(annotation) for text in _literals(argument)}
