"""Who is paid, and what paying one is called: by the gate, in the log, and on a statement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from steward.kernel.errors import BadInput

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


def chosen(among: str | None, creator: str | None, supplier: str | None) -> tuple[Who | None, str | None]:
    """Whom somebody asks for: `among` is creators, suppliers or all, and one creator or supplier may be named.
    `BadInput` where that contradicts itself.
    """
    words: dict[str | None, Who | None] = {None: None, "all": None, "creators": "creator", "suppliers": "supplier"}
    named: Who | None = "creator" if creator else "supplier" if supplier else None
    who = words[among]
    if (creator and supplier) or (named and who not in (None, named)):
        raise BadInput("these are not the same people", fix="name one creator, or one supplier, or neither")
    return named or who, creator or supplier


def recipient_of(row: Mapping[str, Any]) -> Recipient:
    """Who a payout is for, by its row."""
    return CREATOR if row["supplier_id"] is None else SUPPLIER
