"""A storm against the log: eight writers, two sequencers, three readers, a follower, and kill -9 of all of them.

Writers send batches straight to the log and leave others in the outbox, in transactions that stall and roll back; they
send some batches twice, and a killed one asks the log what is stored and sends the rest. Writers, sequencers, readers
and the database's postmaster are killed when the log passes sizes drawn from the seed; sequencers are stopped and
woken. Half way everything is dumped with pg_dump and restored into another database, and the storm goes on there.

At the end every event is in the log once, positions are dense, each reader's file of what it saw equals the table byte
for byte, the exactly-once projection equals the log, and the log verifies. The control is a bigserial table that the
same writers fill in transactions of the same length and the same readers tail by `pos > last`: it must miss rows.

SIGKILL does not test loss of power.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from log_storm_actors import Stage
from log_storm_findings import Findings
from log_storm_stage import PLAN, Storm
from results import machine, save

from steward.infra.db import Database
from steward.infra.postgres import EmbeddedPostgres

FULL = 2_000_000
AT_LEAST = {"writer": 20, "sequencer": 6, "database": 6}


def storm(arguments):
    """The whole of it on a server of its own; what came of it."""
    home = Path(tempfile.mkdtemp(prefix="steward-storm-"))
    home.chmod(0o711)
    stage, embedded = Stage(home), EmbeddedPostgres(home)
    course = Storm(stage, embedded, arguments)
    started = time.perf_counter()
    try:
        course.prepare()
        course.rage(0)
        at_half = course.ask("SELECT size FROM log_head")
        say(f"dump and restore at {at_half:,} events")
        course.move_house()
        course.rage(1)
        seconds = time.perf_counter() - started
        say(f"calm after {seconds:.0f} s; looking")
        findings = Findings(stage, course.owner(), course.shares)
        findings.look()
        database = Database(stage.conninfo())
        report = findings.verify(database)
        database.close()
        takeovers = course.ask("SELECT generation FROM sequencer")
    finally:
        course.end_all()
        embedded.stop()
        notes, checkpoints = stage.notes(), home / "checkpoints.jsonl"
        published = len(checkpoints.read_text().splitlines()) if checkpoints.exists() else 0
        shutil.rmtree(home, ignore_errors=True)
    return {
        "name": "log_storm",
        "machine": machine(),
        "seed": arguments.seed,
        "writers": arguments.writers,
        "events": report.count,
        "seconds": round(time.perf_counter() - started),
        "seconds_of_storm": round(seconds),
        "kills": course.kills,
        "slowest_recovery_seconds": f"{course.slowest_recovery:.1f}",
        "sequencer_takeovers": takeovers,
        "restored_at": at_half,
        "checkpoints_published": published,
        "happened": dict(sorted(Counter(note for note in notes if not note.startswith("wrong")).items())),
        "wrong": [
            *course.wrong,
            *(f"{count} times: {what}" for what, count in course.ends.items()),
            *sorted({note.removeprefix("wrong: ") for note in notes if note.startswith("wrong")}),
            *findings.wrong,
            *too_few(course.kills, arguments.events),
        ],
        "log_intact": report.is_intact,
        "control": findings.control,
    }


def too_few(kills, events):
    """A full storm that killed too little shows too little."""
    if events < FULL:
        return []
    return [f"only {kills[kind]} kills of {kind}" for kind, least in AT_LEAST.items() if kills[kind] < least]


def say(what):
    print(f"\n{what}" if sys.stderr.isatty() else what, file=sys.stderr, flush=True)


def show(document):
    control = document["control"]
    print(f"{document['events']:,} events, {document['writers']} writers, {document['seconds']} s, of which the storm")
    print(f"took {document['seconds_of_storm']}; restored by pg_restore at {document['restored_at']:,}")
    print("\nkill -9 (stopped: SIGSTOP and SIGCONT)")
    for kind in PLAN:
        print(f"  {kind:<24}{document['kills'][kind]:>8,}")
    print("\nwhat happened besides")
    for what, count in document["happened"].items():
        print(f"  {what:<44}{count:>8,}")
    print(f"\ncontrol: of {control['rows']:,} rows its readers missed", end=" ")
    missed = zip(control["missed_by_reader"], control["missed_percent"], strict=True)
    print(", ".join(f"{rows:,} ({percent} %)" for rows, percent in missed))
    print("\nnothing is wrong" if not document["wrong"] else "\nWRONG")
    for what in document["wrong"]:
        print(f"  {what}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=FULL)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--json", action="store_true", help="print the document instead of a report")
    parser.add_argument("--no-save", action="store_true", help="leave bench/results/log_storm.json alone")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    document = storm(arguments)
    if not arguments.no_save:
        save(document)
    if arguments.json:
        print(json.dumps(document, indent=1))
    else:
        show(document)
    sys.exit(1 if document["wrong"] or not document["log_intact"] else 0)


if __name__ == "__main__":
    main()
