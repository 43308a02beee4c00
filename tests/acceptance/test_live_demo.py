"""A simulated day through real processes and sockets, with the worker killed in the middle; held against the world."""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from steward.demonstration import LiveDemo, Plan, shown
from steward.demonstration.place import Place
from steward.infra.connect import open_database
from steward.infra.postgres import EmbeddedPostgres
from steward.infra.settings import load_settings
from steward.kernel.errors import BadInput, Busy, Conflict

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
    with pytest.raises(Conflict, match="its time is simulated"):
        open_database(load_settings({"STEWARD_HOME": str(home)}))
    EmbeddedPostgres(home).stop()


def test_a_folder_of_somebody_else_is_not_touched(home):
    home.mkdir()
    (home / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="no demonstration's"):
        LiveDemo(home, Plan(), print).run()
    assert (home / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_two_do_not_walk_one_demonstration(home):
    with Place(home).alone(), pytest.raises(Busy, match="walks it already"):
        LiveDemo(home, Plan(), print).run()
