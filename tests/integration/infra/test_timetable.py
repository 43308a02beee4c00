"""The jobs themselves, without the engine."""

from datetime import UTC, datetime

import pytest

from steward.bootstrap import App
from steward.catalog import load_catalog
from steward.infra.clock import FrozenClock
from steward.infra.settings import Settings
from steward.worker.jobs import JOBS

pytestmark = pytest.mark.db
TICK = datetime(2026, 11, 27, 9, tzinfo=UTC)


def test_the_snapshot_of_a_tick_is_taken_once_and_stands_in_the_log(fresh, tmp_path):
    settings = Settings(home=tmp_path, database_url=None, host="127.0.0.1", port=0)
    app = App(settings, fresh.app, load_catalog(), FrozenClock(TICK))
    first, again = (JOBS["snapshot"](app, TICK) for _ in range(2))
    assert first == again
    assert [(taken.id, taken.as_of) for taken in app.state.snapshots()] == [(first, TICK)]
    app.events.sequence()
    assert app.events.head()["size"] == 1
