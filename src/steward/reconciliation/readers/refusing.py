"""Files that are understood and are no settlement: each refused with what it is."""

from __future__ import annotations

from steward.contracts.settlement import Reading, Rejected


def no_settlement(provider: str, what: str, line: int = 0) -> Reading:
    """A reading of nothing, with the reason."""
    return Reading(provider, what, (), None, refused=Rejected(line, f"{what} is no settlement"))
