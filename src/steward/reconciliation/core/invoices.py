"""Every line of a vendor's bills recomputed from its contract and from what happened.

A line is agreed, in dispute, or part of each: `amount = agreed + disputed` in minor units, for every line. One dispute
a line at most, named by what is wrong with it first. Less billed than owed is a note, never a claim. A credit is agreed
as it stands and settles disputes of the same subject, the latest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from steward.contracts.invoice import Audited, BillableFact, Billed, ContractBook, ServiceTerms, VendorContract
from steward.reconciliation.core.conserve import NotConserved
from steward.reconciliation.core.credits import Pools
from steward.reconciliation.core.judging import Context, Group, Verdicts
from steward.reconciliation.core.owing import FACTUAL, VALUED, Happened, Subject, evidence_of
from steward.reconciliation.core.unbilled import unbilled


def audit(lines: Sequence[Billed], book: ContractBook, facts: Iterable[BillableFact], as_of: date) -> Audited:
    """Audit all lines in force. The same input in any order gives the same result; `NotConserved` if it loses money."""
    happened = Happened(facts)
    verdicts = Verdicts()
    groups: dict[tuple[str, str, Subject], Group] = {}
    known: dict[tuple[str, str], tuple[VendorContract | None, list[ServiceTerms]]] = {}
    for billed in _in_order(lines):
        spoken = (billed.vendor, billed.line.service)
        if spoken not in known:
            found = book.of(billed.vendor)
            known[spoken] = (found, _named(found, billed.line.service) if found else [])
        contract, named = known[spoken]
        if contract is None or not named:
            words = f"the contract with {billed.vendor} has no service {billed.line.service!r}"
            told = (
                {"why": words, "account": contract.services[0].account} if contract else {"why": "there is no contract"}
            )
            verdicts.whole(billed, "invoice_service", told)
            continue
        about = _about(named[0], billed)
        group = groups.get((billed.vendor, contract.name, about))
        if group is None:
            group = groups[billed.vendor, contract.name, about] = _group(
                contract, named, billed, about, happened, as_of
            )
        group.lines.append(billed)
    pools = Pools(as_of)
    for group in groups.values():
        group.judge(verdicts)
        pools.add(group)
    pools.close(verdicts)
    for note in unbilled(book, groups.values(), happened):
        verdicts.notes.append(note)
    made = verdicts.audited()
    conserved(lines, made)
    return made


def conserved(lines: Sequence[Billed], made: Audited) -> None:
    """Count anew from the lines that came in: each judged once, agreed and disputed, and claims make the disputed."""
    left = {one.key: (one.line.currency, one.line.amount_minor) for one in lines}
    if len(left) != len(lines):
        raise NotConserved("two lines have one key", where="invoices")
    claimed = {one.key: one.amount_minor for one in made.claims if one.side == "invoice"}
    for one in made.judged:
        came = left.pop(one.key, None)
        if came != (one.currency, one.agreed_minor + one.disputed_minor) or one.disputed_minor < 0:
            raise NotConserved(
                f"{came} became {one.agreed_minor} agreed and {one.disputed_minor} disputed", where=one.key
            )
        if claimed.pop(one.key, 0) != one.disputed_minor:
            raise NotConserved("what is disputed is not what is claimed", where=one.key)
    for key in (*left, *claimed):
        raise NotConserved("a line was not judged, or a claim has no line", where=key)


def _in_order(lines: Sequence[Billed]) -> list[Billed]:
    """By the day of their bill: its own date, else its latest line. What is billed again is in the later one."""
    days: dict[tuple[str, str], date] = {}
    for one in lines:
        key = (one.vendor, one.invoice)
        days[key] = one.issued or max(days.get(key, date.min), one.line.day)
    return sorted(
        lines, key=lambda one: (days[one.vendor, one.invoice], one.vendor, one.invoice, one.line.number, one.key)
    )


def _named(contract: VendorContract, name: str) -> list[ServiceTerms]:
    wanted = {one.service for one in contract.services if name == one.service or name in one.called}
    return [one for one in contract.services if one.service in wanted]


def _about(terms: ServiceTerms, billed: Billed) -> Subject:
    line = billed.line
    match terms.basis:
        case "ad_spend":
            slot = line.day.isoformat()
        case "month":
            slot = line.day.isoformat()[:7]
        case "told":
            slot = f"{line.day.isoformat()} {line.quantity} {line.amount_minor}"
        case _:
            slot = ""
    return Subject(terms.service, line.subject, line.sku if terms.basis == "receipt" else "", slot)


def _group(
    contract: VendorContract, named: list[ServiceTerms], first: Billed, about: Subject, happened: Happened, as_of: date
) -> Group:
    basis = named[0].basis
    party = first.vendor if basis == "receipt" else named[0].party or ""
    found = evidence_of(named[0], about, party, happened) if basis in FACTUAL else None
    day = (found.day if found else None) or first.line.day
    terms = next((one for one in named if one.holds(day)), None)
    context = Context(contract, terms, about, party, happened, happened.begins or as_of)
    return Group(context, found, is_valued=basis in VALUED)
