"""What really happened, for tests and scoring: never for the platform. JSON Lines below truth/."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np

from livemarket.core.aftersales import ReturnKind
from livemarket.core.arrays import Ints
from livemarket.core.facts import Facts
from livemarket.core.opponents import Intent
from livemarket.core.position import position
from livemarket.core.state import CHANNELS, PROCESSORS, Status
from livemarket.core.world import World
from livemarket.files import names

DECISIONS: tuple[str, ...] = ("refund", "evidence", "purchase", "price", "ad_budget", "creative", "commission")
FILES = ("days", "stock", "funnel", "orders", "decisions", "faults", "graph")


class Truth:
    """Open files of one run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, TextIO] = {}
        self.files = [f"truth/{name}.jsonl" for name in FILES]
        self.shows = 0

    def __enter__(self) -> Self:
        for name in FILES:
            path = self._folder / "truth" / f"{name}.jsonl"
            self._open[name] = path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._open.values():
            stream.close()

    def _write(self, name: str, document: dict[str, Any]) -> None:
        self._open[name].write(json.dumps(document, separators=(",", ":")) + "\n")

    def opening(self, world: World, accounts: dict[str, int]) -> None:
        """The evening before the run."""
        date = names.calendar_date(world.day - 1).isoformat()
        self._write("days", {"date": date, "opening": True, "position": accounts})
        self._stock(world, date)
        for edge in world.graph.edges:
            self._write(
                "graph", {"from": edge.source, "to": edge.target, "effect": repr(edge.effect), "unit": edge.unit}
            )

    def _stock(self, world: World, date: str) -> None:
        state = world.state
        rows = zip(state.on_hand.tolist(), state.reserved.tolist(), state.on_order.tolist(), strict=True)
        self._open["stock"].writelines(
            f'{{"date":"{date}","sku":"{names.sku(n)}","on_hand":{h},"reserved":{r},"on_order":{o}}}\n'
            for n, (h, r, o) in enumerate(rows)
        )

    def day(self, world: World, day: int, facts: Facts) -> None:
        """The evening of a day: its sums, what is owned and owed, stock by product, the funnel by slot."""
        date = names.calendar_date(day).isoformat()
        health = int(world.state.health)
        document = {
            "date": date,
            "sums": dict(sorted(world.today.items())),
            "health": health,
            "position": position(world),
        }
        self._write("days", document)
        self._stock(world, date)
        for fact in facts.items:
            if fact.kind == "show":
                self.shows += len(fact.columns["show"])
            if fact.kind == "slot":
                columns = {k: v.tolist() for k, v in fact.columns.items() if k not in {"second", "previous"}}
                for values in zip(*columns.values(), strict=True):
                    row = dict(zip(columns, values, strict=True))
                    row["show"], row["sku"] = names.show(row["show"]), names.sku(row["sku"])
                    self._write("funnel", {"date": date, **row})

    def end(self, world: World, born: int, first: int, faults: list[dict[str, Any]]) -> None:
        """Orders with their hidden causes (those from before the run that still mattered in it too), people's
        decisions, and the errors in the papers.
        """
        orders = world.state.orders
        table = world.state.lines
        touched = np.unique(table["order"][(table["day"] >= first) & (table["order"] >= 0)])
        moved = np.flatnonzero(
            (orders["ship_day"] >= first) | (orders["deliver_day"] >= first) | (orders["return_day"] >= first)
        )
        rows = np.union1d(np.union1d(touched, moved), np.arange(born, orders.length))
        self._orders(world, rows.astype(np.int64), first)
        self._decisions(world, first)
        for fault in faults:
            self._write("faults", fault)

    def _orders(self, world: World, rows: Ints, first: int) -> None:
        orders = world.state.orders
        ids = names.order_ids(world, rows)
        wanted = (
            "day", "sku", "quantity", "total", "channel", "processor", "intent", "status", "defect", "late",
            "return_kind",
            "refund", "dispute",
        )  # fmt: skip
        columns = (orders.at(n, rows).tolist() for n in wanted)
        lines: list[str] = []
        for i, row in zip(ids, zip(*columns, strict=True), strict=True):
            day, sku, quantity, total, channel, processor, intent, status, defect, late, kind, refund, dispute = row
            lines.append(
                f'{{"order_id":"{i}","date":"{names.calendar_date(day).isoformat()}",'
                f'"before_run":{"true" if day < first else "false"},'
                f'"sku":"{names.sku(sku)}","quantity":{quantity},"total_minor":{total},"channel":"{CHANNELS[channel]}",'
                f'"processor":"{PROCESSORS[processor]}","intent":"{INTENTS[intent]}","status":"{STATUSES[status]}","defect":{defect},'
                f'"late":{late},"return_kind":"{KINDS[kind]}","refunded_minor":{refund},"disputed_minor":{dispute}}}\n'
            )
        self._open["orders"].writelines(lines)

    def _decisions(self, world: World, first: int) -> None:
        table, orders = world.state.decisions, world.state.orders
        rows = np.flatnonzero(table["day"] >= first)
        wanted = ("day", "kind", "entity", "before", "after", "delay_hours", "mistake")
        columns: list[list[int]] = [table.at(n, rows).tolist() for n in wanted]
        for row in zip(*columns, strict=True):
            day, kind, entity, before, after, delay, mistake = row
            name = DECISIONS[int(kind)]
            about = names.sku(entity) if name in {"purchase", "price"} else str(entity)
            if name in {"refund", "evidence"}:
                about = f"lm{int(orders['day'][entity]):04d}{int(orders['key'][entity]):014x}"
            document: dict[str, Any] = {
                "date": names.calendar_date(day).isoformat(),
                "decision": name,
                "about": about,
                "before": before,
            }
            self._write("decisions", document | {"after": after, "delay_hours": delay, "mistake": bool(mistake)})


INTENTS = [i.name.lower() for i in Intent]
STATUSES = [s.name.lower() for s in Status]
KINDS = [k.name.lower() for k in ReturnKind]
