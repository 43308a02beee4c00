"""A million random interleavings of the pure state machine, against a world that loses, delays and repeats.

Each run is one action, up to three workers who may sleep between any two of their steps, a remote side with native
keys, with a searchable reference, or with neither, people who approve (or try to approve other arguments, or their own
proposal), time that passes, kills and kill switches. After each run:

    sent without a live approval of the very arguments        must be 0
    effects beyond one (native and probe)                      must be 0
    effects beyond one of a verb with neither                  must be 0: it is never sent again
    a hold that is neither spent nor free once it has ended    must be 0
    ended as failed, expired, cancelled or rejected, yet applied must be 0 (a person's word excepted)

The controls are machines with one line each that is wrong: they must fail in the same runs.

    python bench/interleavings.py [--runs 1000000] [--seed 1]
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import random
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from results import machine as this_machine
from results import save

from steward.gateway.core import machine
from steward.gateway.core.machine import FREES, SPENDS, Illegal, Rule, Standing

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Remote:
    """The other side. A request may wait in the wires and arrive later; never later than its sender's lease."""

    mode: str
    key_life: timedelta
    applied: list[datetime] = field(default_factory=list)
    kept: dict[str, datetime] = field(default_factory=dict)
    wires: list[tuple[datetime, datetime]] = field(default_factory=list)

    def arrive(self, at: datetime, *, refuses: bool) -> str:
        if self.mode == "native":
            born = self.kept.get("key")
            if born is not None and at - born < self.key_life:
                return "ok"
        if refuses:
            return "refused"
        if self.mode == "native":
            self.kept["key"] = at
        self.applied.append(at)
        return "ok"

    def deliver(self, until: datetime) -> None:
        for sent, due in list(self.wires):
            if due <= until:
                self.wires.remove((sent, due))
                self.arrive(due, refuses=False)


@dataclass
class Worker:
    """Holds a standing it took, and a step it has not made yet."""

    name: str
    held: Standing | None = None
    doing: str = ""
    said: str = ""
    looked_at: datetime = START
    alive: bool = True


