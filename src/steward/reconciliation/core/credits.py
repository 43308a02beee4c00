"""Credits a vendor owes: free units of a month, and shares of fees on what was refunded afterwards.

What came of them is taken first; what is left of the credits that were given settles disputes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from steward.contracts.base import JsonObject
from steward.contracts.invoice import BillableFact, Billed, Claim, Note, ServiceTerms
from steward.kernel.money import round_half_even
from steward.reconciliation.core.judging import Group, Verdicts, moment_of
from steward.reconciliation.core.owing import counted, refunded_after

_MOST_NAMED = 3


@dataclass
class _Month:
    """A service with free units, in one calendar month."""

    terms: ServiceTerms
    groups: list[Group] = field(default_factory=list[Group])


class Pools:
    """Groups whose credits are not theirs alone."""

    def __init__(self, as_of: date) -> None:
        self._as_of = as_of
        self._months: dict[tuple[str, str, str], _Month] = {}
        self._groups: list[Group] = []

    def add(self, group: Group) -> None:
        self._groups.append(group)
        terms = group.context.terms
        if terms is None or not terms.free or not group.lines:
            return
        first = group.lines[0]
        key = (first.vendor, terms.service, first.line.day.isoformat()[:7])
        self._months.setdefault(key, _Month(terms)).groups.append(group)

    def close(self, verdicts: Verdicts) -> None:
        """Name the credits that are owed and did not come; then let the others settle disputes."""
        for (vendor, service, month), one in sorted(self._months.items()):
            self._free(verdicts, vendor, service, month, one)
        for group in self._groups:
            self._refunds(verdicts, group)
            group.release(verdicts)
            contract = group.context.contract
            for key, amount in group.under.items():
                verdicts.notes.append(Note("under", key, group.lines[0].vendor, contract.currency, amount))

    def _free(self, verdicts: Verdicts, vendor: str, service: str, month: str, one: _Month) -> None:
        """So many units of a month cost nothing: as lines without a price, or as a credit."""
        terms = one.terms
        units = sum(group.units for group in one.groups)
        owed = counted(terms, min(terms.free, units))
        for group in one.groups:
            for key, amount in list(group.under.items()):
                took = min(owed, amount)
                owed -= took
                group.under[key] = amount - took
                if not group.under[key]:
                    del group.under[key]
            took = min(owed, group.credited)
            owed -= took
            group.credited -= took
        year, number = int(month[:4]), int(month[5:])
        over = date(year + number // 12, number % 12 + 1, 1) + timedelta(days=terms.credit_days)
        if owed and self._as_of >= over:
            evidence: JsonObject = {"service": service, "month": month, "units": units, "free": terms.free}
            first = next(group.charges[0] for group in one.groups if group.charges)
            self._claim(verdicts, first, f"{vendor}/credit/{service}/{month}", one.groups[0], owed, evidence)

    def _refunds(self, verdicts: Verdicts, group: Group) -> None:
        """A share of a fee comes back for what was refunded after it was charged."""
        terms, charges = group.context.terms, group.charges
        if terms is None or terms.refund_credit is None or not charges or not group.evidence:
            return
        moment, currency = moment_of(charges[0].line), group.context.contract.currency
        back = refunded_after(group.context.about, group.context.happened, moment, currency)
        agreed = sum(verdicts.judged[one.key].agreed_minor for one in charges)
        due = min(self._share(terms, back), agreed)
        late = [one for one in back if one.at.date() + timedelta(days=terms.credit_days) <= self._as_of]
        missing = min(self._share(terms, late), agreed) - group.credited
        group.credited -= min(due, group.credited)
        if missing > 0:
            about = group.context.about
            evidence: JsonObject = {
                "service": about.service, "subject": about.subject,
                "refunds": [one.key for one in late[:_MOST_NAMED]], "share": terms.refund_credit,
            }  # fmt: skip
            key = f"{charges[0].vendor}/credit/{about.service}/{about.subject}"
            self._claim(verdicts, charges[0], key, group, missing, evidence)

    @staticmethod
    def _share(terms: ServiceTerms, back: list[BillableFact]) -> int:
        amount = sum(one.amount_minor for one in back)
        return round_half_even(amount * Fraction(terms.ratio or 0) * Fraction(terms.refund_credit or 0))

    @staticmethod
    def _claim(verdicts: Verdicts, first: Billed, key: str, group: Group, amount: int, evidence: JsonObject) -> None:
        contract, terms = group.context.contract, group.context.terms
        told = {"terms": {"contract": contract.name, "source": contract.source}, **evidence}
        told |= {"account": terms.account if terms else "", "billed_minor": 0, "agreed_minor": -amount}
        verdicts.claims[key] = Claim(
            "invoice_credit", "books", key, first.vendor, first.invoice, contract.currency, amount, told
        )
