"""What a vendor bills, what its contract allows, what we know happened, and what the three leave in dispute.

Slotted dataclasses for lines and facts, because there are hundreds of thousands; models for what people write.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from steward.contracts.base import Contract, Currency, JsonObject, Ratio
from steward.contracts.settlement import InvoiceBreakType, Rejected

Basis = Literal["shipment", "piece", "return", "receipt", "ad_spend", "sale", "month", "told"]
"""What a service is billed for: each parcel of an order; each piece in it; each return; goods received, at the purchase
order's price; ad spend of a campaign's day; an order's sale; a calendar month; or what the bill tells (its price alone
is checked).
"""
FactKind = Literal[
    "shipment", "goods_out", "return", "receipt", "ordered", "ad_spend", "sale", "refund", "cancelled", "booked"
]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One row of a bill. A credit is negative. `at` is the moment where the bill tells one."""

    number: int  # the row's place in its file, from 1
    service: str
    subject: str  # order, purchase order or campaign
    sku: str
    day: date
    at: datetime | None
    quantity: int
    unit_minor: int | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """A bill under its vendor's own number."""

    vendor: str
    number: str
    issued: date | None
    due: date | None
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class BillReading:
    """A whole file as read. `control_total_ok` is None where it states no total; `refused` keeps all of it out."""

    format: str
    invoices: tuple[Invoice, ...]
    control_total_ok: bool | None
    controls: tuple[str, ...] = ()
    skipped: tuple[Rejected, ...] = ()
    refused: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Billed:
    """A line of a bill in force. `key` is its vendor, number, version and line; unique."""

    key: str
    vendor: str
    invoice: str
    issued: date | None
    line: InvoiceLine


@dataclass(frozen=True, slots=True)
class BillableFact:
    """Something that happened, as the log tells it, which somebody may bill."""

    kind: FactKind
    key: str
    subject: str
    sku: str
    party: str  # who did it: warehouse, supplier, platform, channel; empty where the fact names nobody
    at: datetime
    quantity: int
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one line: `amount_minor` = `agreed_minor` + `disputed_minor`."""

    key: str
    currency: str
    amount_minor: int
    agreed_minor: int
    disputed_minor: int
    rounding_minor: int = 0
    on_trust: bool = False  # that it happened, or its price, could not be checked


@dataclass(frozen=True, slots=True)
class Claim:
    """Money to have back, and why. `side` is `invoice` where a line holds it, `books` where a credit is missing."""

    type: InvoiceBreakType
    side: Literal["invoice", "books"]
    key: str
    vendor: str
    invoice: str
    currency: str
    amount_minor: int
    evidence: JsonObject


@dataclass(frozen=True, slots=True)
class Settled:
    """What a person resolved of an invoice: by its key, how, and what that posted."""

    key: str
    vendor: str
    invoice: str
    how: str
    posted_minor: int


@dataclass(frozen=True, slots=True)
class Note:
    """Less was billed than was owed: `under` a line too small, `unbilled` no line at all. Never claimed, by nobody."""

    type: Literal["under", "unbilled"]
    key: str
    vendor: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Audited:
    """The pure result of an audit."""

    judged: tuple[Judged, ...]
    claims: tuple[Claim, ...]
    notes: tuple[Note, ...]


class ServiceTerms(Contract):
    """The price of one service in one span of days; several entries of one name are its prices over time."""

    service: Annotated[str, Field(min_length=1, max_length=200)]
    called: tuple[str, ...] = ()  # other names it has on the bill
    basis: Basis
    unit_minor: Annotated[int, Field(ge=0)] | None = None
    ratio: Ratio | None = None  # of what was spent or sold
    fixed_minor: Annotated[int, Field(ge=0)] = 0
    minimum_minor: Annotated[int, Field(ge=0)] = 0  # a line costs at least this
    free: Annotated[int, Field(ge=0)] = 0  # units of a calendar month that cost nothing
    refund_credit: Ratio | None = None  # share of the fee that comes back for what is refunded afterwards
    credit_days: Annotated[int, Field(ge=0, le=400)] = 45  # until when a credit that is owed has to have come
    party: str | None = None  # whose facts count; a supplier's own always
    account: str
    starts: date | None = None
    ends: date | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> ServiceTerms:
        counted, valued = self.unit_minor is not None, self.ratio is not None
        of_amounts = self.basis in ("ad_spend", "sale")
        if self.basis == "receipt":
            if counted or valued:
                raise ValueError("goods have the purchase order's price: neither unit_minor nor ratio")
        elif counted == valued or valued != of_amounts:
            raise ValueError("ad_spend and sale have a ratio, everything else a unit_minor")
        if self.ratio is not None and not 0 <= Fraction(self.ratio) <= 10:
            raise ValueError("the ratio is not between 0 and 10")
        if self.refund_credit is not None and (self.basis != "sale" or not 0 < Fraction(self.refund_credit) <= 1):
            raise ValueError("refund_credit is a share above 0 and up to 1, of the fee of a sale")
        if self.free and not counted:
            raise ValueError("only counted units can be free")
        if (self.starts or date.min) > (self.ends or date.max):
            raise ValueError("it ends before it starts")
        return self

    def holds(self, day: date) -> bool:
        return (self.starts or date.min) <= day <= (self.ends or date.max)


class VendorContract(Contract):
    """What one vendor, or vendors of one pattern, may bill."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    vendors: tuple[str, ...] = ()  # names, or beginnings that end in *; the contract's own name unless told
    currency: Currency
    bill: str | None = None  # how its files are read: a name under `bills`
    source: str
    services: Annotated[tuple[ServiceTerms, ...], Field(min_length=1)]

    def covers(self, vendor: str) -> bool:
        return any(
            vendor.startswith(one[:-1]) if one.endswith("*") else vendor == one for one in self.vendors or (self.name,)
        )