class Run:
    """One action from its admission to its end, or to where nobody but a person may go on."""

    def __init__(self, logic: ModuleType | Any, seed: int) -> None:
        self.m, self.draw = logic, random.Random(seed)
        self.mode = self.draw.choice(["native", "native", "probe", "probe", "none"])
        self.rule = Rule(
            self.mode,
            key_life=timedelta(seconds=self.draw.choice([20, 60, 3600])),
            settle=timedelta(seconds=12),
            lease=timedelta(seconds=10),
            first_wait=timedelta(seconds=1),
            most_wait=timedelta(seconds=8),
            attempts=2,
        )
        self.quorum = self.draw.choice([0, 1, 2])
        self.now = START
        self.remote = Remote(self.mode, self.rule.key_life)
        state = "awaiting_approval" if self.quorum else "ready"
        deadline = (
            START + timedelta(seconds=self.draw.choice([5, 40])) if self.quorum or self.draw.random() < 0.3 else None
        )
        self.row = Standing(state, "live", self.quorum, START, deadline)
        self.agreed: set[str] = set()
        self.hold = "open"
        self.sends: list[tuple[datetime, int]] = []
        self.killed = False
        self.person_said = False
        self.wrong: set[str] = set()
        self.workers = [Worker(f"w{n}") for n in range(self.draw.choice([1, 2, 3]))]

    def write(self, new: Any) -> bool:
        """What the store does: a move over the fence that was read; holds end with it."""
        if isinstance(new, Illegal):
            return False
        old, self.row = self.row.state, new
        if new.state in SPENDS and old not in SPENDS:
            self.hold = "spent" if self.hold == "open" else self._leak()
        elif new.state in FREES and old not in FREES | SPENDS:
            self.hold = "free" if self.hold == "open" else self._leak()
        return True

    def _leak(self) -> str:
        self.wrong.add("hold ended twice")
        return "twice"

    def person(self) -> None:
        what = self.draw.random()
        if what < 0.5:  # an approval counts only if it is of these arguments and not the proposer's own
            self.say(self.draw.choice(["ana", "ben", "proposer"]), self.draw.choice(["these", "these", "others"]))
            self.write(self.m.agree(self.row, len(self.agreed), self.now))
        elif what < 0.6:
            self.write(self.m.reject(self.row))
        elif what < 0.7:
            self.write(self.m.cancel(self.row))
        elif what < 0.8:
            self.write(self.m.expire(self.row, self.now))
        elif what < 0.9:
            self.toggle()
        elif self.row.needs_person:
            happened = bool(self.remote.applied)
            self.person_said = self.write(self.m.resolve(self.row, happened=happened)) or self.person_said
        else:
            evidence = bool(self.remote.applied)
            if evidence:
                self.write(self.m.settle(self.row))

    def say(self, who: str, args: str) -> None:
        """Somebody says yes to some arguments."""
        if args == "these" and who != "proposer":
            self.agreed.add(who)

    def toggle(self) -> None:
        """Stop, or let go on."""
        self.killed = not self.killed

    def may_send(self, held: Standing) -> bool:
        """The last look before the first byte."""
        return not self.killed and self.m.may_send(self.row, held.fence, self.now)

    def step(self, worker: Worker) -> None:
        if not worker.alive:
            worker.alive, worker.held, worker.doing = True, None, ""
            return
        if self.draw.random() < 0.05:  # kill -9: whatever it was about to do never happens
            worker.alive = False
            return
        if worker.held is None:
            if self.killed and not (self.mode == "probe" and self.row.state in ("executing", "unknown", "probing")):
                return
            new = self.m.take(self.row, self.rule, worker.name, self.now)
            if self.write(new) and self.row.state in ("executing", "probing"):
                worker.held, worker.doing = self.row, "send" if self.row.state == "executing" else "look"
        elif worker.doing == "send":
            self.send(worker)
        elif worker.doing == "look":
            self.look(worker)
        elif worker.doing == "record":
            worker.doing, held = "", worker.held
            worker.held = None
            self.write(self.m.answered(self.row, self.rule, held.fence, worker.said, self.now))
        elif worker.doing == "seen":
            worker.doing, held = "", worker.held
            worker.held = None
            self.write(self.m.looked(self.row, self.rule, held.fence, worker.said, worker.looked_at, self.now))

    def send(self, worker: Worker) -> None:
        """The fence, then the bytes. They travel for at most what is left of the lease, as a call's time limit is."""
        worker.doing = "record"
        if not self.may_send(worker.held):
            worker.said = "again"
            if not self.killed:
                worker.held, worker.doing = None, ""
            return
        self.sends.append((self.now, len(self.agreed)))
        if self.quorum and len(self.agreed) < self.quorum:
            self.wrong.add("sent without its approvals")
        luck = self.draw.random()
        if luck < 0.15:
            worker.said = "again"  # turned away before anything was done
        elif luck < 0.25:
            worker.said = "refused" if self.remote.arrive(self.now, refuses=True) == "refused" else "ok"
        elif luck < 0.40:
            worker.said = "unknown"  # lost before it was applied
        elif luck < 0.60:
            self.remote.arrive(self.now, refuses=False)
            worker.said = "unknown"  # applied, and the answer was lost
        elif luck < 0.72:
            left = max(0.0, (worker.held.lease_until - self.now).total_seconds())
            self.remote.wires.append((self.now, self.now + timedelta(seconds=self.draw.random() * left)))
            worker.said = "unknown"  # it is still on its way
        else:
            worker.said = self.remote.arrive(self.now, refuses=False)

    def look(self, worker: Worker) -> None:
        worker.doing, worker.looked_at = "seen", self.now
        if self.draw.random() < 0.2:
            worker.said = "unclear"
        else:
            worker.said = "found" if self.remote.applied else "missing"

    def go(self) -> set[str]:
        for _ in range(80):
            if self.row.state in machine.ENDED:
                break
            luck = self.draw.random()
            if luck < 0.2:
                self.person()
            elif luck < 0.5:
                self.now += timedelta(seconds=self.draw.choice([0.1, 1, 3, 11]))
                self.remote.deliver(self.now)
            else:
                self.step(self.draw.choice(self.workers))
        return self.judged()

    def judged(self) -> set[str]:
        wrong = set(self.wrong)
        self.remote.deliver(self.now + timedelta(days=1))
        if len(self.remote.applied) > 1:
            wrong.add(f"applied twice ({self.mode})")
        if self.row.state in FREES and not self.person_said and self.remote.applied:
            wrong.add("applied, and written down as not")
        if self.row.state in ("succeeded", "settled") and not self.remote.applied:
            wrong.add("written down as done, and not applied")
        if self.row.state in FREES and self.hold != "free":
            wrong.add("a hold leaked")
        if self.row.state in SPENDS and self.hold != "spent":
            wrong.add("a hold leaked")
        return wrong


