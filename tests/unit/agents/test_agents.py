from datetime import UTC, datetime
from fractions import Fraction

import pytest

from steward.agents.core.prices import PriceCase, best_move, best_moves, profit, propose_price
from steward.agents.core.refunds import propose_refund

AT = datetime(2011, 7, 4, 7, tzinfo=UTC)
ALLOWED = Fraction(15, 100)


def case(**changes):
    return PriceCase(
        **{"sku": "A", "price_minor": 1000, "cost_minor": 550, "units_week": 100.0, "elasticity": -1.0, **changes}
    )


@pytest.mark.parametrize("price", [7, 33, 100, 2079])
@pytest.mark.parametrize("elasticity", [-4.0, -1.0, 0.0])
def test_a_move_stays_inside_its_limit_and_promises_a_gain(price, elasticity):
    move = best_move(case(price_minor=price, cost_minor=price * 55 // 100, elasticity=elasticity), ALLOWED)
    if move:
        assert abs(move.price_minor - price) <= ALLOWED * price
        assert move.gain_minor > 0


def test_inelastic_demand_suggests_the_largest_rise():
    assert best_move(case(elasticity=0.0), ALLOWED).price_minor == 1150


def test_very_elastic_demand_suggests_a_cut():
    assert best_move(case(elasticity=-4.0), ALLOWED).price_minor < 1000


def test_the_best_price_is_left_alone():
    # With elasticity -e the best price is cost * e / (e - 1): for e = 2 and a cost of 500 that is 1000.
    assert best_move(case(cost_minor=500, elasticity=-2.0), ALLOWED) is None


def test_profit_is_margin_times_units():
    assert profit(case(), 1000) == 45_000


def test_only_the_most_promising_moves_are_proposed():
    cases = [case(sku=f"S{i}", units_week=float(i), elasticity=0.0) for i in range(1, 30)]
    moves = best_moves(cases, ALLOWED, 500, 5)
    assert [move.case.sku for move in moves] == ["S29", "S28", "S27", "S26", "S25"]


def test_the_same_review_makes_the_same_proposal():
    move = best_move(case(elasticity=0.0), ALLOWED)
    assert propose_price(move, "GBP", AT) == propose_price(move, "GBP", AT)
    assert propose_price(move, "GBP", AT).key == "price.set:A:2011-07-04"


def test_a_request_without_a_customer_is_proposed_all_the_same():
    request = {"refund_id": "C1", "customer_id": None, "amount_minor": 5, "currency": "GBP", "lines": [], "position": 3}
    proposal = propose_refund(request, AT)
    assert proposal.params["customer_id"] == ""
    assert proposal.params["to"] == "original_payment"
    assert proposal.evidence["position"] == 3
