"""Ledger shapes: the chart and posting rules as data, transfers, holds, what was refused, totals, audit findings."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from steward.contracts.base import Contract, Currency, Digest, Instant

Minor = Annotated[int, Field(strict=True)]


class Account(Contract):
    """A code of the chart; an account proper is code + currency. `cash` marks what the cash-flow statement is about."""

    code: str
    normal: Literal["debit", "credit"]
    meaning: str
    cash: bool = False


class LegRule(Contract):
    """One leg: an account code, which may name payload fields in braces, and a linear expression of integer fields.
    `currency` names the payload field that holds the leg's currency.
    """

    account: str
    debit: str | None = None
    credit: str | None = None
    currency: str = "currency"


class PostingRule(Contract):
    """What an event of one type does to the books when `when` holds. Legs sum to zero for all amounts, which
    `catalog check` proves.

    `when` maps a payload field to the values for which this rule is meant: texts, or the words `absent`, `present`,
    `negative` and `positive`. Rules of one event are tried in order and the first that fits posts; the last one has no
    `when`. A rule without legs says that such an event moves no money.
    """

    event: str
    kind: str
    legs: tuple[LegRule, ...] = ()
    why: str
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    party: str | None = None


class Leg(Contract):
    """Debits are positive."""

    account: str
    currency: Currency
    amount_minor: Minor


class Transfer(Contract):
    """One balanced move. `key` is its idempotency key; `reverses` is the key of the transfer it undoes; `party` is
    who it is with (a supplier, a creator), where somebody is.
    """

    key: str
    kind: str
    effective_at: Instant
    source: str
    legs: tuple[Leg, ...]
    reverses: str | None = None
    party: str | None = None


class Hold(Contract):
    """Money set aside for a transfer that may come: limits count it, balances do not. It ends once: posted (whole or
    in part, the rest is released), voided, or expired.
    """

    key: str
    kind: str
    expires_at: Instant
    source: str
    legs: tuple[Leg, ...]
    party: str | None = None


class Finish(Contract):
    """The end of a hold. `post` with legs posts that much of it, without legs all of it; `void` posts nothing."""

    key: str
    hold: str
    how: Literal["post", "void"]
    effective_at: Instant
    legs: tuple[Leg, ...] | None = None


class NotPosted(Contract):
    """One entry of a batch that changed nothing: its line from 1, the code and a sentence."""

    line: int
    key: str
    code: str
    detail: str


class Total(Contract):
    """What was posted to one account in a span: sums of debits and credits, both not negative; debits less credits is
    the movement.
    """

    code: str
    currency: Currency
    normal: Literal["debit", "credit"]
    debit_minor: Minor
    credit_minor: Minor

    @property
    def net_minor(self) -> int:
        """Debits are positive."""
        return self.debit_minor - self.credit_minor


class JournalPosting(Contract):
    """One posting as a journal shows it; debits are positive. `balance_after` is the balance in posted order."""

    account: str
    currency: Currency
    amount_minor: Minor
    balance_after: Minor


class JournalEntry(Contract):
    """One transfer as a journal shows it, in posted order."""

    on: date
    transfer_id: str
    kind: str
    source: str
    postings: tuple[JournalPosting, ...]
    party: str | None = None


class Violation(Contract):
    """Something an audit found: the table, the row, and what is wrong with it."""

    where: str
    row: str
    what: str


class Anchor(Contract):
    """What the event log says of one batch of rows."""

    batch_id: int
    rows: int
    recorded_at: Instant
    digest: Digest


class Span(Contract):
    """Days from `since` up to, not including, `until`, as known before the day `known`; None leaves an end open."""

    since: date | None = None
    until: date | None = None
    known: date | None = None
