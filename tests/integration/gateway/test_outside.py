"""What cannot be signed is surely not sent: it is tried again later and never taken for silence."""

from uuid import uuid4

import pytest

pytestmark = pytest.mark.db


def test_without_credentials_nothing_is_sent_and_nothing_is_unknown(shop):
    outside = shop.app.way_out.outside
    args = {"payment_intent": "pi_1", "amount_minor": 100, "currency": "USD"}
    row = {"action_id": uuid4(), "tool": "stripe", "verb": "create_refund", "args": args, "result": {}}
    asked = []
    came = outside.carry(row, outside.prepare(row, "executing"), lambda: asked.append(1) or True)
    assert (came.kind, came.status, asked) == ("again", None, [])
    assert "STEWARD_KEY_STRIPE_SECRET" in came.detail
