"""The daily cap counts every unfinished refund of the day, in whatever order they are asked for; and malformed
proposals are denied, not raised.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from steward.agents.core.refunds import propose_refund
from steward.kernel.ids import derived_id

pytestmark = pytest.mark.db


@pytest.fixture
def asking(make_shop, catalog, make):
    """A shop whose day bears 150.00, two customers with 90.00 each to give back, and a way to ask at any time."""
    limits = tuple(
        limit.model_copy(update={"value": {"amount_minor": 15000, "currency": "GBP"}})
        if limit.name == "refund_day"
        else limit
        for limit in catalog.limits
    )
    shop = make_shop(replace(catalog, limits=limits))
    lines = [make.line(total_minor=9000)]
    shop.take_in(make.order("1", "1", lines), make.order("2", "2", lines))
    day = make.start.replace(hour=0) + timedelta(days=1)

    def ask(customer, hours, minutes):
        request = {
            "refund_id": f"C{customer}",
            "customer_id": customer,
            "amount_minor": 9000,
            "currency": "GBP",
            "lines": lines,
            "position": 0,
        }
        return propose_refund(request, day + timedelta(hours=hours, minutes=minutes))

    return shop, ask


def outcomes(shop, *proposals):
    return [shop.app.control.act(proposal).outcome for proposal in proposals]


def test_the_later_one_first_does_not_pass_both(asking):
    shop, ask = asking
    assert outcomes(shop, ask("2", 10, 15), ask("1", 10, 10)) == ["shadowed", "refused"]


def test_what_is_in_flight_is_not_forgotten_at_the_hour(asking):
    shop, ask = asking
    assert outcomes(shop, ask("1", 9, 59), ask("2", 10, 1)) == ["shadowed", "refused"]


def test_the_next_day_has_a_cap_of_its_own(asking):
    shop, ask = asking
    assert outcomes(shop, ask("1", 9, 59), ask("2", 33, 0)) == ["shadowed", "shadowed"]


@pytest.mark.parametrize("params", [{}, {"amount": "lots"}, {"refund_id": 1, "customer_id": 2, "amount": 3, "to": 4}])
def test_a_malformed_proposal_is_denied(asking, params):
    shop, ask = asking
    asked = ask("1", 9, 0)
    proposal = asked.model_copy(
        update={"params": params, "key": f"odd {params}", "id": derived_id("act", 1, str(params))}
    )
    assert outcomes(shop, proposal) == ["refused"]
    shop.app.events.sequence()
    assert shop.app.auditor.verify().invalid == []
