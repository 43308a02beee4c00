"""What happened on a day, as columns. Nothing is kept unless somebody asked for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livemarket.core.arrays import Ints


@dataclass(frozen=True, slots=True)
class Fact:
    """So many facts of one kind: parallel integer columns, `second` of the day among them."""

    kind: str
    columns: dict[str, Ints]


class Facts:
    """One day's facts in the order they were computed."""

    def __init__(self, *, kept: bool) -> None:
        self.kept = kept
        self.items: list[Fact] = []

    def add(self, kind: str, second: Ints, **columns: Ints | int) -> None:
        if not self.kept or not len(second):
            return
        made = {"second": np.clip(second, 0, 86399)}
        for name, values in columns.items():
            made[name] = np.broadcast_to(np.asarray(values, dtype=np.int64), second.shape)
        self.items.append(Fact(kind, made))
