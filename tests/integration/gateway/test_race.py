"""The race of bench/race.py, smaller: writers at once through kill -9, and the control that must overspend."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.db


def test_nothing_is_overspent_through_kill_9_and_the_control_overspends(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "bench"))
    from race import race

    document = race(attempts=320, control_attempts=3000, kills=3, backends=1)
    assert document["wrong"] == []
    assert document["overspent_minor"] == 0
    assert document["control"]["overspent_minor"] > 0
    assert sum(document["kills"].values()) > 0
