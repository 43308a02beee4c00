"""Everything that changes from day to day. A copy of it is a whole world that can go on by itself."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from livemarket.core import entities
from livemarket.core.arrays import Floats, Ints
from livemarket.core.setting import Setting
from livemarket.core.table import Calendar, Table, WordTable

PROCESSORS = ("stripe", "paypal", "tiktok")
CHANNELS = ("tiktok_shop", "web")


class Status(IntEnum):
    """Where an order is."""

    FAILED = 0
    OPEN = 1
    OVERSOLD = 2
    SHIPPED = 3
    DELIVERED = 4
    LOST = 5
    CANCELLED = 6


class Word(IntEnum):
    """What each of an order's own random words decides. They are fixed at its birth, so its fate can be asked again."""

    SECOND = 0
    QUANTITY = 1
    CUSTOMER = 2
    PROCESSOR = 3
    AUTHORISATION = 4
    AFFILIATE = 5
    PICK = 6
    SCAN = 7
    COURIER = 8
    TRANSIT = 9
    LOST = 10
    DEFECT = 11
    RETURN = 12
    RETURN_AGE = 13
    FRAUD = 14
    TRIP = 15
    INSPECTION = 16
    OPERATOR = 17
    DISPUTE = 18
    DISPUTE_AGE = 19
    OUTCOME = 20
    TICKET = 21
    TICKET_KIND = 22
    MOOD = 23


WORDS = len(Word)

ORDER_COLUMNS = {
    "key": 0,
    "day": 0,
    "second": 0,
    "sku": 0,
    "quantity": 0,
    "price": 0,
    "drop_ppm": 0,
    "subtotal": 0,
    "shipping": 0,
    "tax": 0,
    "total": 0,
    "channel": 0,
    "processor": 0,
    "show": -1,
    "slot": -1,
    "creator": -1,
    "campaign": -1,
    "customer": 0,
    "intent": 0,
    "status": 1,
    "batch": -1,
    "cost": 0,
    "courier": 0,
    "ship_day": -1,
    "deliver_day": -1,
    "late": 0,
    "defect": 0,
    "commission": 0,
    "commission_state": 0,
    "settled_day": -1,
    "return_kind": 0,
    "condition": 0,
    "return_day": -1,
    "back_day": -1,
    "refund": 0,
    "refund_day": -1,
    "refund_reason": 0,
    "dispute": 0,
    "dispute_day": -1,
    "dispute_state": 0,
}
LINE_COLUMNS = {
    "processor": 0,
    "kind": 0,
    "order": -1,
    "gross": 0,
    "fee": 0,
    "affiliate": 0,
    "day": 0,
    "second": 0,
    "available": 0,
    "payout": -1,
}
BATCH_COLUMNS = {"sku": 0, "units": 0, "cost": 0, "defect_ppm": 0, "supplier": -1, "day": 0}
PURCHASE_COLUMNS = {"sku": 0, "supplier": 0, "units": 0, "unit_cost": 0, "day": 0, "arrives": -1, "received": 0}
BANK_COLUMNS = {"day": 0, "kind": 0, "party": 0, "number": 0, "amount": 0}
TICKET_COLUMNS = {"order": 0, "intent": 0, "mood": 0, "day": 0, "second": 0, "solved_day": -1, "resolution": 0}
REFUND_COLUMNS = {"order": 0, "number": 0, "amount": 0, "day": 0, "second": 0, "reason": 0, "line": -1}
CASE_COLUMNS = {
    "order": 0, "amount": 0, "day": 0, "second": 0, "answered_day": -1, "answered_second": 0, "closed_day": -1,
    "closed_second": 0, "won": 0, "by_act": 0,
}  # fmt: skip
PAYMENT_COLUMNS = {"party": 0, "kind": 0, "amount": 0, "day": 0, "second": 0, "wallet": 0, "line": -1}
PAYOUT_COLUMNS = {"processor": 0, "day": 0, "amount": 0, "lands": 0}
DECISION_COLUMNS = {"day": 0, "kind": 0, "entity": 0, "before": 0, "after": 0, "delay_hours": 0, "mistake": 0}


