"""kill -9 in every phase, then a second run: the same figures. Without idempotency keys: not the same."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import kill_storm

pytestmark = [pytest.mark.db, pytest.mark.slow]


@pytest.fixture(scope="module")
def undisturbed(tiny_history):
    return kill_storm.reference(tiny_history)


@pytest.mark.parametrize("phase", kill_storm.PHASES)
def test_a_kill_changes_no_figure(undisturbed, tiny_history, phase):
    expected, seconds = undisturbed
    result = kill_storm.one_kill(tiny_history, phase, seconds[phase], random.Random(phase), expected)
    assert result["sound"], result


def test_without_idempotency_keys_the_same_kill_is_seen(undisturbed, tiny_history):
    expected, _ = undisturbed
    result = kill_storm.one_kill(tiny_history, "walk", 1.0, random.Random(1), expected, keyed=False)
    assert not result["same_figures"]
    assert {"events", "transfers"} <= set(result["differing"])
