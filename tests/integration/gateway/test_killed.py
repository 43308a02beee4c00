"""kill -9 of a real process between any two steps of the gate's transaction: all of it, or none of it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.gateway.conftest import held, reserve

pytestmark = pytest.mark.db
STEPS = [
    "before the lock",
    "before the check",
    "before the hold",
    "after the hold",
    "after the action",
    "after the bundle",
    "before the facts",
    "after the facts",
]


def killed_at(shop, fresh, cluster, make, step, tmp_path):
    app_conninfo = fresh.app._conninfo
    given = {
        "step": step,
        "home": str(tmp_path / "other"),
        "conninfo": app_conninfo,
        "role": cluster.role,
        "at": make.start.isoformat(),
        "proposal": reserve("r1", 40000, make.start).model_dump(mode="json"),
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed.py"))],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def written(shop):
    tables = ("action", "decision", "proof_bundle", "hold", "gate_day")
    counts = {table: shop.one(f"SELECT count(*) FROM {table}") for table in tables}
    facts = "SELECT count(*) FROM event_outbox WHERE envelope->>'type' IN ('ActionProposed', 'ActionExecuted')"
    return {**counts, "facts": shop.one(facts)}


@pytest.mark.parametrize("step", STEPS)
def test_killed_inside_nothing_of_it_is_there_and_trying_again_does_it(granted, fresh, cluster, make, tmp_path, step):
    killed_at(granted, fresh, cluster, make, step, tmp_path)
    assert set(written(granted).values()) == {0}
    assert held(granted) == (0, 0)
    assert granted.app.control.act(reserve("r1", 40000, make.start)).is_new
    assert held(granted) == (40000, 40000)
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []
    assert granted.app.books.check().violations == []


def test_killed_after_the_commit_all_of_it_is_there_and_trying_again_repeats_nothing(
    granted, fresh, cluster, make, tmp_path
):
    killed_at(granted, fresh, cluster, make, "after the commit", tmp_path)
    assert written(granted) == {"action": 1, "decision": 1, "proof_bundle": 1, "hold": 1, "gate_day": 1, "facts": 2}
    acted = granted.app.control.act(reserve("r1", 40000, make.start))
    assert (acted.outcome, acted.is_new) == ("executed", False)
    assert held(granted) == (40000, 40000)
    granted.app.events.sequence()
    assert granted.app.auditor.verify().invalid == []
    assert granted.app.books.check().violations == []
