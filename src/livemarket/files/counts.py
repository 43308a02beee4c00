"""Events about counts of the stock."""

from __future__ import annotations

from livemarket.core.facts import Fact
from livemarket.files import names
from livemarket.files.lines import Day, column

WAREHOUSE = "main"


def counted(day: Day, fact: Fact) -> None:
    """A difference that a count found, with what it cost."""
    seconds, skus, deltas, costs = (column(fact, n) for n in ("second", "sku", "delta", "cost"))
    ids = [f"{names.sku(s)}-{day.date}-{at:05d}" for at, s in zip(seconds, skus, strict=True)]
    bodies = [
        f'"sku":"{names.sku(s)}","delta":{d},"reason":"count","warehouse":"{WAREHOUSE}","currency":"{names.CURRENCY}",'
        f'"cost_minor":{c}'
        for s, d, c in zip(skus, deltas, costs, strict=True)
    ]
    day.write("StockAdjusted", seconds, ids, [f"stock/{i}" for i in ids], bodies)
