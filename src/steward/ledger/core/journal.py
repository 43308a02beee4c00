"""Books as an hledger journal: every posting carries the balance its account has after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from steward.kernel.money import exponent


@dataclass(frozen=True, slots=True)
class JournalPosting:
    """One posting as the journal shows it; amounts in minor units, debits positive."""

    account: str
    currency: str
    amount_minor: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One transfer as the journal shows it."""

    on: date
    transfer_id: str
    kind: str
    source: str
    postings: tuple[JournalPosting, ...]


def amount_text(minor: int, currency: str) -> str:
    digits = exponent(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f} {currency}"


def hledger_lines(accounts: Iterable[tuple[str, str]], entries: Iterable[JournalEntry]) -> Iterator[str]:
    """The journal, line by line, in posted order.

    hledger checks assertions in date order, then file order. A transfer whose effective date is earlier than its
    predecessor's is therefore written on the predecessor's date, with its own date in an `effective` tag.
    """
    yield "; Books of Steward. Debits are positive. Every posting asserts its account's balance."
    currencies = sorted({currency for _, currency in accounts})
    for currency in currencies:
        digits = exponent(currency)
        yield f"commodity 1000.{'0' * digits} {currency}" if digits else f"commodity 1000. {currency}"
    for code in sorted({code for code, _ in accounts}):
        yield f"account {code}"
    yield ""
    latest = date.min
    for entry in entries:
        latest = max(latest, entry.on)
        own = f"  ; effective:{entry.on.isoformat()}" if entry.on < latest else ""
        yield f"{latest.isoformat()} {entry.kind} {_clean(entry.source)} ({entry.transfer_id}){own}"
        for posting in entry.postings:
            amount = amount_text(posting.amount_minor, posting.currency)
            balance = amount_text(posting.balance_after, posting.currency)
            yield f"    {posting.account}  {amount} = {balance}"
        yield ""


def _clean(text: str) -> str:
    """A source shown in a description: `;` starts a comment in a journal, so it may not stand there."""
    return "".join(" " if c in ";|\n\r\t" else c for c in text)
