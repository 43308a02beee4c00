"""Fraudsters as plug-ins: each may place orders with an intent of its own. Two plain ones are here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from livemarket.core import keyed
from livemarket.core.arrays import Floats, Ints


class Intent(IntEnum):
    """What a buyer means to do; only `HONEST` buyers' fates are left to the parameters."""

    HONEST = 0
    NOT_RECEIVED = 1
    EMPTY_BOX = 2
    WARDROBING = 3
    STOLEN_CARD = 4
    DOUBLE_DIP = 5


@dataclass(frozen=True, slots=True)
class Opening:
    """What anybody can see of the shop on a day: prices and what is sold out. Nothing else reaches an opponent."""

    day: int
    prices: Ints
    available: Ints


@dataclass(frozen=True, slots=True)
class Attempt:
    """Orders an opponent places: parallel arrays."""

    sku: Ints
    quantity: Ints
    customer: Ints
    intent: Ints


class Opponent(Protocol):
    """One attacker. It must be a pure function of what it is given."""

    @property
    def name(self) -> str: ...

    def orders(self, seed: int, opening: Opening) -> Attempt: ...


def _draw(seed: int, lane: int, opening: Opening, count: int) -> Floats:
    keys = np.arange(count, dtype=np.int64) + (lane << 32)
    return keyed.uniforms(seed, keys, opening.day, keyed.Purpose.OPPONENT, 4)


@dataclass(frozen=True, slots=True)
class NotReceivedRing:
    """A few accounts that order the dearest goods in stock and say that nothing came."""

    per_day: int = 3
    accounts: int = 8
    name: str = "not_received_ring"

    def orders(self, seed: int, opening: Opening) -> Attempt:
        u = _draw(seed, 1, opening, self.per_day)
        stocked = np.flatnonzero(opening.available > 0)
        if not len(stocked):
            nothing = np.zeros(0, dtype=np.int64)
            return Attempt(nothing, nothing, nothing, nothing)
        dear = stocked[np.argsort(-opening.prices[stocked], kind="stable")][: max(1, len(stocked) // 4)]
        sku = dear[np.floor(u[:, 0] * len(dear)).astype(np.int64)]
        account = np.floor(u[:, 1] * self.accounts).astype(np.int64)
        one = np.ones(self.per_day, dtype=np.int64)
        return Attempt(sku, one, -1 - account, one * int(Intent.NOT_RECEIVED))


@dataclass(frozen=True, slots=True)
class CardTester:
    """A burst of small orders with stolen cards every few days."""

    burst: int = 12
    every: int = 5
    name: str = "card_tester"

    def orders(self, seed: int, opening: Opening) -> Attempt:
        count = self.burst if opening.day % self.every == 0 else 0
        u = _draw(seed, 2, opening, count)
        cheap = np.argsort(opening.prices, kind="stable")[:3]
        sku = cheap[np.floor(u[:, 0] * len(cheap)).astype(np.int64)]
        one = np.ones(count, dtype=np.int64)
        account = np.floor(u[:, 1] * 1000).astype(np.int64)
        return Attempt(sku, one, -1001 - account, one * int(Intent.STOLEN_CARD))
