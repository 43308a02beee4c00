"""The business clock: real, faster than real, or moved by hand. It counts seconds of the business."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Clock:
    """`factor` business seconds for each second that passes; 0 is a clock that only `push` moves."""

    factor: float
    began: float | None = None
    pushed: int = 0

    @classmethod
    def of(cls, speed: str) -> Clock:
        """real, manual or accelerated:FACTOR."""
        kind, _, factor = speed.partition(":")
        if speed in {"real", "manual"}:
            return cls(1.0 if speed == "real" else 0.0)
        if kind == "accelerated" and factor.isdigit() and int(factor) > 0:
            return cls(float(factor))
        raise ValueError(f"{speed!r} is no speed: real, manual, or accelerated:FACTOR such as accelerated:3600")

    def elapsed(self) -> int:
        """Business seconds since the clock was first asked."""
        if self.began is None:
            self.began = time.monotonic()
        return self.pushed + int((time.monotonic() - self.began) * self.factor)

    def push(self, seconds: int) -> None:
        self.pushed += seconds


def wall() -> int:
    """The real time in seconds since 1970: listeners hold a signature's date against their own clocks."""
    return int(time.time())
