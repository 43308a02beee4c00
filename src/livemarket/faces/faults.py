"""Faults on demand: replies that get lost, outages, limits, slowness, deliveries twice, out of order or never. And bad
weather: such things by chance, drawn from a seed, until it is over.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("lose_reply", "outage", "rate_limit", "latency", "duplicate", "disorder", "drop", "lost_order")


@dataclass
class Fault:
    """`count` more times, on one face (or all, if empty) and below one path."""

    kind: str
    face: str = ""
    path: str = ""
    count: int = 1
    retry_after: int = 1
    milliseconds: int = 0


STORMS = ("lose_request", "lose_reply", "error_before", "error_after", "limit", "stall")
_WHOLE = 10_000


@dataclass
class Weather:
    """How many of ten thousand calls meet what, on one face: the connection breaks before anything is done
    (`lose_request`) or after it (`lose_reply`), a 500 before or after it, a 429, or the call waits up to `milliseconds`
    before it is looked at, so that later ones overtake it. `met` counts.
    """

    face: str
    seed: int = 0
    lose_request: int = 0
    lose_reply: int = 0
    error_before: int = 0
    error_after: int = 0
    limit: int = 0
    stall: int = 0
    milliseconds: int = 0
    calls: int = 0
    met: dict[str, int] = field(default_factory=dict[str, int])

    def draw(self) -> tuple[str, int]:
        """What the next call meets, or nothing; and how long it waits if it does."""
        self.calls += 1
        word = hashlib.sha256(f"weather/{self.seed}/{self.face}/{self.calls}".encode()).digest()
        place, wait = int.from_bytes(word[:8]) % _WHOLE, int.from_bytes(word[8:16])
        for kind in STORMS:
            place -= getattr(self, kind)
            if place < 0:
                self.met[kind] = self.met.get(kind, 0) + 1
                return kind, wait % (self.milliseconds + 1)
        return "", 0


class Faults:
    """Those that were asked for and are not used up, and the weather by face."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []
        self.wrong: list[dict[str, Any]] = []  # what was done to the books' side and to the papers' side: the truth
        self.weather: dict[str, Weather] = {}

    def turn(self, document: dict[str, Any]) -> Weather:
        """The weather as the control face gives it; all zeros is fair. Raises ValueError."""
        given = {name: value for name, value in document.items() if name not in {"calls", "met"}}
        try:
            weather = Weather(**given)
        except TypeError as error:
            raise ValueError(f"weather has face, seed, {', '.join(STORMS)}, milliseconds: {error}") from error
        numbers: list[Any] = [value for name, value in asdict(weather).items() if name not in {"face", "met"}]
        shares = sum(getattr(weather, kind) for kind in STORMS) if all(type(n) is int for n in numbers) else -1
        if not weather.face or not 0 <= shares <= _WHOLE or min(numbers) < 0:
            raise ValueError(f"shares are whole numbers, not negative, together at most {_WHOLE}; a face is named")
        self.weather[weather.face] = weather
        return weather

    def ask(self, document: dict[str, Any]) -> Fault:
        """A fault as the control face gives it. Raises ValueError."""
        try:
            fault = Fault(**document)
        except TypeError as error:
            raise ValueError(f"a fault has kind, face, path, count, retry_after, milliseconds: {error}") from error
        numbers: tuple[Any, ...] = (fault.count, fault.retry_after, fault.milliseconds)
        if fault.kind not in KINDS or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError(f"kind is one of {', '.join(KINDS)}; numbers are whole and not negative")
        self.waiting.append(fault)
        return fault

    def take(self, kind: str, face: str, path: str = "") -> Fault | None:
        """The first that fits, used once."""
        for fault in self.waiting:
            if fault.kind == kind and fault.face in {"", face} and path.startswith(fault.path) and fault.count > 0:
                fault.count -= 1
                if not fault.count:
                    self.waiting.remove(fault)
                return fault
        return None

    def loses(self, face: str, payment: str, order: str) -> bool:
        """Whether nobody is ever told of this payment: neither by webhook nor in a list of events."""
        if self.take("lost_order", face) is None:
            return False
        self.wrong.append({"fault": "lost_order", "provider": face, "payment_id": payment, "order_id": order})
        return True

    def is_lost(self, order: str) -> bool:
        """Whether the payment of an order is one that nobody was told of."""
        return any(one["fault"] == "lost_order" and one["order_id"] == order for one in self.wrong)

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.waiting]
