"""What a provider's or a bank's file says, what the books expect, and what became of both.

Not Pydantic models: a year of statements has half a million lines, and their reader has already checked every field.
What there is one of for each line or movement is a msgspec struct, made in a tenth of the time that a frozen dataclass
takes and unknown to the collector, because none of them can be in a cycle. The report of a run is a model.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import ConfigDict, Field

from steward.contracts.base import Contract, Currency, Digest, Instant, JsonObject, Ratio

LineType = Literal[
    "payment",
    "refund",
    "refund_reversal",
    "dispute",
    "dispute_reversal",
    "fee",
    "tax",
    "reserve_hold",
    "reserve_release",
    "payout",
    "payout_reversal",
    "conversion",
    "transfer",
    "adjustment",
    "unknown",
]
"""What a line does, in one vocabulary for all providers; `unknown` keeps the provider's word in `raw_type`."""

Refs = tuple[tuple[str, str], ...]
"""Outside ids by what they name: transaction, payment, order, refund, dispute, payout, reference, bank."""


class StatementLine(Struct, frozen=True, gc=False):
    """One row of a provider's statement. `net_minor` = `gross_minor` - `fee_minor`, signed as the provider's balance
    moves: a payment is positive, a refund negative, a payout to the bank negative.
    """

    number: int  # the row's place in its file, from 1
    key: str  # unique in its statement, and equal when the same row is told again
    type: LineType
    raw_type: str
    currency: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    at: datetime | None  # UTC
    day: date | None  # the provider's own business date
    refs: Refs = ()


class BankLine(Struct, frozen=True, gc=False):
    """One entry of a bank's statement; money that came in is positive."""

    number: int
    key: str
    currency: str
    amount_minor: int
    booked: date | None
    value: date | None
    pending: bool = False
    reversal: bool = False
    text: str = ""
    counterparty: str = ""
    refs: Refs = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of one payout, period or account in one currency, with the totals the file itself states."""

    id: str  # payout, statement or batch id; unique with the provider
    provider: str
    account: str
    currency: str
    lines: tuple[StatementLine, ...] | tuple[BankLine, ...]
    opening_minor: int | None = None
    closing_minor: int | None = None
    payout_id: str | None = None
    starts: date | None = None
    ends: date | None = None

    @property
    def bank(self) -> bool:
        return bool(self.lines) and isinstance(self.lines[0], BankLine)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line, or the whole file (line 0), that could not be taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole file as read. `control_total_ok` is None where the format carries no total; `refused` says why a file
    that was understood is not taken (its totals do not hold, or it is no settlement): nothing of it may be kept then.
    """

    provider: str
    format: str  # "stripe payout reconciliation itemised", "camt.053.001.02", ...
    statements: tuple[Statement, ...]
    control_total_ok: bool | None
    controls: tuple[str, ...] = ()  # each total that was held against the lines, in words
    rejected: tuple[Rejected, ...] = ()
    refused: Rejected | None = None
    verified: bool = True  # False: the format is known from published field names only


class Expected(Struct, frozen=True, gc=False):
    """One movement of a provider's balance as the books know it, before any statement."""

    key: str  # the fact's own id
    type: LineType
    currency: str
    gross_minor: int  # signed like StatementLine
    fee_minor: int | None  # None: the books do not know the fee, the contracted schedule says it
    at: datetime
    refs: Refs = ()
    provider: str = ""  # whose balance; empty where there is one provider only
    origin_currency: str = ""  # money that was converted: what it was before
    origin_minor: int = 0


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """What a provider may charge for one type of line: parts per million of the amount, plus a fixed amount."""

    provider: str
    type: LineType
    currency: str
    ppm: int
    fixed_minor: int
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class FxTerms:
    """At what rate a provider converts: `rate` is bought major units for one sold, an exact ratio, less its margin."""

    provider: str
    sold: str
    bought: str
    rate: str
    margin_ppm: int = 0
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class NettingTerms:
    """A provider that tells of a sale what is left of it after the refunds given before its settlement, in one line."""

    provider: str


