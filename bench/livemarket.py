"""How fast the simulated world is: a year of a million orders, its files, a thousand replicas, and how it grows.

Run: python bench/livemarket.py [--only year,files,replicas,linear]. Results in bench/results/livemarket.json, each
part with its own commit and date; parts not asked for stay as they were.
The control shows that the measurement sees orders: a world without demand must make none and be far faster.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from results import RESULTS, machine, save

HERE = str(Path(__file__).resolve().parent)
sys.path = [path for path in sys.path if str(Path(path or ".").resolve()) != HERE]  # this file has the package's name

from livemarket import catalog
from livemarket.core.step import step, warmed_up
from livemarket.files import run as files

PARTS = ("year", "files", "replicas", "linear", "control")


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def lived(shop, seed, days):
    """(seconds of the run, seconds with its warm-up, orders) of a world that keeps no facts."""
    begin = time.perf_counter()
    world = warmed_up(shop, seed)
    warm = time.perf_counter()
    orders = 0
    for _ in range(days):
        step(world)
        orders += world.today["orders"] + world.today["failed"]
    end = time.perf_counter()
    return end - warm, end - begin, orders


def in_child(function, *arguments):
    """A process of its own, so that its peak of memory is its own; what fails there fails here."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(function, arguments)


def year():
    seconds, total, orders = lived(catalog.setting("large"), 1, 365)
    return {"orders": orders, "seconds": round(seconds, 1), "with_warm_up": round(total, 1), "peak_mib": peak_mib()}


def year_in_files():
    folder = Path(tempfile.mkdtemp(prefix="livemarket-"))
    try:
        begin = time.perf_counter()
        summary = files.run(catalog.setting("large"), 1, 365, folder)
        seconds = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(folder)
    made = {"orders": summary["orders"], "events": summary["events"], "files": len(summary["files"])}
    return made | {"seconds": round(seconds, 1), "gib": round(size / 2**30, 2), "peak_mib": peak_mib()}


_warm = None


def replica(seed):
    """Thirty days of the warmed-up shop with luck of its own."""
    global _warm  # noqa: PLW0603 - one a process
    if _warm is None:
        _warm = warmed_up(catalog.setting("small"), 1)
    world = _warm.fork(seed=seed)
    orders = 0
    for _ in range(30):
        step(world)
        orders += world.today["orders"]
    return orders


def replicas(count=1000):
    begin = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(2) as pool:
        orders = pool.map(replica, range(2, count + 2), chunksize=25)
    seconds = time.perf_counter() - begin
    mean = sum(orders) / count
    assert len(set(orders)) > count // 10  # replicas differ
    return {"replicas": count, "mean_orders": round(mean), "seconds": round(seconds, 1)}


def linear():
    """Days are sequential, so the time of a year grows with its orders plus what a day costs by itself."""
    rows = []
    base = catalog.setting("large")
    for factor in (1, 2, 4, 8):
        shop = replace(base.shop, visitors=base.shop.visitors * factor // 2, reach=base.shop.reach * factor / 2)
        shop = replace(shop, capacity=base.shop.capacity * factor)
        seconds, _, orders = lived(replace(base, shop=shop), 1, 60)
        rows.append({"orders": orders, "seconds": round(seconds, 2), "us_an_order": round(1e6 * seconds / orders, 2)})
    return {"rows": rows, "ratio_of_cost_an_order": round(rows[-1]["us_an_order"] / rows[0]["us_an_order"], 2)}


def control():
    """No visitors and no reach: no orders, whatever the rest costs."""
    base = catalog.setting("large")
    seconds, _, orders = lived(replace(base, shop=replace(base.shop, visitors=0, reach=1e-9, ad_budget_minor=0)), 1, 60)
    assert orders == 0, "the control made orders"
    return {"orders": orders, "seconds": round(seconds, 2)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default=",".join(PARTS))
    chosen = parser.parse_args().only.split(",")
    kept = RESULTS / "livemarket.json"
    before = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    now = machine()
    document = {
        "name": "livemarket",
        "simulated": True,
        **now,
        **{part: before[part] for part in PARTS if part in before},
    }
    work = {"year": year, "files": year_in_files, "linear": linear, "control": control}
    for part in PARTS:
        if part in chosen:
            found = replicas() if part == "replicas" else in_child(work[part])
            document[part] = {**found, "commit": now["commit"], "date": now["date"]}
            print(part, document[part], flush=True)
    save(document)


if __name__ == "__main__":
    main()
