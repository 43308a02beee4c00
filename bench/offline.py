"""Re-verifies an exported history of a hundred thousand decisions with the one-file program, on one core.

The export is made of real verdicts and certificates in the real format (exports.py). The control changes one digit of
one bundle and makes every digest inside the export fit again: the same run must say no.

Run: python bench/offline.py [--decisions 100000]. Prints JSON; exits 1 if the honest export is refused, or the changed
one is not.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from exports import keep_rest, write_export
from results import machine, save

from steward.events.core.merkle import extend, root_of_frontier
from steward.offline import PROGRAM
from steward.offline.history import read_event

AIMED_SECONDS = 60


def verified(folder, checkpoint, key):
    """(exit code, report, seconds of wall clock, seconds of processor) of the program in a process of its own."""
    command = [sys.executable, "-I", str(PROGRAM), str(folder), "--checkpoint", str(checkpoint), "--key", str(key)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, json.loads(done.stdout), round(seconds, 2), round(spent, 2)


def changed(folder, count):
    """One decision's day total of refunds made smaller, and every digest inside the export computed anew."""
    bundles = (folder / "bundles.jsonl").read_bytes().splitlines()
    events = (folder / "events.jsonl").read_bytes().splitlines()
    place = next(i for i, line in enumerate(bundles) if b'"refunds.today"' in line)
    bundle = json.loads(bundles[place])
    bundle["facts"]["refunds.today"]["amount_minor"] += 1
    bundle.pop("digest")
    bundle["digest"] = hashlib.sha256(_canonical(bundle)).hexdigest()
    old, bundles[place] = hashlib.sha256(bundles[place]).hexdigest(), _canonical(bundle)
    new = hashlib.sha256(bundles[place]).hexdigest()
    events = [line.replace(old.encode(), new.encode()) for line in events]
    (folder / "bundles.jsonl").write_bytes(b"\n".join(bundles) + b"\n")
    (folder / "events.jsonl").write_bytes(b"\n".join(events) + b"\n")
    size, frontier = extend(0, [], (read_event(line)[1] for line in events))
    keep_rest(folder, size, root_of_frontier(frontier).hex(), count)


def _canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def main():
    parser = argparse.ArgumentParser(description="Offline verification of an exported history; prints JSON figures.")
    parser.add_argument("--decisions", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        start = time.perf_counter()
        checkpoint, key = write_export(folder, options.decisions)
        made = round(time.perf_counter() - start, 1)
        size = sum(path.stat().st_size for path in folder.glob("*.jsonl"))
        code, report, seconds, spent = verified(folder, checkpoint, key)
        kept = checkpoint.read_bytes()
        changed(folder, options.decisions)
        checkpoint.write_bytes(kept)
        control = verified(folder, checkpoint, key)
    figures = {
        "decisions": report["decisions"],
        "events": report["size"],
        "certificates": report["certificates"],
        "verdicts": report["verdicts"],
        "megabytes": round(size / 1e6, 1),
        "invalid": report["invalid_count"],
        "seconds": seconds,
        "processor_seconds": spent,
        "decisions_per_second": round(report["decisions"] / seconds),
        "aimed_at_seconds": AIMED_SECONDS,
        "made_in_seconds": made,
    }
    found = {"exit_code": control[0], "first": control[1]["invalid"][:2], "invalid": control[1]["invalid_count"]}
    document = {
        "name": "offline",
        "figures": figures,
        "control_one_digit_changed_and_rehashed": found,
        "machine": machine(),
    }
    save(document)
    print(json.dumps(document, indent=1))
    return 0 if code == 0 and figures["invalid"] == 0 and control[0] == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
