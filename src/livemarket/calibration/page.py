"""`livemarket calibrate`: the page, its plots and its figures."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import numpy as np

from livemarket import catalog
from livemarket.calibration import measures, plots
from livemarket.calibration.measures import Row, Run
from livemarket.core.step import step, warmed_up
from livemarket.core.world import World

QUALITIES = {"A": "official or a large survey", "B": "trade press", "C": "vendor or blog", "M": "a choice of ours"}


def simulate(seed: int, days: int, shop: str) -> tuple[Run, World]:
    world = warmed_up(catalog.setting(shop), seed, keep=True)
    run = Run.empty()
    for _ in range(days):
        run.add(world, step(world))
    return run, world


def curves(run: Run, world: World) -> dict[str, str]:
    """Plots by file name."""
    watching = np.array(run.watching, dtype=np.float64)
    mean = (watching.sum(axis=0) / max(len(watching), 1)).tolist()
    rank = sorted(run.viewers, reverse=True)
    step_ = max(len(rank) // 200, 1)
    orders = world.state.orders
    back = np.flatnonzero((orders["return_day"] >= 0) & (orders["deliver_day"] >= 0))
    age = orders.at("return_day", back) - orders.at("deliver_day", back)
    ages = np.bincount(np.clip(age, 0, 31), minlength=32).tolist()
    opened = np.flatnonzero((orders["dispute_day"] >= 0) & (orders["deliver_day"] >= 0))
    wait = np.bincount(
        np.clip(orders.at("dispute_day", opened) - orders.at("deliver_day", opened), 0, 91) // 7
    ).tolist()
    return {
        "watching.svg": plots.curve(mean, "viewers who watch, by slot of a show", "slot"),
        "viewers.svg": plots.curve([float(v) for v in rank[::step_]], "viewers of a show, largest first", "rank"),
        "conversion.svg": plots.curve(sorted(run.conversion)[::step_], "orders per viewer, by show", "rank"),
        "return_age.svg": plots.curve([float(a) for a in ages], "returns by days since delivery", "days, cut at 30"),
        "dispute_age.svg": plots.curve([float(w) for w in wait], "disputes by weeks since delivery", "weeks"),
    }


def table(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>\n"


def html(rows: list[Row], drawn: dict[str, str], world: World, seed: int, days: int) -> str:
    """The page. Everything on it is simulated, and it says so."""
    compared = [
        [
            r.name,
            r.simulated,
            r.published,
            "inside" if r.inside else "OUTSIDE",
            r.source,
            f"{r.quality}: {QUALITIES[r.quality]}",
        ]
        for r in rows
    ]
    numbers = [
        [p.name, repr(p.value), p.unit, p.source or "-", f"{p.quality}: {QUALITIES[p.quality]}"]
        for p in world.setting.parameters.values()
    ]
    edges = [[e.source, e.target, repr(e.effect), e.unit] for e in world.graph.edges]
    return (
        "<!doctype html>\n<html lang='en'><meta charset='utf-8'><title>Calibration (simulated)</title>\n"
        "<style>body{font-family:sans-serif;max-width:980px;margin:2em auto}td,th{padding:2px 8px;text-align:left;"
        "border-bottom:1px solid #d8dee4;font-size:13px}</style>\n"
        f"<h1>Calibration</h1><p><b>Everything here is simulated.</b> Shop {escape(world.setting.shop.name)}, "
        f"{days} days after the warm-up, seed {seed}. A band says what counts as agreeing with what was published; the "
        "published figures are of different years, countries and kinds of shop, many from vendors.</p>\n"
        f"<h2>Simulated beside published</h2>{plots.bands(rows)}"
        + table(["figure", "simulated", "published", "", "source", "quality"], compared)
        + "<h2>Shapes</h2>" + "".join(drawn.values())
        + "<h2>Every parameter</h2>" + table(["name", "value", "unit", "source", "quality"], numbers)
        + "<h2>The hidden graph</h2><p>All effects are choices of ours: nothing comparable is published.</p>"
        + table(["from", "to", "effect on the logarithm", "per"], edges) + "</html>\n"
    )  # fmt: skip


def write(folder: Path, seed: int, days: int, shop: str) -> list[Row]:
    """Simulate, compare, draw; returns the comparisons."""
    run, world = simulate(seed, days, shop)
    rows = measures.rows(run, world)
    drawn = curves(run, world)
    for name, text in {"bands.svg": plots.bands(rows), **drawn}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "index.html").write_text(html(rows, drawn, world, seed, days), encoding="utf-8")
    figures = [{"figure": r.name, "simulated": r.simulated, "published": r.published, "inside": r.inside} for r in rows]
    document = {"simulated": True, "shop": shop, "seed": seed, "days": days, "figures": figures}
    (folder / "calibration.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return rows
