"""Who is paid, and what paying one is called: by the gate, in the log, and on a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Who = Literal["creator", "supplier"]


@dataclass(frozen=True, slots=True)
class Recipient:
    """`kind` pays one; `number` is the parameter that names the payment; `sent` and `landed` are the facts of it."""

    who: Who
    kind: str
    number: str
    sent: str
    landed: str

    @property
    def party(self) -> str:
        """The parameter, and the column, that names who is paid."""
        return f"{self.who}_id"


CREATOR = Recipient("creator", "payout.creator", "payout_id", "PayoutProcessed", "CreatorPayoutLanded")
SUPPLIER = Recipient("supplier", "supplier.pay", "payment_id", "SupplierPaid", "SupplierPaymentLanded")
RECIPIENTS: tuple[Recipient, ...] = (CREATOR, SUPPLIER)


def recipient_of(row: Mapping[str, Any]) -> Recipient:
    """Who a payout is for, by its row."""
    return CREATOR if row["supplier_id"] is None else SUPPLIER
