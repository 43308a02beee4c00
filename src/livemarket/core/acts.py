"""Acts: what somebody outside does at a moment of a day, before the world has lived it.

A day is lived from its morning with all acts known so far. Each stage that touches orders first lets the acts come
that are earlier than its own events (`World.due`); `carry_out.py` does the rest. So an act changes what comes after
it, and nothing before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from livemarket.core.arrays import Ints


class Verb(IntEnum):
    """What is done. The entity is an order, unless another is named."""

    REFUND = 0
    ANSWER = 1
    ACCEPT = 2
    SOLVE = 3  # ticket
    PRICE = 4  # product
    BUDGET = 5  # ad set
    UNLIST = 6  # product
    LIST = 7  # product
    BUY_STOCK = 8  # product
    PAY_OUT = 9  # processor
    PAY_CREATOR = 10  # creator, from the bank; detail 1: from PayPal
    PAY_SUPPLIER = 11  # supplier, from the bank
    ADJUST = 12  # product; the amount is the difference that a count found
    REPLY = 13  # ticket
    STOP = 14  # order that the warehouse has not picked
    LABEL = 15  # order that the warehouse has not picked; the amount is the courier, -1 whichever it would be
    CALL_OFF = 16  # purchase that is still on its way
    PIN = 17  # show; the amount is the product, detail the slot or -1 for all that are still to begin
    DROP = 18  # show; the amount is the share of the price in millionths, detail as above
    END_SHOW = 19  # show: the slot that runs is its last one
    OVERCHARGE = 20  # order whose payment is in no payout yet: its processor keeps so much more than its fee


@dataclass(frozen=True, slots=True)
class Act:
    """One act at a second of the day that is being lived."""

    second: int
    verb: Verb
    entity: int
    amount: int = 0
    detail: int = 0
    reference: str = ""


def one(number: int) -> Ints:
    return np.array([number], dtype=np.int64)
