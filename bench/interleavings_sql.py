"""Ten thousand of the interleavings of bench/interleavings.py on PostgreSQL: the same draws, with the row, its moves,
the people's words, the kill switch, the last look and the money set aside in the database, as the application's role.

Every move goes through the store and the trigger, every yes through `gate_decide` under a key's secret (some of them
to other arguments, or by the proposer), the last look is the query the dispatcher asks, and a budget holds the amount.
Each run ends in a rollback. Besides what bench/interleavings.py looks for:

    a standing that reads back otherwise than it was written     must be 0
    a last look that says another thing than the machine does    must be 0
    a hold in the books that is open after an end, or ended as it should not be   must be 0

Controls: a machine that sends again blindly, and one that looks too early, must be found; one for which a single
approval is enough must be stopped by the table whenever it tries.

    python bench/interleavings_sql.py [--runs 10000] [--seed 1] [--write]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import multiprocessing
import sys
import time
import uuid
from collections import Counter
from datetime import datetime
from typing import Any

import psycopg
from gate_stage import Stage
from interleavings import MACHINES, START, Run
from results import machine as this_machine
from results import save

from steward.gateway.core.holding import Money
from steward.gateway.core.machine import FREES, SPENDS, Illegal, Standing
from steward.gateway.service.moves import Ending, Mover
from steward.gateway.store import EffectStore, standing_of
from steward.gateway.store.approvals import ApprovalStore
from steward.infra.access import split_key
from steward.infra.clock import FrozenClock
from steward.kernel.errors import Conflict

PARTS = 2
THESE, OTHERS = hashlib.sha256(b"these").digest(), hashlib.sha256(b"others").digest()
SHARED: list[Any] = []
"""The stage, for the processes that are forked off."""
CONTROLS = ("blind retry", "looks too early", "one approval is enough")
ENDS = """
    SELECT e.how FROM hold h LEFT JOIN hold_end e USING (hold_no)
    WHERE h.source = %s AND h.kind = 'gate.budget'
"""
HOW = {"posted": "spent", "voided": "free", None: "open"}


class House:
    """One process's application, its people, and a budget that every action draws on."""

    def __init__(self, stage: Any) -> None:
        logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
        self.app = stage.app()
        self.clock = FrozenClock(START)
        self.app.clock = self.clock
        self.db = self.app.database
        self.keys = stage.keys
        self.effects, self.said = EffectStore(), ApprovalStore()
        self.caps, self.kills = self.app.caps, self.app.kills
        self.mover = Mover(self.app.events, self.caps)

    def at(self, now: datetime) -> None:
        self.clock.advance(now - self.clock.now())


class SqlRun(Run):
    """The same run, with PostgreSQL where the other has variables."""

    def __init__(self, logic: Any, seed: int, house: House) -> None:
        super().__init__(logic, seed)
        house.at(START)
        self.house, self.refused = house, 0
        self.id = uuid.uuid5(uuid.NAMESPACE_OID, f"{seed}")
        self.action = f"act_{self.id.hex}"
        with house.db.transaction() as connection:
            name = house.caps.reserve(self.action, Money(100, "GBP"), ["all"], self.now)
            values = {
                "action_id": self.id, "kind": "a.kind", "proposer": "proposer", "department": "ops", "goal": None,
                "stage": "live", "tool": "desk", "verb": "do", "mode": self.mode, "args": {}, "args_digest": THESE,
                "policy_version": THESE, "tool_version": THESE, "risk": "L1", "amount_minor": 100, "currency": "GBP",
                "quorum": self.quorum, "role": "manager" if self.quorum else None, "reason": "", "hold": name,
                "deadline": self.row.deadline, "now": self.now, "state": self.row.state,
            }  # fmt: skip
            house.effects.open(connection, values)

    def write(self, new: Any) -> bool:
        """A move through the store, under the trigger; what the table refuses did not happen."""
        if isinstance(new, Illegal):
            return False
        self.house.at(self.now)
        try:
            with self.house.db.transaction() as connection, connection.transaction():  # a savepoint
                row = self.house.effects.one(connection, self.id, lock=True)
                end = Ending(row, standing_of(row), new)
                self.house.mover.write(connection, [end], self.now, "bench")
        except (psycopg.errors.RestrictViolation, psycopg.errors.CheckViolation):
            self.refused += 1
            return False
        except Conflict:
            self.wrong.add("the store moved another row than was read")
            return False
        self.row = new
        if self.stands() != new:
            self.wrong.add("a standing reads back otherwise")
        return True

    def stands(self) -> Standing:
        with self.house.db.transaction() as connection:
            return standing_of(self.house.effects.one(connection, self.id))

    def say(self, who: str, args: str) -> None:
        key_id, secret = split_key(self.house.keys[who])
        values = {
            "action_id": self.id, "args_digest": THESE if args == "these" else OTHERS, "policy_version": THESE,
            "tool_version": THESE, "decision": "approve", "key_id": key_id, "secret": secret, "channel": "bench",
            "reason": "", "now": self.now,
        }  # fmt: skip
        with self.house.db.transaction() as connection:
            why = self.house.said.decide(connection, values)
            agreed = self.house.said.agreed(connection, self.id)
        if not why:
            self.agreed.add(who)
        if agreed != len(self.agreed) or (not why and (args != "these" or who == "proposer")):
            self.wrong.add("a word counted that should not")

    def toggle(self) -> None:
        self.house.at(self.now)
        if self.killed:
            self.house.kills.lift("tool:desk", "ana", "go on", self.house.keys["ana"])
        else:
            self.house.kills.throw("tool:desk", "ana", "stop")
        super().toggle()

    def may_send(self, held: Standing) -> bool:
        with self.house.db.transaction() as connection:
            row = self.house.effects.may_send(connection, self.id, held.fence)
        may = row is not None and row["lease_until"] is not None and self.now < row["lease_until"]
        if self.m is MACHINES["as it is"] and may != super().may_send(held):
            self.wrong.add("the last look says another thing in SQL")
        return may

    def judged(self) -> set[str]:
        with self.house.db.transaction() as connection:
            rows = connection.execute(ENDS, [f"steward/gateway/{self.action}"]).fetchall()
        if len(rows) != 1:
            self.wrong.add(f"{len(rows)} holds")
        else:
            self.hold = HOW.get(rows[0]["how"], str(rows[0]["how"]))
        if self.row.state not in FREES | SPENDS and self.hold != "open":
            self.wrong.add("a hold ended early")
        return super().judged()


