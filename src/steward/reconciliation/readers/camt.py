"""ISO 20022 bank statements of any published version: camt.053 (statement), camt.052 (report) and camt.054 (notice).

A statement's opening booked balance and its booked entries make its closing booked balance; a transactions summary
holds wherever it stands. A camt.053 without both balances is refused. Entries of information (INFO) move nothing;
pending ones are read as pending and are in no balance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from steward.contracts.settlement import BankLine, Reading, Refs
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, whole
from steward.reconciliation.readers.draft import Draft, Gathering, digest_key, refs
from steward.reconciliation.readers.markup import Element, tree
from steward.reconciliation.readers.moments import day
from steward.reconciliation.readers.refusing import no_settlement

_SPACE = re.compile(r"urn:(?:iso:std:iso:20022:tech:xsd|swift:xsd:\S{1,40}):?(camt\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})")
_PARTS = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}
_SIDES = {"CRDT": 1, "DBIT": -1}


def read(content: bytes, name: str) -> Reading:
    del name  # a statement has an id of its own
    root, space = tree(content)
    found = _SPACE.fullmatch(space)
    message = found[1] if found else ""
    part = _PARTS.get(message[:8])
    if root.name != "Document" or not message:
        raise BadInput("no ISO 20022 document", where="line 1")
    if part is None or not root.children:
        return no_settlement("camt", f"{message} (no bank statement)", root.line)
    draft = Draft("camt", message)
    for place, statement in enumerate([s for body in root.children for s in body.all(part)]):
        try:
            _Statement(draft, statement, part == "Stmt", place).read()
        except BadInput as error:
            draft.take(statement.line, error)
    if not draft.gatherings and not draft.bad:
        draft.refuse(root.line, f"the document has no {part}")
    return draft.reading()


@dataclass(frozen=True, slots=True)
class _Balance:
    code: str
    minor: int
    currency: str
    on: date | None
    line: int


def _child(parent: Element, *path: str) -> Element:
    found = parent.first(*path)
    if found is None:
        raise BadInput(f"no {'/'.join(path)}", where=f"line {parent.line}")
    return found


def _sided(parent: Element, amount: Element) -> tuple[int, str]:
    """Signed minor units and currency of an Amt beside its CdtDbtInd."""
    side = _SIDES.get(parent.word("CdtDbtInd"))
    if side is None:
        raise BadInput("no CRDT or DBIT", where=f"line {parent.line}")
    currency = currency_code(amount.attributes.get("Ccy", ""))
    try:
        value = minor(amount.text.strip(), currency)
    except BadInput as error:
        raise BadInput(error.what, where=f"line {amount.line}") from None
    if value < 0:
        raise BadInput("an amount beside its side is negative", where=f"line {amount.line}")
    return side * value, currency


def _date(parent: Element, name: str) -> date | None:
    """A date, or the date of a time, as the bank writes it: its own business day."""
    text = parent.word(name, "Dt") or parent.word(name, "DtTm")[:10]
    return day(text) if text else None


class _Statement:
    """One Stmt, Rpt or Ntfctn: one gathering for each currency of its entries."""

    def __init__(self, draft: Draft, element: Element, strict: bool, place: int) -> None:
        self.draft = draft
        self.element = element
        self.strict = strict
        self.place = str(place)
        self.id = element.word("Id")
        self.account = element.word("Acct", "Id", "IBAN") or element.word("Acct", "Id", "Othr", "Id")
        self.account = self.account or element.word("Acct", "Id", "PrtryAcct", "Id")
        if not self.id:
            raise BadInput("the statement has no Id", where=f"line {element.line}")
        page = element.word("StmtPgntn", "PgNb") or element.word("RptPgntn", "PgNb")
        self.page = f" page {page}" if page not in {"", "1"} else ""
        self.balances = [self._balance(b) for b in element.all("Bal")]
        told = element.word("Acct", "Ccy")
        self.currency = currency_code(told) if told else self._first_currency()

    def _balance(self, element: Element) -> _Balance:
        amount, currency = _sided(element, _child(element, "Amt"))
        code = element.word("Tp", "CdOrPrtry", "Cd") or element.word("Tp", "Cd")
        return _Balance(code, amount, currency, _date(element, "Dt"), element.line)

    def _first_currency(self) -> str:
        return self.balances[0].currency if self.balances else ""

    def read(self) -> None:
        for entry in self.element.all("Ntry"):
            try:
                self._entry(entry)
            except BadInput as error:
                self.draft.take(entry.line, error)
        if self.draft.bad:
            return
        self._summary()
        self._balanced()

    def _gathering(self, currency: str) -> Gathering:
        if self.currency and currency != self.currency:
            raise BadInput(f"{currency} in an account of {self.currency}")
        many = "" if self.currency else f" {currency}"
        key = (self.account, self.id, self.page, currency, self.place)
        made = self.draft.gathering(key, f"{self.account} {self.id}{self.page}{many}".strip(), self.account, currency)
        made.starts = _from(self.element, "FrDtTm") or made.starts
        made.ends = _from(self.element, "ToDtTm") or made.ends
        return made

    def _entry(self, entry: Element) -> None:
        amount, currency = _sided(entry, _child(entry, "Amt"))
        status = entry.word("Sts", "Cd") or entry.word("Sts") or entry.word("Sts", "Prtry")
        if status == "INFO":
            self.draft.moved_nothing(entry.line, "an entry of information (INFO) moves no money")
            return
        if status not in {"BOOK", "PDNG", "FUTR"}:
            raise BadInput(f"the status {status[:12]!r} is none of BOOK, PDNG, FUTR, INFO")
        reversal = entry.word("RvslInd")
        if reversal not in {"", "true", "false", "1", "0"}:
            raise BadInput(f"RvslInd is {reversal[:12]!r}")
        details = entry.all("NtryDtls", "TxDtls")
        own = entry.word("AcctSvcrRef") or entry.word("NtryRef")
        booked, value = _date(entry, "BookgDt"), _date(entry, "ValDt")
        text = " ".join([*_remittance(details), *(e.text.strip() for e in entry.all("AddtlNtryInf"))])
        outside = _refs(entry, details)
        gathering = self._gathering(currency)
        key = own or digest_key(amount, booked, value, text, *outside)
        gathering.entries.append(
            BankLine(
                self.draft.next_entry(), gathering.key(key), currency, amount, booked, value, status != "BOOK",
                reversal in {"true", "1"}, text[:1000], _counterparty(details, amount), outside,
            )
        )  # fmt: skip

    def _booked(self) -> list[BankLine]:
        return [
            entry for key, g in self.draft.gatherings.items() if key[-1] == self.place
            for entry in g.entries if not entry.pending
        ]  # fmt: skip

    def _summary(self) -> None:
        """TxsSummry: numbers and sums of all entries, of credits and of debits."""
        entries = [e for e in self.element.all("Ntry") if (e.word("Sts", "Cd") or e.word("Sts")) != "INFO"]
        amounts = [_sided(e, _child(e, "Amt")) for e in entries]
        currency = self.currency or (amounts[0][1] if amounts else "")
        for name, side in (("TtlNtries", 0), ("TtlCdtNtries", 1), ("TtlDbtNtries", -1)):
            total = self.element.first("TxsSummry", name)
            if total is None:
                continue
            chosen = [value for value, _ in amounts if not side or (value >= 0) == (side > 0)]
            self._held(total, name, chosen, currency)

    def _held(self, total: Element, name: str, chosen: list[int], currency: str) -> None:
        number, stated = total.word("NbOfNtries"), total.word("Sum")
        if number:
            self.draft.count(f"TxsSummry {name} number", total.line, whole(number), len(chosen))
        if stated and currency:
            says, makes = minor(stated, currency), sum(map(abs, chosen))
            self.draft.total(says == makes, f"TxsSummry {name} sum", total.line, currency, says, makes)
        net = total.word("TtlNetNtry", "Amt") or total.word("TtlNetNtryAmt")
        side = total.word("TtlNetNtry", "CdtDbtInd") or total.word("CdtDbtInd")
        if net and currency and side in _SIDES:
            says, makes = _SIDES[side] * minor(net, currency), sum(chosen)
            self.draft.total(says == makes, f"TxsSummry {name} net", total.line, currency, says, makes)

    def _balanced(self) -> None:
        opening, closing = self._ends()
        if opening is None or closing is None:
            if self.strict:
                raise BadInput("no opening or no closing booked balance", where=f"line {self.element.line}")
            return
        for balance in (opening, closing):
            if balance.currency != (self.currency or balance.currency):
                raise BadInput(f"a balance of {balance.currency} in an account of {self.currency}",
                               where=f"line {balance.line}")  # fmt: skip
        gathering = self._gathering(opening.currency)
        gathering.opening_minor, gathering.closing_minor = opening.minor, closing.minor
        gathering.starts, gathering.ends = gathering.starts or opening.on, gathering.ends or closing.on
        makes = opening.minor + sum(entry.amount_minor for entry in self._booked())
        words = f"{opening.code} and the booked entries make {closing.code}"
        self.draft.total(makes == closing.minor, words, closing.line, closing.currency, closing.minor, makes)

    def _ends(self) -> tuple[_Balance | None, _Balance | None]:
        """Opening and closing booked balance; pages of one statement begin and end with interim ones (ITBD)."""
        opening = self._of("OPBD") or self._of("PRCD")
        closing = self._of("CLBD")
        if self.strict:
            interim = [b for b in self.balances if b.code == "ITBD"]
            if opening is None and interim:
                opening = interim.pop(0)
            if closing is None and interim:
                closing = interim[-1]
        return opening, closing

    def _of(self, code: str) -> _Balance | None:
        found = [b for b in self.balances if b.code == code]
        if len({(b.minor, b.currency) for b in found}) > 1:
            raise BadInput(f"two balances {code} that differ", where=f"line {found[1].line}")
        return found[0] if found else None


def _from(element: Element, name: str) -> date | None:
    text = element.word("FrToDt", name)[:10]
    return day(text) if text else None


def _remittance(details: list[Element]) -> list[str]:
    return [text.text.strip() for d in details for text in d.all("RmtInf", "Ustrd") if text.text.strip()]


def _counterparty(details: list[Element], amount: int) -> str:
    """Who paid, or who was paid; the ultimate party where it is named."""
    sides = ("UltmtDbtr", "Dbtr") if amount >= 0 else ("UltmtCdtr", "Cdtr")
    for detail in details:
        for side in sides:
            name = detail.word("RltdPties", side, "Nm") or detail.word("RltdPties", side, "Pty", "Nm")
            if name:
                return name[:200]
    return ""


def _refs(entry: Element, details: list[Element]) -> Refs:
    pairs = [("bank", entry.word("AcctSvcrRef")), ("bank", entry.word("NtryRef"))]
    for detail in details[:50]:
        pairs += [("reference", detail.word("Refs", name)) for name in ("EndToEndId", "InstrId", "TxId", "PmtInfId")]
        pairs += [("reference", e.text.strip()) for e in detail.all("RmtInf", "Strd", "CdtrRefInf", "Ref")]
        pairs += [("bank", detail.word("Refs", "AcctSvcrRef"))]
    return refs((name, value) for name, value in pairs if value not in {"NOTPROVIDED", "NONREF"})
