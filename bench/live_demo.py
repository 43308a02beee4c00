"""`steward demo --live` left alone, and killed in the middle: the end has to be the same. And wrong on purpose.

    calm     the walk, left alone: what the system says at the end is what the world owns and owes, and no break is open
    storm    the same walk, while processes are killed with SIGKILL at random moments: server, worker, world, database,
             and the command itself, which is then run again. Books, what moved at the faces, matches and actions have
             to end as in the calm
    wrong    a fee beyond the contract on one payment, and one payment nobody is told of, at each processor: exactly
             these four breaks, each by its name and on its payment

The control: two more walks whose agent, after each look, asks once more for everything it asked for before. Under the
keys of the wishes nothing changes; an agent that forgets the keys too has to end elsewhere, or the comparison shows
nothing.

    python bench/live_demo.py [--kills 8] [--seed 7] [--lead 10] [--write]
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

from steward.demonstration import Plan
from steward.demonstration.people import ReturnsDesk, refund_of
from steward.infra.entropy import random_bytes

VICTIMS = ("server", "worker", "world", "database", "driver")
PATIENCE = 1800
ONE_STEP = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
import live_demo
from steward.demonstration import LiveDemo, Plan
tell = lambda line: print(line, file=sys.stderr, flush=True)
plan, desk = Plan(**json.loads(sys.argv[2])), getattr(live_demo, sys.argv[3])
print(json.dumps(LiveDemo(Path(sys.argv[1]), plan, tell, desk=desk).run()))
"""


def folder():
    made = Path(tempfile.mkdtemp(prefix="steward-live-"))
    made.chmod(0o711)
    return made / "home"


class Driver:
    """The command in a process of its own; `document` is its last word."""

    def __init__(self, home, plan, desk):
        self.home = home
        here = str(Path(__file__).parent)
        self._words = [sys.executable, "-c", ONE_STEP, str(home), json.dumps(plan), desk.__name__, here]
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


def walked(plan, kills=0, seed=7, desk=ReturnsDesk):
    """One walk to its end, with so many kills on the way. (document, kills by victim, seconds)"""
    home, drawn = folder(), random.Random(seed)
    driver = Driver(home, plan, desk)
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


class ReadsAgain(ReturnsDesk):
    """After every look at what is new, asks once more for everything that was ever asked for."""

    _known = None

    def work(self, after):
        reached = super().work(after)
        self._known = asked_for(self.steward)
        super().work(0)
        self._known = None
        return reached

    def _propose(self, wish):
        if self._known is None:
            super()._propose(wish)
        elif wish.name in self._known:
            self.ask_again(wish)

    def ask_again(self, wish):
        super()._propose(wish)


class Keyless(ReadsAgain):
    """Does not know a wish that it read before, and asks for a third, so that the rules let more than one pass."""

    def ask_again(self, wish):
        payment = self._payment(wish.order)
        key = f"refund-{wish.name}-{random_bytes(4).hex()}"
        part = refund_of(wish, payment | {"amount_minor": payment["amount_minor"] // 3})
        part["params"]["refund_id"] = key
        self.steward.post("/v1/actions", part, headers={"idempotency-key": key})


def asked_for(steward):
    """The wishes that became proposals so far, by their names."""
    names, after = set(), 0
    while True:
        page = steward.get("/v1/events", type="ActionProposed", after=after, limit=1000)
        for event in page["items"]:
            after, params = event["position"], event["envelope"]["data"]["params"]
            names.add(params.get("refund_id"))
        if page["next"] is None:
            return names


def same(one, other):
    return {name: one["end"][name]["sha256"] == other["end"][name]["sha256"] for name in one["end"]}


def brief(document):
    return {name: value for name, value in document.items() if name not in {"address", "end"}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--lead", type=int, default=10)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    plan = {"seed": asked.seed, "lead_days": asked.lead}
    document = {"name": "live_demo", **machine(), "plan": plan}
    failures = []

    def found(part, is_good, **figures):
        """After each part: what was measured stays, whatever becomes of the next."""
        document[part] = figures
        if not is_good:
            failures.append(part)
        if asked.write:
            save(document)

    calm, _, seconds = walked(plan)
    print(f"calm   {seconds} s, holds {calm['holds']}, {calm['refunds']}", flush=True)
    found("calm", calm["holds"], **brief(calm), end=calm["end"], walk_seconds=seconds)

    storm, met, seconds = walked(plan, asked.kills, asked.seed)
    equal = same(calm, storm)
    print(f"storm  {seconds} s, killed {met}, equal {equal}, holds {storm['holds']}", flush=True)
    is_good = all(equal.values()) and storm["holds"] and sum(met.values()) >= asked.kills // 2
    found("storm", is_good, **brief(storm), kills=met, equal=equal, walk_seconds=seconds)

    keyed, keyless = (same(calm, walked(plan, desk=desk)[0]) for desk in (ReadsAgain, Keyless))
    print(f"control: with keys equal {keyed}, without {keyless}", flush=True)
    found("control", all(keyed.values()) and not keyless["actions"], equal_with_keys=keyed, equal_without=keyless)

    wrong, _, seconds = walked({**plan, "is_wrong": True})
    kinds = sorted(one["type"] for one in wrong["breaks"]["explained"])
    print(f"wrong  {seconds} s, breaks {kinds}, {len(wrong['breaks']['unexplained'])} unexplained", flush=True)
    is_good = kinds == ["fee", "fee", "missing", "missing"] and wrong["holds"]
    found("wrong", is_good, **brief(wrong), walk_seconds=seconds)
    if failures:
        raise SystemExit(f"FAILED: {', '.join(failures)}")


if __name__ == "__main__":
    main()
