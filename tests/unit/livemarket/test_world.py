"""The world: same seed same integers, actions change only what they cause, the graph is what it says, shocks."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livemarket import catalog
from livemarket.core import counterfactual, opponents
from livemarket.core.graph import Edge, Graph
from livemarket.core.interventions import VARIABLES, Intervention
from livemarket.core.position import position
from livemarket.core.setting import WARM_UP_DAYS
from livemarket.core.step import born, step, warmed_up

SEED = 7
# Integers of a world of forty days: another machine or another library that gets others is a fault. Change it only
# with a change of the model, and say so in CHANGELOG.md.
GOLDEN = "b0887f23815cf5c2ddc1bb616061b1fb2bd548520f2aa8d7969f083ba5c9d360"


def digest(world):
    hashed = hashlib.sha256()
    for table in ("orders", "lines", "batches", "purchases", "bank_lines", "tickets", "payouts", "decisions"):
        content = getattr(world.state, table)
        for name in content._data:
            hashed.update(np.ascontiguousarray(content[name], dtype="<i8").tobytes())
    return hashed.hexdigest()


@pytest.fixture(scope="module")
def warm():
    return warmed_up(catalog.setting("small"), SEED)


def sums(world, days):
    total = {}
    for _ in range(days):
        step(world)
        for name, amount in world.today.items():
            total[name] = total.get(name, 0) + amount
    return total


def test_the_integers_are_the_same_on_every_machine():
    world = born(catalog.setting("small"), SEED)
    for _ in range(40):
        step(world)
    assert digest(world) == GOLDEN


def test_two_seeds_differ():
    first, second = (born(catalog.setting("small"), seed) for seed in (1, 2))
    for _ in range(5):
        step(first)
        step(second)
    assert digest(first) != digest(second)


def test_a_forks_future_is_what_living_from_the_start_gives(warm):
    """The counterfactual by fork equals brute force: a world born with the plan, lived day by day."""
    plan = (
        Intervention("price", "scale", 0.85, WARM_UP_DAYS, WARM_UP_DAYS + 4, (1, 2)),
        Intervention("ad_budget", "scale", 2.0, WARM_UP_DAYS + 2),
        Intervention("generosity", "set", 0.9, WARM_UP_DAYS),
        Intervention("restock", "scale", 1.5, WARM_UP_DAYS),
    )
    answer = counterfactual.effect(warm, plan, 10, "gmv")
    brute = warmed_up(replace(catalog.setting("small"), plan=plan), SEED)
    assert counterfactual.summed(brute, 10, "gmv") == answer.counterfactual
    fork = warm.fork(plan)
    sums(fork, 10)
    assert digest(fork) == digest(brute)
    assert answer.difference != 0
    assert warm.day == WARM_UP_DAYS


def test_an_action_changes_only_what_it_causes(warm):
    """A dearer product: on that day every order of every other product is what it was, word for word."""
    plain, moved = warm.fork(), warm.fork((Intervention("price", "scale", 1.4, entities=(0,)),))
    step(plain)
    step(moved)
    columns = ("key", "sku", "quantity", "price", "second", "customer", "total", "processor")

    def others(world):
        orders = world.state.orders
        rows = np.flatnonzero((orders["day"] == WARM_UP_DAYS) & (orders["sku"] != 0))
        return sorted(zip(*(orders.at(name, rows).tolist() for name in columns), strict=True))

    assert others(plain) == others(moved)
    assert (plain.state.orders["sku"] == 0).sum() > (moved.state.orders["sku"] == 0).sum()


def test_the_world_shows_every_declared_effect(warm):
    assert counterfactual.disagreements(warm, catalog.graph()) == []


@pytest.mark.parametrize("edge", catalog.graph().edges, ids=lambda edge: edge.name)
def test_a_removed_edge_is_detected(warm, edge):
    world = warm.fork()
    world.graph = world.graph.without(edge.source, edge.target)
    found = counterfactual.disagreements(world, catalog.graph(), frozenset({edge.target}))
    assert [e.name for e in found] == [edge.name]


def test_an_edge_the_model_does_not_have_is_refused(warm):
    world = warm.fork()
    world.graph = Graph((*world.graph.edges, Edge("moon", "enter_rate", 0.1, "phase")))
    with pytest.raises(ValueError, match="enter_rate has no moon"):
        step(world)


def test_every_source_can_be_forced():
    assert {edge.source for edge in catalog.graph().edges} <= VARIABLES.keys()
    with pytest.raises(ValueError, match="cannot be forced"):
        Intervention("weather", "set", 1.0)


def shock(warm, name, days):
    """Sums without and with a shock."""
    return [sums(world, days) for world in both(warm, name)]


def both(warm, name):
    return warm.fork(), warm.fork(catalog.shocks()[name].starting(WARM_UP_DAYS))


def test_dearer_advertising_buys_less_for_the_same_money(warm):
    before, after = shock(warm, "cpm", 3)
    assert after["ad_spend"] == before["ad_spend"]
    assert 0.6 < after["ad_clicks"] / before["ad_clicks"] < 0.95


def test_a_strike_delays_first_and_is_complained_about_later(warm):
    worlds = both(warm, "strike")
    early = [sums(world, 6) for world in worlds]
    late = [sums(world, 19) for world in worlds]
    assert early[1]["delivered"] < early[0]["delivered"] * 0.6
    assert early[1]["orders"] < early[0]["orders"]  # slower delivery sells a little less
    assert late[1]["tickets"] > late[0]["tickets"] * 1.1
    assert late[1]["delivered"] > late[0]["delivered"] * 0.9  # what was held up comes after all


def test_a_supplier_who_fails_empties_shelves_after_weeks(warm):
    worlds = both(warm, "supplier")
    early = [sums(world, 7) for world in worlds]
    late = [sums(world, 48) for world in worlds]
    assert early[1]["orders"] == early[0]["orders"]
    assert late[1]["received"] < late[0]["received"]
    assert late[1]["orders"] < late[0]["orders"]


def test_a_viral_product_sells_more_and_the_rest_about_as_before(warm):
    plan = catalog.shocks()["viral"].starting(WARM_UP_DAYS)
    plain, viral = warm.fork(), warm.fork(plan)
    sums(plain, 4)
    sums(viral, 4)

    def sold(world, first):
        orders = world.state.orders
        return int(((orders["day"] >= WARM_UP_DAYS) & ((orders["sku"] == 0) == first)).sum())

    assert sold(viral, True) > 1.5 * sold(plain, True)
    assert abs(sold(viral, False) - sold(plain, False)) < 0.5 * sold(plain, False)


def test_a_fee_change_costs_fees_and_nothing_else(warm):
    before, after = shock(warm, "fees", 10)
    assert after["fees"] > before["fees"]
    assert {k: v for k, v in after.items() if k not in {"fees", "paid_out"}} == {
        k: v for k, v in before.items() if k not in {"fees", "paid_out"}
    }


def test_frauds_cost_what_they_should(warm):
    honest = sums(warm.fork(), 30)
    world = warm.fork()
    world.setting = replace(world.setting, opponents=(opponents.NotReceivedRing(per_day=5), opponents.CardTester()))
    attacked = sums(world, 30)
    assert attacked["refunded"] > honest["refunded"]
    assert attacked["disputes"] > honest["disputes"]
    assert attacked["failed"] > honest["failed"]


def test_what_the_shop_owns_and_owes_is_its_own_history(warm):
    """The bank's balance is the founders' money and every entry since; nothing is held twice."""
    state = warm.state
    first = born(catalog.setting("small"), SEED).state.bank
    assert position(warm)["assets:bank"] == first + int(state.bank_lines["amount"].sum())
    assert (state.on_hand == state.received - state.shipped).all()
    assert (state.reserved >= 0).all()
    assert (state.on_hand - state.reserved >= 0).all()


def test_a_lowered_commission_waits_and_a_raised_one_does_not(warm):
    decisions = warm.state.decisions
    rows = np.flatnonzero(decisions["kind"] == 6)
    assert len(rows)
    lock = int(warm.number("affiliate_lock"))
    creator, after = decisions["entity"][rows], decisions["after"][rows]
    lowered = after < decisions["before"][rows]
    last = np.array([(creator[n + 1 :] == creator[n]).sum() == 0 for n in range(len(rows))])
    for n in np.flatnonzero(last):
        waited = warm.day - 1 - decisions["day"][rows][n]
        expected = after[n] if not lowered[n] or waited >= lock else decisions["before"][rows][n]
        assert warm.state.affiliate_ppm[creator[n]] == expected


def test_every_parameter_names_its_source_or_is_called_a_choice():
    for row in catalog.parameters().values():
        assert row.quality in {"A", "B", "C", "M"}, row.name
        assert row.source or row.quality == "M", row.name


def test_every_parameter_is_used():
    """A number in the table that no equation reads would be a claim about nothing."""
    root = Path(catalog.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py"))
    text += (root / "data" / "categories.yaml").read_text(encoding="utf-8")
    unused = [name for name in catalog.parameters() if f'"{name}"' not in text and f"returns: {name}" not in text]
    assert unused == []
