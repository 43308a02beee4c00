"""SWIFT MT940 statements and MT942 interim reports, with the liberties banks take.

Of each MT940 message opening balance (60) and entries (61) make the closing balance (62), and a message that goes on
(62M) opens the next one (60M) with the same amount. An MT942 has numbers and sums of debits and credits (90D, 90C),
which hold where they are. A value date of 29 or 30 February that is not in the calendar is the month's last day:
banks that count thirty days a month write it.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

from steward.contracts.settlement import BankLine, Reading, Refs
from steward.kernel.errors import BadInput
from steward.reconciliation.readers.amounts import currency_code, minor, whole
from steward.reconciliation.readers.draft import Draft, Gathering, digest_key, refs
from steward.reconciliation.readers.moments import day_of
from steward.reconciliation.readers.tables import LARGEST_FIELD, LARGEST_FILE

_TAG = re.compile(r":([0-9]{2}[A-Z]?|NS):(.*)", re.ASCII | re.DOTALL)
_END = re.compile(r"-(?:[}\x03].*|X{3})?\s*", re.DOTALL)
_BALANCE = re.compile(r"([CD])([0-9]{6})([A-Z]{3})([0-9]{1,15},[0-9]{0,5})", re.ASCII)
_TOTAL = re.compile(r"([0-9]{1,7})([A-Z]{3})([0-9]{1,15},[0-9]{0,5})", re.ASCII)
_ENTRY = re.compile(
    r"(?P<value>[0-9]{6})(?P<entry>[0-9]{4}| {4})?(?P<mark>R[CD]|E[CD]|[CD])(?P<funds>[A-Z])?"
    r"(?P<amount>[0-9]{1,15},?[0-9]{0,5})(?P<type>[A-Z][A-Z0-9 ]{3})(?P<refs>.*)",
    re.ASCII,
)
_FIELD = re.compile(r"[?>]([0-9]{2})([^?>]*)", re.ASCII)
_NAMED = re.compile(
    r"(?:EREF|KREF)\+(.{1,35}?)(?=(?:[EKM]REF|CRED|DEBT|SVWZ|ABW[AE]|MTLG)\+|\s|$)|/[EK]REF/([^/]{1,35})"
)
_PARTY = re.compile(r"/NAME/([^/]{1,70})|(?<=NAAM: )(.{1,70})")
_SIGNS = {"C": 1, "D": -1, "RC": -1, "RD": 1, "EC": 1, "ED": -1}


def read(content: bytes, name: str) -> Reading:
    del name  # a statement has an account and a number of its own
    messages = _messages(_text(content))
    if not messages:
        raise BadInput("no SWIFT message: no line begins with a tag like :20:")
    draft = Draft("mt940", "mt942" if any(m.interim for m in messages) else "mt940")
    going_on: dict[str, tuple[int, str]] = {}
    for message in messages:
        try:
            _Statement(draft, message).read(going_on)
        except BadInput as error:
            draft.take(message.line, error)
    return draft.reading()


def _text(content: bytes) -> str:
    """UTF-8, else the bytes as Latin-1: SWIFT's own letters are in both."""
    if len(content) > LARGEST_FILE:
        raise BadInput(f"the file is larger than {LARGEST_FILE} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(slots=True)
class _Tag:
    name: str
    line: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def first(self) -> str:
        return self.lines[0].strip()


@dataclass(slots=True)
class _Message:
    line: int
    tags: list[_Tag] = field(default_factory=list[_Tag])
    ended: bool = False

    def one(self, *names: str) -> _Tag | None:
        found = [tag for tag in self.tags if tag.name in names]
        if len(found) > 1:
            raise BadInput(f":{found[1].name}: comes twice in one message", where=f"line {found[1].line}")
        return found[0] if found else None

    @property
    def interim(self) -> bool:
        names = {tag.name for tag in self.tags}
        return bool(names & {"34F", "13D", "13", "90D", "90C"}) and not names & {"60F", "60M", "62F", "62M"}


def _messages(text: str) -> list[_Message]:
    """Messages as they follow: a line of one dash ends one, :20: begins one."""
    made: list[_Message] = []
    current: _Message | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip("\x01\x02")
        found = _TAG.fullmatch(line)
        if found:
            if current is None or (found[1] == "20" and current.tags):
                current = _Message(number)
                made.append(current)
            current.tags.append(_Tag(found[1], number, [found[2]]))
        elif _END.fullmatch(line):
            if current:
                current.ended = True
            current = None
        elif current and current.tags:
            current.tags[-1].lines.append(line)
            if len(current.tags[-1].lines) > 1000 or len(line) > LARGEST_FIELD:
                raise BadInput("a field is too long", where=f"line {number}")
    return made


def _day(text: str, *, value: bool = False) -> date:
    year, month, day = int(text[:2]), int(text[2:4]), int(text[4:])
    year += 2000 if year < 70 else 1900
    if value and month == 2 and day in {29, 30}:
        day = min(day, monthrange(year, 2)[1])
    return day_of(year, month, day)


def _entry_day(text: str, value: date) -> date:
    """MMDD in the year that brings it nearest to the value date."""
    month, day = int(text[:2]), int(text[2:])
    years = (value.year, value.year - 1, value.year + 1)
    found: list[date] = []
    for year in years:
        if month == 2 and day == 29 and monthrange(year, 2)[1] < 29:
            continue
        found.append(day_of(year, month, day))
    return min(found, key=lambda made: abs((made - value).days))


@dataclass(frozen=True, slots=True)
class _Balance:
    tag: _Tag
    minor: int
    currency: str
    on: date


def _balance(tag: _Tag) -> _Balance:
    found = _BALANCE.fullmatch(tag.first)
    if not found:
        raise BadInput(f":{tag.name}: is no balance: {tag.first[:30]!r}", where=f"line {tag.line}")
    currency = currency_code(found[3])
    amount = minor(found[4].replace(",", "."), currency)
    return _Balance(tag, amount if found[1] == "C" else -amount, currency, _day(found[2]))


class _Statement:
    """One message: its entries, and its balances or totals."""

    def __init__(self, draft: Draft, message: _Message) -> None:
        self.draft = draft
        self.message = message
        self.currency = ""
        account = message.one("25", "25P")
        reference = message.one("20")
        missing = [tag for tag, found in ((":20:", reference), (":25:", account)) if found is None]
        if account is None or missing:
            raise BadInput(f"a fragment of a message: it has no {' and no '.join(missing)}")
        self.account = account.first
        number = message.one("28", "28C")
        self.number = number.first if number else ""

    def read(self, going_on: dict[str, tuple[int, str]]) -> None:
        if self.message.interim:
            self._interim()
            return
        opening, closing = self.message.one("60F", "60M"), self.message.one("62F", "62M")
        if opening is None or closing is None:
            raise BadInput("the message has no opening or no closing balance (60, 62): it is cut")
        begins, ends = _balance(opening), _balance(closing)
        if begins.currency != ends.currency:
            raise BadInput(f"it opens in {begins.currency} and closes in {ends.currency}", where=f"line {closing.line}")
        self.currency = begins.currency
        before = going_on.pop(self.account, None)
        if before and opening.name == "60M":
            words = f"{self.account} goes on where the message before it ended"
            self.draft.total(before == (begins.minor, begins.currency), words, opening.line, begins.currency,
                             begins.minor, before[0])  # fmt: skip
        if closing.name == "62M":
            going_on[self.account] = (ends.minor, ends.currency)
        gathering = self._gathering(f"{begins.on} {ends.on}")
        gathering.opening_minor, gathering.closing_minor = begins.minor, ends.minor
        gathering.starts, gathering.ends = begins.on, ends.on
        self._entries(gathering)
        makes = begins.minor + sum(entry.amount_minor for entry in gathering.entries)
        self.draft.total(makes == ends.minor, f"{opening.name} and the entries make {closing.name}", closing.line,
                         ends.currency, ends.minor, makes)  # fmt: skip

    def _interim(self) -> None:
        if not self.message.ended:
            raise BadInput("the report has no end (a line of a dash): it is cut", where=f"line {self.message.line}")
        totals = [tag for tag in self.message.tags if tag.name in {"90D", "90C"}]
        floor = next((tag for tag in self.message.tags if tag.name == "34F"), None)
        told = floor.first[:3] if floor else (re.sub("[^A-Z]", "", totals[0].first) if totals else "")
        self.currency = currency_code(told)
        at = self.message.one("13D", "13")
        gathering = self._gathering(at.first if at else "")
        self._entries(gathering)
        for tag in totals:
            found = _TOTAL.fullmatch(tag.first)
            if not found or found[2] != self.currency:
                raise BadInput(f":{tag.name}: is no total of {self.currency}", where=f"line {tag.line}")
            chosen = [e.amount_minor for e in gathering.entries if (e.amount_minor < 0) == (tag.name == "90D")]
            self.draft.count(f"{tag.name} number of entries", tag.line, whole(found[1]), len(chosen))
            says, makes = minor(found[3].replace(",", "."), self.currency), abs(sum(chosen))
            self.draft.total(says == makes, f"{tag.name} sum", tag.line, self.currency, says, makes)

    def _gathering(self, when: str) -> Gathering:
        named = " ".join(part for part in (self.account, self.number, when) if part)
        return self.draft.gathering((self.account, named, str(self.message.line)), named, self.account, self.currency)

    def _entries(self, gathering: Gathering) -> None:
        place = 0
        tags = self.message.tags
        while place < len(tags):
            tag, place = tags[place], place + 1
            if tag.name != "61":
                continue
            details: list[str] = []
            while place < len(tags) and tags[place].name in {"86", "NS"}:
                details += tags[place].lines
                place += 1
            try:
                self._entry(gathering, tag, details)
            except BadInput as error:
                self.draft.take(tag.line, error)

    def _entry(self, gathering: Gathering, tag: _Tag, details: list[str]) -> None:
        found = _ENTRY.fullmatch(tag.lines[0].rstrip())
        if not found:
            raise BadInput(f":61: is no entry: {tag.lines[0][:40]!r}")
        value = _day(found["value"], value=True)
        told = (found["entry"] or "").strip()
        booked = _entry_day(told, value) if told else value
        amount = _SIGNS[found["mark"]] * minor(found["amount"].replace(",", "."), self.currency)
        text = " ".join(line.strip() for line in (*tag.lines[1:], *details) if line.strip())
        if amount == 0:
            self.draft.moved_nothing(tag.line, f"an entry of zero moves no money: {text[:80]}")
            return
        outside, party = _outside(found["refs"], "".join(details))
        key = digest_key(self.account, tag.text)
        gathering.entries.append(
            BankLine(
                tag.line, gathering.key(key), self.currency, amount, booked, value, found["mark"][0] == "E",
                found["mark"][0] == "R", text[:1000], party, outside,
            )
        )  # fmt: skip


def _outside(told: str, details: str) -> tuple[Refs, str]:
    """References and the other party: of field 61, and of field 86 where it is structured."""
    own, _, bank = told.partition("//")
    fields: dict[str, str] = {}
    if details[3:4] in {"?", ">"} and details[:3].isdigit():
        for code, text in _FIELD.findall(details):
            fields[code] = fields.get(code, "") + text
    used = "".join(text for code, text in sorted(fields.items()) if code[0] == "2" or code in {"60", "61", "62", "63"})
    named = _NAMED.search(used or details)
    party = " ".join(f"{fields.get('32', '')} {fields.get('33', '')}".split())
    if not party:
        match = _PARTY.search(details)
        party = (match[1] or match[2] or "").strip() if match else ""
    pairs = [("reference", own[:16].strip()), ("bank", bank.strip())]
    if named:
        pairs.append(("reference", next(group for group in named.groups() if group).strip()))
    return refs((name, value) for name, value in pairs if value not in {"NONREF", "EREF", "KREF+", ""}), party[:200]
