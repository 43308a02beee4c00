"""Faults on demand: replies that get lost, outages, limits, slowness, deliveries twice, out of order or never."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KINDS = ("lose_reply", "outage", "rate_limit", "latency", "duplicate", "disorder", "drop")


@dataclass
class Fault:
    """`count` more times, on one face (or all, if empty) and below one path."""

    kind: str
    face: str = ""
    path: str = ""
    count: int = 1
    retry_after: int = 1
    milliseconds: int = 0


class Faults:
    """Those that were asked for and are not used up."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

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

    def listed(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self.waiting]
