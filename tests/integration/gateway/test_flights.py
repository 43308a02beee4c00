"""What the gate let through and nobody confirmed counts, whatever kind it is of."""

from datetime import timedelta

import pytest

from steward.contracts.action import ActionProposal, Principal
from steward.contracts.event import Envelope
from steward.gateway.core.flights import FLIGHTS, turns
from steward.kernel.ids import derived_id
from steward.kernel.instants import unix_ms

pytestmark = pytest.mark.db


def gbp(minor):
    return {"amount_minor": minor, "currency": "GBP"}


@pytest.fixture
def gate(shop, make):
    """Put actions into the gate's own table, as `execute` does, and ask for facts a while later."""

    class Gate:
        def put(self, kind, key, outcome="shadowed", at=make.start, **params):
            from steward.contracts.action import Held, Refused, Shadowed

            amount = params.get(shop.app.catalog.kind(kind).amount or "", {}).get("amount_minor")
            ended = {
                "shadowed": Shadowed(verb="v", request={}),
                "refused": Refused(code="c", reason="r"),
                "held": Held(risk="L2", approver="manager", reason="r", expires_at=at + timedelta(hours=24)),
            }[outcome]
            name = derived_id("act", unix_ms(at), key)
            proposal = ActionProposal(id=name, key=key, kind=kind, params=params, principal=Principal(id="x"), at=at)
            snapshot = shop.app.state.snapshot(make.start)
            gateway = shop.app.gateway
            with shop.app.database.transaction() as connection:
                gateway._store.add(connection, proposal, snapshot.id, ended, "L1", amount)

        def ask(self, name, after=timedelta(hours=1), **params):
            at = make.start + after
            found = shop.app.gateway.fact(name, params, at, shop.app.state.snapshot(make.start))
            if isinstance(found, dict) and "any_subset_of" in found:  # in no order that matters
                return {"any_subset_of": sorted(found["any_subset_of"], key=str)}
            return found

    return Gate()


def test_amounts_in_flight_are_those_of_the_same_thing(gate):
    gate.put("supplier.pay", "1", invoice_id="i1", supplier_id="acme", amount=gbp(100), payment_id="p1", payee="d")
    gate.put(
        "supplier.pay", "2", "held", invoice_id="i1", supplier_id="acme", amount=gbp(70), payment_id="p2", payee="d"
    )
    gate.put(
        "supplier.pay", "3", "refused", invoice_id="i1", supplier_id="acme", amount=gbp(9), payment_id="p3", payee="d"
    )
    gate.put("supplier.pay", "4", invoice_id="i2", supplier_id="acme", amount=gbp(30), payment_id="p4", payee="d")
    assert gate.ask("invoice.in_flight", invoice_id="i1") == {"any_subset_of": [gbp(100), gbp(70)]}
    assert [gate.ask("payment.named", payment_id=one) for one in ("p1", "p2", "p3", "p5")] == [1, 1, 0, 0]
    assert gate.ask("payee.pending", party="acme") == {"any_subset_of": [gbp(100), gbp(30), gbp(70)]}
    assert gate.ask("payee.pending", party="mia") == {"any_subset_of": []}
    # What nobody approved in time will not happen.
    assert gate.ask("invoice.in_flight", timedelta(hours=25), invoice_id="i1") == {"any_subset_of": [gbp(100)]}
    assert gate.ask("invoice.in_flight", timedelta(days=32), invoice_id="i1") == {"any_subset_of": []}


def test_what_happened_is_no_longer_in_flight(gate, shop, make):
    gate.put("supplier.pay", "1", invoice_id="i1", supplier_id="acme", amount=gbp(100), payment_id="p1", payee="d")
    gate.put("payout.creator", "2", creator_id="mia", amount=gbp(50), payout_id="p1", payee="d")
    data = {"payment_id": "p1", "supplier_id": "acme", "invoice_id": "i1", "amount_minor": 100, "currency": "GBP"}
    shop.take_in(Envelope(id="s", source="x", type="SupplierPaid", subject="x/1", time=make.start, data=data))
    assert gate.ask("invoice.in_flight", invoice_id="i1") == {"any_subset_of": []}
    assert gate.ask("payouts.in_flight", creator_id="mia") == {"any_subset_of": [gbp(50)]}  # another's payment


def test_units_and_counts(gate):
    for key in ("1", "2"):
        gate.put("replacement.send", key, replacement_id=key, order_id="o1", sku="MUG", quantity=2)
    gate.put("stock.reserve", "3", sku="MUG", purpose="show", quantity=5)
    gate.put("sample.send", "4", sample_id="s", creator_id="mia", sku="CUP", quantity=1, cost=gbp(900))
    gate.put("stock.adjust", "5", sku="MUG", delta=-1, value=gbp(300), reason="count")
    gate.put("order.cancel", "6", order_id="o1", reason="asked")
    gate.put("sku.pause", "7", sku="MUG", reason="breaks")
    gate.put("ads.scale", "8", campaign_id="c1", platform="x", budget=gbp(4000))
    gate.put(
        "po.create", "9", purchase_order_id="po", supplier_id="a", sku="MUG", quantity=1, unit=gbp(5), amount=gbp(5)
    )
    assert gate.ask("stock.in_flight", sku="MUG") == {"any_subset_of": [2, 2, 5]}
    assert gate.ask("order.replaced", order_id="o1", sku="MUG") == 4
    assert gate.ask("order.replaced", order_id="o1", sku="CUP") == 0
    assert gate.ask("samples.in_flight") == {"any_subset_of": [gbp(900)]}
    assert gate.ask("orders.in_flight") == {"any_subset_of": [gbp(5)]}
    assert [gate.ask("cancels.today"), gate.ask("pauses.today"), gate.ask("adjusted.today")] == [1, 1, gbp(300)]
    assert gate.ask("ads.in_flight") == {"any_subset_of": [gbp(4000)]}
    assert [gate.ask("ads.moves_today", campaign_id=name) for name in ("c1", "c2")] == [1, 0]
    tomorrow = timedelta(days=1)
    assert [gate.ask(name, tomorrow) for name in ("cancels.today", "adjusted.today")] == [0, gbp(0)]
    assert gate.ask("ads.in_flight", tomorrow) == {"any_subset_of": []}


def test_kinds_under_one_cap_take_turns(catalog):
    def names(kind):
        return turns(kind, catalog.kind(kind).facts)

    assert set(names("ads.scale")) & set(names("ads.budget_set")) >= {"ads.in_flight"}
    assert set(names("payee.change")) & set(names("payout.creator")) >= {"payee.pending"}
    assert set(names("refund.issue")) & set(names("refund.preempt")) >= {"refunds.in_flight"}
    assert all(name in names(kind) for name, flight in FLIGHTS.items() for kind in flight.kinds)
