"""kill -9 the demo (and at times its database) at random moments of every phase, run again, compare the figures.

The control is the same storm with idempotency keys switched off: there the figures must differ, or the storm proves
nothing. `make kill-storm` runs ten moments a phase; the test suite runs one.
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PHASES = ("start", "read", "ingest", "post", "project", "walk", "settle")
# Times, ids and the root over them may differ between runs; every figure must not.
IGNORED = ("seconds", "milliseconds", "audit_root")
CHECKS = (("ledger", "check"), ("events", "verify"), ("audit", "verify"))
UNKEYED = """
import os, sys
import steward.kernel.ids as ids
salt = str(os.getpid())
plain = ids.idempotency_key
ids.idempotency_key = lambda *parts: plain(*parts, salt)
from steward.cli.main import main
sys.argv[0] = "steward"
main()
"""


@dataclass
class Home:
    """A data folder of its own, the environment that names it, and how the demo is started there."""

    data: Path
    keyed: bool = True
    path: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="steward-storm-")))

    def environment(self):
        env = {key: value for key, value in os.environ.items() if not key.startswith("STEWARD_")}
        return {**env, "STEWARD_HOME": str(self.path)}

    def command(self, *arguments):
        program = ["-m", "steward"] if self.keyed else ["-c", UNKEYED]
        return [sys.executable, *program, *arguments]

    def demo(self):
        return self.command("demo", "--once", "--json", "--data", str(self.data))

    def finish(self):
        """Run to the end; the figures."""
        done = subprocess.run(
            self.demo(), env=self.environment(), capture_output=True, text=True, check=False, timeout=600
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr[-3000:]}")
        return json.loads(done.stdout)

    def holds(self, *arguments):
        done = subprocess.run(
            self.command(*arguments), env=self.environment(), capture_output=True, text=True, check=False, timeout=600
        )
        return done.returncode == 0

    def remove(self):
        subprocess.run(
            self.command("db", "stop"), env=self.environment(), capture_output=True, check=False, timeout=120
        )
        shutil.rmtree(self.path, ignore_errors=True)


def figures(document):
    return {key: value for key, value in document.items() if key not in IGNORED}


def kill_in_phase(home, phase, after_seconds, kill_database):
    """Start the demo, wait for the phase, wait a little more, kill -9. Whether it was still running."""
    process = subprocess.Popen(
        home.demo(), env=home.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    reached = threading.Event()

    def read():
        for line in process.stderr:
            if line.strip() == f"phase {phase}":
                reached.set()
        reached.set()

    reader = threading.Thread(target=read)
    reader.start()
    reached.wait(300)
    time.sleep(after_seconds)
    alive = process.poll() is None
    process.kill()
    if kill_database:
        kill_postmaster(home.path)
    process.communicate()
    reader.join()
    return alive


def kill_postmaster(home):
    pid_file = home / "postgres" / "cluster" / "data" / "postmaster.pid"
    try:
        os.kill(int(pid_file.read_text().split("\n", 1)[0]), signal.SIGKILL)
    except (OSError, ValueError):
        return  # not up yet, or gone already: the moment was drawn before it existed


def reference(data):
    """An undisturbed run: its figures, and how long each phase took."""
    home = Home(data)
    try:
        document = home.finish()
    finally:
        home.remove()
    return figures(document), {name: spent / 1000 for name, spent in document["milliseconds"].items()}


def one_kill(data, phase, seconds, rng, expected, keyed=True):
    """One moment: kill, run again, compare. Returns what happened."""
    home = Home(data, keyed)
    moment = rng.uniform(0, seconds)
    kill_database = rng.random() < 0.3
    try:
        alive = kill_in_phase(home, phase, moment, kill_database)
        found = figures(home.finish())
        same = found == expected
        with ThreadPoolExecutor() as together:
            sound = same and all(together.map(lambda check: home.holds(*check), CHECKS))
    finally:
        home.remove()
    differing = sorted(key for key in expected if found.get(key) != expected[key])
    return {
        "phase": phase,
        "after_seconds": f"{moment:.3f}",
        "killed_running": alive,
        "killed_database": kill_database,
        "same_figures": same,
        "sound": sound,
        "differing": differing,
    }


def storm(data, per_phase, seed, phases=PHASES, keyed=True, report=print):
    """Every phase, `per_phase` moments each."""
    rng = random.Random(seed)
    expected, seconds = reference(data)
    results = []
    for phase in phases:
        for _ in range(per_phase):
            results.append(one_kill(data, phase, seconds[phase], rng, expected, keyed))
            report(json.dumps(results[-1]))
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--per-phase", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20110731)
    parser.add_argument("--data", type=Path, required=False)
    arguments = parser.parse_args()
    from results import machine, save, thinned_history

    with tempfile.TemporaryDirectory() as folder:
        data = arguments.data or thinned_history(Path(folder))
        results = storm(data, arguments.per_phase, arguments.seed)
        # The control: keys off, killed where something is already stored.
        control = storm(data, 1, arguments.seed, ("post", "walk"), keyed=False)
    document = {
        "name": "kill_storm",
        "seed": arguments.seed,
        "machine": machine(),
        "kills": len(results),
        "killed_running": sum(result["killed_running"] for result in results),
        "killed_database_too": sum(result["killed_database"] for result in results),
        "same_figures_and_sound": sum(result["sound"] for result in results),
        "control_same_figures": sum(result["same_figures"] for result in control),
        "control_kills": len(control),
        "by_phase": {phase: sum(result["sound"] for result in results if result["phase"] == phase) for phase in PHASES},
    }
    save(document)
    print(json.dumps(document, indent=1))
    passed = document["same_figures_and_sound"] == len(results) and document["control_same_figures"] == 0
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
