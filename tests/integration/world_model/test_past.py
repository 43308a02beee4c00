"""Intervals of the past: what they hold, and that a history too short gives none."""

from datetime import timedelta

import pytest

from steward.contracts.event import Envelope

pytestmark = pytest.mark.db

NAMES = ("discount.stacked", "losses.day", "returns.share", "demand.week", "disputes.share")


@pytest.fixture
def ask(shop, make):
    def fact(name, days=70):
        return shop.app.world_model.fact(name, {"sku": "MUG"}, make.start + timedelta(days=days), [])

    return fact


def history(make):
    """Ten weeks: each day an order and its payment, each week a refund that grows, once a dispute and a discount."""
    found = []
    for day in range(71):
        at, week = make.start + timedelta(days=day), day // 7
        more = {"discount_minor": 250} if day == 60 else {}
        found += [make.order(f"o{day}", at=at, **more), make.payment(f"o{day}", at=at)]
        if day % 7 == 3:
            line = make.line(total_minor=100 * (week + 1))
            found.append(make.refund(f"r{day}", lines=[line], at=at))
    data = {"dispute_id": "d", "order_id": "o66", "currency": "GBP", "amount_minor": 1, "reason": "x"}
    at = make.start + timedelta(days=67)
    return [*found, Envelope(id="d", source=make.source, type="DisputeOpened", subject="d/1", time=at, data=data)]


def test_a_history_too_short_gives_no_interval(shop, make, ask):
    assert [ask(name) for name in NAMES] == [None] * 5
    shop.take_in(make.order("o1", at=make.start + timedelta(days=69)))
    assert [ask(name) for name in NAMES] == [None] * 5


def test_intervals_hold_what_was(shop, make, ask):
    shop.take_in(*history(make))
    assert ask("discount.stacked") == {"low": "0", "high": "1/5"}
    assert ask("demand.week") == {"low": 7, "high": 7}
    assert ask("returns.share") == {"low": "3/70", "high": "1/7"}
    assert ask("disputes.share") == {"low": "0", "high": "1/7"}
    losses = ask("losses.day")
    assert losses["low"] == {"amount_minor": 0, "currency": "GBP"}
    assert 700 <= losses["high"]["amount_minor"] <= 1000


def test_what_nothing_models_is_left_out(ask):
    assert [ask(name) for name in ("ads.revenue", "ads.margin", "ads.lift")] == [None] * 3
