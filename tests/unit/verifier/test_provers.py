"""The prover process: what it finds, and that its crash, silence or lies only ever escalate."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steward.verifier import Verifier
from steward.verifier.provers.client import Prover

NOW = "2026-01-01T00:00:00Z"
DOCUMENT = {
    "facts": [{"name": "r", "type": "decimal"}],
    "kinds": [{"name": "act", "params": {}}],
    "invariants": [{"id": "low", "on": ["act"], "require": "r <= 2", "otherwise": "deny", "why": "w"}],
}
ACTION = {"id": "a", "kind": "act", "params": {}, "principal": {"id": "p", "roles": []}}
TRUE = {"r": {"low": "0", "high": "1"}}


def with_prover(script, seconds=0.4):
    prover = Prover(seconds, (sys.executable, "-c", "import sys, json, time, os\n" + script))
    return Verifier.from_documents([("a.yaml", DOCUMENT)], None, prover)


READY = 'print(json.dumps({"ready": True}), flush=True)\n'


@pytest.mark.parametrize(
    "script",
    [
        READY + "sys.stdin.readline(); os._exit(3)",
        READY + "time.sleep(60)",
        READY + 'sys.stdin.readline(); print("nonsense", flush=True); time.sleep(60)',
        READY + 'sys.stdin.readline(); print("[]", flush=True); time.sleep(60)',
        READY + 'sys.stdin.readline(); print("x" * 9_000_000, flush=True); time.sleep(60)',
        READY
        + 'sys.stdin.readline(); print(json.dumps({"id": 99, "status": "proved", "tree": []}), flush=True); time.sleep(9)',
        READY
        + 'sys.stdin.readline(); print(json.dumps({"id": 1, "status": "proved", "tree": ["F", [[2, "1"]]]}), flush=True); time.sleep(9)',
        READY + 'sys.stdin.readline(); print(json.dumps({"id": 1, "status": "proved"}), flush=True); time.sleep(9)',
        READY
        + 'sys.stdin.readline(); print(json.dumps({"id": 1, "status": "refuted", "point": {"r": "5"}}), flush=True); time.sleep(9)',
        READY
        + 'sys.stdin.readline(); print(json.dumps({"id": 1, "status": "refuted", "point": {"r": "x"}}), flush=True); time.sleep(9)',
        READY
        + 'sys.stdin.readline(); print(json.dumps({"id": 1, "status": "refuted", "point": 7}), flush=True); time.sleep(9)',
        "os._exit(1)",
        'print("{}", flush=True); time.sleep(9)',
    ],
)
def test_a_broken_or_lying_prover_escalates(script):
    start = time.monotonic()
    with with_prover(script) as judge:
        found = judge.certify(ACTION, TRUE, NOW)
        assert found.verdict == "ESCALATE"
        assert found.findings[0].status == "unproved"
        assert judge.check(found.bundle).valid
        assert judge.rebuild(found.bundle).valid
    assert time.monotonic() - start < 5


def test_the_process_is_started_again_after_a_crash():
    with Verifier.from_documents([("a.yaml", DOCUMENT)]) as judge:
        assert judge.certify(ACTION, TRUE, NOW).verdict == "ALLOW"
        first = judge.prover.process.pid
        os.kill(first, signal.SIGKILL)
        judge.prover.process.wait()
        assert judge.certify(ACTION, TRUE, NOW).verdict == "ALLOW"
        assert judge.prover.process.pid != first
    assert judge.prover.process is None


def test_the_worker_ends_when_its_parent_is_killed(tmp_path):
    script = (
        "import time\nfrom steward.verifier.provers.client import Prover\n"
        "p = Prover()\np.warm()\nprint(p.process.pid, flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and _alive(worker):
        time.sleep(0.02)
    assert not _alive(worker)


def _alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def test_the_worker_gets_no_secrets(monkeypatch):
    monkeypatch.setenv("STEWARD_DATABASE_URL", "postgresql://secret")
    prover = Prover()
    prover.warm()
    assert b"secret" not in Path(f"/proc/{prover.process.pid}/environ").read_bytes()
    prover.close()


def test_a_prover_nobody_closed_ends_with_its_owner():
    prover = Prover()
    prover.warm()
    process = prover.process
    del prover
    assert process.poll() is not None
