"""Ledger shapes: posting rules as data, transfers and their postings, and audit findings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from steward.contracts.base import Contract, Currency, Digest, Instant


class Account(Contract):
    """A code of the chart; an account proper is code + currency."""

    code: str
    normal: Literal["debit", "credit"]
    meaning: str


class LegRule(Contract):
    """One leg: an account code, which may name a payload field in braces, and a linear expression of fields."""

    account: str
    debit: str | None = None
    credit: str | None = None


class PostingRule(Contract):
    """What one event type does to the books. Legs sum to zero for all amounts, which `catalog check` proves."""

    event: str
    kind: str
    legs: tuple[LegRule, ...]
    why: str


class Leg(Contract):
    """Debits are positive."""

    account: str
    currency: Currency
    amount_minor: Annotated[int, Field(strict=True)]


class Transfer(Contract):
    """One balanced move. `key` is its idempotency key."""

    id: str
    key: str
    kind: str
    effective_at: Instant
    source: str
    legs: tuple[Leg, ...]


class Violation(Contract):
    """Something an audit found: the table, the row, and what is wrong with it."""

    where: str
    row: str
    what: str


class BatchDigest(Contract):
    transfers: int
    digest: Digest
