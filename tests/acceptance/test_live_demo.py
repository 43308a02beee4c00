"""A simulated day through real processes and sockets, with the worker killed in the middle; held against the world."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from steward.demonstration import LiveDemo, Plan, shown
from steward.infra.postgres import EmbeddedPostgres
from steward.kernel.errors import BadInput

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture
def home():
    folder = Path(tempfile.mkdtemp(prefix="steward-live-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder, ignore_errors=True)


def test_a_day_is_what_the_world_says_though_the_worker_was_killed(home):
    told = []

    def tell(line):
        told.append(line)
        if len(told) == 1:
            os.kill(demo.processes.running["worker"].pid, signal.SIGKILL)

    demo = LiveDemo(home, Plan(seed=11, lead_days=0, days=1, step_hours=12), tell)
    document = demo.run()
    assert document["restarts"] == {"worker": 1}
    assert document["holds"], document
    assert document["trial_balance"] == {"USD": 0}
    assert document["violations"] == 0
    assert document["orders"] > 50
    assert document["webhooks"]["duplicates"] == 5  # the world sends five twice; a step that is done is not done again
    assert (document["webhooks"]["failed"], document["webhooks"]["refused"]) == (0, 0)
    assert document["settlements"]["lines"] == document["settlements"]["done"] > 0  # the bank's day
    assert "trial balance USD 0.00" in shown(document)
    # Its processes ended with it, and its database opens for nobody who lives by real time.
    assert demo.processes.running == {}
    assert not EmbeddedPostgres(home).is_running()
    env = {name: value for name, value in os.environ.items() if not name.startswith("STEWARD_")}
    refused = subprocess.run(
        [sys.executable, "-m", "steward", "breaks"], env=env | {"STEWARD_HOME": str(home)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    EmbeddedPostgres(home).stop()
    assert refused.returncode == 1
    assert "its time is simulated" in refused.stderr


def test_a_folder_of_somebody_else_is_not_touched(home):
    home.mkdir()
    (home / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="no demonstration's"):
        LiveDemo(home, Plan(), print).run()
    assert (home / "mine.txt").read_text(encoding="utf-8") == "mine"
