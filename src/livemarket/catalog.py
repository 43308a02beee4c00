"""Reads the world's data files. Numbers stand there as text; this is where they become numbers."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

from livemarket.core.graph import Edge, Graph
from livemarket.core.interventions import Intervention
from livemarket.core.opponents import CardTester, NotReceivedRing, Opponent
from livemarket.core.setting import Category, Courier, Parameter, Setting, Shock, Shop

_DATA = resources.files("livemarket") / "data"


def document(name: str) -> Any:
    """One data file, as YAML."""
    return yaml.safe_load((_DATA / name).read_text(encoding="utf-8"))


def _read(row: dict[str, Any], numbers: tuple[str, ...], **more: Any) -> dict[str, Any]:
    """The row with these fields as numbers."""
    return row | {key: float(row[key]) for key in numbers} | more


def parameters() -> dict[str, Parameter]:
    rows = [Parameter(**_read(row, ("value",))) for row in document("parameters.yaml")]
    return {row.name: row for row in rows}


def graph() -> Graph:
    rows = document("graph.yaml")
    return Graph(tuple(Edge(row["from"], row["to"], float(row["effect"]), row["unit"]) for row in rows))


def shops() -> dict[str, Shop]:
    return {name: Shop(**_read(row, ("reach",), name=name)) for name, row in document("shops.yaml").items()}


def categories() -> tuple[Category, ...]:
    numbers = ("cost_share", "return_age")
    rows = document("categories.yaml").items()
    return tuple(Category(**_read(row, numbers, name=name, words=tuple(row["words"]))) for name, row in rows)


def couriers() -> tuple[Courier, ...]:
    return tuple(Courier(**_read(row, ("share", "days", "sigma"))) for row in document("couriers.yaml"))


def shocks() -> dict[str, Shock]:
    made: dict[str, Shock] = {}
    for name, row in document("shocks.yaml").items():
        plan = tuple(
            Intervention(i["variable"], i["op"], float(i["value"]), entities=tuple(i.get("entities", ())))
            for i in row["do"]
        )
        made[name] = Shock(name, row["why"], row["days"], plan)
    return made


@cache
def tickets() -> dict[str, list[str]]:
    return document("tickets.yaml")


def setting(shop: str = "small") -> Setting:
    """The shipped world with a shop of the named size."""
    known = shops()
    if shop not in known:
        raise ValueError(f"no shop {shop!r}; there are {', '.join(known)}")
    return Setting(known[shop], parameters(), categories(), couriers(), graph())


OPPONENTS: dict[str, Opponent] = {o.name: o for o in (NotReceivedRing(), CardTester())}


def opponents(names: tuple[str, ...]) -> tuple[Opponent, ...]:
    """The shipped opponents of these names."""
    unknown = [name for name in names if name not in OPPONENTS]
    if unknown:
        raise ValueError(f"no opponent {unknown[0]!r}; there are {', '.join(OPPONENTS)}")
    return tuple(OPPONENTS[name] for name in names)


def timed_shocks(texts: tuple[str, ...]) -> dict[Shock, int]:
    """NAME@DAY -> the shock and the day of the run on which it begins."""
    known, made = shocks(), dict[Shock, int]()
    for text in texts:
        name, _, day = text.partition("@")
        if name not in known or not day.isdigit():
            raise ValueError(f"{text!r} is no NAME@DAY; shocks are {', '.join(known)}")
        made[known[name]] = int(day)
    return made
