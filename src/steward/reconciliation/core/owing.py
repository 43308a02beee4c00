"""What is owed for one thing that happened: how often it may be billed, at which price, by contract and by fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from steward.contracts.invoice import Basis, BillableFact, FactKind, ServiceTerms
from steward.kernel.money import round_half_even

VALUED = frozenset({"ad_spend", "sale"})
_TOLD_BY: dict[Basis, tuple[FactKind, ...]] = {
    "shipment": ("shipment", "goods_out"),
    "piece": ("shipment", "goods_out"),
    "return": ("return",),
    "receipt": ("receipt",),
    "ad_spend": ("ad_spend",),
    "sale": ("sale",),
}
FACTUAL = frozenset(_TOLD_BY)
"""Bases that need something to have happened."""


class Happened:
    """Facts by what they are about."""

    def __init__(self, facts: Iterable[BillableFact]) -> None:
        self._by: dict[tuple[FactKind, str], list[BillableFact]] = {}
        self.begins: date | None = None  # before this day the log tells of nothing
        for fact in sorted(facts, key=lambda one: (one.at, one.key)):  # whoever reads them, evidence names the same
            self._by.setdefault((fact.kind, fact.subject), []).append(fact)
            day = fact.at.date()
            if self.begins is None or day < self.begins:
                self.begins = day

    def of(self, kind: FactKind, subject: str, party: str = "") -> list[BillableFact]:
        """Facts of a kind about a subject; where a party is asked for, its own and those that name nobody."""
        found = self._by.get((kind, subject), [])
        return [one for one in found if one.party in ("", party)] if party else found

    def subjects(self, kind: FactKind) -> list[str]:
        return [subject for own, subject in self._by if own == kind]


@dataclass(frozen=True, slots=True)
class Subject:
    """What lines of one service are about."""

    service: str
    subject: str
    sku: str
    slot: str  # the day of ad spend, the month of a flat price, or what tells a told line from another


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts behind a subject, how many units they let be billed, and why not where they let none."""

    units: int
    facts: tuple[BillableFact, ...]
    why: str = ""

    @property
    def day(self) -> date | None:
        return min((fact.at.date() for fact in self.facts), default=None)


def evidence_of(terms: ServiceTerms, about: Subject, party: str, happened: Happened) -> Evidence:
    """What the log knows of a subject of a service whose bill needs facts."""
    kinds = _TOLD_BY[terms.basis]
    found = happened.of(kinds[0], about.subject, party)
    match terms.basis:
        case "ad_spend":
            found = [one for one in found if one.at.date().isoformat() == about.slot]
            return Evidence(len(found), tuple(found), "" if found else "nothing was spent there on that day")
        case "receipt":
            found = [one for one in found if about.sku in ("", one.sku)]
            units = sum(one.quantity for one in found)
        case "shipment" | "piece":
            gone = happened.of("goods_out", about.subject, party)
            found = found if len(found) >= len(gone) else gone  # two events may tell of one parcel
            units = len(found) if terms.basis == "shipment" else _pieces(found, about, happened)
        case _:
            units = len(found)
    return Evidence(units, tuple(found), "" if found else _why_not(about, kinds, happened))


def _pieces(found: Sequence[BillableFact], about: Subject, happened: Happened) -> int:
    told = sum(one.quantity for one in found)
    return told or (sum(one.quantity for one in happened.of("sale", about.subject)) if found else 0)


def _why_not(about: Subject, kinds: Sequence[FactKind], happened: Happened) -> str:
    if not about.subject:
        return "the line does not say what it is about"
    if any(happened.of(kind, about.subject) for kind in kinds):
        return "somebody else did it, or it was another product"
    if happened.of("cancelled", about.subject):
        return "the order was cancelled"
    if "return" in kinds and happened.of("sale", about.subject):
        return "nothing of that order came back"
    if happened.of("sale", about.subject):
        return "the order was not sent"
    return "nothing of it was received" if happened.of("ordered", about.subject) else "nobody placed that order"


def unit_price(
    about: Subject, party: str, happened: Happened, facts: Sequence[BillableFact], currency: str
) -> tuple[Fraction | None, str]:
    """What a piece of goods may cost, and who says so: the purchase order, else what the books took it in at. None
    where nobody says it in the contract's currency.
    """
    for found, source in ((happened.of("ordered", about.subject, party), "purchase order"), (facts, "goods received")):
        own = [one for one in found if about.sku in ("", one.sku)]
        quantity, amount = sum(one.quantity for one in own), sum(one.amount_minor for one in own)
        if quantity and all(one.amount_minor and one.currency == currency for one in own):
            return Fraction(amount, quantity), source
    return None, "nobody"


def counted(terms: ServiceTerms, quantity: int) -> int:
    """The price of so many units by contract."""
    if not quantity:
        return 0
    return max((terms.unit_minor or 0) * quantity + terms.fixed_minor, terms.minimum_minor)


def valued(terms: ServiceTerms, value_minor: int) -> int:
    """The price of what was worth so much; nothing of nothing."""
    if value_minor <= 0:
        return 0
    return max(round_half_even(value_minor * Fraction(terms.ratio or 0)) + terms.fixed_minor, terms.minimum_minor)


def worth(
    terms: ServiceTerms, about: Subject, facts: Sequence[BillableFact], happened: Happened, at: datetime, currency: str
) -> int | None:
    """What was spent; or what was sold, less what was refunded by then. None where it was in another currency: what a
    vendor made of that cannot be recomputed.
    """
    if any(one.currency != currency for one in facts):
        return None
    whole = sum(one.amount_minor for one in facts)
    if terms.basis != "sale":
        return whole
    back = [one for one in happened.of("refund", about.subject) if one.at <= at and one.currency == currency]
    return whole - sum(one.amount_minor for one in back)


def refunded_after(about: Subject, happened: Happened, moment: datetime, currency: str) -> list[BillableFact]:
    """Refunds that came after a fee was charged."""
    return [one for one in happened.of("refund", about.subject) if one.at > moment and one.currency == currency]
