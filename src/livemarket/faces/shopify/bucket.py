"""A leaky bucket: so many points, restored at so many a second of real time, because callers wait in real time."""

from __future__ import annotations

from collections.abc import Callable


class Bucket:
    """`clock` gives whole seconds."""

    def __init__(self, size: int, rate: int, clock: Callable[[], int]) -> None:
        self.size = size
        self.rate = rate
        self._clock = clock
        self._left = size
        self._at = clock()

    def left(self) -> int:
        now = self._clock()
        self._left = min(self.size, self._left + self.rate * max(now - self._at, 0))
        self._at = now
        return self._left

    def take(self, points: int) -> bool:
        """Take them if they are there."""
        if self.left() < points:
            return False
        self._left -= points
        return True

    def back(self, points: int) -> None:
        """What was taken and not used."""
        self._left = min(self.size, self.left() + points)