@dataclass
class State:
    """The tables and the few arrays that move."""

    price: Ints
    on_hand: Ints
    reserved: Ints
    on_order: Ints
    shipped: Ints
    received: Ints
    sold_lately: Floats
    exposure: Floats
    competitor: Floats
    banned_until: Ints
    ad_budget: Ints
    creative_born: Ints
    ad_pipeline: Floats
    affiliate_ppm: Ints
    affiliate_pending: Ints
    affiliate_from: Ints
    health: float = 1000.0
    ad_lift: float = 0.0
    late_share: float = 0.0
    oversold_share: float = 0.0
    day: int = 0
    batch_keys: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    batch_rows: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    words: WordTable = field(default_factory=lambda: WordTable(WORDS))
    balances: Ints = field(default_factory=lambda: np.zeros(len(PROCESSORS), dtype=np.int64))
    reserve: int = 0
    bank: int = 0
    tax_owed: int = 0
    handled: Ints = field(default_factory=lambda: np.zeros(3, dtype=np.int64))
    ad_owed: int = 0
    orders: Table = field(default_factory=lambda: Table(ORDER_COLUMNS))
    lines: Table = field(default_factory=lambda: Table(LINE_COLUMNS))
    batches: Table = field(default_factory=lambda: Table(BATCH_COLUMNS))
    purchases: Table = field(default_factory=lambda: Table(PURCHASE_COLUMNS))
    bank_lines: Table = field(default_factory=lambda: Table(BANK_COLUMNS))
    tickets: Table = field(default_factory=lambda: Table(TICKET_COLUMNS))
    payouts: Table = field(default_factory=lambda: Table(PAYOUT_COLUMNS))
    decisions: Table = field(default_factory=lambda: Table(DECISION_COLUMNS))
    refunds: Table = field(default_factory=lambda: Table(REFUND_COLUMNS))
    cases: Table = field(default_factory=lambda: Table(CASE_COLUMNS))
    case_of: dict[int, int] = field(default_factory=dict[int, int])
    paid_ahead: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    payments: Table = field(default_factory=lambda: Table(PAYMENT_COLUMNS))
    numbered: dict[int, int] = field(default_factory=dict[int, int])  # line -> number, of second refunds
    solved_at: dict[int, int] = field(default_factory=dict[int, int])
    by_hand: dict[int, int] = field(default_factory=dict[int, int])
    references: list[str] = field(default_factory=list[str])
    calmed: dict[int, int] = field(default_factory=dict[int, int])  # ticket -> mood after an answer
    courier_of: dict[int, int] = field(default_factory=dict[int, int])  # order -> courier somebody chose
    stopped: dict[int, int] = field(default_factory=dict[int, int])  # order -> moment
    called_off: dict[int, int] = field(default_factory=dict[int, int])  # purchase -> moment
    show_changes: tuple[tuple[int, int, int, int, int], ...] = ()  # moment, show, verb, value, slot
    calendar: Calendar = field(default_factory=Calendar)

    def copy(self) -> State:
        return copy.deepcopy(self)


def initial(setting: Setting, seed: int) -> State:
    """Empty shelves filled once: every product starts with some forty days of stock in one batch of usual quality."""
    products = entities.products(setting, seed)
    creators = entities.creators(setting, seed)
    shop = setting.shop
    skus = shop.skus
    nothing = np.zeros(skus, dtype=np.int64)
    return State(
        price=products.usual_price.copy(),
        on_hand=nothing.copy(),
        reserved=nothing.copy(),
        on_order=nothing.copy(),
        shipped=nothing.copy(),
        received=nothing.copy(),
        sold_lately=np.zeros(skus),
        exposure=np.zeros(skus),
        competitor=np.zeros(len(setting.categories)),
        banned_until=nothing.copy(),
        ad_budget=np.full(shop.ad_sets, shop.ad_budget_minor, dtype=np.int64),
        creative_born=np.zeros(shop.ad_sets, dtype=np.int64),
        ad_pipeline=np.zeros(skus),
        affiliate_ppm=creators.affiliate_ppm.copy(),
        affiliate_pending=creators.affiliate_ppm.copy(),
        affiliate_from=np.zeros(shop.creators, dtype=np.int64),
    )