class BillColumns(Contract):
    """Which column of a bill holds what."""

    invoice: str | None = None
    vendor: str | None = None
    issued: str | None = None
    due: str | None = None
    day: str
    at: str | None = None
    service: str | None = None
    subject: str | None = None
    sku: str | None = None
    quantity: str | None = None
    unit: str | None = None
    amount: str
    currency: str | None = None


class BillTotal(Contract):
    """Rows that state the sum of the other rows of their invoice and currency."""

    column: str
    values: Annotated[tuple[str, ...], Field(min_length=1)]


class BillMapping(Contract):
    """How to read one kind of bill, CSV or XLSX. What it does not name is not read."""

    delimiter: Literal[",", ";", "\t", "|"] = ","
    sheet: Annotated[str, Field(max_length=100)] = ""
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    decimal: Literal[".", ","] = "."
    grouping: Literal["", ",", ".", " ", "'"] = ""
    units: Literal["major", "minor"] = "major"
    date_format: Annotated[str, Field(min_length=4, max_length=60)] = "%Y-%m-%d"
    time_format: Annotated[str, Field(min_length=4, max_length=60)] = "%Y-%m-%dT%H:%M:%S%z"
    time_zone: Annotated[str, Field(max_length=60)] = "UTC"
    currency: Currency | None = None
    service: str | None = None  # for bills of one service only
    columns: BillColumns
    skip: dict[str, tuple[str, ...]] = Field(default_factory=dict[str, tuple[str, ...]])
    total: BillTotal | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> BillMapping:
        if not (self.columns.currency or self.currency):
            raise ValueError("no currency: a column, or one for all rows")
        if not (self.columns.service or self.service):
            raise ValueError("no service: a column, or one for all rows")
        if self.decimal == self.grouping:
            raise ValueError("the decimal sign and the grouping are the same")
        return self


class ContractBook(Contract):
    """`contracts.yaml`."""

    bills: dict[str, BillMapping] = Field(default_factory=dict[str, BillMapping])
    contracts: tuple[VendorContract, ...] = ()

    @model_validator(mode="after")
    def _agrees(self) -> ContractBook:
        names = [one.name for one in self.contracts]
        if len(set(names)) != len(names):
            raise ValueError("two contracts have one name")
        for contract in self.contracts:
            if contract.bill is not None and contract.bill not in self.bills:
                raise ValueError(f"{contract.name}: no bill is called {contract.bill}")
            _once(contract)
        return self

    def of(self, vendor: str) -> VendorContract | None:
        """The contract of a vendor: one that names it before one that names its beginning."""
        found = [one for one in self.contracts if one.covers(vendor)]
        exact = [one for one in found if vendor in (one.vendors or (one.name,))]
        return next(iter(exact or found), None)

    def named(self, name: str) -> VendorContract | None:
        return next((one for one in self.contracts if one.name == name), None)


def _once(contract: VendorContract) -> None:
    """No service has two prices on one day, and no name means two services."""
    owner: dict[str, str] = {}
    for n, one in enumerate(contract.services):
        for name in (one.service, *one.called):
            if owner.setdefault(name, one.service) != one.service:
                raise ValueError(f"{contract.name}: {name} is two services")
        for other in contract.services[:n]:
            if other.service != one.service:
                continue
            if other.basis != one.basis:
                raise ValueError(f"{contract.name}: {one.service} is billed for {other.basis} and for {one.basis}")
            later, earlier = (
                max(one.starts or date.min, other.starts or date.min),
                min(one.ends or date.max, other.ends or date.max),
            )
            if later <= earlier:
                raise ValueError(f"{contract.name}: {one.service} has two prices on {later.isoformat()}")
