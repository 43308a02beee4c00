"""The only source of randomness: secrets from the operating system. Everything seeded derives from a named key."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable


def new_password() -> str:
    """A password of 256 bits, safe in any quoting."""
    return secrets.token_hex(32)


def random_bytes(count: int) -> bytes:
    """Secret bytes: keys, salts, ids."""
    return secrets.token_bytes(count)


def seeded_draws(seed: int) -> Callable[[int], int]:
    """For simulations: `draw(n)` is a number from 0 to n - 1, each as likely; the same seed draws the same ones."""
    return random.Random(seed).randrange
