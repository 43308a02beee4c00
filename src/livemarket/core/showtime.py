"""What the shop changes about its shows from outside: the product that is pinned, a live price drop, an early end.

A change holds for slots that begin after it was made, never for one that runs: its audience and its orders were drawn.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from livemarket.core.acts import Act, Verb
from livemarket.core.arrays import Floats, Ints
from livemarket.core.world import World

VERBS = (Verb.PIN, Verb.DROP, Verb.END_SHOW)
KEYS_A_DAY = 256  # a show's key is its day times this, and its place in the day


def _slot(act: Act) -> int:
    return -1 if act.verb == Verb.END_SHOW else act.detail


def note(world: World) -> None:
    """Today's acts on shows of today or later join those of earlier days; what is over is forgotten."""
    made = [
        (world.day * 86400 + act.second, act.entity, int(act.verb), act.amount, _slot(act))
        for act in world.acts
        if act.verb in VERBS
    ]
    world.acts = tuple(act for act in world.acts if act.verb not in VERBS)
    changes = [change for change in world.state.show_changes if change[1] // KEYS_A_DAY >= world.day]
    world.state.show_changes = (*changes, *sorted(made))


def _held(world: World, verb: Verb, key: Ints, start: Ints) -> Iterator[tuple[int, Ints, int]]:
    """Place of the show, slots that a change holds for, and its value. `start`: seconds of each show and slot."""
    places = {show: n for n, show in enumerate(key.tolist())}
    for moment, show, kind, value, slot in world.state.show_changes:
        if kind == verb and show in places:
            later = np.flatnonzero(world.day * 86400 + start[places[show]] > moment)
            yield places[show], later[later == slot] if slot >= 0 else later, value


def pinned(world: World, key: Ints, start: Ints, sku: Ints) -> Ints:
    """The products of each slot."""
    made = sku.copy()
    for place, slots, value in _held(world, Verb.PIN, key, start):
        made[place, slots] = value
    return made


def dropped(world: World, key: Ints, start: Ints, drop: Floats) -> Floats:
    """The share of the price that each slot leaves off."""
    made = drop.copy()
    for place, slots, value in _held(world, Verb.DROP, key, start):
        made[place, slots] = value / 1_000_000
    return made


def lasting(world: World, key: Ints, start: Ints) -> Ints:
    """How many slots each show has."""
    made = np.full(len(key), start.shape[1], dtype=np.int64)
    for place, slots, _ in _held(world, Verb.END_SHOW, key, start):
        if len(slots):
            made[place] = min(int(made[place]), int(slots[0]))
    return made
