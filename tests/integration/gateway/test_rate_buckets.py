"""A bucket of tokens over hours and years in which nobody draws: it is full again, and no larger."""

from datetime import UTC, datetime, timedelta

import pytest

from steward.gateway.store import EffectStore

pytestmark = pytest.mark.db
AT = datetime(2026, 1, 5, tzinfo=UTC)
FAST, SLOW = 100_000_000, 1_000  # millionths of a token a second


@pytest.mark.parametrize(
    "away", [timedelta(seconds=1), timedelta(hours=25), timedelta(hours=26), timedelta(days=40_000)]
)
def test_a_fast_bucket_is_full_after_any_pause(database, away):
    store = EffectStore()
    with database.transaction() as connection:
        assert store.draw(connection, "stripe", 100, 100, FAST, AT) == (100, 0)
        assert store.draw(connection, "stripe", 150, 100, FAST, AT + away) == (100, 0)


def test_it_fills_as_its_rate_says_and_not_before(database):
    store = EffectStore()
    with database.transaction() as connection:
        store.draw(connection, "slow", 2, 2, SLOW, AT)
        assert store.draw(connection, "slow", 1, 2, SLOW, AT + timedelta(seconds=999)) == (0, 999_000)
        assert store.draw(connection, "slow", 1, 2, SLOW, AT + timedelta(seconds=1000)) == (1, 0)
        assert store.draw(connection, "slow", 5, 2, SLOW, AT + timedelta(seconds=3000)) == (2, 0)
        assert store.draw(connection, "slow", 1, 2, SLOW, AT) == (0, 0)  # an older clock fills nothing
