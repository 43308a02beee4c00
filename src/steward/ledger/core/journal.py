"""Books for outside tools. Every posting carries the balance its account has after it, where the format can say so.

Plain-text tools read transactions in date order. A transfer whose effective date is earlier than its predecessor's is
therefore written on the predecessor's date, with its own date beside it: balances are in posted order everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from steward.contracts.ledger import JournalEntry, JournalPosting
from steward.kernel.money import exponent

Accounts = list[tuple[str, str]]
_ROOTS = {
    "assets": "Assets",
    "liabilities": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "contra": "Income:Contra",
    "expenses": "Expenses",
    "fx": "Equity:Fx",
}
_DAY = timedelta(days=1)


def journal_lines(form: str, accounts: Iterable[tuple[str, str]], entries: Iterable[JournalEntry]) -> Iterator[str]:
    """A whole book, line by line, from accounts (code, currency) and transfers in posted order, which are not kept.
    `form` is a key of `FORMS`.
    """
    return FORMS[form](list(accounts), entries)


def amount_text(minor: int, currency: str) -> str:
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f} {currency}"


def in_date_order(entries: Iterable[JournalEntry]) -> Iterator[tuple[date, JournalEntry]]:
    """Each transfer with the date it is written on: never earlier than the one before it."""
    latest = date.min
    for entry in entries:
        latest = max(latest, entry.on)
        yield latest, entry


def _hledger(accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """Assertions as in https://hledger.org/hledger.html#balance-assertions ."""
    yield "; Books of Steward. Debits are positive. Every posting asserts its account's balance."
    for currency in sorted({currency for _, currency in accounts}):
        digits = exponent(currency)
        yield f"commodity 1000.{'0' * digits} {currency}" if digits else f"commodity 1000. {currency}"
    yield from _plain(accounts, entries)


def _ledger(accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """Assertions as in https://ledger-cli.org/doc/ledger3.html#Balance-assertions ."""
    yield "; Books of Steward. Debits are positive. Every posting asserts its account's balance."
    for currency in sorted({currency for _, currency in accounts}):
        digits = exponent(currency)
        yield f"commodity {currency}"
        yield f"    format 1000.{'0' * digits} {currency}" if digits else f"    format 1000 {currency}"
    yield from _plain(accounts, entries)


def _plain(accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    for code in sorted({code for code, _ in accounts}):
        yield f"account {code}"
    yield ""
    for on, entry in in_date_order(entries):
        own = f"  ; effective:{entry.on.isoformat()}" if entry.on < on else ""
        yield f"{on.isoformat()} {_clean(entry.kind)} {_clean(entry.source)} ({entry.transfer_id}){own}"
        for posting in entry.postings:
            amount = amount_text(posting.amount_minor, posting.currency)
            balance = amount_text(posting.balance_after, posting.currency)
            yield f"    {posting.account}  {amount} = {balance}"
        yield ""


def _clean(text: str) -> str:
    """A source shown in a description: `;` starts a comment in a journal, so it may not stand there."""
    return "".join(" " if c in ";|\n\r\t" else c for c in text)


# beancount


def _beancount(accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """A balance there is one of a day's beginning: what each account touched on a day holds is asserted the day after.
    Syntax: https://beancount.github.io/docs/beancount_language_syntax.html .
    """
    yield ";; Books of Steward. Debits are positive. Each day's touched accounts are asserted at the start of the next."
    for code in sorted({code for code, _ in accounts}):
        yield f"1970-01-01 open {beancount_account(code)}"
        yield f'  code: "{_quoted(code)}"'
    yield ""
    touched: dict[tuple[str, str], JournalPosting] = {}
    today = date.min
    for on, entry in in_date_order(entries):
        if on > today:
            yield from _assertions(today, touched)
            touched, today = {}, on
        yield f'{on.isoformat()} * "{_quoted(entry.kind)}" "{_quoted(entry.source)}"'
        yield f'  id: "{entry.transfer_id}"'
        if entry.on < on:
            yield f"  effective: {entry.on.isoformat()}"
        for posting in entry.postings:
            yield f"  {beancount_account(posting.account)}  {amount_text(posting.amount_minor, posting.currency)}"
            touched[posting.account, posting.currency] = posting
        yield ""
    yield from _assertions(today, touched)


def _assertions(day: date, touched: dict[tuple[str, str], JournalPosting]) -> Iterator[str]:
    for (code, currency), posting in sorted(touched.items()):
        balance = amount_text(posting.balance_after, currency).replace(" ", " ~ 0 ")  # exact: no tolerance
        yield f"{(day + _DAY).isoformat()} balance {beancount_account(code)}  {balance}"
    if touched:
        yield ""


def beancount_account(code: str) -> str:
    """Our code as a beancount account, one of its own for each: there a part begins with a capital or a digit and
    holds letters, digits and dashes. A part that is not lower-case letters and digits is written with X before it and
    its other signs as a dash and their hexadecimal numbers.
    """
    root, *parts = code.split(":")
    return ":".join([_ROOTS[root], *(_part(part) for part in parts)])


def _part(part: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9]*", part):
        return part.capitalize()
    if re.fullmatch(r"[A-Z]{3}", part):
        return part  # a currency
    first, rest = f"-{ord(part[0]):02x}", part[1:]
    return "X" + first + "".join(c if c in "abcdefghijklmnopqrstuvwxyz0123456789" else f"-{ord(c):02x}" for c in rest)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


# Spreadsheets


def _xero(_accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """Manual journals by Xero's import template: dates dd/mm/yyyy, debits positive, one narration a journal. It takes
    one currency, the organisation's own. https://help.xero.com/nz/ManualJournalsImport .
    """
    yield _csv(["*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount"])
    for entry in entries:
        narration = f"{entry.kind} {entry.transfer_id}"
        for posting in entry.postings:
            amount = amount_text(posting.amount_minor, posting.currency).split(" ")[0]
            on = entry.on.strftime("%d/%m/%Y")
            description = f"{entry.source} {posting.currency}"
            yield _csv([narration, on, description, posting.account, "Tax Exempt", amount])


def _quickbooks(_accounts: Accounts, entries: Iterable[JournalEntry]) -> Iterator[str]:
    """Journal entries by QuickBooks Online's import: dates mm/dd/yyyy, debits and credits in columns of their own.
    Source: "Import journal entries in QuickBooks Online", article L4tQBwbs7 of quickbooks.intuit.com/learn-support.
    """
    yield _csv(["*JournalNo", "*JournalDate", "*AccountName", "*Debits", "*Credits", "Description", "Name", "Currency"])
    for number, entry in enumerate(entries, start=1):
        for posting in entry.postings:
            amount = amount_text(abs(posting.amount_minor), posting.currency).split(" ")[0]
            sides = [amount, ""] if posting.amount_minor > 0 else ["", amount]
            on = entry.on.strftime("%m/%d/%Y")
            description = f"{entry.kind} {entry.source} {entry.transfer_id}"
            cells = [str(number), on, posting.account, *sides, description, entry.party or "", posting.currency]
            yield _csv(cells)


def _csv(cells: list[str]) -> str:
    """One line. A text that a spreadsheet would take for a formula begins with an apostrophe."""
    return ",".join(_cell(cell) for cell in cells)


def _cell(text: str) -> str:
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
    if not is_number and text[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n\r') else text


FORMS: dict[str, Callable[[Accounts, Iterable[JournalEntry]], Iterator[str]]] = {
    "hledger": _hledger,
    "ledger": _ledger,
    "beancount": _beancount,
    "xero": _xero,
    "quickbooks": _quickbooks,
}
