"""A shop that has lived long enough for everything to be under way."""

import pytest

from livemarket import catalog
from livemarket.core.step import born, step


@pytest.fixture(scope="module")
def grown():
    """Forty-five days old: parcels, tickets, returns, disputes and settlements run."""
    world = born(catalog.setting("small"), 7)
    for _ in range(45):
        step(world)
    world.keep = True
    return world
