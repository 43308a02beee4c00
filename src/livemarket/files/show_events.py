"""Events about live shows: planned, started, pinned, cheaper, who came and went, ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from livemarket.core.facts import Fact
from livemarket.core.state import CHANNELS, Status
from livemarket.files import names
from livemarket.files.lines import Day, column


def shows(day: Day, fact: Fact) -> None:
    """Planned four hours before, started."""
    ids = [names.show(k) for k in column(fact, "show")]
    subjects = [f"show/{i}" for i in ids]
    starts, planned_for = column(fact, "second"), column(fact, "planned")
    who = [
        f'"channel":"{CHANNELS[n]}","creator_id":"{names.creator(c)}"'
        for n, c in zip(column(fact, "channel"), column(fact, "creator"), strict=True)
    ]
    planned = [
        f'"show_id":"{i}","starts_at":"{names.instant(day.day, s)}",{w},"planned_minutes":{n // 60}'
        for i, s, w, n in zip(ids, starts, who, planned_for, strict=True)
    ]
    day.write("LiveShowScheduled", [max(s - 14400, 0) for s in starts], ids, subjects, planned)
    begun = [f'"show_id":"{i}",{w}' for i, w in zip(ids, who, strict=True)]
    day.write("LiveShowStarted", starts, ids, subjects, begun)


def shows_over(day: Day, fact: Fact) -> None:
    """Ended, with the platform's own count."""
    orders = day.world.state.orders
    recent = np.flatnonzero(orders["day"][-20000:] == day.day) + max(orders.length - 20000, 0)
    live = recent[(orders.at("show", recent) >= 0) & (orders.at("status", recent) != int(Status.FAILED))]
    keys = fact.columns["show"]
    place = np.searchsorted(keys, orders.at("show", live))
    sold = np.bincount(place, minlength=len(keys)).tolist()
    sales = np.bincount(place, weights=orders.at("subtotal", live), minlength=len(keys)).astype(np.int64).tolist()
    ids = [names.show(k) for k in keys.tolist()]
    subjects, ends = [f"show/{i}" for i in ids], column(fact, "second")
    ended = [
        f'"show_id":"{i}","peak_viewers":{p},"total_viewers":{v},"orders":{n},"currency":"{names.CURRENCY}","sales_minor":{m}'
        for i, p, v, n, m in zip(ids, column(fact, "peak"), column(fact, "viewers"), sold, sales, strict=True)
    ]
    day.write("LiveShowEnded", ends, ids, subjects, ended)
    gone = [f'"show_id":"{i}","viewers":{n},"watching":0' for i, n in zip(ids, column(fact, "last"), strict=True)]
    day.write("ViewerLeft", ends, [f"{i}-end" for i in ids], subjects, gone)


def slots(day: Day, fact: Fact) -> None:
    """One product after the other: pinned, perhaps cheaper, so many came and went."""
    wanted = ("second", "show", "slot", "sku", "price", "drop_ppm", "previous", "joined", "watching", "left")
    rows = list(zip(*(column(fact, n) for n in wanted), strict=True))
    seconds = [r[0] for r in rows]
    show_ids = [names.show(r[1]) for r in rows]
    ids = [f"{i}-{r[2]:02d}" for i, r in zip(show_ids, rows, strict=True)]
    subjects = [f"show/{i}" for i in show_ids]
    pinned = [
        f'"show_id":"{i}","sku":"{names.sku(r[3])}","slot":"{r[2]}","currency":"{names.CURRENCY}","price_minor":{r[4]}'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ProductPinned", seconds, ids, subjects, pinned)
    cheap = [n for n, r in enumerate(rows) if r[5] > 0]
    drops = [
        f'"show_id":"{show_ids[n]}","sku":"{names.sku(rows[n][3])}","currency":"{names.CURRENCY}",'
        f'"price_minor":{rows[n][4]},"previous_minor":{rows[n][6]}'
        for n in cheap
    ]
    day.write("PriceDropped", [seconds[n] for n in cheap], [ids[n] for n in cheap], [subjects[n] for n in cheap], drops)
    came = [
        f'"show_id":"{i}","viewers":{r[7]},"watching":{r[8]},"window_seconds":600'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ViewerJoined", seconds, ids, subjects, came)
    left = [
        f'"show_id":"{i}","viewers":{r[9]},"watching":{r[8]},"window_seconds":600'
        for i, r in zip(show_ids, rows, strict=True)
    ]
    day.write("ViewerLeft", seconds, ids, subjects, left)


WRITERS: dict[str, Callable[[Day, Fact], None]] = {"show": shows, "slot": slots, "show_over": shows_over}