BreakType = Literal[
    "missing",
    "duplicate",
    "amount",
    "fee",
    "fx",
    "date",
    "orphan_refund",
    "unknown_type",
    "reserve",
    "currency",
    "split",
    "late",
    "negative_payout",
    "chargeback",
]
InvoiceBreakType = Literal[
    "invoice_overcharge",
    "invoice_twice",
    "invoice_unordered",
    "invoice_quantity",
    "invoice_price",
    "invoice_sum",
    "invoice_service",
    "invoice_currency",
    "invoice_credit",
]
"""Why money of a bill is in dispute; each is defined in docs/guides/audit-invoices.md."""


class MatchItem(Struct, frozen=True, gc=False):
    """One side's part of a match."""

    side: Literal["statement", "books", "bank"]
    key: str
    amount_minor: int
    currency: str = ""  # empty: that of the match or break it stands in


class Match(Struct, frozen=True, gc=False):
    """Items of two sides that are the same money, by which rule and on what evidence; nothing is in two matches."""

    rule: str
    confidence: int  # in thousandths; 1000 is an exact id with an equal amount
    currency: str
    items: tuple[MatchItem, ...]
    evidence: JsonObject
    rounding_minor: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    """What was left over, or does not agree, with its name. `amount_minor` is the money in question: what the statement
    says beyond the books; of a pure delay it is zero.
    """

    type: BreakType
    currency: str
    amount_minor: int
    keys: tuple[MatchItem, ...]
    evidence: JsonObject
    suggestion: str
    proposals: tuple[Match, ...] = ()  # what a person may accept; never accepted by the machine


class Report(Contract):
    """One run of matching. `conserved`: per currency and side, matched plus in breaks is everything that came in."""

    as_of: Instant
    lines: int
    expected: int
    matched: int
    by_rule: dict[str, int]
    breaks: int
    rounding_minor: dict[str, int] = Field(default_factory=dict)
    conserved: bool
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The pure result of the cascade."""

    matches: tuple[Match, ...]
    breaks: tuple[Break, ...]
    report: Report
    notes: dict[str, int] = field(default_factory=dict[str, int])
    open: tuple[MatchItem, ...] = ()  # may still come inside their settlement window: neither matched nor a break


class FeeLine(Contract):
    """A fee by contract, as the catalog has it."""

    provider: str
    type: LineType
    currency: Currency
    ppm: Annotated[int, Field(ge=0, le=1_000_000)]
    fixed_minor: Annotated[int, Field(ge=0)] = 0
    starts: date | None = None
    ends: date | None = None
    source: str


class ConversionLine(Contract):
    """A rate by contract: bought major units for one sold, less a margin."""

    provider: str
    sold: Currency
    bought: Currency
    rate: Ratio
    margin_ppm: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    starts: date | None = None
    ends: date | None = None
    source: str


class NettingLine(Contract):
    """A provider that settles a sale net of the refunds given before, in one line."""

    provider: str
    source: str


class WindowLine(Contract):
    """When a provider's lines are due, in business days of its own calendar."""

    provider: str
    type: LineType | None = None
    zone: str = "UTC"
    cutoff: time | None = None
    earliest: Annotated[int, Field(ge=0)] = 0
    latest: Annotated[int, Field(ge=0, le=200)] = 5
    holidays: tuple[date, ...] = ()
    seconds: int | None = None


class Resolution(Contract):
    """A way to resolve a break: the account that stands against the provider's balance."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: Annotated[BreakType | InvoiceBreakType, Field(alias="break")]
    how: Literal["claim", "accept"]
    against: str
    meaning: str


class ReconTerms(Contract):
    """`reconciliation.yaml`."""

    fees: tuple[FeeLine, ...] = ()
    conversions: tuple[ConversionLine, ...] = ()
    netting: tuple[NettingLine, ...] = ()
    windows: tuple[WindowLine, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
