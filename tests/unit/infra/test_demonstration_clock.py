"""The clock that a file holds: shared, moved at once, never back, and for ten minutes at most by itself."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from steward.infra.demonstration import DemonstrationClock
from steward.infra.settings import load_settings
from steward.kernel.errors import BadInput

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_all_who_share_the_file_see_the_same_time_and_it_goes_on(tmp_path):
    one, other = (DemonstrationClock(tmp_path / "clock") for _ in range(2))
    one.set(AT)
    first, second = other.now(), one.now()
    assert AT <= first <= second < AT + timedelta(seconds=30)


def test_it_never_goes_back(tmp_path):
    clock = DemonstrationClock(tmp_path / "clock")
    clock.set(AT)
    clock.set(AT - timedelta(days=1))
    assert clock.now() >= AT
    clock.set(AT + timedelta(days=1))
    assert clock.now() >= AT + timedelta(days=1)


@pytest.mark.parametrize(("ago", "later"), [(3_600, timedelta(minutes=10)), (-3_600, timedelta(0))])
def test_left_alone_it_stands_after_ten_minutes_and_a_restart_of_the_machine_does_not_move_it(tmp_path, ago, later):
    file = tmp_path / "clock"
    file.write_text(f"2026-01-05T12:00:00Z {time.monotonic_ns() - ago * 10**9}\n", encoding="utf-8")
    assert DemonstrationClock(file).now() == AT + later


@pytest.mark.parametrize("text", ["", "noon 1", "2026-01-05T12:00:00Z", "2026-01-05T12:00:00 7"])
def test_what_is_no_time_is_an_error_and_no_guess(tmp_path, text):
    file = tmp_path / "clock"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match="no time can be read"):
        DemonstrationClock(file).now()


def test_without_the_setting_there_is_no_such_clock(tmp_path):
    assert load_settings({"STEWARD_HOME": str(tmp_path)}).demonstration is None
    named = load_settings({"STEWARD_HOME": str(tmp_path), "STEWARD_DEMONSTRATION": str(tmp_path / "clock")})
    assert named.demonstration == (tmp_path / "clock").resolve()
