"""Bad weather is drawn from a seed, in the shares that were asked for."""

import pytest

from livemarket.faces.faults import STORMS, Faults, Weather


def test_shares_are_met_and_the_same_seed_draws_the_same():
    def drawn(seed):
        weather = Weather("stripe", seed, lose_request=1500, lose_reply=1500, stall=500, milliseconds=800)
        return weather, [weather.draw() for _ in range(10_000)]

    weather, calls = drawn(1)
    assert calls == drawn(1)[1] != drawn(2)[1]
    assert set(weather.met) == {"lose_request", "lose_reply", "stall"}
    assert weather.met["lose_reply"] == pytest.approx(1500, rel=0.1)
    assert weather.met["stall"] == pytest.approx(500, rel=0.2)
    assert max(wait for kind, wait in calls if kind == "stall") <= 800


def test_fair_weather_meets_nothing():
    weather = Weather("stripe")
    assert {weather.draw()[0] for _ in range(100)} == {""}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"face": ""},
        {"face": "stripe", "hail": 3},
        {"face": "stripe", "limit": -1},
        {"face": "stripe", "limit": "9"},
        {"face": "stripe", **dict.fromkeys(STORMS, 1667)},
    ],
)
def test_weather_that_cannot_be_is_refused(document):
    with pytest.raises(ValueError, match=r"shares|weather has"):
        Faults().turn(document)
