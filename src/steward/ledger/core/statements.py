"""Financial statements, made of debits and credits by account: pure, per currency, whole minor units.

A statement never converts: each currency stands for itself, and the trading accounts (`fx:`) show what one currency
paid for another. Signs are the reader's: income and liabilities are positive where they are credits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from steward.contracts.ledger import Total

RESULT_SECTIONS = ("income", "contra", "expenses")
_SIGN = {"assets": 1, "expenses": 1, "contra": 1, "fx": 1, "liabilities": -1, "equity": -1, "income": -1}
"""What a debit counts as in the section's own lines."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One account in one section; `compared_minor` is the same of the period beside it, None where there is none."""

    section: str
    code: str
    currency: str
    amount_minor: int
    compared_minor: int | None = None


@dataclass(slots=True)
class Statement:
    """Lines in order, and totals by name and currency."""

    name: str
    lines: list[StatementLine]
    totals: dict[str, dict[str, int]]
    compared: dict[str, dict[str, int]] | None = None
    problems: list[str] = field(default_factory=list[str])

    def to_json(self) -> dict[str, Any]:
        """The statement as JSON has it."""
        lines = [
            {
                "section": line.section,
                "account": line.code,
                "currency": line.currency,
                "amount_minor": line.amount_minor,
                **({} if line.compared_minor is None else {"compared_minor": line.compared_minor}),
            }
            for line in self.lines
        ]
        document: dict[str, Any] = {"report": self.name, "lines": lines, "totals": self.totals}
        if self.compared is not None:
            document["compared"] = self.compared
        return {**document, "problems": self.problems}


def section_of(code: str) -> str:
    """The first part of an account's code."""
    return code.split(":", 1)[0]


def is_result(code: str) -> bool:
    """Whether an account belongs to the profit and loss account."""
    return section_of(code) in RESULT_SECTIONS


def _sums(totals: Iterable[Total], sections: Sequence[str]) -> dict[str, int]:
    """Debits less credits of sections, by currency."""
    found: dict[str, int] = {}
    for total in totals:
        if section_of(total.code) in sections:
            found[total.currency] = found.get(total.currency, 0) + total.net_minor
    return found


def _negated(sums: dict[str, int]) -> dict[str, int]:
    return {currency: -amount for currency, amount in sums.items()}


def _lines(totals: Sequence[Total], sections: Sequence[str]) -> list[StatementLine]:
    return [
        StatementLine(section, total.code, total.currency, _SIGN[section] * total.net_minor)
        for section in sections
        for total in totals
        if section_of(total.code) == section and (total.debit_minor or total.credit_minor)
    ]


def trial_balance(totals: Sequence[Total]) -> Statement:
    """Every account's debits less credits; a currency that is not zero is a problem."""
    lines = [
        StatementLine(section_of(t.code), t.code, t.currency, t.net_minor)
        for t in totals
        if t.debit_minor or t.credit_minor
    ]
    difference = _sums(totals, tuple(_SIGN))
    problems = [f"{currency} is out by {amount} minor units" for currency, amount in difference.items() if amount]
    return Statement("trial-balance", lines, {"difference": difference}, problems=problems)


def profit(totals: Sequence[Total]) -> Statement:
    """Profit and loss of a span: income less what was given back less expenses."""
    income = _negated(_sums(totals, ["income"]))
    contra, expenses = _sums(totals, ["contra"]), _sums(totals, ["expenses"])
    cost_of_goods = _sums([t for t in totals if t.code == "expenses:cogs"], ["expenses"])
    currencies = sorted({*income, *contra, *expenses})

    def per(of: dict[str, int], currency: str) -> int:
        return of.get(currency, 0)

    net_sales = {c: per(income, c) - per(contra, c) for c in currencies}
    return Statement(
        "profit",
        _lines(totals, RESULT_SECTIONS),
        {
            "net sales": net_sales,
            "gross profit": {c: net_sales[c] - per(cost_of_goods, c) for c in currencies},
            "expenses": {c: per(expenses, c) for c in currencies},
            "profit": {c: net_sales[c] - per(expenses, c) for c in currencies},
        },
    )


