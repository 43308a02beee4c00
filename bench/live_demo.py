"""`steward demo --live` left alone, and killed in the middle: the end has to be the same. And wrong on purpose.

    calm     the walk, left alone: what the system says at the end is what the world owns and owes, and no break is open
    storm    the same walk, while processes are killed with SIGKILL at random moments: server, worker, world, database,
             and the command itself, which is then run again. Books, what moved at the faces, matches and actions have
             to end as in the calm
    wrong    a fee beyond the contract on one payment, and one payment nobody is told of, at each processor: exactly
             these four breaks, each by its name and on its payment

The control: an agent that forgets where it was reads every wish again, each hour. Under the keys of the wishes nothing
changes; one that forgets the keys too has to end elsewhere, or the comparison shows nothing.

    python bench/live_demo.py [--kills 12] [--seed 7] [--only calm,storm,wrong,control] [--write]
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from results import machine, save

from steward.demonstration import LiveDemo, Plan
from steward.demonstration.people import ReturnsDesk, refund_of
from steward.infra.entropy import random_bytes

VICTIMS = ("server", "worker", "world", "database", "driver")
PATIENCE = 1800
SHORT = Plan(lead_days=9, days=1, last_hours=4)
ONE_STEP = """
import json, sys
from pathlib import Path
from steward.demonstration import LiveDemo, Plan
plan = Plan(**json.loads(sys.argv[2]))
print(json.dumps(LiveDemo(Path(sys.argv[1]), plan, lambda line: print(line, file=sys.stderr, flush=True)).run()))
"""


def folder():
    made = Path(tempfile.mkdtemp(prefix="steward-live-"))
    made.chmod(0o711)
    return made / "home"


class Driver:
    """The command in a process of its own; `document` is its last word."""

    def __init__(self, home, plan):
        self.home = home
        self._words = [sys.executable, "-c", ONE_STEP, str(home), json.dumps(plan)]
        self.starts = 0
        self.process = None

    def start(self):
        self.starts += 1
        with (self.home.parent / "driver.log").open("ab") as log:
            self.process = subprocess.Popen(self._words, stdout=subprocess.PIPE, stderr=log)

    def step(self):
        """How far it is."""
        try:
            return json.loads((self.home / "demonstration" / "progress.json").read_text(encoding="utf-8"))["step"]
        except (OSError, ValueError, KeyError):
            return -1

    def victim(self, name):
        """The number of a process."""
        if name == "driver":
            return self.process.pid
        if name == "database":
            return int(next(self.home.glob("**/postmaster.pid")).read_text(encoding="utf-8").split("\n", 1)[0])
        return json.loads((self.home / "demonstration" / "pids.json").read_text(encoding="utf-8"))[name][0]


def walked(plan, kills=0, seed=7):
    """One walk to its end, with so many kills on the way. (document, kills by victim, seconds)"""
    home, drawn = folder(), random.Random(seed)
    driver = Driver(home, plan)
    began, met, over = time.monotonic(), {}, threading.Event()

    def storm():
        victims = [VICTIMS[n % len(VICTIMS)] for n in range(kills)]
        drawn.shuffle(victims)
        steps = len(Plan(**plan).steps(datetime(2026, 1, 5, tzinfo=UTC)))
        for place, name in enumerate(victims):
            after = 1 + place * (steps - 4) // max(kills, 1)
            while driver.step() < after and not over.is_set():
                over.wait(0.2)
            over.wait(drawn.random() * 4)
            if over.is_set():
                return
            try:
                os.kill(driver.victim(name), signal.SIGKILL)
            except (ProcessLookupError, StopIteration, OSError, ValueError, KeyError):
                continue  # it is being started at this moment
            met[name] = met.get(name, 0) + 1

    killer = threading.Thread(target=storm, daemon=True)
    driver.start()
    killer.start()
    try:
        while True:
            out, _ = driver.process.communicate(timeout=PATIENCE)
            if driver.process.returncode == 0:
                break
            if driver.process.returncode != -signal.SIGKILL:
                raise SystemExit(f"the walk failed; see {home.parent}/driver.log")
            driver.start()
    finally:
        over.set()
    killer.join()
    document = json.loads(out)
    shutil.rmtree(home.parent, ignore_errors=True)
    return document, met, round(time.monotonic() - began)


class Thirds(ReturnsDesk):
    """Gives a third of a payment back, so that the rules let more than one refund pass."""

    def _propose(self, wish):
        payment = self._payment(wish.order)
        if payment is not None and payment["processor"] in {"stripe", "paypal"}:
            part = refund_of(wish, payment | {"amount_minor": payment["amount_minor"] // 3})
            key = self.key(wish)
            part["params"]["refund_id"] = key
            self.steward.post("/v1/actions", part, headers={"idempotency-key": key})


class Forgetful(Thirds):
    """Reads every wish again in each hour."""

    def work(self, after):
        super().work(0)
        return after


class Keyless(Forgetful):
    """And does not know that it read it before."""

    def key(self, wish):
        return f"refund-{wish.name}-{random_bytes(4).hex()}"


def control():
    """The end of the short walk with each of the three agents."""
    found = {}
    for desk in (Thirds, Forgetful, Keyless):
        home = folder()
        document = LiveDemo(home, SHORT, lambda _: None, desk=desk).run()
        found[desk.__name__.lower()] = {"end": document["end"], "refunds": document["refunds"]}
        shutil.rmtree(home.parent, ignore_errors=True)
    return found


def same(one, other):
    return {name: one["end"][name]["sha256"] == other["end"][name]["sha256"] for name in one["end"]}


def brief(document):
    return {name: value for name, value in document.items() if name not in {"address", "end"}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", default="calm,storm,wrong,control")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    parts = asked.only.split(",")
    document = {"name": "live_demo", **machine(), "seed": asked.seed}
    failures = []

    def keep():
        """After each part: what was measured stays, whatever becomes of the next."""
        if asked.write:
            save(document)

    if {"calm", "storm"} & set(parts):
        calm, _, seconds = walked({"seed": asked.seed})
        document["calm"] = {**brief(calm), "end": calm["end"], "walk_seconds": seconds}
        print(f"calm   {seconds} s, holds {calm['holds']}, {calm['refunds']['executed']} refunds executed", flush=True)
        if not calm["holds"]:
            failures.append("calm")
        keep()
    if "storm" in parts:
        storm, met, seconds = walked({"seed": asked.seed}, asked.kills, asked.seed)
        equal = same(calm, storm)
        document["storm"] = {**brief(storm), "kills": met, "walk_seconds": seconds, "equal": equal}
        print(f"storm  {seconds} s, killed {met}, equal {equal}, holds {storm['holds']}", flush=True)
        if not (all(equal.values()) and storm["holds"] and sum(met.values()) >= asked.kills // 2):
            failures.append("storm")
        keep()
    if "wrong" in parts:
        wrong, _, seconds = walked({"seed": asked.seed, "is_wrong": True})
        kinds = sorted(one["type"] for one in wrong["breaks"]["explained"])
        document["wrong"] = {**brief(wrong), "walk_seconds": seconds}
        print(f"wrong  {seconds} s, breaks {kinds}, unexplained {len(wrong['breaks']['unexplained'])}", flush=True)
        if kinds != ["fee", "fee", "missing", "missing"] or not wrong["holds"]:
            failures.append("wrong")
        keep()
    if "control" in parts:
        agents = control()
        keyed = same(agents["thirds"], agents["forgetful"])
        keyless = same(agents["thirds"], agents["keyless"])
        document["control"] = {**agents, "equal_with_keys": keyed, "equal_without": keyless}
        print(f"control: with keys equal {keyed}, without {keyless}", flush=True)
        if not all(keyed.values()) or keyless["faces"] or keyless["books"]:
            failures.append("control")
        keep()
    if failures:
        raise SystemExit(f"FAILED: {', '.join(failures)}")


if __name__ == "__main__":
    main()
