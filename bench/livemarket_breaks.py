"""The papers of a simulated business held against its events: every fault that was written into a settlement file must
come out as exactly one break of the right name, and nothing else may come out.

A world is lived from its first morning (`livemarket run --newborn`), its events are ingested, its settlement files and
bank statements are taken in, both sides are reconciled as of the last day. Once without errors, once with them. A fault
that takes away a line is due when the movement's settlement window is over; until then its movement must be open.

Controls, in the same run: the clean papers without the netting contract must raise alarms; a matcher that never sees a
line told twice must miss exactly the duplicates; a break that is dropped must be missed, and one of which the truth
knows nothing must be called false.

    python bench/livemarket_breaks.py [--days 150] [--seed 7] [--errors 25000] [--write]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from unittest import mock

from gate_stage import Stage
from results import machine as this_machine
from results import save

from steward.catalog.recon import load_recon
from steward.cli.events import bounded_lines
from steward.cli.output import Phases
from steward.contracts.settlement import Statement
from steward.infra.clock import FrozenClock, SystemClock
from steward.reconciliation import Reconciliation
from steward.reconciliation.store import StatementStore

TYPES = {
    "CHARGE": {"payment"}, "SETTLEMENT": {"payment"}, "REFUND": {"refund"}, "LATE_REFUND": {"refund"},
    "DISPUTE": {"dispute", "fee"}, "DISPUTE_WON": {"dispute_reversal", "fee"}, "COUNTER_FEE": {"fee"},
    "RESERVE": {"reserve_hold"}, "RELEASE": {"reserve_release"}, "KEPT": {"adjustment"}, "SENT": {"transfer"},
}  # fmt: skip
"""What a line of the simulated world is, in the types of statements."""
NAMES = {
    ("amount", "RESERVE"): "reserve", ("amount", "RELEASE"): "reserve", ("amount", "COUNTER_FEE"): "fee",
}  # fmt: skip
"""How a fault is called where its line is not a sale: what is held back has a name of its own, and so has a charge."""


@dataclass(frozen=True)
class Papers:
    """One simulated business in files."""

    folder: Path
    end: datetime
    faults: list[dict]


def lived(folder, days, seed, errors):
    command = [sys.executable, "-m", "livemarket", "run", "--days", str(days), "--seed", str(seed), "--newborn",
               "--errors", str(errors), "--out", str(folder), "--json"]  # fmt: skip
    made = subprocess.run(command, capture_output=True, check=True, text=True, cwd=tempfile.gettempdir())
    summary = json.loads(made.stdout)
    end = datetime.combine(datetime.fromisoformat(summary["first_date"]), clock_time(), UTC) + timedelta(days=days)
    faults = [json.loads(line) for line in (folder / "truth/faults.jsonl").read_text().splitlines()]
    return Papers(folder, end, [one for one in faults if one["file"].startswith("settlements/")])


def opened(stage, papers):
    """A shop that has the business's events and its papers; refused files are an error of this benchmark."""
    app = stage.app()
    app.clock = FrozenClock(papers.end)
    phases = Phases(SystemClock().monotonic)
    with (papers.folder / "events.jsonl").open("rb") as file, phases.phase("ingest") as step:
        taken = app.ingestor.take_lines(bounded_lines(file), step)
    assert not taken.rejected, taken.rejected[0]
    app.events.sequence()
    files = [(path.parent.name, path) for path in sorted(papers.folder.glob("settlements/*/*.csv"))]
    files += [("camt", path) for path in sorted(papers.folder.glob("bank/*.xml"))]
    for provider, path in files:
        made = app.settlement_files.take(provider, path.name, path.read_bytes(), "bench")
        assert made["outcome"] == "taken", made
    return app, taken.accepted, len(files)


def held(runs, papers):
    """Both sides reconciled; reports and open breaks."""
    reports = [runs.run(side, "bench", papers.end) for side in ("statement", "bank")]
    return reports, runs.breaks(limit=1_000_000)