def part(job: tuple[str, int, int]) -> dict[str, Any]:
    name, first, count = job
    house = House(SHARED[0])
    wrong: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    refused = 0
    for number in range(count):
        with house.db.rolled_back():
            run = SqlRun(MACHINES[name], first + number, house)
            wrong.update(run.go())
        ends[run.row.state] += 1
        refused += run.refused
    house.app.close()
    return {"name": name, "runs": count, "wrong": dict(wrong), "ends": dict(ends), "refused_by_the_table": refused}


def prepare(stage: Any) -> None:
    """People with keys, a budget, and the owner's leave to judge by the run's clock."""
    stage.sql("INSERT INTO gate_clock (reason) VALUES ('the run has a clock of its own')")
    app = stage.app()
    app.clock = FrozenClock(START)
    ana = app.access.create("ana", (), "founder")
    stage.keys = {"ana": ana} | {n: app.access.create(n, (), "manager", by=ana) for n in ("ben", "proposer")}
    wrong = app.ledger.grant("all", "GBP", 10**12, "g1", "ana", "runs")
    if wrong:
        raise RuntimeError(str(wrong))
    with app.database.transaction():
        app.caps.reserve("act_" + "0" * 32, Money(1, "GBP"), ["all"], START)  # opens the accounts once
    app.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--control-runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    began = time.monotonic()
    stage = Stage({})
    prepare(stage)
    stage.verifier.close()
    fork = multiprocessing.get_context("fork")
    SHARED.append(stage)
    seed, share = options.seed * 10**9, 500
    jobs = [("as it is", seed + n, min(share, options.runs - n)) for n in range(0, options.runs, share)]
    jobs += [(name, seed, options.control_runs) for name in CONTROLS]
    totals: dict[str, dict[str, Any]] = {}
    with fork.Pool(PARTS) as pool:
        for done, one in enumerate(pool.imap_unordered(part, jobs), 1):
            total = totals.setdefault(one["name"], {"runs": 0, "wrong": {}, "ends": {}, "refused_by_the_table": 0})
            for key in ("runs", "refused_by_the_table"):
                total[key] += one[key]
            for key in ("wrong", "ends"):
                total[key] = dict(Counter(total[key]) + Counter(one[key]))
            print(f"\r{done}/{len(jobs)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    stage.close()
    figures = {
        "runs": options.runs, "seed": options.seed, "seconds": round(time.monotonic() - began), "machines": totals,
    }  # fmt: skip
    print(json.dumps(figures, indent=1))
    is_right = not totals["as it is"]["wrong"] and not totals["as it is"]["refused_by_the_table"]
    held = totals["one approval is enough"]
    is_held = held["refused_by_the_table"] > 0 and "sent without its approvals" not in held["wrong"]
    is_seen = all(totals[name]["wrong"] for name in CONTROLS[:2])
    if options.write:
        save({"name": "interleavings_sql", "machine": this_machine(), **figures})
    print(f"right {is_right}, wrong machines found {is_seen}, held by the table {is_held}", file=sys.stderr)
    sys.exit(0 if is_right and is_held and is_seen else 1)


if __name__ == "__main__":
    main()
