"""What happened and no line bills, inside the days that bills of a contract cover. Noted, never claimed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from steward.contracts.invoice import Basis, ContractBook, FactKind, Note, ServiceTerms
from steward.reconciliation.core.judging import Group
from steward.reconciliation.core.owing import Happened, Subject, counted, evidence_of, unit_price, valued, worth

_KINDS: dict[Basis, FactKind] = {
    "shipment": "shipment",
    "return": "return",
    "receipt": "receipt",
    "ad_spend": "ad_spend",
}
"""Bases whose facts are due as they happen. A sale is billed when the marketplace settles it, and some never are."""


def unbilled(book: ContractBook, groups: Iterable[Group], happened: Happened) -> Iterator[Note]:
    """A note for each subject with units or money left, by contract and service."""
    by_service: dict[tuple[str, str], list[Group]] = {}
    for group in groups:
        by_service.setdefault((group.context.contract.name, group.context.about.service), []).append(group)
    for contract in book.contracts:
        for name in dict.fromkeys(one.service for one in contract.services):
            found = by_service.get((contract.name, name), [])
            named = [one for one in contract.services if one.service == name]
            if found and named[0].basis in _KINDS:
                yield from _of_service(contract.name, contract.currency, named, found, happened)


def _of_service(
    contract: str, currency: str, named: list[ServiceTerms], groups: list[Group], happened: Happened
) -> Iterator[Note]:
    days = [one.line.day for group in groups for one in group.lines]
    first, last = max(min(days), happened.begins or min(days)), max(days)
    goods = named[0].basis == "receipt"
    known = {(group.lines[0].vendor if goods else "", group.context.about): group for group in groups}
    for about, party, vendor, day in _subjects(named[0], contract, happened):
        owner = vendor if goods else ""
        group = known.get((owner, about)) or known.get((owner, replace(about, sku="")))
        terms = next((one for one in named if one.holds(day)), None)
        if not first <= day <= last or terms is None or (group is not None and group.is_noted):
            continue
        amount = _amount(terms, about, party, happened, group, currency)
        if amount > 0:
            parts = (vendor, about.service, about.subject, about.sku, about.slot)
            yield Note("unbilled", "/".join(part for part in parts if part), vendor, currency, amount)


def _subjects(terms: ServiceTerms, contract: str, happened: Happened) -> Iterator[tuple[Subject, str, str, date]]:
    """Every subject of a kind, once, with the party whose fact it is, the vendor that would bill it, and its day."""
    seen: set[Subject] = set()
    for subject in happened.subjects(_KINDS[terms.basis]):
        for fact in happened.of(_KINDS[terms.basis], subject, terms.party or ""):
            goods = terms.basis == "receipt"
            slot = fact.at.date().isoformat() if terms.basis == "ad_spend" else ""
            about = Subject(terms.service, subject, fact.sku if goods else "", slot)
            if about not in seen and subject:
                seen.add(about)
                party = fact.party if goods else terms.party or ""
                yield about, party, (fact.party or contract) if goods else contract, fact.at.date()


def _amount(
    terms: ServiceTerms, about: Subject, party: str, happened: Happened, group: Group | None, currency: str
) -> int:
    """What was not billed of it: units left at their price, or all of its value."""
    found = evidence_of(terms, about, party, happened)
    if terms.basis == "ad_spend":
        return valued(terms, worth(terms, about, found.facts, happened, found.facts[0].at, currency) or 0)
    units = group.left if group is not None else found.units
    if terms.basis != "receipt":
        return counted(terms, units)
    price, _ = unit_price(about, party, happened, found.facts, currency)
    return round(price * units) if price is not None else 0