def balance_sheet(totals: Sequence[Total]) -> Statement:
    """What is owned and owed at a time: assets = liabilities + equity + result so far + what currencies are owed by
    each other, in every currency, or there is a problem.
    """
    assets = _sums(totals, ["assets"])
    liabilities, equity = _negated(_sums(totals, ["liabilities"])), _negated(_sums(totals, ["equity"]))
    result, trading = _negated(_sums(totals, RESULT_SECTIONS)), _negated(_sums(totals, ["fx"]))
    parts = (liabilities, equity, result, trading)
    problems: list[str] = []
    for currency in sorted({total.currency for total in totals}):
        other = sum(part.get(currency, 0) for part in parts)
        if assets.get(currency, 0) != other:
            problems.append(f"{currency}: assets are {assets.get(currency, 0)}, the other side is {other} minor units")
    return Statement(
        "balance-sheet",
        _lines(totals, ("assets", "liabilities", "equity", "fx")),
        {
            "assets": assets,
            "liabilities": liabilities,
            "equity": equity,
            "result to date": result,
            "currency trading": trading,
        },
        problems=problems,
    )


def cash_flow(
    opening: Sequence[Total], moved: Sequence[Total], closing: Sequence[Total], cash: Sequence[str]
) -> Statement:
    """Where cash came from and went, by the account on the other side (the direct method). `moved` are the legs that
    are not cash of transfers with a cash leg; opening plus flows must be closing.
    """
    before, after = _cash(opening, cash), _cash(closing, cash)
    lines = [
        StatementLine(_activity(total.code), total.code, total.currency, -total.net_minor)
        for total in sorted(moved, key=lambda t: (_ACTIVITIES.index(_activity(t.code)), t.code, t.currency))
        if total.net_minor
    ]
    totals: dict[str, dict[str, int]] = {"opening cash": before}
    flows: dict[str, int] = {}
    for activity in _ACTIVITIES:
        sums: dict[str, int] = {}
        for line in lines:
            if line.section == activity:
                sums[line.currency] = sums.get(line.currency, 0) + line.amount_minor
                flows[line.currency] = flows.get(line.currency, 0) + line.amount_minor
        if sums:
            totals[activity] = sums
    totals["closing cash"] = after
    problems = [
        f"{currency}: opening cash and flows make {made}, cash at the end is {after.get(currency, 0)} minor units"
        for currency in sorted({*before, *after, *flows})
        if (made := before.get(currency, 0) + flows.get(currency, 0)) != after.get(currency, 0)
    ]
    return Statement("cash-flow", lines, totals, problems=problems)


_ACTIVITIES = ("operating", "financing", "currencies")


def _activity(code: str) -> str:
    return {"equity": "financing", "fx": "currencies"}.get(section_of(code), "operating")


def _cash(totals: Sequence[Total], cash: Sequence[str]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for total in totals:
        if total.code in cash:
            sums[total.currency] = sums.get(total.currency, 0) + total.net_minor
    return sums


def beside(statement: Statement, compared: Statement) -> Statement:
    """One statement with another's amounts beside its own; lines only the other has come with zero."""
    others = {(line.section, line.code, line.currency): line.amount_minor for line in compared.lines}
    own = {(line.section, line.code, line.currency): line.amount_minor for line in statement.lines}
    order = {section: place for place, section in enumerate(dict.fromkeys([*_SIGN_ORDER, *_ACTIVITIES]))}
    keys = sorted({*own, *others}, key=lambda key: (order.get(key[0], len(order)), key[1], key[2]))
    lines = [StatementLine(*key, own.get(key, 0), others.get(key, 0)) for key in keys]
    problems = [*statement.problems, *(f"compared period: {problem}" for problem in compared.problems)]
    return Statement(statement.name, lines, statement.totals, compared.totals, problems)


_SIGN_ORDER = ("assets", "liabilities", "equity", "fx", *RESULT_SECTIONS)
