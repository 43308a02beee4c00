"""Files that are understood and are no settlement: each refused with what it is."""

from __future__ import annotations

from steward.contracts.settlement import Reading, Rejected
from steward.reconciliation.readers.tables import Header


def no_settlement(provider: str, what: str, line: int = 0) -> Reading:
    """A reading of nothing, with the reason."""
    return Reading(provider, what.rstrip(","), (), None, refused=Rejected(line, f"{what} is no settlement"))


def attempts(header: Header) -> bool:
    """Whether a table lists payment attempts with their states: what was tried, not what was settled."""
    return header.has("intent_outcome", "authorized_amount", "captured_amount")