def about(stage):
    """What each item is: (type, every id it carries), by side and key."""
    lines = stage.sql("""SELECT 'statement', s.provider || '/' || s.statement || '/' || l.key, l.type, l.refs
                         FROM settlement_line l JOIN settlement s USING (settlement_id)""")
    books = stage.sql("SELECT 'books', key, type, refs FROM expectation WHERE side = 'statement'")
    return {(side, key): (kind, {value for _, value in refs} | {key}) for side, key, kind, refs in [*lines, *books]}


def told_of(one, known):
    """(types, ids) of a break: by its lines, or by its movements where it has no line."""
    items = [(item["side"], item["key"]) for item in one["items"] if (item["side"], item["key"]) in known]
    lines = [item for item in items if item[0] == "statement"]
    types = {known[item][0] for item in lines or items}
    return types, set().union(*(known[item][1] for item in items))


def lines_of(fault):
    """PayPal tells a dispute and its fee in two lines, so that both are missing, or both told again."""
    apart = fault["line_kind"] in {"DISPUTE", "DISPUTE_WON"} and "/paypal/" in fault["file"]
    return {1, 2} if apart and fault["fault"] in {"missing", "duplicate"} else {1}


def judged(breaks, faults, known, not_due):
    """Each fault with the breaks that tell of it; what no fault explains is a false alarm."""
    left = [(one, *told_of(one, known)) for one in breaks]
    rows, missed, wrong = Counter(), [], []
    waiting = 0
    for fault in faults:
        provider, name = fault["file"].split("/")[1], NAMES.get((fault["fault"], fault["line_kind"]), fault["fault"])
        mine = [
            row for row in left
            if row[0]["provider"] == provider and fault["reference"] in row[2] and row[1] & TYPES[fault["line_kind"]]
        ]  # fmt: skip
        right = [row for row in mine if row[0]["type"] == name]
        chosen = right or mine
        left = [row for row in left if all(row is not own for own in chosen)]
        if not mine and fault["fault"] == "missing" and fault["reference"] in not_due:
            waiting += 1
        elif not mine:
            missed.append(fault)
        elif not right or len(chosen) not in lines_of(fault):
            wrong.append({**fault, "as": [row[0]["type"] for row in chosen]})
        else:
            rows[fault["fault"]] += 1
    return {
        "injected": len(faults),
        "by_fault": dict(sorted(Counter(one["fault"] for one in faults).items())),
        "found_and_named": dict(sorted(rows.items())),
        "missing_and_not_due_yet": waiting,
        "missed": missed,
        "named_wrong": wrong,
        "false_alarms": [
            {"type": one["type"], "side": one["side"], "amount_minor": one["amount_minor"],
             "items": [item["key"] for item in one["items"]], "evidence": one["evidence"]}
            for one, _, _ in left
        ],
    }  # fmt: skip


def still_open(stage, breaks, known):
    """Ids of movements that stand in no match and no break: they may still come."""
    rows = stage.sql("""SELECT e.key FROM expectation e LEFT JOIN recon_item i ON i.is_live AND i.item_side = 'books'
                        AND i.book = 'statement' AND i.key = e.key WHERE e.side = 'statement' AND i.key IS NULL""")
    broken = {item["key"] for one in breaks for item in one["items"] if item["side"] == "books"}
    return set().union(*(known["books", key][1] for (key,) in rows if key not in broken), set())


def without_repeats(pool):
    """The blind matcher: a line told twice is seen once."""

    def seen(store, connection, **more):
        made = pool(store, connection, **more)
        return [
            Statement(s.id, s.provider, s.account, s.currency, tuple(li for li in s.lines if "#" not in li.key))
            for s in made
        ]

    return seen


