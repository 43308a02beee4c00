"""The cascade beside its slow twin on small worlds in which everything collides."""

import importlib.util
from pathlib import Path

from hypothesis import given, settings

from steward.reconciliation.core.cascade import reconcile


def loaded(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__)
twins = loaded("reconciliation_twin", HERE.parent / "twin.py")
worlds = loaded("reconciliation_worlds_again", HERE.parents[2] / "laws/reconciliation/worlds.py")


@settings(max_examples=80, deadline=None)
@given(worlds.worlds(most=5))
def test_the_cascade_accepts_what_its_twin_accepts(world):
    lines, moves, windows = world
    result = reconcile(worlds.statements(lines), moves, worlds.TERMS, windows, worlds.AS_OF)
    accepted = {
        (
            frozenset(item.key.rpartition("/")[2] for item in match.items if item.side == "statement"),
            frozenset(item.key for item in match.items if item.side == "books"),
        )
        for match in result.matches
        if match.rule != "sum"
    }
    delayed = {
        (one.keys[0].key.rpartition("/")[2], one.keys[1].key, one.type)
        for one in result.breaks
        if one.type in {"late", "date"}
    }
    assert (accepted, delayed) == twins.Twin(lines, moves, worlds.TERMS, windows).run()
