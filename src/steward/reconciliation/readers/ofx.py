"""OFX bank and card statements, 1.x (SGML, leaves without an end) and 2.x (XML): one small reader of both.

Unverified with a bank's own file. The format states a closing balance and no opening one, so nothing can be held
against the lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from html import unescape

from steward.contracts.settlement import BankLine, Reading
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor
from steward.reconciliation.readers.draft import Draft, Gathering, refs
from steward.reconciliation.readers.moments import day_of
from steward.reconciliation.readers.refusing import no_settlement
from steward.reconciliation.readers.tables import LARGEST_FIELD, text_of

DEEPEST = 32
MOST_TAGS = 5_000_000

_TAG = re.compile(r"<(/?)([A-Za-z0-9_.]{1,40})\s*(/?)>([^<]*)", re.ASCII)
_MOMENT = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?(?:\.[0-9]{1,6})?)?"
    r"\s*(?:\[[+-]?[0-9]{1,2}(?:\.[0-9]{1,2})?(?::[A-Za-z ]{0,12})?\])?",
    re.ASCII,
)
_STATEMENTS = {"STMTRS": "BANKACCTFROM", "CCSTMTRS": "CCACCTFROM"}


@dataclass(slots=True)
class _Node:
    name: str
    line: int
    text: str = ""
    children: list[_Node] = field(default_factory=list["_Node"])

    def all(self, name: str) -> list[_Node]:
        return [child for child in self.children if child.name == name]

    def word(self, *path: str) -> str:
        found = self
        for name in path:
            below = found.all(name)
            if not below:
                return ""
            if len(below) > 1:
                raise BadInput(f"{name} comes twice", where=f"line {below[1].line}")
            found = below[0]
        return found.text

    def deep(self, name: str) -> list[_Node]:
        found: list[_Node] = []
        waiting: list[_Node] = [self]
        while waiting:
            node = waiting.pop()
            found += [node] if node.name == name else []
            waiting.extend(reversed(node.children))
        return found


def read(content: bytes, name: str) -> Reading:
    del name  # a statement has an account and a period of its own
    text = _decoded(content)
    start = text.upper().find("<OFX>")
    if start < 0:
        raise BadInput("no <OFX> in the file")
    if "<!DOCTYPE" in text.upper() or "<!ENTITY" in text.upper():
        raise BadInput("a document type is not read")
    root = _tree(text[start:], text.count("\n", 0, start) + 1)
    draft = Draft("ofx", "ofx", verified=False)
    statements = [(node, kind) for kind in _STATEMENTS for node in root.deep(kind)]
    if not statements:
        other = "an investment statement" if root.deep("INVSTMTRS") else "an OFX answer without a bank statement"
        return no_settlement("ofx", other)
    for node, kind in statements:
        try:
            _statement(draft, node, _STATEMENTS[kind])
        except BadInput as error:
            draft.take(node.line, error)
    return draft.reading()


def _decoded(content: bytes) -> str:
    """UTF-8, or Windows-1252 where the header says so."""
    head = content[:1000].upper()
    if b"CHARSET:1252" in head or b'ENCODING="WINDOWS-1252"' in head:
        try:
            content = content.decode("cp1252").encode()
        except UnicodeDecodeError as error:
            raise BadInput(f"the text is not Windows-1252: byte {error.start}") from None
    return text_of(content)


def _tree(text: str, line: int) -> _Node:
    """Elements by their tags; one with text and no end is a leaf."""
    root = _Node("", line)
    stack = [root]
    place = count = 0
    for found in _TAG.finditer(text):
        line += text.count("\n", place, found.start())
        if text[place : found.start()].strip():
            break
        place = found.start()
        count += 1
        ends, name, empty, words = found[1], found[2].upper(), found[3], found[4]
        if count > MOST_TAGS or len(words) > LARGEST_FIELD:
            raise BadInput("the file is too large", where=f"line {line}")
        line += text.count("\n", place, found.end())
        place = found.end()
        if ends:
            _close(stack, name, line)
            continue
        node = _Node(name, line, unescape(words).strip())
        if stack[-1].text:
            stack.pop()
        stack[-1].children.append(node)
        if not empty:
            stack.append(node)
        if len(stack) > DEEPEST:
            raise BadInput("the file is nested too deep", where=f"line {line}")
    if place != len(text) and text[place:].strip():
        raise BadInput(f"no tag where one should be: {text[place : place + 20].strip()!r}", where=f"line {line}")
    if len(stack) > 1:
        raise BadInput(f"{stack[1].name} never ends: the file is cut", where=f"line {line}")
    return root


def _close(stack: list[_Node], name: str, line: int) -> None:
    if len(stack) > 2 and stack[-1].text and stack[-1].name != name:
        stack.pop()
    if len(stack) < 2 or stack[-1].name != name:
        raise BadInput(f"</{name}> ends nothing", where=f"line {line}")
    stack.pop()


def _moment(text: str) -> date:
    """The bank's own day of YYYYMMDD, which a time and an offset may follow."""
    found = _MOMENT.fullmatch(text)
    if not found:
        raise BadInput(f"{text[:40]!r} is no OFX date")
    if found[4] and (int(found[4]) > 23 or int(found[5]) > 59 or int(found[6] or 0) > 59):
        raise BadInput(f"{text[:40]!r} is no time of a day")
    return day_of(int(found[1]), int(found[2]), int(found[3]))


