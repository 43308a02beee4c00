"""Times as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime


def when(text: str) -> int | None:
    """A date or time of ISO 8601 as seconds since 1970; without an offset it is UTC. None if it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
