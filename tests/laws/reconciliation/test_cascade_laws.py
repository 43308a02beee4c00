"""Order decides nothing, nothing is lost or told twice, accepted money is equal money, and accepted stays accepted."""

import importlib.util
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.reconciliation.core.cascade import fingerprint, reconcile
from steward.reconciliation.core.proposals import CANDIDATE, FUZZY

SPEC = importlib.util.spec_from_file_location("reconciliation_worlds", Path(__file__).parent / "worlds.py")
worlds = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(worlds)


# The first world loads time zones, and a busy machine takes a second for that.
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(lines, moves, windows, cut=None):
    return reconcile(worlds.statements(lines, cut), moves, worlds.TERMS, windows, worlds.AS_OF)


@FEW
@given(worlds.worlds(most=7), st.randoms(use_true_random=False))
def test_the_order_of_what_comes_in_changes_nothing(world, luck):
    lines, moves, windows = world
    first = run(lines, moves, windows)
    luck.shuffle(lines)
    luck.shuffle(moves)
    again = run(lines, moves, windows)
    assert fingerprint(again) == fingerprint(first)
    assert (again.matches, again.breaks, again.open) == (first.matches, first.breaks, first.open)


@FEW
@given(worlds.worlds(most=7), st.integers(0, 7))
def test_every_minor_unit_is_in_one_match_or_one_break_or_open(world, cut):
    lines, moves, windows = world
    result = run(lines, moves, windows, cut)
    items = [item for match in result.matches for item in match.items]
    items += [item for one in result.breaks for item in one.keys] + list(result.open)
    assert len({(item.side, item.key) for item in items}) == len(items) == len(lines) + len(moves)
    told = sum(item.amount_minor for item in items if item.side == "statement")
    assert told == sum(line.net_minor for line in lines)
    known = {move.key: move for move in moves}
    for item in items:
        if item.side == "books" and known[item.key].fee_minor is not None:
            assert item.amount_minor == known[item.key].gross_minor - known[item.key].fee_minor


@FEW
@given(worlds.worlds(most=7))
def test_accepted_money_is_equal_but_for_a_minor_unit_a_line(world):
    lines, moves, windows = world
    by_line, by_move = {f"p/s/{line.key}": line for line in lines}, {move.key: move for move in moves}
    result = run(lines, moves, windows)
    for match in result.matches:
        told = [by_line[item.key] for item in match.items if item.side == "statement"]
        known = [by_move[item.key] for item in match.items if item.side == "books"]
        assert told
        assert known
        assert match.rule not in {FUZZY, CANDIDATE}
        assert sum(line.gross_minor for line in told) == sum(move.gross_minor for move in known)
        assert {line.currency for line in told} == {move.currency for move in known} == {match.currency}
        assert {line.type for line in told} == {move.type for move in known}
        assert abs(match.rounding_minor) <= len(told)
        assert len(told) == len(known) or match.rule == "sum"
    assert result.report.rounding_minor.get("USD", 0) == sum(match.rounding_minor for match in result.matches)


@FEW
@given(worlds.worlds(most=7))
def test_what_was_matched_matches_again_without_the_rest(world):
    lines, moves, windows = world
    first = run(lines, moves, windows)
    kept = {item.key for match in first.matches for item in match.items}
    lines = [line for line in lines if f"p/s/{line.key}" in kept]
    moves = [move for move in moves if move.key in kept]
    again = run(lines, moves, windows)
    assert {item.key for match in again.matches for item in match.items} == kept
    assert again.breaks == ()
    assert again.open == ()


@FEW
@given(worlds.worlds(most=7))
def test_proposals_are_about_what_was_left(world):
    lines, moves, windows = world
    result = run(lines, moves, windows)
    matched = {item.key for match in result.matches for item in match.items}
    for one in result.breaks:
        for proposal in one.proposals:
            assert proposal.rule in {FUZZY, CANDIDATE}
            assert proposal.confidence < 900
            assert matched.isdisjoint(item.key for item in proposal.items)
