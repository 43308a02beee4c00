"""Every kind of action goes down the whole line on real facts: each door answers what it is asked, or says it cannot."""

from datetime import timedelta

import pytest

from steward.catalog import load_catalog
from steward.contracts.action import ActionProposal, Principal
from steward.contracts.event import Envelope
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

pytestmark = pytest.mark.db

KINDS = [kind.kind for kind in load_catalog().kinds if kind.stage == "shadow"]
GBP = {"currency": "GBP"}


def proposal(kind, params, at, roles=()):
    key = f"{kind}:1"
    return ActionProposal(
        id=derived_id("act", unix_ms(at), key), key=key, kind=kind, params=params, principal=Principal(id="agent:x", roles=roles), at=at
    )  # fmt: skip


@pytest.fixture
def findings(shop, make):
    """What became of one proposal, and what each rule said."""

    def act(kind, params, days=1, roles=()):
        acted = shop.app.control.act(proposal(kind, params, make.start + timedelta(days=days), roles))
        answer = shop.app.proofs.of_action(acted.action_id)["answer"]
        return acted.outcome, {finding["id"]: finding["status"] for finding in answer["findings"]}

    return act


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_shop_answers_every_kind(findings, catalog, kind):
    """Nothing is known of anything, so nothing passes that needs to know: it waits for a person or is refused."""
    outcome, said = findings(kind, catalog.kind(kind).witness.action["params"])
    assert set(said) >= {rule.id for rule in catalog.rules_on(kind)}
    if outcome == "shadowed":
        assert "missing" not in said.values()


def test_an_order_that_is_paid_and_usual_is_released(shop, make, findings):
    """The facts come from events alone, and every rule is fulfilled."""
    shop.take_in(
        make.order("o1", device_id="d1", address_id="a1", lines=[make.line(quantity=2, total_minor=2000)]),
        make.payment("o1", 2000),
    )
    outcome, said = findings("order.release", {"order_id": "o1", "customer_id": "17850"})
    assert (outcome, set(said.values()) - {"holds", "skipped"}) == ("shadowed", set())


def test_an_unpaid_order_is_not(shop, make, findings):
    shop.take_in(make.order("o1", device_id="d1", address_id="a1"), make.payment("o1", 999))
    outcome, said = findings("order.release", {"order_id": "o1", "customer_id": "17850"})
    assert (outcome, said["release-when-paid"]) == ("refused", "fails")


def test_a_refund_on_top_of_a_dispute_is_refused(shop, make, findings):
    dispute = {"dispute_id": "d", "order_id": "o1", "amount_minor": 1, "reason": "x", **GBP}
    shop.take_in(
        make.order("o1"),
        make.payment("o1"),
        Envelope(id="d", source=make.source, type="DisputeOpened", subject="dispute/d", time=make.start, data=dispute),
    )
    params = {"refund_id": "r", "order_id": "o1", "customer_id": "17850", "amount": {"amount_minor": 1000, **GBP}, "to": "original_payment"}  # fmt: skip
    outcome, said = findings("refund.preempt", params)
    assert (outcome, said["preempt-within-captured"]) == ("refused", "fails")


def test_stock_that_is_reserved_is_not_reserved_again(shop, make, catalog):
    level = {"sku": "MUG", "delta": 0, "on_hand": 12}
    shop.take_in(
        Envelope(id="s", source=make.source, type="StockAdjusted", subject="stock/MUG", time=make.start, data=level)
    )
    ended = []
    for number in range(3):
        at = make.start + timedelta(hours=1 + number)
        key = f"stock.reserve:{number}"
        params = {"sku": "MUG", "purpose": "show", "quantity": 5}
        name = derived_id("act", unix_ms(at), key)
        asked = ActionProposal(
            id=name, key=key, kind="stock.reserve", params=params, principal=Principal(id="x"), at=at
        )
        ended.append(shop.app.control.act(asked).outcome)
    assert ended == ["shadowed", "shadowed", "refused"]  # two are kept back: ten of twelve may go