def clean_and_without_netting(papers):
    stage = Stage({})
    try:
        began = time.perf_counter()
        app, events, files = opened(stage, papers)
        taken = time.perf_counter()
        reports, breaks = held(app.reconciliation, papers)
        done = time.perf_counter()
        whole = judged(breaks, [], about(stage), set())
        without = load_recon().model_copy(update={"netting": ()})
        runs = Reconciliation(app.database, app.clock, app.events, lambda: without)
        control = held(runs, papers)[1]
        app.close()
        figures = {
            "events": events, "files": files, "lines": sum(r["lines"] for r in reports),
            "matched": sum(r["matched"] for r in reports), "by_rule": [r["by_rule"] for r in reports],
            "conserved": all(r["conserved"] for r in reports), "ingest_seconds": round(taken - began, 1),
            "reconcile_seconds": round(done - taken, 1), "false_alarms": whole["false_alarms"],
        }  # fmt: skip
        return figures, len(control)
    finally:
        stage.close()


def spoilt(papers):
    stage = Stage({})
    try:
        app, _, _ = opened(stage, papers)
        _, breaks = held(app.reconciliation, papers)
        known = about(stage)
        not_due = still_open(stage, breaks, known)
        found = judged(breaks, papers.faults, known, not_due)
        explained = next(one for one in breaks if one["type"] == "duplicate")
        dropped = judged([one for one in breaks if one is not explained], papers.faults, known, not_due)
        forgotten = judged(breaks, papers.faults[1:] if found["missed"] == [] else papers.faults, known, not_due)
        with mock.patch.object(StatementStore, "pool", without_repeats(StatementStore.pool)):
            blind = judged(held(app.reconciliation, papers)[1], papers.faults, known, not_due)
        app.close()
        controls = {
            "dropped_break_missed": len(dropped["missed"]) + len(dropped["named_wrong"]),
            "forgotten_fault_is_an_alarm": len(forgotten["false_alarms"]),
            "blind_to_repeats_missed": sorted({one["fault"] for one in blind["missed"]}),
            "blind_to_repeats_missed_of": [len(blind["missed"]), found["by_fault"].get("duplicate", 0)],
        }
        return found, controls
    finally:
        stage.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--errors", type=int, default=25_000, help="wrong lines in a million")
    parser.add_argument("--clean-only", action="store_true", help="only the papers without errors")
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="steward-papers-"))
    try:
        clean, unnetted = clean_and_without_netting(lived(folder / "clean", options.days, options.seed, 0))
        print(json.dumps({"clean": clean, "without_netting": unnetted}, indent=1), file=sys.stderr)
        if options.clean_only:
            found, controls = {"missed": [], "named_wrong": [], "false_alarms": []}, {}
        else:
            found, controls = spoilt(lived(folder / "spoilt", options.days, options.seed, options.errors))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures = {"days": options.days, "seed": options.seed, "errors_in_a_million": options.errors, "clean": clean,
               "spoilt": found, "controls": {"clean_without_netting_alarms": unnetted, **controls}}  # fmt: skip
    print(json.dumps(figures, indent=1))
    if options.write:
        save(
            {
                "name": "livemarket_year" if options.clean_only else "livemarket_breaks",
                "machine": this_machine(),
                **figures,
            }
        )
    is_right = clean["conserved"] and not clean["false_alarms"]
    is_right = is_right and not (found["missed"] or found["named_wrong"] or found["false_alarms"])
    is_seen = unnetted > 0
    if controls:
        missed, of = controls["blind_to_repeats_missed_of"]
        is_seen = is_seen and controls["dropped_break_missed"] > 0 and controls["forgotten_fault_is_an_alarm"] > 0
        is_seen = is_seen and controls["blind_to_repeats_missed"] == ["duplicate"] and missed == of > 0
    print(f"every fault one break and no false alarm {is_right}, the controls failed {is_seen}", file=sys.stderr)
    sys.exit(0 if is_right and is_seen else 1)


if __name__ == "__main__":
    main()