class Wrong:
    """The machine with one function that is wrong."""

    def __init__(self, **functions: Any) -> None:
        self._functions = functions

    def __getattr__(self, name: str) -> Any:
        return self._functions.get(name, getattr(machine, name))


def _no_fence(now: Standing, _fence: int, _at: datetime) -> bool:
    return now.state in ("executing", "compensating", "unknown", "probing", "ready")


def _blind_retry(was: Standing, rule: Rule, fence: int, said: str, now: datetime, wait: timedelta | None = None) -> Any:
    if said == "unknown":
        said = "again"
    return machine.answered(replace(was, is_unanswered=False), rule, fence, said, now, wait)


def _hasty(was: Standing, rule: Rule, fence: int, seen: str, looked_at: datetime, now: datetime) -> Any:
    return machine.looked(was, replace(rule, settle=timedelta(0)), fence, seen, looked_at, now)


def _late(was: Standing, rule: Rule, fence: int, seen: str, _looked_at: datetime, now: datetime) -> Any:
    return machine.looked(was, rule, fence, seen, now, now)


def _any_agree(was: Standing, agreed: int, now: datetime) -> Any:
    return machine.agree(replace(was, quorum=min(agreed, was.quorum)), agreed, now)


def _eternal_key(was: Standing, rule: Rule, owner: str, now: datetime) -> Any:
    return machine.take(was, replace(rule, key_life=timedelta(days=999)), owner, now)


def _call_back_sent(was: Standing) -> Any:
    return replace(was, state="cancelled") if was.state in ("executing", "unknown", "ready") else machine.cancel(was)


MACHINES: dict[str, Any] = {
    "as it is": machine,
    "no fence": Wrong(may_send=_no_fence),
    "blind retry": Wrong(answered=_blind_retry),
    "looks too early": Wrong(looked=_hasty),
    "dates a look when it is written down": Wrong(looked=_late),
    "one approval is enough": Wrong(agree=_any_agree),
    "keys live for ever": Wrong(take=_eternal_key),
    "calls back what was sent": Wrong(cancel=_call_back_sent),
}


def _many(job: tuple[str, int, int]) -> tuple[str, int, dict[str, int], dict[str, int]]:
    name, first, count = job
    found: dict[str, int] = {}
    ends: dict[str, int] = {}
    for seed in range(first, first + count):
        run = Run(MACHINES[name], seed)
        for wrong in run.go():
            found[wrong] = found.get(wrong, 0) + 1
        ends[run.row.state] = ends.get(run.row.state, 0) + 1
    return name, count, found, ends


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--control-runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    began = time.monotonic()
    jobs = [
        ("as it is", options.seed * 10**9 + n, min(10_000, options.runs - n)) for n in range(0, options.runs, 10_000)
    ]
    jobs += [(name, options.seed * 10**9, options.control_runs) for name in itertools.islice(MACHINES, 1, None)]
    totals: dict[str, dict[str, Any]] = {name: {"runs": 0, "wrong": {}, "ends": {}} for name in MACHINES}
    with multiprocessing.Pool() as pool:
        for done, (name, count, found, ends) in enumerate(pool.imap_unordered(_many, jobs), 1):
            total = totals[name]
            total["runs"] += count
            for key, values in (("wrong", found), ("ends", ends)):
                for what, times in values.items():
                    total[key][what] = total[key].get(what, 0) + times
            print(f"\r{done}/{len(jobs)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    figures = {
        "runs": options.runs,
        "seed": options.seed,
        "seconds": round(time.monotonic() - began),
        "machines": totals,
    }
    print(json.dumps(figures, indent=1))
    is_right = not totals["as it is"]["wrong"]
    blind = [name for name in MACHINES if name != "as it is" and not totals[name]["wrong"]]
    if options.write:
        save({"name": "interleavings", "machine": this_machine(), **figures})
    if blind:
        print(f"controls that nothing was found wrong with: {blind}", file=sys.stderr)
    sys.exit(0 if is_right and not blind else 1)


if __name__ == "__main__":
    main()
