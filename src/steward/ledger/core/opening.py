"""Opening balances from a CSV file: account, currency, and an amount or a debit and a credit, in major units."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from steward.kernel.errors import BadInput
from steward.kernel.money import exponent, is_currency

MOST_LINES = 900
EQUITY = "equity:opening"


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """What one account begins with; a debit is positive."""

    line: int
    account: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that cannot be an opening balance, and why."""

    line: int
    reason: str


def read_opening(text: str, exists: Callable[[str], bool]) -> tuple[list[OpeningLine], list[RejectedLine]]:
    """Lines of a file and those to mend; `exists` knows the chart. Raises `BadInput` where the header is not one."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    header = {name.strip().lower() for name in reader.fieldnames or ()}
    if not {"account", "currency"} <= header or not ("amount" in header or {"debit", "credit"} <= header):
        raise BadInput(
            "the first line names the columns: account, currency, and amount (debits positive) or debit and credit",
            where="line 1",
        )
    found: list[OpeningLine] = []
    rejected: list[RejectedLine] = []
    seen: dict[tuple[str, str], int] = {}
    try:
        for raw in reader:
            line = reader.line_num
            row = {str(name).strip().lower(): (value or "").strip() for name, value in raw.items() if name is not None}
            try:
                entry = _line(line, row, exists)
            except ValueError as error:
                rejected.append(RejectedLine(line, str(error)))
                continue
            if (first := seen.setdefault((entry.account, entry.currency), line)) != line:
                rejected.append(RejectedLine(line, f"{entry.account} {entry.currency} is on line {first} already"))
            elif entry.amount_minor:
                found.append(entry)
    except csv.Error as error:
        raise BadInput(f"this is no CSV: {error}", where=f"line {reader.line_num}") from error
    if len(found) > MOST_LINES:
        raise BadInput(f"at most {MOST_LINES} accounts can be opened at once, not {len(found)}", fix="split the file")
    return found, rejected


def _line(line: int, row: dict[str, str], exists: Callable[[str], bool]) -> OpeningLine:
    account, currency = row["account"], row["currency"]
    if not exists(account):
        raise ValueError(f"the chart has no account {account!r}")
    if account == EQUITY:
        raise ValueError(f"{EQUITY} is the other side of every line and follows from them")
    if not is_currency(currency):
        raise ValueError(f"{currency!r} is no currency; write its three capital letters")
    if "amount" in row:
        return OpeningLine(line, account, currency, _minor(row["amount"], currency))
    debit, credit = _minor(row["debit"] or "0", currency), _minor(row["credit"] or "0", currency)
    if debit < 0 or credit < 0:
        raise ValueError("debit and credit are not negative; put the amount in the other column")
    return OpeningLine(line, account, currency, debit - credit)


def _minor(text: str, currency: str) -> int:
    """Exact minor units of a plain decimal number."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount; write it like 1234.56") from None
    if not amount.is_finite() or abs(amount) > Decimal(10) ** 15:
        raise ValueError(f"{text!r} is no amount that books can hold")
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise ValueError(f"{text} has more digits than {currency} has minor units")
    return int(minor)