def _decimal(text: str) -> str:
    """A decimal with a point or a comma, and not both."""
    if "," in text and "." in text:
        raise BadInput(f"{text[:24]!r} has a comma and a point")
    return text.replace(",", ".")


def _statement(draft: Draft, node: _Node, account_name: str) -> None:
    currency = currency_code(node.word("CURDEF"))
    bank, account = node.word(account_name, "BANKID"), node.word(account_name, "ACCTID")
    if not account:
        raise BadInput("the statement has no account")
    lists = node.all("BANKTRANLIST")
    if len(lists) != 1:
        raise BadInput("the statement has no list of transactions")
    starts, ends = (_moment(lists[0].word(tag)) for tag in ("DTSTART", "DTEND"))
    named = " ".join(part for part in (bank, account) if part)
    made = draft.gathering((named, f"{starts} {ends}", str(node.line)), f"{named} {starts}..{ends}", named, currency)
    made.starts, made.ends = starts, ends
    balance = node.word("LEDGERBAL", "BALAMT")
    made.closing_minor = minor(_decimal(balance), currency) if balance else None
    for entry in lists[0].all("STMTTRN"):
        try:
            _entry(draft, made, entry, currency)
        except BadInput as error:
            draft.take(entry.line, error)


def _entry(draft: Draft, made: Gathering, entry: _Node, currency: str) -> None:
    amount = minor(_decimal(entry.word("TRNAMT")), currency)
    other = entry.word("CURRENCY", "CURSYM")
    if other and currency_code(other) != currency:
        raise BadInput(f"{other[:8]} in an account of {currency}")
    posted = _moment(entry.word("DTPOSTED"))
    told = entry.word("DTAVAIL")
    party, memo, own = entry.word("NAME") or entry.word("PAYEE", "NAME"), entry.word("MEMO"), entry.word("FITID")
    if not own:
        raise BadInput("no FITID")
    if entry.all("CORRECTFITID"):
        raise BadInput("a correction of an earlier entry is not read")
    if amount == 0:
        draft.moved_nothing(entry.line, "an entry of zero moves no money")
        return
    outside = refs([("bank", own), ("reference", entry.word("REFNUM")), ("reference", entry.word("CHECKNUM"))])
    key = made.key(own)
    made.entries.append(
        BankLine(
            entry.line, key, currency, amount, posted, _moment(told) if told else None, False,
            False, memo[:1000], party[:200], outside,
        )
    )  # fmt: skip
