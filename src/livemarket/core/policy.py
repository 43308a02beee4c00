"""The shop's refund policy as one number: 0 is strict, 1 gives everything back at once."""

from __future__ import annotations

from livemarket.core.world import World

USUAL = 0.5


def generosity(world: World) -> float:
    """Today's policy, and what somebody forced it to be."""
    return world.do_one("generosity", USUAL)
